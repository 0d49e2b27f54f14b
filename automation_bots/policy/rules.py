"""Rules as values: who may (or may not) do what, and the words that say what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

from automation_bots.model import NO_LIMITS, ApprovalRequirement, Limits, Operation, Person, Risk
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
        if self.text == "everything":
            return operation.declared or admin
        if self.text in {"reads", "changes"}:
            return operation.declared and risk is (Risk.READ if self.text == "reads" else Risk.CHANGE)
        if self.text.startswith("driver:"):
            return operation.declared and fnmatchcase(operation.driver, self.text[7:])
        pattern = self.text.split()
        if not fnmatchcase(operation.name, pattern[0]):
            return False
        if not operation.declared and pattern[0] != operation.name:
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
        same = completes if operation.driver == "network" else fnmatchcase
        names = (operation.name, operation.like) if operation.like else (operation.name,)
        return any(fnmatchcase(known, name) for known in names) and any(
            len(said) >= len(words) and all(map(same, said, words)) for said in (spoken, flat)
        )


def completes(said: str, word: str) -> bool:
    """Whether a network device takes what is said for this word of a rule: it knows no case and completes words."""
    said, word = said.lower(), word.lower()
    return fnmatchcase(said, word) or word.startswith(said)


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
