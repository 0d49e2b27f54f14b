"""The times of schedules that were taken: each once, with the job that runs for it, or the reason why none does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from automation_bots.errors import StoreError
from automation_bots.model import Occurrence
from automation_bots.store.schema import occurrences


class Result(StrEnum):
    """What came of a time for which no job ran; else it is the state in which the job ended."""

    OPEN = ""
    REFUSED = "refused"  # by rules, a freeze, or since its words make no command any more
    ORPHANED = "orphaned"  # who made it is no longer in the policy
    SKIPPED = "skipped"  # the time before it had not ended, or nobody may do anything while rules cannot be read
    MISSED = "missed"  # nobody was there to take it
    DONE = "done"  # a command of the bot itself, which makes no job
    LOST = "lost"  # the bot was killed between taking it and starting


@dataclass(frozen=True, slots=True)
class Taken:
    """One time that was taken, and what came of it."""

    occurrence: Occurrence
    taken: datetime
    job: int | None
    result: str
    text: str
    missed: int


def add(connection: Connection, occurrence: Occurrence, now: datetime, **values: Any) -> None:
    """Take a time; the primary key lets nobody take it twice."""
    row = {"result": Result.OPEN.value, "text": "", "missed": 0, "told": True, "job": None, **values}
    connection.execute(insert(occurrences), {"schedule": occurrence.schedule, "at": occurrence.at, "taken": now, **row})


def is_taken(connection: Connection, occurrence: Occurrence) -> bool:
    """Whether a time was taken before."""
    return connection.scalar(select(func.count()).select_from(occurrences).where(*_is(occurrence))) == 1


def link(connection: Connection, occurrence: Occurrence, job: int) -> None:
    """Let a time have its one job; a StoreError where it was not taken, has one, or came to something else."""
    free = (*_is(occurrence), occurrences.c.job.is_(None), occurrences.c.result == Result.OPEN.value)
    if connection.execute(update(occurrences).where(*free).values(job=job)).rowcount != 1:
        raise StoreError(f"This time of S{occurrence.schedule} is taken already.")


def unlink(connection: Connection, taken: Taken) -> bool:
    """Take the job of a time away again; False where it is not as it was seen."""
    seen = (*_is(taken.occurrence), occurrences.c.job == taken.job, occurrences.c.result == Result.OPEN.value)
    return connection.execute(update(occurrences).where(*seen).values(job=None)).rowcount == 1


def note(connection: Connection, occurrence: Occurrence, **values: Any) -> None:
    """Write what came of it."""
    connection.execute(update(occurrences).where(*_is(occurrence)).values(**values))


def find(connection: Connection, *conditions: Any, limit: int | None = None, newest: bool = False) -> list[Taken]:
    """Return those that fit, the oldest first unless the newest is asked for."""
    order = occurrences.c.at.desc() if newest else occurrences.c.at
    found = connection.execute(
        select(occurrences).where(*conditions).order_by(order, occurrences.c.schedule).limit(limit)
    )
    return [of(row) for row in found]


def of(row: Row[Any]) -> Taken:
    """Read a row."""
    return Taken(Occurrence(row.schedule, row.at), row.taken, row.job, row.result, row.text, row.missed)


def _is(occurrence: Occurrence) -> tuple[Any, ...]:
    return occurrences.c.schedule == occurrence.schedule, occurrences.c.at == occurrence.at
