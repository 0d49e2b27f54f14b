"""The audit chain: rows that each carry the hash of the one before, so that what is changed later shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, TypedDict, Unpack

from sqlalchemy import ColumnElement, Connection, RowMapping, insert, select, update

from automation_bots.errors import StoreError
from automation_bots.model import NOTHING, Caller, Job, Place, Request
from automation_bots.store.bulk import put
from automation_bots.store.codec import canonical
from automation_bots.store.redaction import cleared
from automation_bots.store.schema import audit, audit_devices, audit_head, stamp, storable

START = "0" * 64  # the `prev` of the first row
READ_AT_ONCE = 1_000
UNSIGNED: Mapping[int, Collection[str]] = MappingProxyType({})

_HEAD = select(audit_head.c.seq, audit_head.c.hash)
_PUT = insert(audit)
_PUT_HEAD = update(audit_head)


class AuditKind(StrEnum):
    """What happened."""

    ACCEPTED = "accepted"
    STARTED = "started"
    ENDED = "ended"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    LATE = "late"  # outcomes that came after the end of their job
    ASKED = "approval asked"
    APPROVED = "approved"  # by one person; accepted follows when it is enough
    APPROVAL_DENIED = "approval denied"
    ESCALATED = "escalated"
    EXPIRED = "expired"
    VOIDED = "voided"  # what was asked for is no longer what would run
    WITHDRAWN = "withdrawn"
    SCHEDULED = "scheduled"
    SCHEDULE = "schedule set"
    SCHEDULE_CHANGED = "schedule changed"  # paused, resumed, removed, given to somebody else
    DUE = "schedule due"  # a time of it was taken; accepted or denied follows
    CAME_TO = "schedule outcome"  # of a time of it for which no job ran
    MISSED = "schedule missed"  # times of it that came to nothing
    MONITOR = "monitor begun"
    MONITOR_CHANGED = "monitor changed"  # muted, an outage acknowledged
    MONITOR_SAW = "monitor saw"  # what it told: how many became what
    MONITOR_ENDED = "monitor ended"
    CHANGE_BEGUN = "change begun"  # a look at devices before work on them
    CHANGE_ENDED = "change ended"  # and after it, with the verdict
    ALERT_CHANGED = "alert changed"  # acknowledged, muted, answered to whoever sent it
    RULE = "rule acts"  # of rules.yml, about an event, before anything is done
    RULE_CHANGED = "rule changed"  # paused, resumed
    ON_CALL = "on call"  # taken, given back
    ACKNOWLEDGED = "acknowledged"
    TOLD = "told"
    DENIED = "denied"
    UNKNOWN_PERSON = "unknown person"
    UNKNOWN_COMMAND = "unknown command"
    RELOADED = "reloaded"
    INSTALLED = "installed"  # plugins from elsewhere
    UPDATED = "updated"
    REMOVED = "removed"
    RESTORED = "restored"  # from a backup; what was pending then waits for a word
    OPENED = "opened"
    CLOSED = "closed"
    PRUNED = "pruned"
    FROZEN = "frozen"
    UNFROZEN = "unfrozen"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    REVIEWED = "reviewed"
    WATCH = "watch"  # of a room was begun or ended
    ALIAS = "alias"  # a short form of a command was made or removed
    FAQ = "faq"  # a question and its answer were written, changed or taken away
    BATCH = "batch"  # of a job in batches: it is about to begin
    REACHED = "reached"  # a device that only the run itself could name, as by delegate_to
    CONTINUED = "continued"  # the next batch of a job that waited for a word
    TRUSTED = "trusted"  # host keys of devices
    UNTRUSTED = "untrusted"
    COMMAND = "command"  # of Errbot itself or of a plugin from elsewhere
    ERROR = "error"
    LINKED = "linked"  # an id of a chat network to a person
    UNLINKED = "unlinked"
    INVITED = "invited"
    CODE_REFUSED = "code refused"  # a one-time code for a link
    ENROLMENT = "enrolment"
    PROVED = "proved"
    PROOF_REFUSED = "proof refused"
    FORGOTTEN = "forgotten"  # all that was kept of a person whom the policy no longer names
    EXPORTED = "exported"
    REJECTED = "rejected"  # words that made no command
    PEER_ASKED = "peer asked"  # another bot, for a job here
    PEER_TOOK = "peer took"  # a request of another bot; accepted or denied follows
    PEER_REFUSED = "peer refused"  # a message between bots that was not what it has to be; here, or there
    PEER_KEY = "peer key"  # which other bots are trusted by which keys, as it was found changed
    ABANDONED = "abandoned"  # a question of the bot that nobody answered


class BrokenAudit(StoreError):
    """The chain does not hold; `seq` is the first bad record."""

    def __init__(self, seq: int, reason: str) -> None:
        self.seq = seq
        super().__init__(
            f"Audit record {seq} {reason}. Keep a copy of the record as it is and compare it with a backup."
        )


NAMED_OFTEN = 1000  # devices that every row about a job names


@dataclass(frozen=True, slots=True)
class Subject:
    """Who, where and what a row is about."""

    person: str = ""
    caller: Caller | None = None
    place: Place | None = None
    operation: str = ""
    devices: tuple[str, ...] = ()
    job: int | None = None
    named: bool = True  # the devices stand in the row; else only how many

    def brief(self) -> Subject:
        """Leave many devices to the rows of the acceptance and the end, which name them all."""
        return replace(self, named=len(self.devices) <= NAMED_OFTEN)

    @classmethod
    def of_job(cls, job: Job) -> Subject:
        """Take it from a job."""
        return cls(job.person, job.caller, job.place, job.operation, (*job.devices, *job.also), job.number)

    @classmethod
    def of_request(cls, request: Request, person: str = "") -> Subject:
        """Take it from a request that became no job."""
        return cls(person, request.caller, request.place, request.operation.name, request.devices)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One row. `kind` is an AuditKind, or plain text that a newer version wrote."""

    seq: int
    at: datetime
    kind: str
    person: str
    network: str
    caller: str
    place: str
    operation: str
    devices: int
    job: int | None
    body: Mapping[str, Any]
    prev: str
    hash: str

    @property
    def original(self) -> str:
        """The text whose SHA-256 is `hash`."""
        fields = {name: getattr(self, name) for name in _HASHED}
        return canonical({**fields, "at": stamp(self.at), "body": canonical(self.body)})


