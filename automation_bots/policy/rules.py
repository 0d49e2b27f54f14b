"""Rules as values: who may do what; and whether one fits a request: what, where, when, with which values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase

from automation_bots.model import (
    NO_LIMITS,
    ApprovalRequirement,
    Limits,
    Operation,
    Person,
    Place,
    Request,
    Risk,
    items_of,
)
from automation_bots.operations.own_commands import OWN
from automation_bots.policy.reauth import Reauth
from automation_bots.policy.time_window import Calendar, Window

ADMINS = "admins"
EVERYONE = "everyone"
NO_DEVICES = frozenset(own.name for own in OWN.values() if own.judged)  # a rule about these alone shows nobody a device


class Above(StrEnum):
    """What a request gets that is bigger than its rule allows."""

    DENY = "deny"
    CONFIRM = "confirm"
    APPROVAL = "approval"


@dataclass(frozen=True, slots=True)
class Words:
    """One entry of `may`: reads, changes, everything, `driver:<name>`, or an operation with words behind it."""

    text: str

    def match(self, operation: Operation, risk: Risk, spoken: tuple[str, ...] | None, *, admin: bool) -> bool:
        """Match an operation; `spoken` are its values as typed, None to ask whether any values could match."""
        in_general = operation.declared and not operation.controller
        if self.text == "everything":
            return in_general or admin
        if self.text in {"reads", "changes"}:
            return in_general and risk is (Risk.READ if self.text == "reads" else Risk.CHANGE)
        if self.text.startswith("driver:"):
            return in_general and fnmatchcase(operation.driver, self.text[7:])
        pattern = self.text.split()
        if not fnmatchcase(operation.name, pattern[0]):
            return False
        if not in_general and pattern[0] != operation.name:
            return False
        if len(pattern) == 1 or spoken is None:
            return True
        return (_cmdlet_matches if operation.cmdlets else _words_match)(pattern[1:], spoken)

    def bites(self, operation: Operation, risk: Risk, spoken: tuple[str, ...], driver: str = "") -> bool:
        """Match for a `deny`, which takes whatever could be meant: any risk of an undeclared operation, any driver of
        one that leaves it to the devices, and more words behind those of the rule.
        """  # fmt: skip
        if self.text == "everything":
            return True
        if self.text in {"reads", "changes"}:
            return not operation.declared or risk is (Risk.READ if self.text == "reads" else Risk.CHANGE)
        if self.text.startswith("driver:"):
            known = operation.driver or driver
            return not known or fnmatchcase(known, self.text[7:])
        name, *words = self.text.split()
        words = words[:-1] if words[-1:] == ["*"] else words
        # Quoted words are one value here and several to a network device, which reads them joined.
        flat = [part for word in spoken for part in word.split()]
        if operation.cmdlets:
            words, spoken, flat = _lower(words), tuple(_lower(spoken)), _lower(flat)
        same = completes if operation.driver == "network" else _whatever_case
        names = (operation.name, operation.like) if operation.like else (operation.name,)
        return any(fnmatchcase(known, name) for known in names) and any(
            len(said) >= len(words) and all(map(same, said, words)) for said in (spoken, flat)
        )


def completes(said: str, word: str) -> bool:
    """Whether a network device takes what is said for this word of a rule: it knows no case and completes words."""
    said, word = said.lower(), word.lower()
    return fnmatchcase(said, word) or word.startswith(said)


def _whatever_case(said: str, word: str) -> bool:
    """Whether they are the same but for capitals: Windows knows none, and to deny one name too many harms nobody."""
    return fnmatchcase(said.lower(), word.lower())


def _lower(words: Iterable[str]) -> list[str]:
    return [word.lower() for word in words]


def _cmdlet_matches(pattern: list[str], spoken: tuple[str, ...]) -> bool:
    """PowerShell knows no case; a rule that says only the cmdlet means it with any values."""
    whole = [*pattern, "*"] if len(pattern) == 1 else pattern
    return _words_match(_lower(whole), tuple(_lower(spoken)))


def _words_match(pattern: list[str], spoken: tuple[str, ...]) -> bool:
    if pattern[-1] == "*":
        head = pattern[:-1]
        return len(spoken) >= len(head) and all(map(fnmatchcase, spoken, head))
    return len(pattern) == len(spoken) and all(map(fnmatchcase, spoken, pattern))


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may (or may not) do what, on which devices, where and when, and what it then needs."""

    name: str
    who: frozenset[str]
    what: tuple[Words, ...]
    deny: bool = False
    on: str = "all"
    where: tuple[str, ...] = ()
    when: tuple[Window | Calendar, ...] = ()
    waits: bool = False  # what was accepted inside `when` and gets its turn outside waits for the next window
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    approvers: tuple[str, ...] = ()
    limits: Limits = NO_LIMITS
    share: float | None = None  # of the devices of `on`, at once
    above: Above = Above.DENY  # what happens beyond `limits.devices` and `share`
    above_approvers: tuple[str, ...] = ()
    need: ApprovalRequirement | None = None
    reauth: Reauth | None = None
    emergency: bool = False  # speaks only of requests with --emergency

    def concerns(self, person: Person) -> bool:
        """Return whether the rule speaks of this person."""
        return EVERYONE in self.who or person.name in self.who or not self.who.isdisjoint(person.groups)

    @property
    def demands(self) -> bool:
        """Whether it asks for more than that one may, or allows less than as much as one wants."""
        bare = Rule(self.name, self.who, self.what, self.deny, self.on)
        return replace(self, where=(), when=(), waits=False, values={}) != bare


