"""How often matching events count, how often a rule acts, and what is kept of that. Pure; the time is an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from automation_bots.alerts.rules.rule import Counting, Rule, Throttle
from automation_bots.model import NOTHING
from automation_bots.text.times import duration_text

_MOST_GROUPS = 1_000  # of one rule: strangers may make as many as they like
_SHOWN = 5

Seen = tuple[tuple[float, int], ...]  # (when, the event's number)


@dataclass(frozen=True, slots=True)
class RuleState:
    """What is kept of a rule between events; it survives restarts."""

    groups: Mapping[str, Seen] = field(default_factory=lambda: NOTHING)
    acted: tuple[float, ...] = ()  # within the time of its rate
    matched: int = 0
    done: int = 0
    last: tuple[int, ...] = ()  # events that matched, the newest first
    told: float = 0.0  # when it was said that it is held back

    def kept(self) -> dict[str, Any]:
        """Write it down; `read` makes the same of it."""
        groups = {name: [list(one) for one in seen] for name, seen in self.groups.items()}
        return {"groups": groups, "acted": list(self.acted), "matched": self.matched, "done": self.done,
                "last": list(self.last), "told": self.told}  # fmt: skip


def read(found: Mapping[str, Any]) -> RuleState:
    """Read what `kept` wrote."""
    if not found:
        return RuleState()
    groups = {name: tuple((at, number) for at, number in seen) for name, seen in found["groups"].items()}
    return RuleState(
        groups, tuple(found["acted"]), found["matched"], found["done"], tuple(found["last"]), found["told"]
    )


def seen(state: RuleState, number: int) -> RuleState:
    """Count an event that matched."""
    return replace(state, matched=state.matched + 1, last=(number, *state.last)[:_SHOWN])


@dataclass(frozen=True, slots=True)
class Count:
    """What becomes of an event that matched: it acts, for these events, or it does not, and why."""

    state: RuleState
    why: str = ""
    events: tuple[int, ...] = ()
    joins: int | None = None  # the event whose action it is collected for


def count(throttle: Throttle | None, state: RuleState, group: str, at: datetime, number: int) -> Count:
    """Count an event."""
    if throttle is None:
        return Count(state, events=(number,))
    now, seconds = at.timestamp(), throttle.within.total_seconds()
    groups = {name: alive for name, one in state.groups.items() if (alive := _alive(throttle, one, now, seconds))}
    if group not in groups and len(groups) >= _MOST_GROUPS:
        return Count(replace(state, groups=groups), f"more than {_MOST_GROUPS} different ones within {_time(throttle)}")
    before = groups.get(group, ())
    if throttle.counting is Counting.ACCUMULATE_WITHIN:
        return _accumulated(throttle, replace(state, groups=groups), group, (*before, (now, number)))
    if before:
        state = replace(state, groups=groups)
        if throttle.counting is Counting.ONCE_AFTER:
            return Count(state, f"collected with event {before[0][1]}", joins=before[0][1])
        return Count(state, f"once within {_time(throttle)}{_by(throttle)}, which was event {before[0][1]}")
    return Count(replace(state, groups={**groups, group: ((now, number),)}), events=(number,))


def _alive(throttle: Throttle, one: Seen, now: float, seconds: float) -> Seen:
    """What of a group counts still; a clock that was set back lets nothing count longer."""
    return tuple((at, number) for at, number in one if abs(now - at) < seconds)[-throttle.threshold :]


def _accumulated(throttle: Throttle, state: RuleState, group: str, found: Seen) -> Count:
    if len(found) < throttle.threshold:
        why = f"{len(found)} of {throttle.threshold} within {_time(throttle)}{_by(throttle)}"
        return Count(replace(state, groups={**state.groups, group: found}), why)
    rest = {name: one for name, one in state.groups.items() if name != group}
    return Count(replace(state, groups=rest), events=tuple(number for _, number in found))


def _time(throttle: Throttle) -> str:
    return duration_text(throttle.within)


def _by(throttle: Throttle) -> str:
    return f" by {', '.join(throttle.by)}" if throttle.by else ""


def acts(rule: Rule, state: RuleState, at: datetime) -> tuple[RuleState, str]:
    """Count that a rule acts; why it may not, where it has acted too often."""
    times, seconds = rule.rate
    now = at.timestamp()
    acted = tuple(one for one in state.acted if abs(now - one) < seconds)
    if len(acted) >= times:
        return replace(state, acted=acted), f"it acts {times} times in {_length(seconds)} at most"
    return replace(state, acted=(*acted, now), done=state.done + 1), ""


def _length(seconds: float) -> str:
    return duration_text(timedelta(seconds=seconds))
