"""What the gate knows of the world: a policy, and what its device patterns mean today. Each meaning is found once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from automation_bots.errors import UserError
from automation_bots.model import Caller, Person
from automation_bots.policy.freezes import ChangeBlock
from automation_bots.policy.policy import Policy
from automation_bots.policy.rules import NO_DEVICES, Rule


@dataclass(frozen=True, slots=True)
class Scope:
    """A policy, what its device patterns mean, and the rooms' names."""

    policy: Policy
    expand: Callable[[str], frozenset[str]]  # raises when the pattern means nothing
    places: Mapping[str, str] = field(default_factory=dict)  # name -> room id on this network
    driver: Callable[[str], str] = lambda _device: ""  # of a device; empty: unknown
    proved: Callable[[Caller, str], datetime | None] = lambda _caller, _person: None  # when, with this id
    change_blocks: tuple[ChangeBlock, ...] = ()  # freezes and locks
    all_names: Callable[[Iterable[str]], frozenset[str]] = frozenset  # devices by every name that they have
    meanings: dict[str, frozenset[str] | None] = field(default_factory=dict)  # of patterns, while devices are these
    _taken: dict[str, frozenset[str]] = field(default_factory=dict)
    _seen: dict[str, frozenset[str]] = field(default_factory=dict)
    _reach: dict[tuple[str, frozenset[str], frozenset[str]], frozenset[str]] = field(default_factory=dict)

    def devices(self, rule: Rule) -> frozenset[str] | None:
        """Return the devices of a rule; None when its pattern cannot be read."""
        return self._lookup(rule.on)

    def _lookup(self, pattern: str) -> frozenset[str] | None:
        if pattern not in self.meanings:
            try:
                self.meanings[pattern] = self.expand(pattern)
            except UserError:  # the pattern means nothing, so the answer is "no" (see hits)
                self.meanings[pattern] = None
        return self.meanings[pattern]

    def prepare(self) -> None:
        """Find what all rules mean, before somebody waits for it."""
        for rule in self.policy.rules:
            self.denied(rule) if rule.deny else self.devices(rule)

    def inside(self, pattern: str) -> frozenset[str] | None:
        """Return the devices of a pattern; None when it cannot be read."""
        return self._lookup(pattern)

    def denied(self, rule: Rule) -> frozenset[str]:
        """Return the devices that a denying rule takes away, whichever of their names are used; all of them when its
        pattern cannot be read.
        """  # fmt: skip
        if rule.on not in self._taken:
            known = self.devices(rule)
            self._taken[rule.on] = (self._lookup("all") or frozenset()) if known is None else self.all_names(known)
        return self._taken[rule.on]

    def covers(self, rule: Rule) -> bool:
        """Return whether a rule speaks of every device there is, and so of operations without devices too."""
        known, every = self.devices(rule), self._lookup("all")
        return rule.on == "all" or known is None or bool(every and known >= every)

    def seen(self, person: Person) -> frozenset[str]:
        """Return the devices that a person may know of: those on which some rule allows something at some time."""
        if person.name not in self._seen:
            seen: set[str] = set()
            mine = [rule for rule in self.policy.rules if rule.concerns(person)]
            for rule in mine:
                shows = not rule.deny and not all(words.text in NO_DEVICES for words in rule.what)
                seen |= self.devices(rule) or frozenset() if shows else frozenset()
            for rule in mine:
                if rule.deny and any(words.text == "everything" for words in rule.what):
                    seen -= self.denied(rule)
            self._seen[person.name] = frozenset(seen)
        return self._seen[person.name]

    def reach(self, person: Person, allowing: Iterable[Rule], denying: Iterable[Rule]) -> frozenset[str]:
        """Return the devices of some rules without those of others, as far as a person may know of them."""
        key = (person.name, frozenset(rule.on for rule in allowing), frozenset(rule.on for rule in denying))
        if key not in self._reach:
            found = frozenset[str]().union(*(self.devices(rule) or frozenset() for rule in allowing))
            self._reach[key] = (found & self.seen(person)).difference(*map(self.denied, denying))
        return self._reach[key]

    def touches(self, rule: Rule, devices: frozenset[str]) -> bool:
        """Return whether the rule speaks of any of the devices."""
        return bool(self.hits(rule, devices))

    def hits(self, rule: Rule, devices: frozenset[str]) -> frozenset[str]:
        """Return which of the devices the rule speaks of; an unreadable `on` allows nothing and denies everything."""
        known = self.devices(rule)
        if known is None:
            return devices if rule.deny else frozenset()
        return devices & (self.denied(rule) if rule.deny else known)
