"""Schedules and their times held against the chain: none was added, changed or removed behind the bot's back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from automation_bots.model import Schedule, ScheduleState
from automation_bots.store.audit import AuditKind
from automation_bots.store.codec import canonical
from automation_bots.store.occurrences import Result
from automation_bots.store.schema import audit, jobs, occurrences, schedules, stamp
from automation_bots.store.side_tables import Unbound, forgotten_before, rows_of

_KINDS = (AuditKind.SCHEDULE, AuditKind.SCHEDULE_CHANGED, AuditKind.DUE, AuditKind.MISSED, AuditKind.CAME_TO,
          AuditKind.RESTORED)  # fmt: skip
# What a schedule runs, for whom and where. Rows of the chain have the digest of these: none may come or go.
_BOUND = ("operation", "line", "text", "times", "tells", "confirmed", "pattern", "offered", "caller", "place")
_NOT_RUN = (Result.MISSED.value, Result.LOST.value)
RECORDED: Mapping[str, Any] = {"outcome": "recorded"}  # of a time: what came of it stands in the chain too


def facts(schedule: Schedule, body: Mapping[str, Any]) -> dict[str, Any]:
    """What a row of the chain says of a schedule as it is from then on; `body` is how it is stored."""
    digest = _digest(schedule.person, json.loads(canonical(body)))
    return {"digest": digest, "state": schedule.state.value, "due": schedule.due}


def outcome(text: str) -> str:
    """The digest of what came of a time, since an answer may be long."""
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(person: str, body: Mapping[str, Any]) -> str:
    return outcome(canonical([person, {name: body.get(name) for name in _BOUND}]))


@dataclass(slots=True)
class _Said:
    """What the chain says of one schedule."""

    digest: str = ""
    state: str = ""
    due: str | None = None
    times: dict[str, dict[str, Any]] = field(default_factory=dict)  # by the moment


def compare(connection: Connection) -> None:
    """Hold both tables against a chain that is whole; raise Unbound at the first thing that differs."""
    before = forgotten_before(connection)
    said, stored = _said(connection, before), {row.number: row for row in rows_of(connection, select(schedules))}
    for number in sorted(said.keys() ^ stored.keys()):
        tells = "no entry of the record tells of it" if number in stored else "it is gone, and the record tells of it"
        raise Unbound(f"Schedule S{number}: {tells}")
    for number, row in stored.items():
        _schedule(row, said[number])
    _times(connection, said, before)


def _said(connection: Connection, before: datetime | None) -> dict[int, _Said]:
    found: dict[int, _Said] = {}
    kinds = audit.c.kind.in_([kind.value for kind in _KINDS])
    for row in rows_of(connection, select(audit.c.at, audit.c.kind, audit.c.body).where(kinds).order_by(audit.c.seq)):
        body = json.loads(row.body)
        if row.kind == AuditKind.RESTORED.value:
            for number in body.get("schedules", ()):
                one = found.setdefault(number, _Said())
                one.state, one.due = ScheduleState.PAUSED.value, None
            continue
        one = found.setdefault(body["schedule"], _Said())
        one.digest = body.get("digest", one.digest) if row.kind != AuditKind.CAME_TO.value else one.digest
        if "state" in body:
            one.state, one.due = body["state"], body.get("due")
        if "at" in body and not _is_old(row.at, before):
            one.times.setdefault(body["at"], {}).update({row.kind: body})
    return found


def _is_old(at: str, before: datetime | None) -> bool:
    return before is not None and datetime.fromisoformat(at) < before


def _schedule(row: Row[Any], said: _Said) -> None:
    if said.digest and said.digest != _digest(row.person, json.loads(row.body)):
        raise Unbound(f"Schedule S{row.number} is not what the record says: what it runs, when, for whom or where")
    if said.state and said.state != row.state:
        raise Unbound(f"Schedule S{row.number} is {row.state}, and by the record {said.state}")
    if said.state and said.due != (stamp(row.due) if row.due else None):
        raise Unbound(f"Schedule S{row.number} is due at {row.due or 'no time'}, and by the record at {said.due}")


def _times(connection: Connection, said: Mapping[int, _Said], before: datetime | None) -> None:
    joined = select(occurrences, jobs.c.body.label("of_job")).join(
        jobs, jobs.c.number == occurrences.c.job, isouter=True
    )
    for row in rows_of(connection, joined.order_by(occurrences.c.schedule, occurrences.c.at)):
        known = said[row.schedule].times.pop(stamp(row.at), None) if row.schedule in said else None
        if known is None and (before is None or row.taken >= before):
            raise Unbound(
                f"The time {row.at:%Y-%m-%d %H:%M} UTC of S{row.schedule}: no entry of the record tells of it"
            )
        if why := next(_differs(row, known or {}), ""):
            raise Unbound(f"The time {row.at:%Y-%m-%d %H:%M} UTC of S{row.schedule} {why}")
    for number, one in said.items():
        for at in (at for at, known in one.times.items() if _was_taken(known)):
            raise Unbound(f"The time {at[:16]} UTC of S{number} is gone, and the record tells of it")


def _was_taken(known: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether the chain tells that a time was taken, and not only what came of one that is forgotten since."""
    missed = known.get(AuditKind.MISSED.value, {"what": "killed"})
    return AuditKind.DUE.value in known or missed.get("what") != "killed"


def _differs(row: Row[Any], known: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What of a time is other than the chain has it."""
    due, missed, came_to = (known.get(kind.value) for kind in (AuditKind.DUE, AuditKind.MISSED, AuditKind.CAME_TO))
    if row.job is not None:
        asked = json.loads(row.of_job or "{}").get("occurrence")
        if asked != [row.schedule, stamp(row.at)]:
            yield f"is not the one of #{row.job}"
    elif missed and (row.result not in _NOT_RUN or missed.get("missed") not in {1, row.missed + 1}):
        yield f"came to {row.result or 'nothing yet'}, and by the record it was missed"
    elif came_to and (row.result, outcome(row.text)) != (came_to["result"], came_to["digest"]):
        yield f"did not come to what the record says: {came_to['result']}"
    elif due and not missed and not came_to and row.result and due.get("outcome"):
        yield f"came to {row.result}, of which the record tells nothing"
