"""A device pattern becomes exact devices, for one person: what they may not see is unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from automation_bots import gate, grammar, patterns
from automation_bots.errors import BadCommand, UnknownDevice
from automation_bots.model import Person, Request, one_line
from automation_bots.world import World

Selectors = Mapping[str, Callable[[str], tuple[str, ...]]]  # by `leading`: a target's words -> its devices


class Resolver:
    """Reads patterns by the inventory of now."""

    def __init__(self, world: World, selectors: Selectors) -> None:
        self._world, self._selectors = world, selectors

    def devices(self, person: Person, request: Request) -> tuple[str, ...]:
        """Return exactly the devices that were meant; UnknownDevice for what this person may not see."""
        operation, pattern = request.operation, request.pattern
        if operation.devices == "none" or not pattern:
            return ()
        if select := self._selectors.get(operation.leading):
            return self._selected(person, pattern, select(pattern))
        inventory, seen = self._world.inventory, gate.visible(self._world.scope, person)
        groups = {name: hosts for name, hosts in inventory.groups.items() if not seen.isdisjoint(hosts)}
        # What this person may not see is said to be unknown in the same words as what does not exist.
        if missing := patterns.unknown(pattern, seen, groups):
            found = f"No device or group {', '.join(map(repr, missing))}."
            raise UnknownDevice(f"{found}{self._meant(person, pattern)}")
        try:
            devices = inventory.expand(pattern)
        except UnknownDevice as error:
            raise UnknownDevice(f"{str(error).rstrip('.')}.{self._meant(person, pattern)}") from error
        if not seen.intersection(devices):
            raise UnknownDevice(f"No device or group {one_line(pattern, 60)!r}.{self._meant(person, pattern)}")
        if operation.devices == "one" and len(devices) != 1:
            raise BadCommand(f"{operation.name} takes one device; {one_line(pattern, 60)!r} means {len(devices)}.")
        return devices

    def _selected(self, person: Person, pattern: str, devices: tuple[str, ...]) -> tuple[str, ...]:
        if not gate.visible(self._world.scope, person).intersection(devices):
            raise UnknownDevice(f"{one_line(pattern, 60)!r} is no device. → !devices")
        return devices

    def _meant(self, person: Person, pattern: str) -> str:
        inventory = self._world.inventory
        seen = gate.visible(self._world.scope, person)
        groups = {name for name, hosts in inventory.groups.items() if seen.intersection(hosts)}
        unknown = [p for p in grammar.pattern_words(pattern) if p not in seen and p not in groups]
        near = [name for part in unknown[:3] for name in inventory.nearest(part, seen | groups)]
        return f" Did you mean {' or '.join(dict.fromkeys(near))}?" if near else " → !devices"