class Criteria(TypedDict, total=False):
    """Which rows to look for; what is left out or None may be anything."""

    since: datetime | None
    until: datetime | None
    person: str | None
    kind: AuditKind | None
    device: str | None
    job: int | None
    operation: str | None


# The body is hashed as the text that is stored, so that another program can check it without Python's JSON habits.
_HASHED = ("seq", "at", "kind", "person", "network", "caller", "place", "operation", "devices", "job", "body", "prev")


def hash_of(fields: Mapping[str, Any]) -> str:
    """Hash a row: SHA-256 over its canonical JSON, the hash of the row before included."""
    return hashlib.sha256(canonical({name: fields[name] for name in _HASHED}).encode()).hexdigest()


def append(
    connection: Connection, at: datetime, kind: AuditKind, subject: Subject, body: Mapping[str, Any] = NOTHING
) -> None:
    """Add a row at the end of the chain; the caller's transaction holds off other writers."""
    head = connection.execute(_HEAD).one()
    place, caller = subject.place, subject.caller
    named = subject.devices if subject.named else ()
    names = {"devices": named} if named else {}
    fields: dict[str, Any] = {
        "seq": head.seq + 1, "at": stamp(at), "kind": kind.value, "person": storable(subject.person),
        "network": storable(caller.network if caller else place.network if place else ""),
        "caller": storable(caller.id if caller else ""), "place": storable(_place(place)),
        "operation": storable(cleared(connection, subject.operation)),
        "devices": len(subject.devices), "job": subject.job,
        "body": canonical({**cleared(connection, body), **names}), "prev": head.hash,
    }  # fmt: skip
    fields["hash"] = hash_of(fields)
    connection.execute(_PUT, fields)
    connection.execute(_PUT_HEAD, {"seq": fields["seq"], "hash": fields["hash"]})
    if devices := sorted(set(named)):
        put(connection, audit_devices, ("device", "seq"), [(device, fields["seq"]) for device in devices])


def _place(place: Place | None) -> str:
    if place is None:
        return ""
    return f"{place.room}/{place.thread}" if place.thread else place.room


