"""Rules of rules.yml as values: what an event has to be, how often it counts, and what is done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from automation_bots.alerts.event import Phase, Severity
from automation_bots.model import NOTHING
from automation_bots.policy.time_window import Calendar, Window

FRESH = (Phase.FIRING, Phase.SINGLE)  # what a rule means that names no phase


@dataclass(frozen=True, slots=True)
class When:
    """Conditions that all have to hold; one that is empty asks for nothing. Globs know no capitals."""

    source: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    what: tuple[str, ...] = ()
    severity: tuple[Severity, ...] = ()
    severity_text: str = ""  # as it is written
    text: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    done: tuple[str, ...] = ()  # what somebody did, of an update
    by: tuple[str, ...] = ()  # and who, as the sender calls them
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NOTHING)
    on: str = ""  # a device pattern
    time: tuple[Window | Calendar, ...] = ()
    phase: tuple[Phase, ...] = ()


class Counting(StrEnum):
    """How often matching events count, in the words of Event-Driven Ansible."""

    ONCE_WITHIN = "once_within"  # the first one acts, the others within the time do not
    ONCE_AFTER = "once_after"  # they are collected for the time, then it acts once
    ACCUMULATE_WITHIN = "accumulate_within"  # it acts when there were so many within the time


@dataclass(frozen=True, slots=True)
class Throttle:
    """How often matching events count; those that are the same in `by` count together."""

    counting: Counting
    within: timedelta
    by: tuple[str, ...] = ()
    threshold: int = 1


@dataclass(frozen=True, slots=True)
class Step:
    """Whom an alert goes on to that nobody has acknowledged after a time."""

    after: timedelta
    to: tuple[str, ...]
    room: str = ""  # empty: where the rule posts


@dataclass(frozen=True, slots=True)
class Do:
    """What is done: any of these. Commands have holes that the event fills."""

    post: tuple[str, ...] = ()  # rooms
    text: str = ""
    mention: tuple[str, ...] = ()
    propose: str = ""
    run: str = ""
    to: str = ""  # the room of a proposal and of what runs
    escalate: tuple[Step, ...] = ()

    @property
    def room(self) -> str:
        """Where a proposal is asked, and where a job tells how it went."""
        return self.to or (self.post[0] if self.post else "")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: any of `when` and none of `unless` has to hold."""

    name: str
    when: tuple[When, ...]
    do: Do
    unless: tuple[When, ...] = ()
    throttle: Throttle | None = None
    rate: tuple[int, float] = (5, 60.0)  # (times, seconds) that it acts at most
    robot: str = ""  # its id on the network `rule` of policy.yml
    dry: bool = False
    line: int = 0


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A rule that cannot be read; no other one is hurt by it."""

    name: str
    line: int
    reason: str

    def __str__(self) -> str:
        return f"rules.yml, line {self.line}: {f'rule {self.name!r}: ' if self.name else ''}{self.reason}"


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All of rules.yml, as it is now."""

    rules: tuple[Rule, ...] = ()
    broken: tuple[BrokenRule, ...] = ()
    dry: bool = False  # nothing is done, of any rule; only said what would be

    def rule(self, name: str) -> Rule | None:
        """Find a rule by its name, however its capitals are written."""
        return next((rule for rule in self.rules if rule.name.casefold() == name.casefold()), None)
