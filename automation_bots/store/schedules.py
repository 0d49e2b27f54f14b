"""Schedules: every step is compare-and-set, with its audit row; a time is taken in one transaction, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, exists, func, insert, or_, select, update

from automation_bots.errors import BadCommand
from automation_bots.model import FINAL, NOTHING, Caller, Occurrence, Place, Schedule, ScheduleState, State, Tells
from automation_bots.store import audit, bound_schedules, occurrences
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.codec import canonical
from automation_bots.store.database import Database
from automation_bots.store.occurrences import Result, Taken
from automation_bots.store.schema import jobs, schedules, storable
from automation_bots.store.schema import occurrences as times

_KEPT = ("operation", "line", "text", "times", "tells", "confirmed", "pattern", "why", "restored", "failures",
         "offered", "approval", "ahead")  # fmt: skip
_BAD = frozenset({State.FAILED, State.INTERRUPTED, State.DENIED, State.EXPIRED, State.VOID})
_READ_AT_ONCE = 1_000


class ScheduleStore:
    """The schedules and the times of them that were taken."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    # -- schedules

    def add(self, schedule: Schedule) -> Schedule:
        """Keep a new one; returns it with its number."""
        now = self._clock()
        with self._database.write() as connection:
            made = replace(schedule, made=now, state=ScheduleState.ACTIVE)
            number = connection.scalar(insert(schedules).returning(schedules.c.number), _row(made))
            made = replace(made, number=number or 0)
            facts = {"schedule": made.number, "command": made.title, "times": made.times, "tells": made.tells,
                     **_facts(made)}  # fmt: skip
            audit.append(connection, now, AuditKind.SCHEDULE, subject(made), facts)
        return made

    def find(self, number: int) -> Schedule | None:
        """Return one that was not removed."""
        with self._database.read() as connection:
            found = _get(connection, number)
        return found if found and found.state is not ScheduleState.REMOVED else None

    def all(self, person: str | None = None) -> list[Schedule]:
        """Return all that have something to come, of one person or (None) of everybody."""
        waits = exists().where(times.c.schedule == schedules.c.number, times.c.result == Result.OPEN.value)
        going = schedules.c.state.in_([ScheduleState.ACTIVE.value, ScheduleState.PAUSED.value])
        alive = [or_(going, (schedules.c.state == ScheduleState.OVER.value) & waits)]
        mine = [schedules.c.person == person] if person is not None else []
        with self._database.read() as connection:
            return [_of(row) for row in connection.execute(
                select(schedules).where(*alive, *mine).order_by(schedules.c.number))]  # fmt: skip

    def counts(self) -> dict[str, int]:
        """Return how many there are in each state."""
        with self._database.read() as connection:
            found = connection.execute(
                select(schedules.c.state, func.count().label("many")).group_by(schedules.c.state)
            )
            return {row.state: row.many for row in found}

    def due(self, now: datetime) -> list[Schedule]:
        """Return those whose time has come, in the order of their times."""
        with self._database.read() as connection:
            found = select(schedules).where(schedules.c.due <= now).order_by(schedules.c.due, schedules.c.number)
            return [_of(row) for row in connection.execute(found.limit(_READ_AT_ONCE))]

    def next_due(self) -> datetime | None:
        """Return when the next one is due."""
        with self._database.read() as connection:
            first: datetime | None = connection.scalar(select(func.min(schedules.c.due)))
            return first

    def asking(self, until: datetime) -> list[Schedule]:
        """Return those whose next time is not later, and of whom approvers may have to be asked about it beforehand."""
        with self._database.read() as connection:
            found = select(schedules).where(schedules.c.asks <= until).order_by(schedules.c.asks, schedules.c.number)
            return [_of(row) for row in connection.execute(found.limit(_READ_AT_ONCE))]

    def unasked(self, seen: Schedule) -> None:
        """Note that nobody is asked about the next time before it comes."""
        mine = (schedules.c.number == seen.number, schedules.c.asks == seen.asks)
        with self._database.write() as connection:
            connection.execute(update(schedules).where(*mine).values(asks=None))

    def change(self, seen: Schedule, then: Schedule, what: str, by: Subject, body: Mapping[str, Any] = NOTHING) -> bool:
        """Put one value in the place of the one that was seen; False when somebody was quicker."""
        now = self._clock()
        with self._database.write() as connection:
            known = _get(connection, seen.number)
            if (
                known is None or replace(known, asks=seen.asks) != seen
            ):  # whether somebody is asked ahead changes nothing
                return False
            connection.execute(update(schedules).where(schedules.c.number == seen.number).values(**_row(then)))
            facts = {"schedule": seen.number, "what": what, "owner": then.person, "reason": then.why, **body}
            facts |= _facts(then)
            audit.append(connection, now, AuditKind.SCHEDULE_CHANGED, replace(by, operation=then.operation), facts)
        return True

    # -- times

    def taken_after(self, number: int, moment: datetime) -> frozenset[datetime]:
        """Return the times of a schedule behind a moment that were taken already, or missed."""
        with self._database.read() as connection:
            found = select(times.c.at).where(times.c.schedule == number, times.c.at > moment)
            return frozenset(connection.scalars(found))

    def rewind(self, seen: Schedule, due: datetime) -> None:
        """Let an earlier time be the next one, since the clock was set back."""
        with self._database.write() as connection:
            if moved := _moves_on(connection, seen, due):
                facts = {"schedule": seen.number, "what": "clock set back", **moved}
                audit.append(connection, self._clock(), AuditKind.SCHEDULE_CHANGED, subject(seen), facts)

    def take(self, seen: Schedule, at: datetime, then: datetime | None, *, missed: int = 0) -> bool:
        """Take a time of an active schedule, whose next one is `then`; only the one who gets True may run it."""
        now = self._clock()
        with self._database.write() as connection:
            occurrence = Occurrence(seen.number, at)
            moved = _moves_on(connection, seen, then)
            if not moved:
                return False
            if occurrences.is_taken(connection, occurrence):
                return _passed(connection, now, seen, moved)
            occurrences.add(connection, occurrence, now, missed=missed)
            facts = {"schedule": seen.number, "at": at, **moved, **bound_schedules.RECORDED}
            audit.append(connection, now, AuditKind.DUE, subject(seen), facts)
        return True

    def take_now(self, schedule: Schedule, by: Subject) -> Occurrence | None:
        """Take this moment beside its times, since somebody wants it now; None where it was taken already."""
        now = self._clock()
        occurrence = Occurrence(schedule.number, now)
        with self._database.write() as connection:
            if occurrences.is_taken(connection, occurrence):
                return None
            occurrences.add(connection, occurrence, now)
            facts = {"schedule": schedule.number, "at": now, "what": "run", **bound_schedules.RECORDED}
            audit.append(connection, now, AuditKind.DUE, replace(by, operation=schedule.operation), facts)
        return occurrence

    def miss(self, seen: Schedule, last: datetime, missed: int, then: datetime | None, text: str) -> bool:
        """Note that times up to `last` came to nothing; they are told, and never made up for."""
        now = self._clock()
        with self._database.write() as connection:
            occurrence = Occurrence(seen.number, last)
            moved = _moves_on(connection, seen, then)
            if not moved:
                return False
            if occurrences.is_taken(connection, occurrence):
                _passed(connection, now, seen, moved)
            else:
                values = {"result": Result.MISSED.value, "missed": missed - 1, "text": text, "told": False}
                occurrences.add(connection, occurrence, now, **values)
                facts = {"schedule": seen.number, "at": last, "missed": missed, **moved}
                audit.append(connection, now, AuditKind.MISSED, subject(seen), facts)
        return True

    def refuse(
        self, occurrence: Occurrence, result: Result, why: str, *, at_most: int, told_again: bool = False
    ) -> None:
        """Note why nothing runs for a time; the same reason is told once, and after so many it is paused."""
        with self._database.write() as connection:
            earlier = _before(connection, occurrence)
            same = earlier is not None and (earlier.result, earlier.text) == (result.value, why)
            orphaned, counts = result is Result.ORPHANED, result is not Result.SKIPPED
            paused = self._failed(connection, occurrence.schedule, at_most, why, at_once=orphaned) if counts else ""
            text = f"{why} · {paused}" if paused else why
            told = same and not paused and not told_again
            self._came_to(connection, occurrence, result, text)
            occurrences.note(connection, occurrence, result=result.value, text=text, told=told)

    def answered(self, occurrence: Occurrence, text: str, *, told: bool) -> None:
        """Note what a command of the bot itself answered."""
        with self._database.write() as connection:
            _note(connection, occurrence.schedule, failures=0)
            self._came_to(connection, occurrence, Result.DONE, text)
            occurrences.note(connection, occurrence, result=Result.DONE.value, text=text, told=told)

    def _came_to(self, connection: Connection, occurrence: Occurrence, result: Result, text: str) -> None:
        """Let the chain know too what came of a time for which no job ran."""
        schedule = _get(connection, occurrence.schedule)
        about = subject(schedule) if schedule else Subject()
        reason = "" if result is Result.DONE else text
        facts = {"schedule": occurrence.schedule, "at": occurrence.at, "result": result, "reason": reason,
                 "digest": bound_schedules.outcome(storable(text))}  # fmt: skip
        audit.append(connection, self._clock(), AuditKind.CAME_TO, about, facts)

    def job_of(self, occurrence: Occurrence) -> int | None:
        """Return the job of a time."""
        mine = (times.c.schedule == occurrence.schedule, times.c.at == occurrence.at)
        with self._database.read() as connection:
            job: int | None = connection.scalar(select(times.c.job).where(*mine))
            return job

    def last_answer(self, occurrence: Occurrence) -> str | None:
        """Return what such a command answered the last time before."""
        before = (
            times.c.schedule == occurrence.schedule,
            times.c.at < occurrence.at,
            times.c.result == Result.DONE.value,
            times.c.job.is_(None),
        )
        with self._database.read() as connection:
            found = occurrences.find(connection, *before, limit=1, newest=True)
        return found[0].text if found else None

    def asked(self, number: int, job: int) -> None:
        """Keep with which job the approval of a schedule was asked for."""
        with self._database.write() as connection:
            _note(connection, number, approval=job)

    def voided(self, now: datetime) -> list[tuple[Schedule, Taken]]:
        """Return times that are still to come, whose request is void since something changed after it was asked for."""
        void = (times.c.result == Result.OPEN.value, times.c.at > now, jobs.c.state == State.VOID.value)
        with self._database.read() as connection:
            rows = connection.execute(select(times).join(jobs, jobs.c.number == times.c.job).where(*void)).all()
            found = [(_get(connection, row.schedule), occurrences.of(row)) for row in rows]
        return [(schedule, taken) for schedule, taken in found if schedule is not None]

    def reopen(self, schedule: Schedule, taken: Taken) -> bool:
        """Let a time whose request is void be asked for once more; False when somebody was quicker."""
        with self._database.write() as connection:
            if not occurrences.unlink(connection, taken):
                return False
            facts = {"schedule": schedule.number, "at": taken.occurrence.at, "what": f"#{taken.job} is void"}
            audit.append(connection, self._clock(), AuditKind.DUE, subject(schedule),
                         {**facts, **bound_schedules.RECORDED})  # fmt: skip
        return True

    def settle(self, *, at_most: int) -> list[Taken]:
        """Note what came of the times whose job has ended, and return them; one that failed too often is paused."""
        ended = (times.c.result == Result.OPEN.value, times.c.job.is_not(None), _final())
        with self._database.read() as connection:
            rows = connection.execute(
                select(times, jobs.c.state).join(jobs, jobs.c.number == times.c.job).where(*ended)
            )
            found = [(occurrences.of(row), State(row.state)) for row in rows.all()]
        for taken, state in found:
            with self._database.write() as connection:
                self._ended(connection, taken, state, at_most)
        return [replace(taken, result=state.value) for taken, state in found]

    def _ended(self, connection: Connection, taken: Taken, state: State, at_most: int) -> None:
        number, paused = taken.occurrence.schedule, ""
        if state in _BAD:
            paused = self._failed(connection, number, at_most, f"#{taken.job} {state.value}")
        elif state is State.DONE:
            _note(connection, number, failures=0)
        occurrences.note(connection, taken.occurrence, result=state.value, text=paused, told=not paused)

    def _failed(self, connection: Connection, number: int, at_most: int, why: str, *, at_once: bool = False) -> str:
        """Count a failure; returns what is to be said when that pauses it."""
        schedule = _get(connection, number)
        if schedule is None or schedule.state is not ScheduleState.ACTIVE:
            return ""
        failures = schedule.failures + 1
        _note(connection, number, failures=failures)
        if failures < at_most and not at_once:
            return ""
        reason = f"{failures} times in a row it came to nothing, last: {why}" if not at_once else why
        _note(connection, number, why=reason, state=ScheduleState.PAUSED, due=None, asks=None)
        facts = {"schedule": number, "what": "paused", "owner": schedule.person, "reason": reason,
                 **_facts(replace(schedule, state=ScheduleState.PAUSED, due=None))}  # fmt: skip
        audit.append(connection, self._clock(), AuditKind.SCHEDULE_CHANGED, subject(schedule), facts)
        return "paused" if at_once else f"paused, since that was {failures} times in a row"

    def lose(self) -> list[tuple[Schedule, Taken]]:
        """At the start: what was taken and has no job was not begun when the bot was killed, and is told."""
        now, lost = self._clock(), list[tuple[Schedule, Taken]]()
        open_ = (times.c.result == Result.OPEN.value, times.c.job.is_(None))
        with self._database.write() as connection:
            for taken in occurrences.find(connection, *open_):
                schedule = _get(connection, taken.occurrence.schedule)
                occurrences.note(connection, taken.occurrence, result=Result.LOST.value, told=False)
                if schedule is not None:
                    facts = {"schedule": schedule.number, "at": taken.occurrence.at, "missed": taken.missed + 1,
                             "what": "killed"}  # fmt: skip
                    audit.append(connection, now, AuditKind.MISSED, subject(schedule), facts)
                    lost.append((schedule, taken))
        return lost

    def untold(self) -> list[tuple[Schedule, Taken]]:
        """Return what no job tells and the places have not heard yet, the oldest first."""
        with self._database.read() as connection:
            found = occurrences.find(connection, times.c.told.is_(False), limit=_READ_AT_ONCE)
            known = {n: _get(connection, n) for n in {taken.occurrence.schedule for taken in found}}
        return [(s, taken) for taken in found if (s := known[taken.occurrence.schedule]) is not None]

    def is_told(self, occurrence: Occurrence) -> bool:
        """Whether a place has heard of a time, as the record knows now."""
        mine = (times.c.schedule == occurrence.schedule, times.c.at == occurrence.at)
        with self._database.read() as connection:
            return bool(connection.scalar(select(times.c.told).where(*mine)))

    def tell(self, told: Collection[Occurrence]) -> None:
        """Note that a place has heard of them."""
        with self._database.write() as connection:
            for occurrence in told:
                occurrences.note(connection, occurrence, told=True)

    def history(self, number: int, limit: int) -> list[Taken]:
        """Return the times of a schedule that were taken, newest first."""
        with self._database.read() as connection:
            return occurrences.find(connection, times.c.schedule == number, limit=limit, newest=True)

    def runs(self, number: int) -> int | None:
        """Return the job of a schedule that has not ended."""
        unended = (times.c.schedule == number, times.c.result == Result.OPEN.value, times.c.job.is_not(None), ~_final())
        with self._database.read() as connection:
            found = select(times.c.job).join(jobs, jobs.c.number == times.c.job).where(*unended)
            job: int | None = connection.scalar(found.limit(1))
            return job

    def previous(self, occurrence: Occurrence) -> int | None:
        """Return the job of the last time before that had an answer."""
        answered = (
            times.c.schedule == occurrence.schedule,
            times.c.at < occurrence.at,
            times.c.job.is_not(None),
            jobs.c.state.in_([State.DONE.value, State.FAILED.value]),
        )
        with self._database.read() as connection:
            found = select(times.c.job).join(jobs, jobs.c.number == times.c.job).where(*answered)
            job: int | None = connection.scalar(found.order_by(times.c.at.desc()).limit(1))
            return job


