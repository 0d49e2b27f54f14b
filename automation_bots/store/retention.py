"""What may be forgotten: outcomes and outputs of old jobs, and the ids of old messages. Jobs and audit rows stay."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, exists, func, select

from automation_bots.model import FINAL
from automation_bots.store.jobs import in_state
from automation_bots.store.schema import conclusions, files, holds, jobs, outcomes, outputs, seen

JOBS_AT_ONCE = 100  # in one transaction, so that no writer waits long


def old_jobs(connection: Connection, ended_before: datetime, after: int) -> list[int]:
    """Return some numbers of jobs, above `after`, whose details may go; not those still untold or holding devices."""
    # Jobs below the oldest outcome were pruned before: with a million of them, walking over them would take seconds.
    first = connection.scalar(select(func.min(outcomes.c.job))) or 0
    statement = (
        select(jobs.c.number)
        .where(jobs.c.number > max(after, first - 1), jobs.c.created < ended_before, jobs.c.ended < ended_before)
        .where(in_state(*FINAL), jobs.c.told.is_(True))
        .where(exists().where(outcomes.c.job == jobs.c.number), ~exists().where(holds.c.job == jobs.c.number))
    )
    return list(connection.scalars(statement.order_by(jobs.c.number).limit(JOBS_AT_ONCE)))


def forget_details(connection: Connection, numbers: list[int]) -> dict[str, int]:
    """Delete the outputs and outcomes of these jobs; their counts stay in the job."""
    connection.execute(delete(conclusions).where(conclusions.c.job.in_(numbers)))
    connection.execute(delete(files).where(files.c.job.in_(numbers)))
    return {
        "outputs": connection.execute(delete(outputs).where(outputs.c.job.in_(numbers))).rowcount,
        "outcomes": connection.execute(delete(outcomes).where(outcomes.c.job.in_(numbers))).rowcount,
    }


def forget_messages(connection: Connection, seen_before: datetime) -> int:
    """Delete the ids of messages that no network delivers again after so long."""
    return connection.execute(delete(seen).where(seen.c.at < seen_before)).rowcount
