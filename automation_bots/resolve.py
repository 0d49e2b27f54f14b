"""A device pattern becomes exact devices, for one person: what they may not see is unknown."""

from __future__ import annotations

from automation_bots import gate, grammar, patterns
from automation_bots.errors import BadCommand, UnknownDevice
from automation_bots.model import Person, Request, one_line
from automation_bots.world import World


class Resolver:
    """Reads patterns by the inventory of now."""

    def __init__(self, world: World) -> None:
        self._world = world

    def devices(self, person: Person, request: Request) -> tuple[str, ...]:
        """Return exactly the devices that were meant; UnknownDevice for what this person may not see."""
        operation, pattern = request.operation, request.pattern
        if operation.devices == "every" and not pattern:
            mine = gate.usable(self._world.scope, person, operation, request.place) or frozenset()
            return tuple(name for name in self._world.inventory.names if name in mine)
        if operation.devices == "none" or not pattern:
            return ()
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

    def _meant(self, person: Person, pattern: str) -> str:
        inventory = self._world.inventory
        seen = gate.visible(self._world.scope, person)
        groups = {name for name, hosts in inventory.groups.items() if seen.intersection(hosts)}
        unknown = [p for p in grammar.pattern_words(pattern) if p not in seen and p not in groups]
        near = [name for part in unknown[:3] for name in inventory.nearest(part, seen | groups)]
        return f" Did you mean {' or '.join(dict.fromkeys(near))}?" if near else " → !devices"
