"""Emergencies that somebody else has to look at afterwards; open until that is written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from automation_bots.model import Job
from automation_bots.store import audit
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.database import Database
from automation_bots.store.schema import reviews


@dataclass(frozen=True, slots=True)
class Review:
    """The review of one emergency job; `written` is None while it is open."""

    job: int
    person: str
    reason: str
    at: datetime
    reviewer: str = ""
    text: str = ""
    written: datetime | None = None


def ask(connection: Connection, job: Job, now: datetime) -> None:
    """Open the review of a job, in the transaction in which it is accepted."""
    row = {"job": job.number, "person": job.person, "reason": job.emergency, "at": now, "reviewer": "", "text": ""}
    connection.execute(insert(reviews), row)


class Reviews:
    """What was done in emergencies."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    def open(self) -> list[Review]:
        """Return what nobody has reviewed yet, the oldest first."""
        with self._database.read() as connection:
            found = connection.execute(select(reviews).where(reviews.c.written.is_(None)).order_by(reviews.c.job))
            return [Review(**row) for row in found.mappings()]

    def of(self, number: int) -> Review | None:
        """Return the review of a job, if it was an emergency."""
        with self._database.read() as connection:
            row = connection.execute(select(reviews).where(reviews.c.job == number)).mappings().one_or_none()
        return Review(**row) if row else None

    def write(self, number: int, text: str, about: Subject) -> bool:
        """Close an open review; False when there is none, or the reviewer did it oneself."""
        now = self._clock()
        mine = (reviews.c.job == number, reviews.c.written.is_(None), reviews.c.person != about.person)
        with self._database.write() as connection:
            values = {"reviewer": about.person, "text": text, "written": now}
            if connection.execute(update(reviews).where(*mine).values(**values)).rowcount != 1:
                return False
            audit.append(connection, now, AuditKind.REVIEWED, about, {"reason": text})
        return True
