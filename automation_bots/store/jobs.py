"""Job rows: put in, looked up, moved from state to state."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, insert, select, update

from automation_bots.errors import NoSuchJob
from automation_bots.model import FINAL, PARKED, Job, State
from automation_bots.policy.peers import bot_of
from automation_bots.store import occurrences, outcomes, peers, rules
from automation_bots.store.codec import frozen, job_of, row_of
from automation_bots.store.redaction import cleared
from automation_bots.store.schema import jobs

# Made once: SQLAlchemy takes longer to put a statement together than the database to carry it out.
_ADD = insert(jobs).returning(jobs.c.number)
_GET = select(jobs).where(jobs.c.number == bindparam("job"))
_STATE = select(jobs.c.state).where(jobs.c.number == bindparam("job"))
_NOTE = update(jobs).where(jobs.c.number == bindparam("job"))
_MOVE = _NOTE.where(jobs.c.state == bindparam("seen")).returning(jobs)
_TELL = (
    _NOTE.where(jobs.c.told.is_(False), jobs.c.state.in_(sorted(state.value for state in FINAL)))
    .values(told=True)
    .returning(jobs)
)


def add(connection: Connection, job: Job, now: datetime) -> Job:
    """Queue or park a job, and give it its number. How previews and jobs of monitors end, no room hears."""
    state = job.state if job.state in PARKED else State.QUEUED
    told = job.preview_of is not None or job.monitor is not None
    words = {name: cleared(connection, getattr(job, name)) for name in ("words", "reason", "emergency")}
    fresh = replace(job, state=state, created=now, started=None, ended=None, error="", told=told, counts={}, **words)
    number = connection.scalar(_ADD, row_of(fresh))
    if job.occurrence is not None:
        occurrences.link(connection, job.occurrence, number or 0)
    if job.cause is not None:
        rules.begun_by(connection, job.cause, number or 0)
    if bot_of(job.place.network) and job.preview_of is None:
        peers.link(connection, job.place, number or 0)
    return replace(fresh, number=number or 0, parameters=frozen(dict(job.parameters)))


def get(connection: Connection, number: int) -> Job:
    """Return one job with its counts."""
    row = connection.execute(_GET, {"job": number}).one_or_none()
    if row is None:
        raise NoSuchJob(f"There is no job #{number}. → !jobs")
    return _jobs(connection, [row])[0]


def state_of(connection: Connection, number: int) -> State:
    """Return the state of a job, which costs less than all of it."""
    state = connection.scalar(_STATE, {"job": number})
    if state is None:
        raise NoSuchJob(f"There is no job #{number}. → !jobs")
    return State(state)


def newest(connection: Connection, conditions: Collection[ColumnElement[bool]], limit: int) -> list[Job]:
    """Return jobs, the newest first."""
    return _read(connection, select(jobs).where(*conditions).order_by(jobs.c.number.desc()).limit(limit))


def oldest(connection: Connection, *conditions: ColumnElement[bool]) -> list[Job]:
    """Return all jobs that fit, in the order they were asked for."""
    return _read(connection, select(jobs).where(*conditions).order_by(jobs.c.number))


def moved(connection: Connection, number: int, state: State, values: Mapping[str, Any]) -> Job | None:
    """Change a job that is in this state, and return it with the counts of before; None: it is not, or never was."""
    row = connection.execute(_MOVE, {"job": number, "seen": state.value, **values}).one_or_none()
    return job_of(row) if row else None


def told(connection: Connection, number: int) -> Job | None:
    """Note that the place has heard how a job ended, and return it; None: it had heard, or the job has not ended."""
    row = connection.execute(_TELL, {"job": number}).one_or_none()
    return job_of(row) if row else None


def note(connection: Connection, number: int, values: Mapping[str, Any]) -> None:
    """Write what is no state."""
    if connection.execute(_NOTE, {"job": number, **values}).rowcount != 1:
        raise NoSuchJob(f"There is no job #{number}. → !jobs")


def in_state(*states: State) -> ColumnElement[bool]:
    """Fit the jobs in one of these states."""
    return jobs.c.state.in_([state.value for state in states])


def is_untold() -> ColumnElement[bool]:
    """Fit the ended jobs whose place has not heard of the end."""
    return jobs.c.told.is_(False) & in_state(*FINAL)


def _read(connection: Connection, statement: Select[Any]) -> list[Job]:
    return _jobs(connection, connection.execute(statement).all())


def _jobs(connection: Connection, rows: Sequence[Row[Any]]) -> list[Job]:
    running = [row.number for row in rows if row.state == State.RUNNING]
    live = outcomes.counts(connection, running) if running else {}
    return [job_of(row, live.get(row.number, {}) if row.state == State.RUNNING else None) for row in rows]
