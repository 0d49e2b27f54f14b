"""What rules do about events: each event is looked at once, and each thing done once, or it is told why not."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, func, insert, select, update

from automation_bots.errors import StoreError
from automation_bots.model import NOTHING, Cause
from automation_bots.store import audit
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.codec import canonical, frozen
from automation_bots.store.database import Database
from automation_bots.store.schema import oncall_shifts, rule_actions, rule_events, rule_states

_READ_AT_ONCE = 500


class ActionState(StrEnum):
    """Where something that a rule does is in its life."""

    OPEN = "open"  # to be done when it is due
    BEGUN = "begun"  # a run, before anything of it is started: never begun again
    ASKED = "asked"  # a proposal that nobody has taken
    DONE = "done"
    REFUSED = "refused"  # by policy, by the words, or since it came too late
    LOST = "lost"  # the bot was killed between beginning it and its job
    ENDED = "ended"  # no longer wanted, such as an escalation of what is over


class What(StrEnum):
    """What a rule does."""

    POST = "post"
    PROPOSE = "propose"
    RUN = "run"
    ESCALATE = "escalate"
    TELL = "tell"  # that the rule is held back, or that something did not run


@dataclass(frozen=True, slots=True)
class RuleAction:
    """One thing that a rule does about an event."""

    rule: str
    event: int
    what: What
    due: datetime
    body: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    alert: int | None = None
    number: int = 0
    state: ActionState = ActionState.OPEN
    job: int | None = None
    text: str = ""  # what came of it
    message: str = ""  # in which chat message it stands


@dataclass(frozen=True, slots=True)
class Shift:
    """Somebody who takes the pages of a rota for a while."""

    rota: str
    person: str
    by: str
    begin: datetime
    end: datetime
    number: int = 0


class RuleStore:
    """Decisions, actions and what is kept of each rule."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    # -- deciding

    def decided(self, events: Collection[int]) -> frozenset[int]:
        """Which of these events the rules have looked at already."""
        if not events:
            return frozenset()
        with self._database.read() as connection:
            found = select(rule_events.c.event).where(rule_events.c.event.in_(list(events)))
            return frozenset(connection.scalars(found))

    def decide(
        self,
        events: Collection[int],
        actions: Sequence[RuleAction],
        states: Mapping[str, Mapping[str, Any]],
        joined: Mapping[tuple[str, int], Sequence[Sequence[Any]]],
    ) -> None:
        """Keep in one transaction that the rules have looked at these events, and what they do about them."""
        now = self._clock()
        with self._database.write() as connection:
            connection.execute(insert(rule_events), [{"event": event, "at": now} for event in events])
            for name, state in states.items():
                _note_state(connection, name, state=canonical(state))
            for action in actions:
                number = _added(connection, action, now)
                if action.what is not What.TELL:
                    facts = {"rule": action.rule, "event": action.event, "what": action.what, "action": number}
                    audit.append(connection, now, AuditKind.RULE, Subject(), facts)
            for (rule, event), lines in joined.items():
                _join(connection, rule, event, lines)

    # -- doing

    def find(self, number: int) -> RuleAction | None:
        """Return an action."""
        with self._database.read() as connection:
            row = connection.execute(select(rule_actions).where(rule_actions.c.number == number)).one_or_none()
        return _of(row) if row else None

    def of_event(self, event: int) -> list[RuleAction]:
        """Return what rules do about an event, where it is the first that they act for."""
        return self._read(rule_actions.c.event == event, rule_actions.c.what != What.TELL.value)

    def due(self, now: datetime) -> list[RuleAction]:
        """Return what is to be done now, the oldest first."""
        return self._read(rule_actions.c.state == ActionState.OPEN.value, rule_actions.c.due <= now)

    def lost(self) -> list[RuleAction]:
        """Return what a kill has left and nobody has heard of."""
        return self._read(rule_actions.c.state == ActionState.LOST.value)

    def next_due(self) -> datetime | None:
        """Return when something is to be done next."""
        first = select(func.min(rule_actions.c.due)).where(rule_actions.c.state == ActionState.OPEN.value)
        with self._database.read() as connection:
            found: datetime | None = connection.scalar(first)
            return found

    def latest(self, rule: str, limit: int) -> list[RuleAction]:
        """Return what a rule did last, the newest first."""
        with self._database.read() as connection:
            found = select(rule_actions).where(rule_actions.c.rule == rule, rule_actions.c.what != What.TELL.value)
            rows = connection.execute(found.order_by(rule_actions.c.number.desc()).limit(limit))
            return [_of(row) for row in rows]

    def asked(self) -> list[RuleAction]:
        """Return the proposals that nobody has taken, with their messages."""
        return self._read(rule_actions.c.state == ActionState.ASKED.value)

    def begin(self, action: RuleAction) -> bool:
        """Note that a run begins, before it does; only the one who gets True may start it, ever."""
        return self._moved(action.number, (ActionState.OPEN,), ActionState.BEGUN)

    def ask(self, number: int, message: str) -> None:
        """Note where a proposal stands; somebody may have taken it already."""
        self._moved(number, (ActionState.OPEN,), ActionState.ASKED)
        with self._database.write() as connection:
            connection.execute(update(rule_actions).where(rule_actions.c.number == number).values(message=message))

    def take(self, number: int, text: str) -> bool:
        """Let somebody take a proposal, perhaps before it is noted that it was said; False: somebody was quicker."""
        return self._moved(number, (ActionState.OPEN, ActionState.ASKED), ActionState.DONE, text=text)

    def put_back(self, number: int) -> None:
        """Let others take a proposal of which nothing came."""
        self._moved(number, (ActionState.DONE,), ActionState.ASKED, text="")

    def _moved(self, number: int, before: Collection[ActionState], then: ActionState, **values: Any) -> bool:
        seen = and_(rule_actions.c.number == number, rule_actions.c.state.in_([state.value for state in before]))
        with self._database.write() as connection:
            moved = update(rule_actions).where(seen).values(state=then.value, **values)
            return connection.execute(moved).rowcount == 1

    def settle(self, number: int, state: ActionState, text: str = "", message: str | None = None) -> None:
        """Write what came of an action."""
        values = {"state": state.value, "text": text} | ({} if message is None else {"message": message})
        with self._database.write() as connection:
            connection.execute(update(rule_actions).where(rule_actions.c.number == number).values(**values))

    def lose(self) -> list[RuleAction]:
        """At the start: what was begun and has no job was not started, and never will be; returns those."""
        begun = self._read(rule_actions.c.state == ActionState.BEGUN.value)
        for action in begun:
            if action.job is not None:
                self.settle(action.number, ActionState.DONE, f"#{action.job}")
            else:
                why = "the bot was stopped just when it was to begin, so it was not started"
                self.settle(action.number, ActionState.LOST, why)
        return [action for action in begun if action.job is None]

    def _read(self, *conditions: Any) -> list[RuleAction]:
        found = select(rule_actions).where(*conditions).order_by(rule_actions.c.number).limit(_READ_AT_ONCE)
        with self._database.read() as connection:
            return [_of(row) for row in connection.execute(found)]

    # -- what is kept of each rule

    def states(self) -> dict[str, Mapping[str, Any]]:
        """What is kept of every rule."""
        with self._database.read() as connection:
            rows = connection.execute(select(rule_states.c.rule, rule_states.c.state))
            return {row.rule: json.loads(row.state or "{}") for row in rows}

    def pauses(self) -> dict[str, str]:
        """Which rules are paused: by whom, since when, and why."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(rule_states.c.rule, rule_states.c.paused).where(rule_states.c.paused != "")
            )
            return {row.rule: row.paused for row in rows}

    def pause(self, rule: str, why: str, by: Subject) -> None:
        """Pause a rule, or let it go on (an empty why)."""
        with self._database.write() as connection:
            _note_state(connection, rule, paused=why)
            facts = {"rule": rule, "what": "paused" if why else "resumed", "reason": why}
            audit.append(connection, self._clock(), AuditKind.RULE_CHANGED, by, facts)

    # -- who is on call

    def shifts(self, now: datetime) -> list[Shift]:
        """Who takes the pages of a rota instead of whoever has them by its plan, the last one who said so first."""
        with self._database.read() as connection:
            found = select(oncall_shifts).where(oncall_shifts.c.end > now).order_by(oncall_shifts.c.number.desc())
            return [Shift(row.rota, row.person, row.by, row.begin, row.end, row.number)
                    for row in connection.execute(found)]  # fmt: skip

    def take_shift(self, shift: Shift, by: Subject) -> None:
        """Keep that somebody takes them."""
        with self._database.write() as connection:
            connection.execute(insert(oncall_shifts).values(rota=shift.rota, person=shift.person, by=shift.by,
                                                            begin=shift.begin, end=shift.end))  # fmt: skip
            facts = {"rota": shift.rota, "on_call": shift.person, "until": shift.end}
            audit.append(connection, self._clock(), AuditKind.ON_CALL, by, facts)

    def give_back(self, rota: str, now: datetime, by: Subject) -> bool:
        """End what was taken of a rota; False where nothing was."""
        going = and_(oncall_shifts.c.rota == rota, oncall_shifts.c.end > now)
        with self._database.write() as connection:
            ended = connection.execute(update(oncall_shifts).where(going).values(end=now)).rowcount
            if ended:
                audit.append(connection, now, AuditKind.ON_CALL, by, {"rota": rota, "what": "given back"})
            return bool(ended)


def begun_by(connection: Connection, cause: Cause, job: int) -> None:
    """Let what a rule runs have its one job; a StoreError where it has one, or is over."""
    free = and_(
        rule_actions.c.number == cause.action,
        rule_actions.c.state == ActionState.BEGUN.value,
        rule_actions.c.job.is_(None),
    )
    if connection.execute(update(rule_actions).where(free).values(job=job)).rowcount != 1:
        raise StoreError(f"What the rule {cause.rules[-1]!r} does about event {cause.event} is begun already.")


def hold_all(connection: Connection) -> None:
    """Do nothing of what was open, since the record was restored from a backup, and it may have been done already."""
    going = rule_actions.c.state.in_([ActionState.OPEN.value, ActionState.BEGUN.value, ActionState.ASKED.value])
    why = "the record was restored from a backup"
    values = {"state": ActionState.ENDED.value, "text": why}
    connection.execute(update(rule_actions).where(going, rule_actions.c.job.is_(None)).values(**values))


def forget(connection: Connection, before: datetime) -> int:
    """Forget what was decided and done long ago."""
    over = ~rule_actions.c.state.in_([ActionState.OPEN.value, ActionState.BEGUN.value])
    connection.execute(delete(rule_actions).where(rule_actions.c.due < before, over))
    connection.execute(delete(oncall_shifts).where(oncall_shifts.c.end < before))
    return connection.execute(delete(rule_events).where(rule_events.c.at < before)).rowcount


def _added(connection: Connection, action: RuleAction, now: datetime) -> int:
    values = {"rule": action.rule, "event": action.event, "alert": action.alert, "what": action.what.value,
              "state": action.state.value, "due": action.due, "at": now, "text": action.text, "message": "",
              "body": canonical(action.body)}  # fmt: skip
    return connection.scalar(insert(rule_actions).returning(rule_actions.c.number), values) or 0


def _join(connection: Connection, rule: str, event: int, lines: Sequence[Sequence[Any]]) -> None:
    """Add lines to what is still to be said about an event that others are collected with."""
    waits = and_(rule_actions.c.event == event, rule_actions.c.rule == rule, rule_actions.c.what == What.POST.value,
                 rule_actions.c.state == ActionState.OPEN.value)  # fmt: skip
    for row in connection.execute(select(rule_actions).where(waits)).all():
        body = json.loads(row.body)
        more = {"lines": [*body.get("lines", []), *lines][:20], "many": body.get("many", 0) + len(lines)}
        changed = update(rule_actions).where(rule_actions.c.number == row.number)
        connection.execute(changed.values(body=canonical({**body, **more})))


def _note_state(connection: Connection, rule: str, **values: Any) -> None:
    changed = connection.execute(update(rule_states).where(rule_states.c.rule == rule).values(**values)).rowcount
    if not changed:
        connection.execute(insert(rule_states).values(**{"rule": rule, "state": "", "paused": "", **values}))


def _of(row: Row[Any]) -> RuleAction:
    return RuleAction(
        row.rule, row.event, What(row.what), row.due, frozen(json.loads(row.body)), row.alert, row.number,
        ActionState(row.state), row.job, row.text, row.message,
    )  # fmt: skip
