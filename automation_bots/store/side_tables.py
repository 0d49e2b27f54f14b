"""What stands beside the chain and says the same again: devices, votes, outcomes. Compared with it, row by row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Row, select

from automation_bots.errors import StoreError
from automation_bots.redaction.mark import MARK
from automation_bots.store.audit import AuditKind
from automation_bots.store.schema import audit, audit_devices, jobs, outcomes, storable, votes

_READ_AT_ONCE = 500
_ENDS = (AuditKind.ENDED, AuditKind.INTERRUPTED, AuditKind.VOIDED, AuditKind.LATE)


class Unbound(StoreError):
    """A table beside the chain says something that the chain does not."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}. Somebody changed it; keep a copy of the record as it is and compare it with a backup."
        )


def compare(connection: Connection) -> None:
    """Hold the side tables against a chain that is whole; raise Unbound at the first thing that differs."""
    _devices(connection)
    _votes(connection)
    _outcomes(connection)


def rows_of(connection: Connection, statement: Any) -> Iterable[Row[Any]]:
    """Read without having all in memory."""
    return connection.execute(statement, execution_options={"yield_per": _READ_AT_ONCE})


def _devices(connection: Connection) -> None:
    """The index by which the story of a device is found."""
    stored = _grouped(
        rows_of(connection, select(audit_devices.c.seq, audit_devices.c.device).order_by(audit_devices.c.seq))
    )
    said = (
        (row.seq, {storable(str(name)) for name in names})
        for row in rows_of(
            connection, select(audit.c.seq, audit.c.body).where(audit.c.devices > 0).order_by(audit.c.seq)
        )
        if isinstance(names := json.loads(row.body).get("devices"), list) and names
    )
    for seq, here, there in _side_by_side(stored, said):
        if set(here or ()) != (there or set()):
            raise Unbound(f"The list of devices of audit record {seq} is not what the record itself says")


def _votes(connection: Connection) -> None:
    """Who approved what, with which note."""
    statement = select(audit.c.job, audit.c.person, audit.c.body).where(audit.c.kind == AuditKind.APPROVED.value)
    said = {
        (row.job, row.person): json.loads(row.body).get("note")
        for row in rows_of(connection, statement.order_by(audit.c.seq))
    }
    stored = {(row.job, row.person): row.note for row in rows_of(connection, select(votes))}
    for job, person in sorted(stored.keys() ^ said.keys()):
        tells = "no entry of the record tells" if (job, person) in stored else "is gone, and the record tells it"
        raise Unbound(f"The vote of {person} on #{job} {tells}")
    for (job, person), note in stored.items():
        if said[job, person] not in (None, note):
            raise Unbound(f"The note of {person}'s vote on #{job} is not the one of the record")


def _outcomes(connection: Connection) -> None:
    """What came of each device, as the end of its job says; of what was forgotten after its time nothing is left."""
    forgotten = forgotten_before(connection)
    stored = _grouped(
        (row.job, (row.device, row.status))
        for row in rows_of(
            connection, select(outcomes.c.job, outcomes.c.device, outcomes.c.status).order_by(outcomes.c.job)
        )
    )
    for job, here, there in _side_by_side(stored, _ended(connection)):
        if there is None:  # it runs, or waits: its end will tell
            continue
        if here is None and there and _ended_before(connection, job, forgotten):
            continue
        if not _same(dict(here or ()), there):
            raise Unbound(f"The outcomes of #{job} are not those that the record tells")


def _same(here: dict[str, str], there: Mapping[str, str]) -> bool:
    """Whether both say the same; a device whose name held a secret has none in the chain, and counts by its outcome."""
    if any(MARK in name for name in there):
        return sorted(here.values()) == sorted(there.values())
    return here == {storable(name): status for name, status in there.items()}


def _ended(connection: Connection) -> Iterator[tuple[int, dict[str, str]]]:
    """Each job that ended, with its outcomes as the chain has them: those of the end, then those that came late."""
    kinds = audit.c.kind.in_([kind.value for kind in _ENDS])
    statement = (
        select(audit.c.job, audit.c.kind, audit.c.body)
        .where(kinds, audit.c.job.is_not(None))
        .order_by(audit.c.job, audit.c.seq)
    )
    for job, rows in groupby(rows_of(connection, statement), key=lambda row: row.job):
        found: dict[str, str] | None = None
        for row in rows:
            told = json.loads(row.body).get("outcomes")
            if told is not None and (found is not None or row.kind != AuditKind.LATE.value):
                found = {**(found or {}), **told}  # what comes late to a job that never ran has nothing to be added to
        if found is not None:
            yield job, found


def _grouped(pairs: Iterable[Any]) -> Iterator[tuple[int, list[Any]]]:
    """Put together what follows each other under one number."""
    for number, rows in groupby(pairs, key=itemgetter(0)):
        yield number, [row[1] for row in rows]


def _side_by_side(left: Iterator[tuple[int, Any]], right: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Any, Any]]:
    """Walk two sequences with rising numbers together; what one of them lacks is None."""
    one, two = next(left, None), next(right, None)
    while one or two:
        number = min(pair[0] for pair in (one, two) if pair)
        here, there = (pair[1] if pair and pair[0] == number else None for pair in (one, two))
        yield number, here, there
        one = next(left, None) if one and one[0] == number else one
        two = next(right, None) if two and two[0] == number else two


def forgotten_before(connection: Connection) -> datetime | None:
    """Before which moment what ended was forgotten, as the record itself says."""
    statement = select(audit.c.at, audit.c.body).where(audit.c.kind == AuditKind.PRUNED.value)
    cuts = [_cut(row.at, json.loads(row.body)) for row in rows_of(connection, statement)]
    return max(cuts, default=None)


def _cut(at: str, body: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(at) - timedelta(days=float(body.get("keep_days", 0)))


def _ended_before(connection: Connection, job: int, moment: datetime | None) -> bool:
    ended = connection.scalar(select(jobs.c.ended).where(jobs.c.number == job))
    return moment is not None and ended is not None and ended < moment