def find(connection: Connection, limit: int, **criteria: Unpack[Criteria]) -> list[AuditRow]:
    """Return the rows that fit, newest first."""
    statement = select(audit).order_by(audit.c.seq.desc())
    if (device := criteria.get("device")) is not None:
        # Ordered by the index of devices, so that a device with few rows is found without walking all others.
        statement = (
            select(audit)
            .join(audit_devices, audit_devices.c.seq == audit.c.seq)
            .where(audit_devices.c.device == device)
            .order_by(audit_devices.c.seq.desc())
        )
    found = connection.execute(statement.where(*_conditions(criteria)).limit(limit))
    return [row_of(row) for row in found.mappings()]


def _conditions(criteria: Criteria) -> Iterator[ColumnElement[bool]]:
    if (since := criteria.get("since")) is not None:
        yield audit.c.at >= stamp(since)
    if (until := criteria.get("until")) is not None:
        yield audit.c.at < stamp(until)
    if (kind := criteria.get("kind")) is not None:
        yield audit.c.kind == kind.value
    if (person := criteria.get("person")) is not None:
        yield audit.c.person == person
    if (job := criteria.get("job")) is not None:
        yield audit.c.job == job
    if (operation := criteria.get("operation")) is not None:
        yield audit.c.operation == operation


def after(connection: Connection, seq: int, limit: int, **criteria: Unpack[Criteria]) -> list[AuditRow]:
    """Return the rows that follow one and fit, oldest first."""
    statement = select(audit).where(audit.c.seq > seq, *_conditions(criteria)).order_by(audit.c.seq).limit(limit)
    return [row_of(row) for row in connection.execute(statement).mappings()]


def row_of(row: RowMapping) -> AuditRow:
    """Read a row; one that somebody garbled is named."""
    try:
        fields = {**row, "at": datetime.fromisoformat(row["at"]), "body": json.loads(row["body"])}
    except ValueError as error:
        raise BrokenAudit(row["seq"], f"cannot be read ({error}): somebody changed it") from error
    fields["kind"] = next((kind for kind in AuditKind if kind == row["kind"]), row["kind"])
    return AuditRow(**fields)


def head(connection: Connection) -> tuple[int, str]:
    """Return number and hash of the newest row."""
    row = connection.execute(_HEAD).one()
    return row.seq, row.hash


def verify(connection: Connection, signed: Mapping[int, Collection[str]] = UNSIGNED) -> int:
    """Check the whole chain and return its length; raise BrokenAudit at the first record that does not fit.

    Seen: rows changed, put in, taken out, reordered, cut off at the end. Not seen: everything rewritten from some row
    on, hashes and head included, or the whole database put back to an older copy. Only a hash kept elsewhere shows
    that: in the ECS file on another machine, or in a signed checkpoint. `signed` are such hashes by their number.
    """
    last, previous = 0, START
    end = connection.execute(select(audit_head)).mappings().one_or_none()
    while rows := _raw_after(connection, last):
        for row in rows:
            _check(row, last, previous)
            last, previous = row["seq"], row["hash"]
            if any(hash_ != previous for hash_ in signed.get(last, ())):
                raise BrokenAudit(last, "is not the one that was signed: it, or one before it, was written anew")
    if (known := max(signed, default=0)) > last:
        raise BrokenAudit(last + 1, f"is missing, and all after it: record {known} was there when it was signed")
    _check_head(end, last, previous)
    return last


def _raw_after(connection: Connection, seq: int) -> Sequence[RowMapping]:
    # Rows below 1 cannot be reached from 0, so the first read takes all.
    condition = audit.c.seq > seq if seq else audit.c.seq.is_not(None)
    return connection.execute(select(audit).where(condition).order_by(audit.c.seq).limit(READ_AT_ONCE)).mappings().all()


def _check(row: RowMapping, last: int, previous: str) -> None:
    seq = row["seq"]
    if seq != last + 1:
        raise BrokenAudit(last + 1, f"is missing (the next one there is {seq})")
    if row["prev"] != previous:
        raise BrokenAudit(seq, "does not follow from the one before it: changed, reordered or put in later")
    if hash_of(dict(row)) != row["hash"]:
        raise BrokenAudit(seq, "was changed after it was written")


def _check_head(head: RowMapping | None, last: int, previous: str) -> None:
    if head is None:
        raise BrokenAudit(last, "is the last one there, and the note of the true end is missing")
    if head["seq"] > last:
        raise BrokenAudit(last + 1, f"is missing, and all after it up to {head['seq']}: the end was cut off")
    if head["seq"] != last or head["hash"] != previous:
        raise BrokenAudit(last, "is not the one that was written last")
