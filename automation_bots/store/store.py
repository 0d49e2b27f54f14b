"""The record as the rest of the project uses it: every change of a job and its audit row in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Unpack

from sqlalchemy import select

from automation_bots.model import FINAL, NOTHING, Conclusion, Job, Outcome, State, Status
from automation_bots.store import (
    audit,
    bound_schedules,
    holds,
    job_end,
    jobs,
    outcomes,
    restored,
    retention,
    reviews,
    schema,
    seen_messages,
    side_tables,
    summaries,
)
from automation_bots.store.alerts import AlertStore
from automation_bots.store.aliases import AliasStore
from automation_bots.store.approvals import ApprovalStore
from automation_bots.store.audit import AuditKind, AuditRow, Criteria, Subject
from automation_bots.store.codec import row_of
from automation_bots.store.database import Database
from automation_bots.store.events import EventStore
from automation_bots.store.freezes import ChangeBlocks
from automation_bots.store.host_keys import HostKeys
from automation_bots.store.monitors import MonitorStore
from automation_bots.store.peers import PeerStore
from automation_bots.store.people import PeopleStore
from automation_bots.store.questions import QuestionStore
from automation_bots.store.reviews import Reviews
from automation_bots.store.rules import RuleStore
from automation_bots.store.schedules import ScheduleStore
from automation_bots.store.unsent import UnsentPosts
from automation_bots.store.watched_changes import ChangeStore
from automation_bots.store.watches import WatchStore


def utc_now() -> datetime:
    """Tell the time."""
    return datetime.now(UTC)


class Store:
    """Jobs, outcomes, holds and audit. Safe to use from many threads."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self.approvals = ApprovalStore(database, clock)
        self.change_blocks = ChangeBlocks(database, clock)
        self.reviews = Reviews(database, clock)
        self.people = PeopleStore(database, clock)
        self.aliases = AliasStore(database, clock)
        self.questions = QuestionStore(database, clock)
        self.host_keys = HostKeys(database, clock)
        self.posts = UnsentPosts(database, clock)
        self.schedules = ScheduleStore(database, clock)
        self.rules = RuleStore(database, clock)
        self.peers = PeerStore(database, clock)
        self.monitors = MonitorStore(database, clock)
        self.watched_changes = ChangeStore(database, clock)
        self.watches = WatchStore(database, clock)
        self.events = EventStore(database, clock)
        self.alerts = AlertStore(database, clock)

    @classmethod
    def open(
        cls, url_or_folder: str | Path, *, clock: Callable[[], datetime] = utc_now, exclusive: bool = True
    ) -> Store:
        """Open a data folder or a postgresql:// URL, and make or upgrade its tables.

        One bot at a time: a second one is refused. `exclusive=False` is for what works beside the bot (workers, backup,
        offline verify); it makes no tables.
        """
        return cls(Database.open(url_or_folder, exclusive=exclusive), clock)

    def redact_with(self, clear: Callable[[str], str]) -> None:
        """Take secrets out of the words of jobs and of the audit's facts with this, before they are kept."""
        self._database.redact_with(clear)

    def close(self) -> None:
        """End; what comes later is refused with a StoreError."""
        self._database.close()

    # -- jobs --------------------------------------------------------------------------------------------------------

    def add_job(self, job: Job, extra: Mapping[str, Any] = NOTHING) -> Job:
        """Queue a job; returns it with its number. `extra` goes into the audit row."""
        now = self._clock()
        with self._database.write() as connection:
            added = jobs.add(connection, job, now)
            if added.emergency:
                reviews.ask(connection, added, now)
            audit.append(connection, now, AuditKind.ACCEPTED, Subject.of_job(added), {**extra, **_facts(added)})
        return added

    def start(self, number: int) -> bool:
        """Move from queued to running; only the one who gets True may touch the devices."""
        now = self._clock()
        with self._database.write() as connection:
            job = jobs.moved(connection, number, State.QUEUED, {"state": State.RUNNING.value, "started": now})
            if job and job.monitor is None:  # a look was accepted a moment ago, and may be repeated
                audit.append(connection, now, AuditKind.STARTED, Subject.of_job(job).brief())
        return job is not None

    def reach(self, number: int, device: str) -> None:
        """Keep that a running job works on one more device, which is held too if the job is broken off."""
        now = self._clock()
        with self._database.write() as connection:
            job = jobs.get(connection, number)
            jobs.note(connection, number, {"body": row_of(replace(job, also=(*job.also, device)))["body"]})
            audit.append(connection, now, AuditKind.REACHED, replace(Subject.of_job(job), devices=(device,)), NOTHING)

    def finish(self, number: int, state: State, error: str = "", extra: Mapping[str, Any] = NOTHING) -> bool:
        """Move from running to a final state. A change that ends INTERRUPTED holds the devices with unknown outcome."""
        if state not in FINAL:
            raise ValueError(f"{state} is no final state")
        now = self._clock()
        with self._database.read() as connection:  # so that nobody waits to write while long outputs are read
            digest = outcomes.output_digest(connection, number)
        facts = {**extra, "output_sha256": digest} if digest else extra
        with self._database.write() as connection:
            return job_end.end(connection, number, now, {"state": state.value, "error": error}, facts)

    def cancel_queued(self, number: int, by: str) -> bool:
        """Take a job out of the queue; False when it is no longer there."""
        now = self._clock()
        with self._database.write() as connection:
            job = jobs.moved(connection, number, State.QUEUED, {"state": State.CANCELLED.value, "ended": now})
            if job:
                audit.append(connection, now, AuditKind.CANCELLED, _by(job, by), {"requester": job.person})
        return job is not None

    def job(self, number: int) -> Job:
        """Return one job with its counts; NoSuchJob when there is none."""
        with self._database.read() as connection:
            return jobs.get(connection, number)

    def jobs(
        self, *, states: Collection[State] | None = None, person: str | None = None, limit: int = 20,
        before: int | None = None, asked_for: bool = False,
    ) -> list[Job]:  # fmt: skip
        """Return jobs, newest first; `before` is the number to go on from; `asked_for`: without those of monitors."""
        conditions = [jobs.in_state(*states)] if states is not None else []
        if asked_for:
            conditions.append(schema.jobs.c.monitor.is_(None))
        if person is not None:
            conditions.append(schema.jobs.c.person == person)
        if before is not None:
            conditions.append(schema.jobs.c.number < before)
        with self._database.read() as connection:
            return jobs.newest(connection, conditions, limit)

    def queued(self) -> list[Job]:
        """Return all jobs that wait, in the order they were asked for."""
        with self._database.read() as connection:
            return jobs.oldest(connection, jobs.in_state(State.QUEUED))

    def running(self) -> list[Job]:
        """Return all jobs that run."""
        with self._database.read() as connection:
            return jobs.oldest(connection, jobs.in_state(State.RUNNING))

    def untold(self) -> list[Job]:
        """Return the ended jobs whose place has not heard how they ended."""
        with self._database.read() as connection:
            return jobs.oldest(connection, jobs.is_untold())

    def mark_told(self, number: int) -> bool:
        """Note that the place has heard how the job ended; False when it had, or the job has not ended."""
        now = self._clock()
        with self._database.write() as connection:
            job = jobs.told(connection, number)
            if job:
                audit.append(connection, now, AuditKind.TOLD, Subject.of_job(job).brief())
            else:
                jobs.get(connection, number)  # raises where there is none
        return job is not None

    def set_message(self, number: int, ref: str) -> None:
        """Keep which chat message shows the job; only the chat side understands `ref`."""
        with self._database.write() as connection:
            jobs.note(connection, number, {"message": ref})

    def message(self, number: int) -> str:
        """Return what `set_message` kept, or nothing."""
        column = schema.jobs.c.message
        with self._database.read() as connection:
            return connection.scalar(select(column).where(schema.jobs.c.number == number)) or ""

    # -- outcomes ----------------------------------------------------------------------------------------------------

    def add_outcomes(self, number: int, found: Iterable[Outcome]) -> int:
        """Store outcomes in one go; returns how many were news. The first one of a device stays (UNKNOWN gives way)."""
        batch, now = tuple(found), self._clock()
        with self._database.write() as connection:
            ended = jobs.state_of(connection, number) in FINAL
            news = outcomes.add(connection, number, batch)
            if news and ended:
                told = {name: outcome.status.value for name, outcome in news.items()}
                job_end.correct(connection, jobs.get(connection, number), now, told)
        return len(news)

    def outcomes(self, number: int, status: Status | None = None, *, with_output: bool = False) -> list[Outcome]:
        """Return the outcomes of a job, by device name; what the devices printed only when asked for."""
        with self._database.read() as connection:
            return outcomes.find(connection, number, status, with_output=with_output)

    def forgotten(self, job: Job) -> bool:
        """Whether the outcomes of a job were kept, and are no longer."""
        if job.state not in FINAL or not any(job.counts.values()):
            return False
        with self._database.read() as connection:
            return not outcomes.any_of(connection, job.number)

    def output(self, number: int, device: str) -> str:
        """Return all that one device printed; empty when nothing, or no longer kept."""
        with self._database.read() as connection:
            return outcomes.output(connection, number, device)

    def digests(self, number: int) -> dict[str, str]:
        """Return {device: a digest of what it printed}: the same text, the same digest."""
        with self._database.read() as connection:
            return outcomes.digests(connection, number)

    def conclude(self, number: int, conclusion: Conclusion) -> None:
        """Store a driver's own words on a whole job, with its files; those of several drivers are joined."""
        with self._database.write() as connection:
            jobs.get(connection, number)
            summaries.add(connection, number, conclusion)

    def conclusion(self, number: int) -> Conclusion:
        """Return what drivers said about the whole job; empty when they said nothing, or it is no longer kept."""
        with self._database.read() as connection:
            return summaries.find(connection, number)

    def earlier(
        self, job: Job, operations: Collection[str] = (), ignoring: Collection[str] = ()
    ) -> dict[int, dict[str, str]]:
        """Return {job: {device: status}} of the last time the same was asked, before this job; each device once.

        The same is: the operation with the same values, but those that `ignoring` names; or any of `operations`.
        """
        with self._database.read() as connection:
            return dict(summaries.earlier(connection, job, operations, ignoring))

    # -- after a crash -----------------------------------------------------------------------------------------------

    def recover(self) -> list[Job]:
        """At the start: what ran when the bot stopped is interrupted, its outcome unknown. Returns whom to tell."""
        now = self._clock()
        with self._database.write() as connection:
            lost = jobs.oldest(connection, jobs.in_state(State.RUNNING))
            for job in lost:
                job_end.end(connection, job.number, now, {"state": State.INTERRUPTED.value, "error": "The bot stopped"})
            return [jobs.get(connection, job.number) for job in lost]

    def restored(self) -> list[int]:
        """Return the jobs that wait for a word since this record was restored from a backup."""
        with self._database.read() as connection:
            return restored.waiting(connection)

    def holds(self) -> dict[str, int]:
        """Return {device: the job whose unknown outcome holds it}."""
        with self._database.read() as connection:
            return holds.current(connection)

    def acknowledge(self, number: int, by: str) -> bool:
        """Let the devices of an interrupted job go; False when none is held."""
        now = self._clock()
        with self._database.write() as connection:
            job = jobs.get(connection, number)
            devices = holds.remove(connection, number)
            if devices:
                subject = replace(_by(job, by), devices=devices)
                audit.append(connection, now, AuditKind.ACKNOWLEDGED, subject, {"requester": job.person})
        return bool(devices)

    def first_seen(self, network: str, message_id: str) -> bool:
        """Tell whether a chat message comes for the first time, and remember it."""
        now = self._clock()
        with self._database.write() as connection:  # a replayed history changes nothing, so the disk has nothing to do
            return seen_messages.first(connection, network, message_id, now)

    # -- audit -------------------------------------------------------------------------------------------------------

    def record(self, kind: AuditKind, body: Mapping[str, Any] = NOTHING, about: Subject | None = None) -> None:
        """Write an audit row for what is no job: refusals, unknown people, reloads, errors."""
        now = self._clock()
        with self._database.write() as connection:
            audit.append(connection, now, kind, about or Subject(), body)

    def audit_rows(self, *, limit: int = 50, **criteria: Unpack[Criteria]) -> list[AuditRow]:
        """Return audit rows, newest first, by since (included), until (not included), person, kind, device, job."""
        with self._database.read() as connection:
            return audit.find(connection, limit, **criteria)

    def audit_after(self, seq: int, limit: int = 500, **criteria: Unpack[Criteria]) -> list[AuditRow]:
        """Return the audit rows that follow one, oldest first."""
        with self._database.read() as connection:
            return audit.after(connection, seq, limit, **criteria)

    def last_audit(self) -> int:
        """Return the number of the newest audit row; 0 when there is none."""
        with self._database.read() as connection:
            return connection.scalar(select(schema.audit_head.c.seq)) or 0

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call this after every write; it must neither wait nor raise."""
        self._database.on_commit(listener)

    def verify_audit(self, signed: Mapping[int, Collection[str]] = audit.UNSIGNED) -> int:
        """Check the audit chain and what stands beside it; return its length. A StoreError names the first bad record.

        `signed` are the hashes of some records as checkpoints have them.
        """
        with self._database.read() as connection:
            length = audit.verify(connection, signed)
            side_tables.compare(connection)
            bound_schedules.compare(connection)
            return length

    def audit_head(self) -> tuple[int, str]:
        """Return number and hash of the newest record."""
        with self._database.read() as connection:
            return audit.head(connection)

    # -- retention ---------------------------------------------------------------------------------------------------

    def prune(self, keep_days: int) -> dict[str, int]:
        """Forget the details of jobs that ended longer ago, in small steps while the bot works; returns what went."""
        return retention.prune(self._database, self._clock(), keep_days)


def _facts(job: Job) -> dict[str, Any]:
    """Return what was asked for, as the audit row of the acceptance keeps it."""
    names = ("parameters", "pattern", "risk", "drivers", "rules", "check", "reason", "digest", "retry_of", "emergency")
    return {name: getattr(job, name) for name in names} | {"caller_name": job.caller.name, "direct": job.place.direct}


def _by(job: Job, person: str) -> Subject:
    """Say that somebody, perhaps not the requester, did something to a job."""
    mine = person == job.person
    return replace(Subject.of_job(job), person=person, caller=job.caller if mine else None)
