"""What people typed before they found the right command, and questions with answers that were written for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select, update

from automation_bots.store import audit
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.database import Database
from automation_bots.store.schema import faq, learnt

MOST_LEARNT = 2_000


@dataclass(frozen=True, slots=True)
class Learnt:
    """Words that were no command, and the operation that was run then."""

    number: int
    text: str
    operation: str
    person: str  # whose words they are; empty when several people used them
    times: int


@dataclass(frozen=True, slots=True)
class Curated:
    """A question, and what answers it: texts and commands."""

    number: int
    question: str
    answer: str


class QuestionStore:
    """What was learnt is counted; what somebody wrote is few rows, read once and kept."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock
        self._curated: tuple[Curated, ...] | None = None

    # -- learnt

    def learnt(self) -> tuple[Learnt, ...]:
        """Return what was learnt, the most used first."""
        columns = (learnt.c.number, learnt.c.text, learnt.c.operation, learnt.c.person, learnt.c.times)
        with self._database.read() as connection:
            found = connection.execute(select(*columns).order_by(learnt.c.times.desc(), learnt.c.number))
            return tuple(Learnt(*row) for row in found)

    def learn(self, text: str, operation: str, person: str) -> None:
        """Count words once more; what was not used for the longest goes when there are too many."""
        same = (learnt.c.text == text, learnt.c.operation == operation)
        now = self._clock()
        with self._database.write() as connection:
            before = connection.execute(select(learnt.c.person).where(*same)).one_or_none()
            if before is None:
                row = {"text": text, "operation": operation, "person": person, "times": 1, "at": now}
                connection.execute(insert(learnt), row)
                _shorten(connection)
            else:
                whose = person if before.person == person else ""
                change = {"times": learnt.c.times + 1, "at": now, "person": whose}
                connection.execute(update(learnt).where(*same).values(change))

    def unlearn(self, one: Learnt, about: Subject) -> None:
        """Forget words."""
        with self._database.write() as connection:
            connection.execute(delete(learnt).where(learnt.c.number == one.number))
            what = f"L{one.number} forgotten: {one.text} = {one.operation}"
            audit.append(connection, self._clock(), AuditKind.FAQ, about, {"what": what})

    # -- curated

    def curated(self) -> tuple[Curated, ...]:
        """Return the questions that somebody answered, by number."""
        if self._curated is None:
            with self._database.read() as connection:
                found = connection.execute(select(faq.c.number, faq.c.question, faq.c.answer).order_by(faq.c.number))
                self._curated = tuple(Curated(*row) for row in found)
        return self._curated

    def add(self, question: str, answer: str, about: Subject) -> int:
        """Keep one; returns its number."""
        now = self._clock()
        with self._database.write() as connection:
            row = {"question": question, "answer": answer, "person": about.person, "at": now}
            number = int(connection.execute(insert(faq).returning(faq.c.number), row).scalar_one())
            audit.append(connection, now, AuditKind.FAQ, about, {"what": f"{number}: {question} = {answer}"})
        self._curated = None
        return number

    def edit(self, one: Curated, about: Subject) -> None:
        """Put another question and answer in the place of one."""
        now = self._clock()
        with self._database.write() as connection:
            change = {"question": one.question, "answer": one.answer, "person": about.person, "at": now}
            connection.execute(update(faq).where(faq.c.number == one.number).values(change))
            what = f"{one.number} changed: {one.question} = {one.answer}"
            audit.append(connection, now, AuditKind.FAQ, about, {"what": what})
        self._curated = None

    def forget(self, one: Curated, about: Subject) -> None:
        """Take one away."""
        with self._database.write() as connection:
            connection.execute(delete(faq).where(faq.c.number == one.number))
            what = f"{one.number} forgotten: {one.question}"
            audit.append(connection, self._clock(), AuditKind.FAQ, about, {"what": what})
        self._curated = None


def _shorten(connection: Connection) -> None:
    many = connection.scalar(select(func.count()).select_from(learnt)) or 0
    if many > MOST_LEARNT:
        oldest = select(learnt.c.number).order_by(learnt.c.at, learnt.c.number).limit(many - MOST_LEARNT)
        connection.execute(delete(learnt).where(learnt.c.number.in_(oldest)))
