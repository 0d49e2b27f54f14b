"""Freezes and locks: one row a device, so that parts of one can be taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from automation_bots.policy.freezes import ALL, Closing, Closure
from automation_bots.store import audit
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.database import Database
from automation_bots.store.schema import closures

_KINDS = {
    Closing.FREEZE: (AuditKind.FROZEN, AuditKind.UNFROZEN),
    Closing.LOCK: (AuditKind.LOCKED, AuditKind.UNLOCKED),
}


class Closures:
    """What people closed to changes."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    def add(self, closure: Closure, about: Subject, *, steals: bool = False) -> list[Closure]:
        """Close devices; returns the locks of others in the way, in which case (unless it steals) nothing is done."""
        now = self._clock()
        with self._database.write() as connection:
            connection.execute(delete(closures).where(closures.c.until.is_not(None), closures.c.until <= now))
            locks = closure.kind is Closing.LOCK
            others = _others(connection, closure) if locks else []
            if others and not steals:
                return others
            _remove(connection, closure.kind, closure.devices, None if locks else closure.person)
            row = {"kind": closure.kind.value, "person": closure.person, "reason": closure.reason, "at": now}
            rows = [{**row, "device": device, "until": closure.until} for device in sorted(closure.devices)]
            connection.execute(insert(closures), rows)
            body = {"reason": closure.reason, "until": closure.until, "taken_from": sorted({o.person for o in others})}
            audit.append(connection, now, _KINDS[closure.kind][0], about, body)
        return others

    def remove(self, kind: Closing, devices: Iterable[str], about: Subject, *, of: str | None = None) -> list[str]:
        """Open devices again, those that one person closed or (None) anybody; returns which."""
        now = self._clock()
        with self._database.write() as connection:
            gone = _remove(connection, kind, devices, of)
            if gone:
                audit.append(connection, now, _KINDS[kind][1], about, {"opened": gone})
        return gone

    def current(self) -> tuple[Closure, ...]:
        """Return all that holds, the oldest first."""
        now = self._clock()
        with self._database.read() as connection:
            return tuple(closure for closure in _read(connection) if closure.holds(now))


def _others(connection: Connection, wanted: Closure) -> list[Closure]:
    """The locks of other people on devices that somebody wants to lock."""
    every = _read(connection, closures.c.kind == Closing.LOCK.value, closures.c.person != wanted.person)
    return [other for other in every if ALL in wanted.devices or other.hits(wanted.devices)]


def _remove(connection: Connection, kind: Closing, devices: Iterable[str], person: str | None) -> list[str]:
    wanted = set(devices)
    whose = (closures.c.person == person,) if person is not None else ()
    found = connection.scalars(select(closures.c.device).where(closures.c.kind == kind.value, *whose))
    gone = sorted(wanted.intersection(found))
    for device in gone:
        connection.execute(delete(closures).where(closures.c.kind == kind.value, closures.c.device == device, *whose))
    return gone


def _read(connection: Connection, *conditions: ColumnElement[bool]) -> list[Closure]:
    order = (closures.c.at, closures.c.kind, closures.c.person, closures.c.device)
    together: dict[tuple[str, str, str, datetime, datetime | None], set[str]] = {}
    for row in connection.execute(select(closures).where(*conditions).order_by(*order)):
        together.setdefault((row.kind, row.person, row.reason, row.at, row.until), set()).add(row.device)
    return [
        Closure(Closing(kind), person, reason, frozenset(devices), at, until)
        for (kind, person, reason, at, until), devices in together.items()
    ]
