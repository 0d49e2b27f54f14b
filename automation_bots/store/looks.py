"""The reads of monitors: a row of the audit before each, one after it only where it was not as the one before.

What was as before is not kept: its outcomes go with the next look, its job after a day, and a row sums up how many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, select

from automation_bots.model import Job, State
from automation_bots.store import outcomes, retention
from automation_bots.store.audit import AuditKind
from automation_bots.store.schema import audit, jobs

JOBS_KEPT = timedelta(days=1)
_AT_ONCE = 500
_TOLD = exists().where(audit.c.job == jobs.c.number, audit.c.kind == AuditKind.ENDED.value)


def is_as_before(connection: Connection, job: Job, found: Mapping[str, str]) -> bool:
    """Whether a look that ended came to the same as the one before it, which is still known."""
    if job.monitor is None or job.state is not State.DONE:
        return False
    ended = (jobs.c.monitor == job.monitor, jobs.c.number < job.number, jobs.c.operation == job.operation,
             jobs.c.state == State.DONE.value)  # fmt: skip
    before = connection.scalar(select(jobs.c.number).where(*ended).order_by(jobs.c.number.desc()).limit(1))
    return before is not None and bool(found) and outcomes.statuses(connection, before) == found


def forget_details(connection: Connection, number: int) -> bool:
    """Forget what a look brought that was as the one before; False where the audit tells of its end."""
    quiet = (jobs.c.number == number, jobs.c.monitor.is_not(None), jobs.c.state == State.DONE.value, ~_TOLD)
    if connection.scalar(select(jobs.c.number).where(*quiet)) is None:
        return False
    retention.forget_details(connection, [number])
    return True


def forget_jobs(connection: Connection, now: datetime) -> dict[int, Sequence[int]]:
    """Take out some jobs of looks that were as before and are old; returns those of each monitor."""
    old = (jobs.c.monitor.is_not(None), jobs.c.state == State.DONE.value, jobs.c.ended < now - JOBS_KEPT, ~_TOLD)
    chosen = select(jobs.c.number, jobs.c.monitor).where(*old).order_by(jobs.c.number).limit(_AT_ONCE)
    found: dict[int, list[int]] = {}
    for number, monitor in connection.execute(chosen):
        found.setdefault(monitor, []).append(number)
    gone = [number for some in found.values() for number in some]
    if gone:
        retention.forget_details(connection, gone)  # of the last one before a restart
        connection.execute(delete(jobs).where(jobs.c.number.in_(gone)))
    return {monitor: tuple(some) for monitor, some in found.items()}
