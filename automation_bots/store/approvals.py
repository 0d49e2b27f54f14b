"""Jobs that wait for approval or for their time: every step is compare-and-set, with its audit row."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from automation_bots.model import NOTHING, PARKED, ApprovalRequirement, Caller, Job, Place, State
from automation_bots.policy.approval import Approval, Vote
from automation_bots.store import audit, jobs, reviews
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.codec import canonical, frozen
from automation_bots.store.database import Database
from automation_bots.store.schema import approvals, votes
from automation_bots.surface import MessageRef

_TIMES = ("deadline", "run_at", "released", "asked")


class Voted(Enum):
    """What became of a vote."""

    LATE = "late"  # it no longer waits
    TWICE = "twice"
    COUNTED = "counted"
    ENOUGH = "enough"


class ApprovalStore:
    """The jobs that wait for people or for the clock."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock

    def add(self, job: Job, approval: Approval, extra: Mapping[str, Any] = NOTHING) -> Job:
        """Park a job with its approval record; returns it with its number."""
        now = self._clock()
        with self._database.write() as connection:
            added = jobs.add(connection, job, now)
            row = {"job": added.number, "digest": approval.digest, "due": approval.due, "body": _body(approval)}
            connection.execute(insert(approvals), row)
            kind = AuditKind.ASKED if job.state is State.WAITING else AuditKind.SCHEDULED
            facts = {"needs": [asdict(need) for need in approval.needs], "deadline": approval.deadline,
                     "run_at": approval.run_at, "bound": approval.digest}  # fmt: skip
            audit.append(connection, now, kind, Subject.of_job(added), {**extra, **facts})
        return added

    def add_approved(self, job: Job, approval: Approval, of: int, extra: Mapping[str, Any] = NOTHING) -> Job:
        """Queue a job that runs with the votes on an earlier one, given once for a schedule."""
        now = self._clock()
        with self._database.write() as connection:
            added = jobs.add(connection, job, now)
            row = {"job": added.number, "digest": approval.digest, "due": None, "body": _body(approval)}
            connection.execute(insert(approvals), row)
            for vote in approval.votes:
                connection.execute(insert(votes), _vote_row(added.number, vote))
                subject = replace(Subject.of_job(added), person=vote.person, caller=vote.caller)
                facts = {"requester": job.person, "note": vote.note, "given_for": of, "given": vote.at, **extra}
                audit.append(connection, now, AuditKind.APPROVED, subject, facts)
            _move_on(connection, added, now, State.QUEUED)
            return jobs.get(connection, added.number)

    def find(self, number: int) -> Approval | None:
        """Return the approval record of a job, with its votes."""
        with self._database.read() as connection:
            return _find(connection, number)

    def all(self) -> list[Job]:
        """Return all jobs that are parked, in the order they were asked for."""
        with self._database.read() as connection:
            return jobs.oldest(connection, jobs.in_state(*PARKED))

    def due(self, now: datetime) -> list[int]:
        """Return the jobs that have to be looked at now."""
        with self._database.read() as connection:
            return list(connection.scalars(select(approvals.c.job).where(approvals.c.due <= now)))

    def next_due(self) -> datetime | None:
        """Return when the next one has to be looked at."""
        with self._database.read() as connection:
            first: datetime | None = connection.scalar(select(func.min(approvals.c.due)))
            return first

    def note(
        self, seen: State, approval: Approval, kind: AuditKind | None = None, body: Mapping[str, Any] = NOTHING
    ) -> None:
        """Keep what was said and when to look next; with a kind, an audit row of it. Votes and state stay.

        What was not `seen` yet (a new state, a new vote) stays due.
        """
        now = self._clock()
        with self._database.write() as connection:
            known, job = _find(connection, approval.number), jobs.get(connection, approval.number)
            if known is None:
                return
            kept = replace(approval, released=known.released, acted=known.acted)
            same = (known.votes, job.state) == (approval.votes, seen)
            values = {"due": approval.due if same else now, "body": _body(kept)}
            connection.execute(update(approvals).where(approvals.c.job == approval.number).values(**values))
            if kind is not None:
                audit.append(connection, now, kind, Subject.of_job(job), {**body, "requester": job.person})

    def add_preview(self, number: int, job: Job) -> Job:
        """Queue the job that looks what would change, and tie it to the one that waits."""
        now = self._clock()
        with self._database.write() as connection:
            added = jobs.add(connection, job, now)
            _write(connection, number, {"preview": added.number})
            audit.append(connection, now, AuditKind.ACCEPTED, Subject.of_job(added), {"preview_of": number})
        return added

    def vote(
        self, number: int, vote: Vote, place: Place, enough: Callable[[tuple[Vote, ...]], bool], *, anew: bool = False
    ) -> Voted:
        """Take a vote; the one that makes it enough moves the job on: to its time, or into the queue.

        One given `anew` takes the place of that person's earlier one.
        """
        now = self._clock()
        with self._database.write() as connection:
            found, job = _find(connection, number), jobs.get(connection, number)
            if found is None or job.state is not State.WAITING:
                return Voted.LATE
            others = tuple(known for known in found.votes if known.person != vote.person)
            if others != found.votes and not anew:
                return Voted.TWICE
            connection.execute(delete(votes).where(votes.c.job == number, votes.c.person == vote.person))
            connection.execute(insert(votes), _vote_row(number, vote))
            _write(connection, number, {"acted": _where(place)}, due=now)
            subject = replace(Subject.of_job(job), person=vote.person, caller=vote.caller, place=place)
            audit.append(connection, now, AuditKind.APPROVED, subject, {"requester": job.person, "note": vote.note})
            if not enough((*others, vote)):
                return Voted.COUNTED
            _approved(connection, job, found, now)
            return Voted.ENOUGH

    def settle(self, number: int, enough: Callable[[tuple[Vote, ...]], bool]) -> bool:
        """Move a job on whose votes have become enough since others count now; False when they are not."""
        now = self._clock()
        with self._database.write() as connection:
            found, job = _find(connection, number), jobs.get(connection, number)
            if found is None or job.state is not State.WAITING or not found.votes or not enough(found.votes):
                return False
            _approved(connection, job, found, now)
        return True

    def release(self, number: int) -> bool:
        """The time of a scheduled job has come; False when it is no longer scheduled."""
        now = self._clock()
        with self._database.write() as connection:
            job = jobs.get(connection, number)
            return job.state is State.SCHEDULED and _move_on(connection, job, now, State.QUEUED)

    def end(self, number: int, state: State, why: str, by: Subject | None = None) -> bool:
        """End what is parked: denied, expired, withdrawn or void; False when it is no longer parked."""
        now = self._clock()
        with self._database.write() as connection:
            job = jobs.get(connection, number)
            ending = {"state": state.value, "error": why, "ended": now}
            if job.state not in PARKED or not jobs.moved(connection, number, job.state, ending):
                return False
            subject = Subject.of_job(job)
            if by is not None:
                subject = replace(subject, person=by.person, caller=by.caller, place=by.place)
            acted = {"acted": _where(by.place)} if by is not None and by.place else {}
            _write(connection, number, acted, due=now)
            audit.append(connection, now, _ENDS[state], subject, {"requester": job.person, "reason": why})
        return True

    def explain(self, number: int, why: str, by: Subject) -> None:
        """Add the reason of who has denied a request without one."""
        now = self._clock()
        with self._database.write() as connection:
            job = jobs.get(connection, number)
            jobs.note(connection, number, {"error": why})
            _write(connection, number, {"acted": _where(by.place)} if by.place else {}, due=now)
            subject = replace(Subject.of_job(job), person=by.person, caller=by.caller, place=by.place)
            audit.append(connection, now, AuditKind.APPROVAL_DENIED, subject, {"requester": job.person, "reason": why})