def subject(schedule: Schedule) -> Subject:
    """Whom and what an audit row of a schedule is about."""
    return Subject(schedule.person, schedule.caller, schedule.place, schedule.operation)


def hold_all(connection: Connection) -> list[int]:
    """Pause what is active, since the record was restored from a backup; returns which."""
    active = select(schedules.c.number).where(schedules.c.state == ScheduleState.ACTIVE.value)
    found = sorted(connection.scalars(active))
    for number in found:
        why = "the record was restored from a backup, so it may have run already"
        _note(connection, number, state=ScheduleState.PAUSED, due=None, asks=None, why=why, restored=True)
    return found


def forget(connection: Connection, before: datetime) -> int:
    """Forget times that were taken long ago."""
    old = (times.c.taken < before, times.c.result != Result.OPEN.value, times.c.told.is_(True))
    return connection.execute(times.delete().where(*old)).rowcount


def _facts(schedule: Schedule) -> dict[str, Any]:
    return bound_schedules.facts(schedule, _body(schedule))


def _passed(connection: Connection, now: datetime, seen: Schedule, moved: Mapping[str, Any]) -> bool:
    """Note that a time came which was taken before the clock was set; nothing runs for it."""
    facts = {"schedule": seen.number, "what": "taken before", **moved}
    audit.append(connection, now, AuditKind.SCHEDULE_CHANGED, subject(seen), facts)
    return False


