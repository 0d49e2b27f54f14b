"""How a job ends in the record: its counts, what it holds from then on, and the audit row, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from automation_bots.model import NOTHING, Job, Risk, State, Status
from automation_bots.store import approvals as approvals
from automation_bots.store import audit, holds, jobs, looks, outcomes
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.codec import canonical

SILENT = "The bot stopped before this device answered"


def end(
    connection: Connection, number: int, now: datetime, ending: Mapping[str, str], extra: Mapping[str, Any] = NOTHING
) -> bool:
    """Move a running job to its end, with counts, holds and audit row."""
    job = jobs.moved(connection, number, State.RUNNING, {**ending, "ended": now})
    if job is None:
        return False
    interrupted = job.state is State.INTERRUPTED
    if interrupted:
        begun = audit.find(connection, 1, job=number, kind=AuditKind.BATCH) if job.canary else []
        outcomes.fill(connection, job, SILENT, batches=begun[0].body["batch"] if begun else None)
    found = outcomes.statuses(connection, number)
    jobs.note(connection, number, {"counts": canonical(outcomes.status_counts(found))})
    if interrupted and job.risk is Risk.CHANGE:
        own = frozenset(job.devices)  # of sixty thousand
        unknown = [device for device, status in found.items() if device in own and status == Status.UNKNOWN]
        holds.add(connection, number, [*unknown, *(job.also if unknown else ())], now)
    if job.state is State.VOID:
        approvals.wake(connection, number, now)
    if looks.is_as_before(connection, job, found):
        return True  # the next look that is not tells it
    body = {**extra, **ending, "counts": outcomes.status_counts(found), "outcomes": found}
    kind = {State.INTERRUPTED: AuditKind.INTERRUPTED, State.VOID: AuditKind.VOIDED}.get(job.state, AuditKind.ENDED)
    audit.append(connection, now, kind, Subject.of_job(job), body)
    return True


def correct(connection: Connection, job: Job, now: datetime, news: Mapping[str, str]) -> None:
    """Take in outcomes that came after the end; the audit row of the end stays as it was."""
    found = outcomes.statuses(connection, job.number)
    jobs.note(connection, job.number, {"counts": canonical(outcomes.status_counts(found))})
    subject = replace(Subject.of_job(job), devices=tuple(sorted(news)))
    audit.append(connection, now, AuditKind.LATE, subject, {"outcomes": news})
