"""Freezes and locks: one row a device, so that parts of one can be taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from automation_bots.policy.freezes import ALL, BlockKind, ChangeBlock
from automation_bots.store import audit
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.database import Database
from automation_bots.store.schema import change_blocks

_KINDS = {
    BlockKind.FREEZE: (AuditKind.FROZEN, AuditKind.UNFROZEN),
    BlockKind.LOCK: (AuditKind.LOCKED, AuditKind.UNLOCKED),
}


class ChangeBlocks:
    """What people closed to changes."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    def add(self, block: ChangeBlock, about: Subject, *, steals: bool = False) -> list[ChangeBlock]:
        """Close devices; returns the locks of others in the way, in which case (unless it steals) nothing is done."""
        now = self._clock()
        with self._database.write() as connection:
            connection.execute(
                delete(change_blocks).where(change_blocks.c.until.is_not(None), change_blocks.c.until <= now)
            )
            locks = block.kind is BlockKind.LOCK
            others = _others(connection, block) if locks else []
            if others and not steals:
                return others
            _remove(connection, block.kind, block.devices, None if locks else block.person)
            row = {"kind": block.kind.value, "person": block.person, "reason": block.reason, "at": now}
            rows = [{**row, "device": device, "until": block.until} for device in sorted(block.devices)]
            connection.execute(insert(change_blocks), rows)
            body = {"reason": block.reason, "until": block.until, "taken_from": sorted({o.person for o in others})}
            audit.append(connection, now, _KINDS[block.kind][0], about, body)
        return others

    def remove(self, kind: BlockKind, devices: Iterable[str], about: Subject, *, of: str | None = None) -> list[str]:
        """Open devices again, those that one person closed or (None) anybody; returns which."""
        now = self._clock()
        with self._database.write() as connection:
            gone = _remove(connection, kind, devices, of)
            if gone:
                audit.append(connection, now, _KINDS[kind][1], about, {"opened": gone})
        return gone

    def current(self) -> tuple[ChangeBlock, ...]:
        """Return all that holds, the oldest first."""
        now = self._clock()
        with self._database.read() as connection:
            return tuple(block for block in _read(connection) if block.holds(now))


def _others(connection: Connection, wanted: ChangeBlock) -> list[ChangeBlock]:
    """The locks of other people on devices that somebody wants to lock."""
    every = _read(connection, change_blocks.c.kind == BlockKind.LOCK.value, change_blocks.c.person != wanted.person)
    return [other for other in every if ALL in wanted.devices or other.hits(wanted.devices)]


def _remove(connection: Connection, kind: BlockKind, devices: Iterable[str], person: str | None) -> list[str]:
    wanted = set(devices)
    whose = (change_blocks.c.person == person,) if person is not None else ()
    found = connection.scalars(select(change_blocks.c.device).where(change_blocks.c.kind == kind.value, *whose))
    gone = sorted(wanted.intersection(found))
    for device in gone:
        connection.execute(
            delete(change_blocks).where(change_blocks.c.kind == kind.value, change_blocks.c.device == device, *whose)
        )
    return gone


def _read(connection: Connection, *conditions: ColumnElement[bool]) -> list[ChangeBlock]:
    order = (change_blocks.c.at, change_blocks.c.kind, change_blocks.c.person, change_blocks.c.device)
    together: dict[tuple[str, str, str, datetime, datetime | None], set[str]] = {}
    for row in connection.execute(select(change_blocks).where(*conditions).order_by(*order)):
        together.setdefault((row.kind, row.person, row.reason, row.at, row.until), set()).add(row.device)
    return [
        ChangeBlock(BlockKind(kind), person, reason, frozenset(devices), at, until)
        for (kind, person, reason, at, until), devices in together.items()
    ]
