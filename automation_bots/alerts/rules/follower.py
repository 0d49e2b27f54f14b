"""Lets the rules look at every event once, and keeps what they decide before anything is done about it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from automation_bots.alerts.event import Finding, StoredEvent
from automation_bots.alerts.rules import filling, judgement, text, throttle
from automation_bots.alerts.rules.judgement import Circumstances, Judgement, Result
from automation_bots.alerts.rules.matching import Inside
from automation_bots.alerts.rules.rule import Rule, Rulebook
from automation_bots.alerts.rules.throttle import RuleState
from automation_bots.store.rules import RuleAction, RuleStore, What

log = logging.getLogger(__name__)
_LINES = 20  # of one message
_CLOSE = 8  # rules that an event is told about which did nothing, those that failed least


@dataclass(frozen=True, slots=True)
class RuleContext:
    """What the rules stand on."""

    store: RuleStore
    book: Callable[[], Rulebook]
    inside: Inside
    now: Callable[[], datetime]
    decided: Callable[[], None] = lambda: None  # there may be something to do


@dataclass(slots=True)
class _Batch:
    """What comes of some events together."""

    states: dict[str, RuleState]
    changed: set[str] = field(default_factory=set)
    actions: list[RuleAction] = field(default_factory=list)
    posts: dict[tuple[str, str, datetime], int] = field(default_factory=dict)  # which of the actions says it
    joined: dict[tuple[str, int], list[list[Any]]] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


class RuleFollower:
    """Follows the events; all that matters is in the record."""

    name = "rules"

    def __init__(self, context: RuleContext) -> None:
        self._context, self._store = context, context.store
        self._lock = threading.Lock()  # what is kept of a rule is read, changed and written

    def follow(self, events: Sequence[StoredEvent]) -> list[Finding]:
        """Judge each by every rule; what was looked at before a kill is not looked at again."""
        book = self._context.book()
        with self._lock:
            before = self._store.decided([one.number for one in events])
            fresh = [one for one in events if one.number not in before]
            if not fresh:
                return []
            batch = _Batch({name: throttle.read(state) for name, state in self._store.states().items()})
            pauses = self._store.pauses()
            for stored in fresh:
                batch.findings += self._looked(stored, book, pauses, batch)
            states = {name: batch.states[name].kept() for name in batch.changed}
            self._store.decide([one.number for one in fresh], batch.actions, states, batch.joined)
        if batch.actions:
            self._context.decided()
        return batch.findings

    def tried(self, stored: StoredEvent, rule: Rule) -> Judgement:
        """What a rule would make of an event now; nothing is kept, and nothing done."""
        state = throttle.read(self._store.states().get(rule.name, {}))
        around = Circumstances(self._context.now(), self._context.inside, self._store.pauses().get(rule.name, ""))
        return judgement.judge(rule, stored, state, replace(around, dry=self._context.book().dry))[0]

    def _looked(self, stored: StoredEvent, book: Rulebook, pauses: dict[str, str], batch: _Batch) -> Iterator[Finding]:
        found = []
        for rule in book.rules:
            around = Circumstances(self._context.now(), self._context.inside, pauses.get(rule.name, ""), book.dry)
            before = batch.states.get(rule.name, RuleState())
            judged, state = _judged(rule, stored, before, around)
            if state != before:
                batch.states[rule.name] = state
                batch.changed.add(rule.name)
            found.append(judged)
            self._plan(rule, stored, judged, batch)
        said = [one for one in found if one.result is not Result.NO]
        not_so = sorted((one for one in found if one.result is Result.NO), key=lambda one: one.fails)
        for one in (*said, *not_so[:_CLOSE]):
            yield Finding(stored.number, text.title(one.rule), _said(one, book))
        for broken in book.broken:
            yield Finding(stored.number, text.title(broken.name or f"in line {broken.line}"), f"broken: {broken}")

    # -- what is to be done

    def _plan(self, rule: Rule, stored: StoredEvent, judged: Judgement, batch: _Batch) -> None:
        if judged.result is Result.ACTS:
            self._act(rule, stored, judged, batch)
        elif judged.joins is not None:
            batch.joined.setdefault((rule.name, judged.joins), []).append(_line(rule, stored))
        elif judged.tell:
            body = {"room": rule.do.room or rule.do.post[0], "why": judged.text}
            batch.actions.append(RuleAction(rule.name, stored.number, What.TELL, self._context.now(), body))

    def _act(self, rule: Rule, stored: StoredEvent, judged: Judgement, batch: _Batch) -> None:
        do, due = rule.do, judgement.due(rule, stored.event)
        line = _line(rule, stored, judged.events)
        for room in do.post:
            if not (do.propose and room == do.room):  # the proposal says it there
                self._post(rule, stored, room, line, batch)
        common = {"room": do.room, "lines": [line], "many": 1, "mention": list(do.mention),
                  "wait": (due - stored.event.at).total_seconds()}  # fmt: skip
        for what, command in ((What.PROPOSE, do.propose), (What.RUN, do.run)):
            if command:
                body = {**common, "command": command, "values": dict(filling.values(stored, command)),
                        "robot": rule.robot, "heard": stored.event.at,
                        "origin": [*stored.event.origin, rule.name]}  # fmt: skip
                batch.actions.append(RuleAction(rule.name, stored.number, what, due, body, stored.alert))
        for step in do.escalate if stored.alert is not None else ():
            body = {**common, "room": step.room or do.post[0], "mention": list(step.to)}
            then = stored.event.at + step.after
            batch.actions.append(RuleAction(rule.name, stored.number, What.ESCALATE, then, body, stored.alert))

    def _post(self, rule: Rule, stored: StoredEvent, room: str, line: list[Any], batch: _Batch) -> None:
        """One message for all that a rule says in a room at once."""
        due = judgement.due(rule, stored.event)
        key = (rule.name, room, due if rule.throttle else datetime.min)  # noqa: DTZ901 - any one will do
        if key in batch.posts:
            seen = batch.actions[batch.posts[key]]
            lines = [*seen.body["lines"], line][:_LINES]
            body = {**seen.body, "lines": lines, "many": seen.body["many"] + 1}
            batch.actions[batch.posts[key]] = replace(seen, body=body)
            return
        batch.posts[key] = len(batch.actions)
        body = {"room": room, "lines": [line], "many": 1, "mention": list(rule.do.mention),
                "wait": (due - stored.event.at).total_seconds()}  # fmt: skip
        batch.actions.append(RuleAction(rule.name, stored.number, What.POST, due, body, stored.alert))


def _judged(rule: Rule, stored: StoredEvent, state: RuleState, around: Circumstances) -> tuple[Judgement, RuleState]:
    """Judge an event; a rule that breaks over it is broken for this event, and no reason for others to wait."""
    try:
        return judgement.judge(rule, stored, state, around)
    except Exception as error:  # whatever strangers wrote, and whatever it meets in one rule
        log.exception("rule %r broke over event %d", rule.name, stored.number)
        return Judgement(rule.name, Result.BROKEN, f"{type(error).__name__}; the log says why"), state


def _line(rule: Rule, stored: StoredEvent, events: Sequence[int] = ()) -> list[Any]:
    """What a rule says of an event, and whose alert it is."""
    said = filling.filled(rule.do.text, filling.values(stored, rule.do.text)) if rule.do.text else text.line(stored)
    more = f" ({len(events)} times, events {events[0]}–{events[-1]})" if len(events) > 1 else ""
    return [f"{said}{more}", stored.alert]


def _said(judged: Judgement, book: Rulebook) -> str:
    """What an event is told of what a rule made of it."""
    if judged.result in {Result.ACTS, Result.DRY}:
        rule = book.rule(judged.rule)
        what = text.does(rule.do) if rule else ""
        return what if judged.result is Result.ACTS else f"dry run: it would act ({what})"
    return f"{judged.result}: {judged.text}"
