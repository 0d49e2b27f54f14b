"""What a rule makes of an event: the first reason why it does nothing, or that it acts, and for which events. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from automation_bots.alerts.event import ReportedEvent, StoredEvent
from automation_bots.alerts.rules import matching, throttle
from automation_bots.alerts.rules.matching import Inside
from automation_bots.alerts.rules.rule import Counting, Rule
from automation_bots.alerts.rules.schema import group_of
from automation_bots.alerts.rules.throttle import RuleState
from automation_bots.text.times import duration_text

DEPTH = 3  # rules in a row, each started by what the one before did
LATE = timedelta(minutes=15)  # how old an event may be that still lets something run
_TELL_SECONDS = 600.0  # between two words that a rule is held back


class Result(StrEnum):
    """What a rule made of an event."""

    ACTS = "acts"
    DRY = "dry run"
    HELD = "held back"  # by how often events count
    COLLECTED = "collected"
    PAUSED = "paused"
    LOOP = "loop"
    RATE = "too often"
    NO = "no"  # a condition fails
    BROKEN = "broken"  # the rule cannot be read


STOPPED = frozenset({Result.LOOP, Result.RATE})  # somebody has to hear of these


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a rule makes of one event."""

    rule: str
    result: Result
    text: str = ""
    events: tuple[int, ...] = ()  # it acts for
    joins: int | None = None
    tell: bool = False  # it is held back, and nobody has heard of that lately
    fails: int = 0  # conditions


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What counts beside the event itself."""

    now: datetime
    inside: Inside
    paused: str = ""  # who paused the rule, and why
    dry: bool = False  # all rules


def judge(rule: Rule, stored: StoredEvent, state: RuleState, around: Circumstances) -> tuple[Judgement, RuleState]:
    """Judge one event by one rule; returns what is kept of the rule from now on."""
    event = stored.event
    if found := matching.failed(rule, event, event.at, around.inside):
        text = "; ".join(f"{key}: {why}" for key, why in found)
        return Judgement(rule.name, Result.NO, text, fails=len(found)), state
    state = throttle.seen(state, stored.number)
    if why := loop(rule, event):
        return _stopped(rule, Result.LOOP, why, state, event.at)
    if around.paused:
        return Judgement(rule.name, Result.PAUSED, around.paused), state
    group = group_of(rule.throttle, event) if rule.throttle else ""
    counted = throttle.count(rule.throttle, state, group, event.at, stored.number)
    if not counted.events:
        result = Result.HELD if counted.joins is None else Result.COLLECTED
        return Judgement(rule.name, result, counted.why, joins=counted.joins), counted.state
    acting, why = throttle.acts(rule, counted.state, event.at)
    if why:
        return _stopped(rule, Result.RATE, why, acting, event.at)
    result = Result.DRY if rule.dry or around.dry else Result.ACTS
    return Judgement(rule.name, result, events=counted.events), acting


def loop(rule: Rule, event: ReportedEvent) -> str:
    """Why an event that rules have brought about may not let this one act."""
    if rule.name in event.origin:
        return "the event comes of what this rule itself did, which would be a loop"
    if len(event.origin) >= DEPTH:
        return f"the event comes of {len(event.origin)} rules in a row ({' → '.join(event.origin)}), which is the most"
    return ""


def _stopped(rule: Rule, result: Result, why: str, state: RuleState, at: datetime) -> tuple[Judgement, RuleState]:
    tell = abs(at.timestamp() - state.told) >= _TELL_SECONDS
    state = replace(state, told=at.timestamp()) if tell else state
    return Judgement(rule.name, result, why, tell=tell), state


def due(rule: Rule, event: ReportedEvent) -> datetime:
    """When what a rule does is to be done."""
    after = rule.throttle is not None and rule.throttle.counting is Counting.ONCE_AFTER
    return event.at + rule.throttle.within if after and rule.throttle else event.at


def too_old(event: ReportedEvent, now: datetime, wait: timedelta = timedelta()) -> str:
    """Why an event lets nothing run any more; what runs late may do harm that it would not have done in time."""
    age = now - event.at
    if age <= LATE + wait:
        return ""
    return f"the event is {duration_text(timedelta(seconds=round(age.total_seconds())))} old, so nothing runs for it"
