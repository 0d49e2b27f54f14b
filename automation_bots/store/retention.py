"""What may be forgotten: outcomes and outputs of old jobs, and the ids of old messages. Jobs and audit rows stay."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, func, select

from automation_bots.model import FINAL
from automation_bots.store import audit, peers, rules, schedules, seen_messages
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.database import Database
from automation_bots.store.jobs import in_state
from automation_bots.store.schema import conclusions, files, holds, jobs, outcomes, outputs

JOBS_AT_ONCE = 100  # in one transaction, so that no writer waits long


def prune(database: Database, now: datetime, keep_days: int) -> dict[str, int]:
    """Forget in small steps, so that others write in between; returns how much of each went."""
    gone: Counter[str] = Counter(outputs=0, outcomes=0)
    last = 0
    while numbers := _old_jobs(database, now - timedelta(days=keep_days), last):
        with database.write() as connection:
            gone.update(forget_details(connection, numbers))
        last = numbers[-1]
    with database.write() as connection:
        gone["messages"] = seen_messages.forget(connection, now)
        if times := schedules.forget(connection, now - timedelta(days=keep_days)):
            gone["schedule times"] = times
        if decided := rules.forget(connection, now - timedelta(days=keep_days)):
            gone["events of rules"] = decided
        if asked := peers.forget(connection, now - timedelta(days=keep_days)):
            gone["requests between bots"] = asked
        audit.append(connection, now, AuditKind.PRUNED, Subject(), {"keep_days": keep_days, **gone})
    while database.shrink():
        pass  # in steps as well
    return dict(gone)


def _old_jobs(database: Database, ended_before: datetime, after: int) -> list[int]:
    """Return some numbers of jobs, above `after`, whose details may go; not those still untold or holding devices."""
    old = (
        select(jobs.c.number)
        .where(jobs.c.created < ended_before, jobs.c.ended < ended_before)
        .where(in_state(*FINAL), jobs.c.told.is_(True))
        .where(exists().where(outcomes.c.job == jobs.c.number), ~exists().where(holds.c.job == jobs.c.number))
        .order_by(jobs.c.number)
        .limit(JOBS_AT_ONCE)
    )
    with database.read() as connection:
        # Jobs below the oldest outcome were pruned before; with a million of them, to walk over them takes seconds.
        first = connection.scalar(select(func.min(outcomes.c.job))) or 0
        return list(connection.scalars(old.where(jobs.c.number > max(after, first - 1))))


def forget_details(connection: Connection, numbers: list[int]) -> dict[str, int]:
    """Delete the outputs and outcomes of these jobs; their counts stay in the job."""
    connection.execute(delete(conclusions).where(conclusions.c.job.in_(numbers)))
    connection.execute(delete(files).where(files.c.job.in_(numbers)))
    return {
        "outputs": connection.execute(delete(outputs).where(outputs.c.job.in_(numbers))).rowcount,
        "outcomes": connection.execute(delete(outcomes).where(outcomes.c.job.in_(numbers))).rowcount,
    }
