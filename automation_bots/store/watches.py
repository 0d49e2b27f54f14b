"""What people want to hear of in a room, and what of the record is news to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, RowMapping, case, delete, insert, select, update

from automation_bots.model import Caller, Place, RoomWatch
from automation_bots.store import audit
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.codec import canonical
from automation_bots.store.database import Database
from automation_bots.store.schema import audit as rows
from automation_bots.store.schema import audit_head, watches

_KINDS = {
    AuditKind.ENDED: "job",
    AuditKind.INTERRUPTED: "job",
    AuditKind.VOIDED: "job",
    AuditKind.CANCELLED: "job",
    AuditKind.ASKED: "approval",
    AuditKind.CHANGE_ENDED: "change",
}
_BODY = case((rows.c.kind == AuditKind.CHANGE_ENDED.value, rows.c.body), else_="")  # those of jobs may be megabytes


@dataclass(frozen=True, slots=True)
class Happening:
    """Something in the record that a room may want to hear of."""

    seq: int
    kind: str  # job, approval, change
    number: int
    at: datetime


class WatchStore:
    """All of them; few, so that they are read once and kept."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock
        self._kept: tuple[RoomWatch, ...] | None = None

    def all(self) -> tuple[RoomWatch, ...]:
        """Return them, the oldest first."""
        kept = self._kept
        if kept is None:
            with self._database.read() as connection:
                kept = tuple(_of(row) for row in connection.execute(select(watches).order_by(watches.c.number)))
            self._kept = kept
        return kept

    def add(self, watch: RoomWatch) -> RoomWatch:
        """Keep a new one, which begins with what happens next; returns it with its number."""
        now = self._clock()
        about = Subject(watch.person, watch.caller, watch.place, "watch")
        with self._database.write() as connection:
            audit.append(connection, now, AuditKind.WATCH, about, {"what": watch.title})
            made = replace(watch, made=now, seq=connection.scalar(select(audit_head.c.seq)) or 0)
            number = connection.scalar(insert(watches).returning(watches.c.number), _row(made)) or 0
        self._kept = None
        return replace(made, number=number)

    def end(self, watch: RoomWatch, why: str, by: Subject) -> bool:
        """Forget one; False: somebody was faster."""
        now = self._clock()
        with self._database.write() as connection:
            gone = connection.execute(delete(watches).where(watches.c.number == watch.number)).rowcount == 1
            if gone:
                facts = {"of": watch.person, "what": f"{watch.title} ended", "reason": why}
                audit.append(connection, now, AuditKind.WATCH, by, facts)
        self._kept = None
        return gone

    def told(self, numbers: Collection[int], seq: int) -> None:
        """Keep that the places of these have heard what there was up to a row of the record."""
        mine = (watches.c.number.in_(sorted(numbers)), watches.c.seq < seq)
        with self._database.write() as connection:
            connection.execute(update(watches).where(*mine).values(seq=seq))
        self._kept = None

    def last(self) -> int:
        """Return the number of the newest row of the record."""
        with self._database.read() as connection:
            return connection.scalar(select(audit_head.c.seq)) or 0

    def happenings(self, after: int, until: int, limit: int) -> list[Happening]:
        """Return what happened between two rows of the record, the oldest first."""
        kinds = rows.c.kind.in_([kind.value for kind in _KINDS])
        found = select(rows.c.seq, rows.c.kind, rows.c.job, rows.c.at, _BODY.label("body"))
        found = found.where(rows.c.seq > after, rows.c.seq <= until, kinds).order_by(rows.c.seq).limit(limit)
        with self._database.read() as connection:
            return [_happening(row) for row in connection.execute(found).mappings()]


def _happening(row: RowMapping) -> Happening:
    kind = _KINDS[AuditKind(row["kind"])]
    number = json.loads(row["body"])["change"] if kind == "change" else row["job"]
    return Happening(row["seq"], kind, number, datetime.fromisoformat(row["at"]))


def _row(watch: RoomWatch) -> dict[str, Any]:
    body = {"caller": asdict(watch.caller), "place": asdict(watch.place), "about": watch.about,
            "pattern": watch.pattern, "made": watch.made}  # fmt: skip
    return {"person": watch.person, "seq": watch.seq, "body": canonical(body)}


def _of(row: Row[Any]) -> RoomWatch:
    body = json.loads(row.body)
    return RoomWatch(
        row.number, row.person, Caller(**body["caller"]), Place(**body["place"]), body["about"], body["pattern"],
        row.seq, datetime.fromisoformat(body["made"]),
    )  # fmt: skip
