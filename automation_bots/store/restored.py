"""A record that was restored from a backup: which of its jobs were pending then, and are not decided on yet."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Connection, select

from automation_bots.model import PARKED, State
from automation_bots.store import audit, jobs, rules, schedules
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.schema import audit as rows

_PENDING = (State.QUEUED, *PARKED)


def mark(connection: Connection, at: datetime, name: str) -> None:
    """Note that the record was restored, and what was pending in it: the bot it was taken from may have run that."""
    pending = [job.number for job in jobs.oldest(connection, jobs.in_state(*_PENDING))]
    rules.hold_all(connection)
    facts = {"backup": name, "pending": pending, "schedules": schedules.hold_all(connection)}
    audit.append(connection, at, AuditKind.RESTORED, Subject(), facts)


def waiting(connection: Connection) -> list[int]:
    """Return the jobs that were pending then, still are, and of which nobody has said that they go on."""
    newest = select(rows).where(rows.c.kind == AuditKind.RESTORED.value).order_by(rows.c.seq.desc()).limit(1)
    restored = connection.execute(newest).one_or_none()
    if restored is None:
        return []
    decided = (rows.c.kind == AuditKind.CONTINUED.value, rows.c.seq > restored.seq)
    gone_on = set(connection.scalars(select(rows.c.job).where(*decided)))
    pending = set(json.loads(restored.body)["pending"]) - gone_on
    return [job.number for job in jobs.oldest(connection, jobs.in_state(*_PENDING)) if job.number in pending]
