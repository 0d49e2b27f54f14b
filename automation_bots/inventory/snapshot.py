"""One inventory as it was read: immutable, with the variables of each host merged when they are first asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from automation_bots.inventory import patterns, same_device
from automation_bots.inventory.same_device import Endpoint, SameDevice, endpoint
from automation_bots.model import Device

Layer = tuple[dict[str, Any], list[str]]  # plain variables of one origin, names of its secret ones
_TOGETHER = 1000  # hosts that are read at once where all of them are
_BASES = 512  # merged variables kept for so many different sets of groups


@dataclass(frozen=True, slots=True)
class _Base:
    """What all hosts of the same groups share."""

    groups: frozenset[str]
    variables: dict[str, Any]
    secrets: frozenset[str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The names, the groups, and each host's line of JSON, since merged variables would take far more memory."""

    names: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dynamic: bool = False
    locked: tuple[str, ...] = ()  # encrypted files that were left out
    endpoints: Mapping[str, Endpoint] = field(default_factory=dict)
    same: SameDevice = field(default_factory=SameDevice)
    _lookup: patterns.Names = field(default_factory=lambda: patterns.Names((), {}))
    _lines: Mapping[str, bytes] = field(default_factory=dict)
    _head: Mapping[str, Any] = field(default_factory=dict)
    _bases: dict[tuple[str, ...], _Base] = field(default_factory=dict)
    _made: dict[str, Device] = field(default_factory=dict)  # those that jobs have asked for

    def __contains__(self, name: object) -> bool:
        return name in self._lines

    def matching(self, pattern: str) -> tuple[str, ...]:
        """Return the devices that a pattern means: none when its groups are empty; `UnknownDevice` for no name."""
        return patterns.meant(pattern, self._lookup)

    def device(self, name: str) -> Device:
        """Return a host with all its groups and the variables that Ansible would give it."""
        return self._device(name, *json.loads(self._lines[name]))

    def devices(self, names: Sequence[str]) -> tuple[Device, ...]:
        """Return many hosts, for less than one by one."""
        made = self._made
        if new := [name for name in names if name not in made]:
            lines = json.loads(b"[" + b",".join([self._lines[name] for name in new]) + b"]")
            made |= {
                name: self._device(name, groups, layers) for name, (groups, layers) in zip(new, lines, strict=True)
            }
        return tuple([made[name] for name in names])

    def _each(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield every host with its variables, and keep none of them."""
        for start in range(0, len(self.names), _TOGETHER):
            names = self.names[start : start + _TOGETHER]
            lines = json.loads(b"[" + b",".join([self._lines[name] for name in names]) + b"]")
            for name, (groups, layers) in zip(names, lines, strict=True):
                yield name, self._device(name, groups, layers).variables

    def located(self) -> Snapshot:
        """Return it with where each host is."""
        return replace(self, endpoints={n: place for n, known in self._each() if (place := endpoint(n, known))})

    def known_by(self, addresses: Mapping[str, tuple[str, ...]]) -> Snapshot:
        """Return it with what is one device by these addresses of names."""
        return replace(self, same=same_device.found(self.endpoints, addresses))

    def _device(self, name: str, groups: list[str], layers: list[Layer]) -> Device:
        base = self._base(tuple(groups))
        if not (base.secrets or self._head["merge"] or any(hidden for _, hidden in layers)):
            plain = dict(base.variables)  # the rule, without any of the care that secrets need
            for shown, _ in layers:
                plain.update(shown)
            return Device(name, base.groups, MappingProxyType(plain))
        variables, secrets = self._merge(base.variables, base.secrets, layers)
        return Device(name, base.groups, MappingProxyType(variables), secrets)

    def _base(self, groups: tuple[str, ...]) -> _Base:
        base = self._bases.get(groups)
        if base is None:
            variables, secrets = self._merge({}, frozenset(), self._inherited(groups))
            base = _Base(frozenset(groups) - {"all", "ungrouped"}, variables, secrets)
            if len(self._bases) >= _BASES:
                self._bases.clear()
            self._bases[groups] = base
        return base

    def _inherited(self, groups: tuple[str, ...]) -> Iterator[Layer]:
        """Yield what a host has from its groups, in the order in which Ansible lets one override the other."""
        inventory, *plugins = self._head["layers"]
        for entry in self._head["precedence"]:
            names = ("all",) if entry.startswith("all") else groups
            for origin in plugins if "plugins" in entry else [inventory]:
                yield from (origin[name] for name in names if name in origin)

    def _merge(
        self, variables: Mapping[str, Any], secrets: Iterable[str], layers: Iterable[Layer]
    ) -> tuple[dict[str, Any], frozenset[str]]:
        merged, hidden, deep = dict(variables), set(secrets), self._head["merge"]
        for shown, names in layers:
            # with hash_behaviour=merge a secret may stay inside what overrides it
            fresh = {name: value for name, value in shown.items() if not deep or name not in hidden}
            merged = _merged(merged, fresh) if deep else merged | fresh
            hidden.difference_update(fresh)
            hidden.update(names)
            for name in names:
                merged.pop(name, None)
        return merged, frozenset(hidden)


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Merge dictionaries inside dictionaries, as `hash_behaviour = merge` says."""
    result = dict(below)
    for name, value in above.items():
        old = result.get(name)
        result[name] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def parse(printed: bytes) -> Snapshot:
    """Read what the child printed."""
    first, _, rest = printed.partition(b"\n")
    head = json.loads(first)
    names = tuple(head.pop("hosts"))
    groups = {name: tuple(names[n] for n in members) for name, members in head.pop("groups").items()}
    return Snapshot(
        names=names,
        groups=MappingProxyType(groups),
        _lookup=patterns.Names(names, groups),
        dynamic=head.pop("dynamic"),
        locked=tuple(head.pop("locked")),
        _lines=dict(zip(names, rest.splitlines(), strict=True)),
        _head=head,
    ).located()