def wake(connection: Connection, number: int, now: datetime) -> None:
    """Have somebody look at a job's approval now."""
    connection.execute(update(approvals).where(approvals.c.job == number).values(due=now))


_ENDS = {
    State.DENIED: AuditKind.APPROVAL_DENIED,
    State.EXPIRED: AuditKind.EXPIRED,
    State.WITHDRAWN: AuditKind.WITHDRAWN,
    State.VOID: AuditKind.VOIDED,
}


def _approved(connection: Connection, job: Job, approval: Approval, now: datetime) -> None:
    _move_on(connection, job, now, State.SCHEDULED if approval.run_at else State.QUEUED)


def _move_on(connection: Connection, job: Job, now: datetime, state: State) -> bool:
    moved = jobs.moved(connection, job.number, job.state, {"state": state.value}) is not None
    if moved and state is State.QUEUED:
        _write(connection, job.number, {"released": now.isoformat()}, due=now)
        if job.emergency:
            reviews.ask(connection, job, now)
        names = ("parameters", "pattern", "risk", "drivers", "rules", "check", "reason", "digest", "emergency")
        facts = {name: getattr(job, name) for name in names}
        audit.append(connection, now, AuditKind.ACCEPTED, Subject.of_job(job), facts)
    elif moved:
        audit.append(connection, now, AuditKind.SCHEDULED, Subject.of_job(job))
    return moved


def _where(place: Place) -> str:
    return f"{place.network}/{place.room}"


def _write(connection: Connection, number: int, fields: Mapping[str, Any], due: datetime | None = None) -> None:
    """Change some fields of the body."""
    mine = approvals.c.job == number
    known = json.loads(connection.scalar(select(approvals.c.body).where(mine)) or "{}")
    values: dict[str, Any] = {"body": canonical({**known, **fields})}
    connection.execute(update(approvals).where(mine).values(**values, **({"due": due} if due else {})))


def _find(connection: Connection, number: int) -> Approval | None:
    row = connection.execute(select(approvals).where(approvals.c.job == number)).one_or_none()
    if row is None:
        return None
    cast = connection.execute(select(votes).where(votes.c.job == number).order_by(votes.c.at, votes.c.person))
    body = frozen(json.loads(row.body))
    times = {name: datetime.fromisoformat(body[name]) if body.get(name) else None for name in _TIMES}
    return Approval(
        number=number,
        digest=row.digest,
        needs=tuple(ApprovalRequirement(**need) for need in body["needs"]),
        votes=tuple(Vote(v.person, Caller(v.network, v.caller), v.at, v.note) for v in cast),
        due=row.due,
        preview=body["preview"],
        messages=tuple(MessageRef(Place(**ref["place"]), ref["id"]) for ref in body["messages"]),
        escalated=body["escalated"],
        reminded=body["reminded"],
        shown=body["shown"],
        acted=body["acted"],
        **times,
    )


def _body(approval: Approval) -> str:
    names = ("preview", "escalated", "reminded", "shown", "acted", *_TIMES)
    fields = {name: getattr(approval, name) for name in names}
    lists = {"needs": [asdict(n) for n in approval.needs], "messages": [asdict(m) for m in approval.messages]}
    return canonical({**fields, **lists})


def _vote_row(number: int, vote: Vote) -> dict[str, Any]:
    return {
        "job": number, "person": vote.person, "network": vote.caller.network, "caller": vote.caller.id,
        "at": vote.at, "note": vote.note,
    }  # fmt: skip