def does(rule: Rule, request: Request, person: Person, driver: str = "") -> bool:
    """Whether a rule speaks of what is asked for; `driver` is that of one device."""
    operation, risk = request.operation, request.risk
    spoken = spoken_words(operation, request.parameters)
    whole = (request.pattern, *spoken) if operation.leading else spoken
    if rule.deny:  # with the devices' word or without it, since a rule that is to deny must not miss
        return any(words.bites(operation, risk, said, driver) for words in rule.what for said in {whole, spoken})
    admin = ADMINS in person.groups
    return any(words.match(operation, risk, whole, admin=admin) for words in rule.what)


def spoken_words(operation: Operation, values: Mapping[str, object]) -> tuple[str, ...]:
    """The values one by one, in declared order: what the words of a rule are compared with."""
    found: list[str] = []
    for parameter in operation.parameters:
        if parameter.name in values and not parameter.view:
            found.extend(map(str, items_of(parameter.spoken or values[parameter.name])))
    return tuple(found)


def _spellings(item: object) -> tuple[str, ...]:
    """How people write a value: the word yes of a policy is what the program knows as True."""
    if isinstance(item, bool):
        return ("True", "true", "yes", "on") if item else ("False", "false", "no", "off")
    return (str(item),)


def _fits(item: object, glob: str, *, short: bool) -> bool:
    """Compare one value with a pattern; `short` takes words that a device would complete: `rou bgp` is `router bgp`."""
    if any(fnmatchcase(text.strip(), glob) for text in _spellings(item)):
        return True
    said, words = str(item).split(), glob.removesuffix("*").split()
    return short and len(said) >= len(words) and all(map(completes, said, words))


def unmet(rule: Rule, request: Request, now: datetime, places: Mapping[str, str]) -> str:
    """Return which condition of a rule does not hold, in words that follow "only"; empty when all hold."""
    return next((text for _, text in lacks(rule, request, now, places)), "")


def lacks(rule: Rule, request: Request, now: datetime, places: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name every condition that does not hold: the rule's key, and words that follow "only"."""
    if rule.where and not any(is_at(where, request.place, places) for where in rule.where):
        yield "where", f"in {', '.join(rule.where)}"
    if rule.when and not any(window.contains(now) for window in rule.when):
        yield "when", f"at {' or '.join(window.text for window in rule.when)}"
    for name, globs in rule.values.items():
        value = request.parameters.get(name)
        parameter = request.operation.parameter(name)
        short = rule.deny and parameter is not None and parameter.text
        fits = [any(_fits(item, g, short=short) for g in globs) for item in items_of(value)]
        # All values must be allowed ones, but one forbidden value is enough.
        if value is None or not (any(fits) if rule.deny else fits and all(fits)):
            yield "with", f"with {name} {' or '.join(globs)}"


def is_at(where: str, place: Place, places: Mapping[str, str]) -> bool:
    """Whether a place is the one that a rule names: a room, a network, or `dm`."""
    if where == "dm":
        return place.direct
    if where == place.network:
        return True
    room = places.get(where.removeprefix("#"), where)
    return not place.direct and room.removeprefix("#") == place.room.removeprefix("#")


def always(rule: Rule, operation: Operation) -> bool:
    """Whether a denying rule takes the operation whatever its values and whenever."""
    risks = set(operation.risk_by[1].values()) if operation.risk_by else {operation.risk}
    plain = [words for words in rule.what if len(words.text.split()) == 1 and not words.text.startswith("driver:")]
    return not (rule.when or rule.values) and all(any(w.bites(operation, risk, ()) for w in plain) for risk in risks)


def here(rule: Rule, place: Place, places: Mapping[str, str]) -> bool:
    """Whether a rule holds at a place."""
    return not rule.where or any(is_at(where, place, places) for where in rule.where)


def could(rule: Rule, operation: Operation, person: Person) -> bool:
    """Whether a rule allows an operation with some values."""
    risks = set(operation.risk_by[1].values()) if operation.risk_by else {operation.risk}
    admin = ADMINS in person.groups
    return any(words.match(operation, risk, None, admin=admin) for words in rule.what for risk in risks)
