"""A device pattern becomes exact devices, for one person: what they may not see is unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from automation_bots.config.live import LiveConfig
from automation_bots.errors import BadCommand, UnknownDevice
from automation_bots.inventory import patterns
from automation_bots.model import Device, Person, Request, one_line
from automation_bots.operations import target_words
from automation_bots.operations.delegation import Elsewhere
from automation_bots.pipeline import parser as grammar
from automation_bots.policy import gate
from automation_bots.policy.rules import ADMINS
from automation_bots.text.nearest import did_you_mean


@runtime_checkable
class WorksElsewhere(Protocol):
    """The body of an operation that may work beside the devices that it is asked for."""

    def elsewhere(
        self, values: Mapping[str, Any], devices: Sequence[Device], groups: Mapping[str, Sequence[str]]
    ) -> Elsewhere:
        """Where, as far as the words and the devices tell."""


def _among(hosts: tuple[str, ...], seen: frozenset[str]) -> tuple[str, ...]:
    return hosts if seen.issuperset(hosts) else tuple(host for host in hosts if host in seen)


class TargetResolver:
    """Reads patterns by the inventory of now."""

    def __init__(self, live: LiveConfig, selectors: target_words.Selectors) -> None:
        self._live, self._selectors = live, selectors
        self._of = (0, 0)  # which inventory and policy the views are of
        self._kept: object = None  # both, so that no other is made at their place in memory
        self._views: dict[str, patterns.Names] = {}

    def devices(self, person: Person, request: Request) -> tuple[str, ...]:
        """Return exactly the devices that were meant; UnknownDevice for what this person may not see."""
        operation, pattern = request.operation, request.pattern
        if operation.devices == "every" and not pattern:
            mine = gate.usable(self._live.scope, person, operation, request.place) or frozenset()
            return tuple(name for name in self._live.inventory.names if name in mine)
        if operation.devices == "none" or not pattern:
            return ()
        if select := self._selectors.get(operation.leading):
            return self._selected(person, pattern, select)
        devices = self.expand(person, pattern)
        if operation.devices == "one" and len(devices) != 1:
            raise BadCommand(f"{operation.name} takes one device; {one_line(pattern, 60)!r} means {len(devices)}.")
        return devices

    def with_others(self, request: Request) -> Request:
        """Add where it works beside its devices, as far as that is known; BadCommand where that is not declared."""
        body, inventory = request.operation.body, self._live.inventory
        if not isinstance(body, WorksElsewhere):
            return request
        where = body.elsewhere(request.parameters, inventory.devices(request.devices), inventory.groups)
        if where.here and request.devices and not request.operation.controller:
            raise BadCommand(
                f"{request.operation.name} works on the bot's own machine too ({where.here[0]}), so its header has to "
                "say controller: true; an admin can add that. Nothing was started."
            )
        known = tuple(name for name in where.devices if inventory.find(name))
        return replace(request, also=known, unknown=where.unknown)

    def _selected(self, person: Person, target: str, select: Callable[[str, bool], tuple[str, ...]]) -> tuple[str, ...]:
        admin = ADMINS in person.groups
        try:
            devices = select(target, admin)
        except UnknownDevice:
            if admin:
                raise
            devices = ()  # others do not hear whether it is nowhere, or only not for them
        mine = _among(devices, gate.visible(self._live.scope, person))
        if not mine or (len(mine) < len(devices) and target.startswith(target_words.LISTED)):
            raise UnknownDevice(f"No device {one_line(target.removeprefix(target_words.LISTED), 60)!r}. → !devices")
        return mine

    def expand(self, person: Person, pattern: str) -> tuple[str, ...]:
        """Read a pattern as if the devices that this person sees were all there are: wildcards find no others."""
        try:
            devices = patterns.meant(pattern, self._view(person))
        except UnknownDevice as error:
            raise UnknownDevice(f"{str(error).rstrip('.')}.{self._meant(person, pattern)}") from error
        if not devices:
            raise UnknownDevice(f"No device or group {one_line(pattern, 60)!r}.{self._meant(person, pattern)}")
        return devices

    def _view(self, person: Person) -> patterns.Names:
        live = self._live
        state, policy = live.inventory.state, live.policy
        if self._of != (id(state), id(policy)):
            self._kept, self._views, self._of = (state, policy), {}, (id(state), id(policy))
        if person.name not in self._views:
            seen = gate.visible(live.scope, person)
            groups = {name: mine for name, hosts in state.groups.items() if (mine := _among(hosts, seen))}
            self._views[person.name] = patterns.Names(_among(state.names, seen), groups)
        return self._views[person.name]

    def _meant(self, person: Person, pattern: str) -> str:
        inventory = self._live.inventory
        seen = gate.visible(self._live.scope, person)
        groups = {name for name, hosts in inventory.groups.items() if seen.intersection(hosts)}
        unknown = [p for p in grammar.pattern_words(pattern) if p not in seen and p not in groups]
        near = [name for part in unknown[:3] for name in inventory.nearest(part, seen | groups)]
        return did_you_mean(near, otherwise="→ !devices")
