"""A target in Salt's words becomes devices: Salt says which minions, and the gate judges exactly those."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Protocol

from automation_bots.drivers.salt.api import SaltApi, Session
from automation_bots.drivers.salt.functions import minion_of
from automation_bots.errors import BadCommand, DriverError, UnknownDevice
from automation_bots.model import Device, one_line
from automation_bots.operations.target_words import LISTED

_FRESH = 60.0  # seconds for which the list of accepted keys is believed; a name that is not in it is asked for at once
_SHOWN = 5


class Inventory(Protocol):
    """What is needed of the inventory."""

    @property
    def state(self) -> object:
        """Changes when the inventory does."""

    @property
    def names(self) -> tuple[str, ...]:
        """All devices."""

    def devices(self, names: Iterable[str]) -> tuple[Device, ...]:
        """Return several devices."""


class Targets:
    """Resolves targets; keys are remembered for a minute, grains and compounds are asked for each time."""

    def __init__(self, api: SaltApi, inventory: Inventory) -> None:
        self._api, self._inventory = api, inventory
        self._known: tuple[float, frozenset[str]] = (0.0, frozenset())
        self._index: tuple[object, Mapping[str, tuple[str, ...]]] = (None, {})

    def __call__(self, target: str, strangers: bool = True) -> tuple[str, ...]:  # noqa: FBT001, FBT002 - of a contract
        """Return the devices; a minion that the inventory does not have refuses the whole, and is named.

        Whoever may not know of such minions (`strangers` is false) gets the others, unless it was named itself.
        """
        try:
            minions = self._minions(target)
        except DriverError as error:
            raise BadCommand(f"Nothing was started: {error}.") from error
        if not minions:
            raise UnknownDevice(f"Salt has no minion that {one_line(target, 60)!r} means. → !minions")
        index = self._by_minion()
        unknown = [minion for minion in minions if minion not in index]
        if unknown and (strangers or target.startswith(LISTED)):
            names = ", ".join(one_line(name, 60) for name in unknown[:_SHOWN])
            more = f" and {len(unknown) - _SHOWN} more" if len(unknown) > _SHOWN else ""
            raise UnknownDevice(
                f"The inventory does not have minion {names}{more}. Add it there (salt_minion), or leave it out."
            )
        return tuple(device for minion in minions for device in index.get(minion, ()))

    def devices_of(self, name: str) -> tuple[str, ...]:
        """Return the devices behind a minion's id or a device's name; empty when the inventory has none."""
        known = (name,) if name in self._inventory.names else ()
        return (*known, *self._by_minion().get(name, ()))

    def _minions(self, target: str) -> list[str]:
        with self._api.session() as session:
            if target.startswith("L@") and " " not in target:
                return self._listed(session, target[2:].split(","))
            if "@" not in target and " " not in target:
                return self._globbed(session, target)
            return _matching(session, " ".join(self._minion(session, word) for word in target.split(" ")))

    def _minion(self, session: Session, name: str) -> str:
        """The id of a minion for a name that the inventory has and Salt has not; all else stays as it is."""
        if name in self._accepted(session) or name not in self._inventory.names:
            return name
        return minion_of(self._inventory.devices((name,))[0])

    def _listed(self, session: Session, names: list[str]) -> list[str]:
        wanted = list(dict.fromkeys(self._minion(session, name) for name in names if name))
        accepted = self._accepted(session)
        if not accepted.issuperset(wanted):
            accepted = self._accepted(session, anew=True)
        if missing := [name for name in wanted if name not in accepted]:
            raise UnknownDevice(
                f"Salt has no minion {', '.join(one_line(name, 60) for name in missing[:_SHOWN])}. → !minions"
            )
        return wanted

    def _globbed(self, session: Session, glob: str) -> list[str]:
        for anew in (False, True):
            if found := sorted(self._named_like(glob, self._accepted(session, anew=anew))):
                return found
        return []

    def _named_like(self, glob: str, accepted: frozenset[str]) -> Iterable[str]:
        """The minions whose id, or whose name in the inventory, is like this."""
        for minion in accepted:
            if any(fnmatchcase(name, glob) for name in (minion, *self._by_minion().get(minion, ()))):
                yield minion

    def _accepted(self, session: Session, *, anew: bool = False) -> frozenset[str]:
        at, known = self._known
        if anew or time.monotonic() - at > _FRESH:
            found = session.wheel("key.list_all")
            known = frozenset(map(str, (found or {}).get("minions") or ()))
            self._known = (time.monotonic(), known)
        return known

    def _by_minion(self) -> Mapping[str, tuple[str, ...]]:
        state, index = self._index
        if state is not self._inventory.state:
            state = self._inventory.state
            by: dict[str, tuple[str, ...]] = {}
            for device in self._inventory.devices(self._inventory.names):
                by[minion_of(device)] = (*by.get(minion_of(device), ()), device.name)
            index = by
            self._index = (state, index)
        return index


def _matching(session: Session, target: str) -> list[str]:
    """Let the master match; a minion whose grains it has not is left out: never one too many."""
    found = session.runner("cache.grains", tgt=target, tgt_type="compound")
    if not isinstance(found, dict):
        raise DriverError(f"Salt does not understand the target {one_line(target, 60)!r}")
    return sorted(str(minion) for minion, grains in found.items() if grains)
