"""What could not be said yet, so that a bot that is killed says it when it is back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update

from automation_bots.store.database import Database
from automation_bots.store.schema import letters


@dataclass(frozen=True, slots=True)
class Kept:
    """One of them; `body` is for whoever wrote it."""

    number: int
    age_seconds: float
    body: str


class UnsentPosts:
    """The posts that wait for a chat network."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    def add(self, network: str, body: str) -> int:
        """Write one down; return its number."""
        row = {"network": network, "at": self._clock(), "body": body}
        with self._database.write() as connection:
            return int(connection.execute(insert(letters).returning(letters.c.number), row).scalar_one())

    def change(self, number: int, body: str) -> None:
        """Write down what is left of one."""
        with self._database.write() as connection:
            connection.execute(update(letters).where(letters.c.number == number).values(body=body))

    def remove(self, number: int) -> None:
        """Forget one: it was said, or never will be."""
        with self._database.write() as connection:
            connection.execute(delete(letters).where(letters.c.number == number))

    def waiting(self, network: str) -> list[Kept]:
        """Return those for a network, the oldest first."""
        now = self._clock()
        with self._database.read() as connection:
            rows = connection.execute(select(letters).where(letters.c.network == network).order_by(letters.c.number))
            return [Kept(row.number, max(0.0, (now - row.at).total_seconds()), row.body) for row in rows]
