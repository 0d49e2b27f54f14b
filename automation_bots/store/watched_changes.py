"""Work on devices between two looks at them: what was read before, and after."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from automation_bots.model import Caller, Place, WatchedChange
from automation_bots.store import audit
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.codec import canonical
from automation_bots.store.database import Database
from automation_bots.store.schema import watched_changes as changes

_KEPT = ("pattern", "devices", "reason", "monitor", "began", "looked")


class ChangeStore:
    """The changes that people began."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    def add(self, change: WatchedChange) -> WatchedChange:
        """Keep a new one; returns it with its number."""
        now = self._clock()
        with self._database.write() as connection:
            made = replace(change, began=now)
            number = connection.scalar(insert(changes).returning(changes.c.number), _row(made)) or 0
            made = replace(made, number=number)
            facts = {"change": number, "reason": made.reason, "pattern": made.pattern}
            audit.append(connection, now, AuditKind.CHANGE_BEGUN, _subject(made), facts)
        return made

    def looked(self, change: WatchedChange) -> None:
        """Keep what was read."""
        with self._database.write() as connection:
            connection.execute(update(changes).where(changes.c.number == change.number).values(**_row(change)))

    def end(self, change: WatchedChange, verdict: str, by: Subject) -> WatchedChange:
        """End one, with what was read last and what it came to."""
        now = self._clock()
        ended = replace(change, ended=now)
        with self._database.write() as connection:
            connection.execute(update(changes).where(changes.c.number == change.number).values(**_row(ended)))
            facts = {"change": change.number, "verdict": verdict}
            audit.append(connection, now, AuditKind.CHANGE_ENDED, by, facts)
        return ended

    def find(self, number: int) -> WatchedChange | None:
        """Return one."""
        with self._database.read() as connection:
            row = connection.execute(select(changes).where(changes.c.number == number)).one_or_none()
        return _of(row) if row else None

    def open(self) -> list[WatchedChange]:
        """Return those that go on, the oldest first."""
        with self._database.read() as connection:
            found = select(changes).where(changes.c.ended.is_(None)).order_by(changes.c.number)
            return [_of(row) for row in connection.execute(found)]

    def latest(self, limit: int) -> list[WatchedChange]:
        """Return the newest, first."""
        with self._database.read() as connection:
            found = select(changes).order_by(changes.c.number.desc()).limit(limit)
            return [_of(row) for row in connection.execute(found)]


def _subject(change: WatchedChange) -> Subject:
    return Subject(change.person, change.caller, change.place, "change", change.devices).brief()


def _row(change: WatchedChange) -> dict[str, Any]:
    body = {name: getattr(change, name) for name in _KEPT}
    body |= {"caller": asdict(change.caller), "place": asdict(change.place)}
    looks = zlib.compress(canonical({"before": change.before, "after": change.after}).encode(), 6)
    return {"person": change.person, "ended": change.ended, "body": canonical(body), "looks": looks}


def _of(row: Row[Any]) -> WatchedChange:
    body, looks = json.loads(row.body), json.loads(zlib.decompress(row.looks))
    return WatchedChange(
        row.number, row.person, Caller(**body["caller"]), Place(**body["place"]), body["pattern"],
        tuple(body["devices"]), body["reason"], body["monitor"], datetime.fromisoformat(body["began"]), row.ended,
        looks["before"], looks["after"], datetime.fromisoformat(body["looked"]) if body.get("looked") else None,
    )  # fmt: skip