def _moves_on(connection: Connection, seen: Schedule, then: datetime | None) -> dict[str, Any]:
    """Give a schedule its next time, if it is still due at the one that was seen; what the chain is to say of it."""
    state = ScheduleState.ACTIVE if then else ScheduleState.OVER
    mine = (
        schedules.c.number == seen.number,
        schedules.c.state == ScheduleState.ACTIVE.value,
        schedules.c.due == seen.due,
    )
    values = {"due": then, "asks": then if seen.ahead else None, "state": state.value}
    moved = connection.execute(update(schedules).where(*mine).values(**values)).rowcount == 1
    return {"state": state, "due": then} if moved else {}


def _before(connection: Connection, occurrence: Occurrence) -> Taken | None:
    earlier = (times.c.schedule == occurrence.schedule, times.c.at < occurrence.at)
    return next(iter(occurrences.find(connection, *earlier, limit=1, newest=True)), None)


def _final() -> Any:
    return jobs.c.state.in_([state.value for state in FINAL])


def _get(connection: Connection, number: int) -> Schedule | None:
    row = connection.execute(select(schedules).where(schedules.c.number == number)).one_or_none()
    return _of(row) if row else None


def _note(connection: Connection, number: int, **fields: Any) -> None:
    known = _get(connection, number)
    if known is None:
        raise BadCommand(f"There is no schedule S{number}. → !schedules")
    values = _row(replace(known, **fields))
    connection.execute(update(schedules).where(schedules.c.number == number).values(**values))


def _body(schedule: Schedule) -> dict[str, Any]:
    body = {name: getattr(schedule, name) for name in _KEPT}
    return body | {"caller": asdict(schedule.caller), "place": asdict(schedule.place), "made": schedule.made}


def _row(schedule: Schedule) -> dict[str, Any]:
    searched = {"state": schedule.state.value, "person": schedule.person, "due": schedule.due, "asks": schedule.asks}
    return {**searched, "body": canonical(_body(schedule))}


def _of(row: Row[Any]) -> Schedule:
    body = json.loads(row.body)
    return Schedule(
        row.number, row.person, Caller(**body["caller"]), Place(**body["place"]), state=ScheduleState(row.state),
        due=row.due, asks=row.asks, made=datetime.fromisoformat(body["made"]) if body["made"] else None,
        **{**{name: body[name] for name in _KEPT if name in body}, "tells": Tells(body["tells"])},
    )  # fmt: skip
