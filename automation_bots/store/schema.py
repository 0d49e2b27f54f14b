"""The tables, the same on SQLite and PostgreSQL; a change here needs a migration and a new HEAD."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects import registry
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement
from sqlalchemy.types import TypeDecorator

HEAD = "0018"

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def stamp(at: datetime) -> str:
    """Write a time in UTC so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def storable(text: str) -> str:
    """Replace what no database takes: NUL (PostgreSQL) and lone surrogates (UTF-8)."""
    return _UNSTORABLE.sub("\ufffd", text)


def is_storable(text: str) -> bool:
    """Tell whether `storable` would leave the text as it is."""
    return _UNSTORABLE.search(text) is None


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time as text: both databases keep the microseconds, and a person can read it."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002  # SQLAlchemy's
        """Write the time."""
        return stamp(value) if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's
        """Read the time."""
        return datetime.fromisoformat(value) if value else None


class Words(TypeDecorator[str]):
    """Text that may come from people and devices, so it may hold anything."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  # SQLAlchemy's
        """Replace what cannot be stored."""
        return value if value is None else storable(value)


Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only in a column typed INTEGER
metadata = MetaData(naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s",
                                       "fk": "fk_%(table_name)s_%(column_0_N_name)s"})  # fmt: skip

jobs = Table(
    "jobs",
    metadata,
    Column("number", Number, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("person", Words, nullable=False),
    Column("network", Words, nullable=False),
    Column("caller", Words, nullable=False),
    Column("operation", Words, nullable=False),
    Column("risk", String(16), nullable=False),
    Column("digest", Words, nullable=False),
    Column("retry_of", Number),
    Column("created", UtcTime, nullable=False),
    Column("started", UtcTime),
    Column("ended", UtcTime),
    Column("error", Words, nullable=False),
    Column("told", Boolean, nullable=False),
    Column("counts", Text, nullable=False),  # JSON, written at the end: it outlives the outcomes
    Column("message", Words, nullable=False),
    Column("body", Text, nullable=False),  # JSON: everything that is never searched
    Column("monitor", Number),  # which asks
    Index(None, "state", "number"),
    Index(None, "person", "number"),
    Index(None, "operation", "number"),
    Index(None, "told", "state", "number"),
    sqlite_autoincrement=True,  # a number is never given twice
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("job", Number, ForeignKey("jobs.number"), primary_key=True),
    Column("device", Words, primary_key=True),
    Column("status", String(16), nullable=False),
    Column("summary", Words, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("exit_code", BigInteger),
    sqlite_with_rowid=False,
)

outputs = Table(
    "outputs",
    metadata,
    Column("job", Number, ForeignKey("jobs.number"), primary_key=True),
    Column("device", Words, primary_key=True),
    Column("packed", Boolean, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

conclusions = Table(
    "conclusions",
    metadata,
    Column("job", Number, ForeignKey("jobs.number"), primary_key=True, autoincrement=False),
    Column("text", Words, nullable=False),
    Column("block", Words, nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("job", Number, ForeignKey("jobs.number"), primary_key=True),
    Column("name", Words, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

host_keys = Table(
    "host_keys",
    metadata,
    Column("id", Number, primary_key=True),
    Column("device", Words, nullable=False),
    Column("address", Words, nullable=False),
    Column("port", Integer, nullable=False),
    Column("type", Words, nullable=False),
    Column("fingerprint", Words, nullable=False),
    Column("trusted_by", Words, nullable=False),
    Column("trusted_at", UtcTime, nullable=False),
    Column("revoked_by", Words),
    Column("revoked_at", UtcTime),
    Index(None, "address", "port"),
    sqlite_autoincrement=True,
)

holds = Table(
    "holds",
    metadata,
    Column("device", Words, primary_key=True),
    Column("job", Number, ForeignKey("jobs.number"), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Index(None, "job"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("job", Number, ForeignKey("jobs.number"), primary_key=True),
    Column("due", UtcTime),  # when somebody has to look at it next; empty: never
    Column("digest", Text, nullable=False),
    Column("body", Text, nullable=False),  # JSON: everything that is never searched
    Index(None, "due"),
)

votes = Table(
    "votes",
    metadata,
    Column("job", Number, ForeignKey("jobs.number"), primary_key=True),
    Column("person", Words, primary_key=True),
    Column("network", Words, nullable=False),
    Column("caller", Words, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("note", Words, nullable=False),
)

change_blocks = Table(
    "closures",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("device", Words, primary_key=True),  # "*": every one
    Column("person", Words, primary_key=True),
    Column("reason", Words, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("until", UtcTime),
)

reviews = Table(
    "reviews",
    metadata,
    Column("job", Number, ForeignKey("jobs.number"), primary_key=True, autoincrement=False),
    Column("person", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("reviewer", Words, nullable=False),
    Column("text", Words, nullable=False),
    Column("written", UtcTime),
)

seen = Table(
    "seen",
    metadata,
    Column("network", Words, primary_key=True),
    Column("message", Words, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Index(None, "at"),
)

letters = Table(
    "letters",
    metadata,
    Column("number", Number, primary_key=True),
    Column("network", Words, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("body", Words, nullable=False),
    sqlite_autoincrement=True,
)

schedules = Table(
    "schedules",
    metadata,
    Column("number", Number, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("person", Words, nullable=False),
    Column("due", UtcTime),  # its next time; empty while it is not active
    Column("asks", UtcTime),  # the same, until it is known whether approvers are to be asked about it beforehand
    Column("body", Words, nullable=False),  # JSON: everything that is never searched
    Index(None, "due"),
    Index(None, "asks"),
    Index(None, "state", "person"),
    sqlite_autoincrement=True,
)

# A time of a schedule that was taken, whatever came of it: one row, so that it is taken once.
occurrences = Table(
    "occurrences",
    metadata,
    Column("schedule", Number, ForeignKey("schedules.number"), primary_key=True, autoincrement=False),
    Column("at", UtcTime, primary_key=True),
    Column("taken", UtcTime, nullable=False),
    Column("job", Number, ForeignKey("jobs.number")),
    Column("result", String(16), nullable=False),  # empty until it is known
    Column("text", Words, nullable=False),  # why it did not run
    Column("missed", Integer, nullable=False),  # times before it that came to nothing too
    Column("told", Boolean, nullable=False),  # the place has heard of what no job tells
    Index(None, "result"),
    Index(None, "told"),
    Index(None, "job"),
)

monitors = Table(
    "monitors",
    metadata,
    Column("number", Number, primary_key=True),
    Column("person", Words, nullable=False),
    Column("ended", UtcTime),  # empty while it goes on
    Column("message", Words, nullable=False),
    Column("body", Words, nullable=False),  # JSON: everything that is never searched
    Index(None, "ended"),
    sqlite_autoincrement=True,
)

monitor_targets = Table(
    "monitor_targets",
    metadata,
    Column("id", Number, primary_key=True),
    Column("monitor", Number, ForeignKey("monitors.number"), nullable=False),
    Column("name", Words, nullable=False),
    Column("device", Words, nullable=False),
    Column("body", Words, nullable=False),  # JSON
    Index(None, "monitor"),
    sqlite_autoincrement=True,
)

monitor_events = Table(
    "monitor_events",
    metadata,
    Column("id", Number, primary_key=True),
    Column("monitor", Number, ForeignKey("monitors.number"), nullable=False),
    Column("target", Words, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("text", Words, nullable=False),
    Index(None, "monitor", "id"),
    sqlite_autoincrement=True,
)

# Samples, and what they come to in 5 minutes and in an hour: many in a row, since each by itself would cost as much.
monitor_history = Table(
    "monitor_history",
    metadata,
    Column("target", Number, primary_key=True, autoincrement=False),
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("at", Number, primary_key=True, autoincrement=False),  # seconds since the epoch
    Column("data", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

watched_changes = Table(
    "watched_changes",
    metadata,
    Column("number", Number, primary_key=True),
    Column("person", Words, nullable=False),
    Column("ended", UtcTime),  # empty while it goes on
    Column("body", Words, nullable=False),  # JSON: everything that is never searched
    Column("looks", LargeBinary, nullable=False),  # packed JSON: before and after
    Index(None, "ended"),
    sqlite_autoincrement=True,
)

# What happened elsewhere, as it was heard; what only repeats what is known is counted in its alert.
events = Table(
    "events",
    metadata,
    Column("number", Number, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("source", Words, nullable=False),
    Column("device", Words, nullable=False),
    Column("alert", Number),
    Column("body", Words, nullable=False),  # JSON: everything that is never searched
    Index(None, "at"),
    Index(None, "device", "number"),
    Index(None, "alert", "number"),
    sqlite_autoincrement=True,
)

# What those who looked at an event said of it.
event_findings = Table(
    "event_findings",
    metadata,
    Column("event", Number, primary_key=True, autoincrement=False),
    Column("by", Words, primary_key=True),
    Column("said", Words, nullable=False),
    sqlite_with_rowid=False,
)

# How far each of those who follow events has come.
event_marks = Table(
    "event_marks",
    metadata,
    Column("follower", Words, primary_key=True),
    Column("number", Number, nullable=False),
)

alerts = Table(
    "alerts",
    metadata,
    Column("number", Number, primary_key=True),
    Column("source", Words, nullable=False),
    Column("fingerprint", Words, nullable=False),
    Column("started", UtcTime, nullable=False),  # with source and fingerprint one life
    Column("ended", UtcTime),  # empty while it goes on
    Column("device", Words, nullable=False),
    Column("last", UtcTime, nullable=False),  # heard
    Column("fold", Number, nullable=False),
    Column("untold", Boolean, nullable=False),  # its message does not show what is known
    Column("message", Words, nullable=False),
    Column("body", Words, nullable=False),  # JSON: everything that is never searched
    Index(None, "source", "fingerprint", "started", unique=True),
    Index(None, "ended"),
    Index(None, "device", "number"),
    Index(None, "untold"),
    Index(None, "fold"),
    Index(None, "last"),
    sqlite_autoincrement=True,
)

# The events that the rules have looked at: one row, so that they do so once.
rule_events = Table(
    "rule_events",
    metadata,
    Column("event", Number, primary_key=True, autoincrement=False),
    Column("at", UtcTime, nullable=False),
    Index(None, "at"),
)

# One thing that a rule does about an event, from the decision to what came of it.
rule_actions = Table(
    "rule_actions",
    metadata,
    Column("number", Number, primary_key=True),
    Column("rule", Words, nullable=False),
    Column("event", Number, nullable=False),
    Column("alert", Number),
    Column("what", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("due", UtcTime, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("job", Number, ForeignKey("jobs.number")),
    Column("text", Words, nullable=False),  # what came of it
    Column("message", Words, nullable=False),
    Column("body", Words, nullable=False),  # JSON: everything that is never searched
    Index(None, "state", "due"),
    Index(None, "rule", "number"),
    Index(None, "event"),
    sqlite_autoincrement=True,
)

rule_states = Table(
    "rule_states",
    metadata,
    Column("rule", Words, primary_key=True),
    Column("state", Words, nullable=False),  # JSON: what counts of earlier events
    Column("paused", Words, nullable=False),  # by whom and why; empty: it is not
)

oncall_shifts = Table(
    "oncall_shifts",
    metadata,
    Column("number", Number, primary_key=True),
    Column("rota", Words, nullable=False),
    Column("person", Words, nullable=False),
    Column("by", Words, nullable=False),
    Column("begin", UtcTime, nullable=False),
    Column("end", UtcTime, nullable=False),
    Index(None, "end"),
    sqlite_autoincrement=True,
)

watches = Table(
    "watches",
    metadata,
    Column("number", Number, primary_key=True),
    Column("person", Words, nullable=False),
    Column("seq", Number, nullable=False),  # of the audit, up to which its place has heard
    Column("body", Words, nullable=False),  # JSON: everything that is never searched
    sqlite_autoincrement=True,
)

# Short forms of commands, of a person, or of a group (`@` before its name).
aliases = Table(
    "aliases",
    metadata,
    Column("owner", Words, primary_key=True),
    Column("name", Words, primary_key=True),
    Column("meaning", Words, nullable=False),
    Column("person", Words, nullable=False),
    Column("at", UtcTime, nullable=False),
)

# What was typed that was no command, without names of devices, and which operation was run then.
learnt = Table(
    "learnt",
    metadata,
    Column("number", Number, primary_key=True),
    Column("text", Words, nullable=False),
    Column("operation", Words, nullable=False),
    Column("person", Words, nullable=False),  # empty when several people used the words
    Column("times", Integer, nullable=False),
    Column("at", UtcTime, nullable=False),
    Index(None, "text", "operation", unique=True),
    sqlite_autoincrement=True,
)

faq = Table(
    "faq",
    metadata,
    Column("number", Number, primary_key=True),
    Column("question", Words, nullable=False),
    Column("answer", Words, nullable=False),
    Column("person", Words, nullable=False),
    Column("at", UtcTime, nullable=False),
    sqlite_autoincrement=True,
)

# What other bots asked here: one row, so that a request runs at most once.
peer_requests = Table(
    "peer_requests",
    metadata,
    Column("bot", Words, primary_key=True),
    Column("nonce", Words, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("delivery", Words, nullable=False),  # by which it came: the same one may come again
    Column("job", Number, ForeignKey("jobs.number")),
    Column("ended", Boolean, nullable=False),  # and the bot that asked knows how
    Column("body", Words, nullable=False),  # JSON: everything that is never searched
    Index(None, "job"),
    Index(None, "ended"),
)

# What was asked of other bots, for a job here.
peer_calls = Table(
    "peer_calls",
    metadata,
    Column("nonce", Words, primary_key=True),
    Column("bot", Words, nullable=False),
    Column("job", Number, ForeignKey("jobs.number"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("open", Boolean, nullable=False),  # its end is not known here
    Column("remote", Number),  # its job there
    Index(None, "job"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Number, primary_key=True, autoincrement=False),
    Column("at", String(27), nullable=False),  # raw text: a forged one must still be readable by verify
    Column("kind", String(32), nullable=False),
    Column("person", Words, nullable=False),
    Column("network", Words, nullable=False),
    Column("caller", Words, nullable=False),
    Column("place", Words, nullable=False),
    Column("operation", Words, nullable=False),
    Column("devices", Integer, nullable=False),
    Column("job", Number),
    Column("body", Text, nullable=False),
    Column("prev", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Index(None, "at"),
    Index(None, "kind", "seq"),
    Index(None, "person", "seq"),
    Index(None, "person", "kind", "seq"),
    Index(None, "job", "seq"),
)

# Which rows name a device. An index over audit.body, so that one device's story is found in millions of rows.
audit_devices = Table(
    "audit_devices",
    metadata,
    Column("device", Words, primary_key=True),
    Column("seq", Number, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# The last row of the chain once more: rows cut off at the end are missed by it.
audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("seq", Number, nullable=False),
    Column("hash", String(64), nullable=False),
)

# Ids that were linked to a person in chat; those of policy.yml stand beside them and win.
links = Table(
    "links",
    metadata,
    Column("network", Words, primary_key=True),
    Column("id", Words, primary_key=True),
    Column("person", Words, nullable=False),
    Column("by", Words, nullable=False),
    Column("at", UtcTime, nullable=False),
)

invitations = Table(
    "invitations",
    metadata,
    Column("code", String(64), primary_key=True),  # SHA-256: whoever reads the table has no code
    Column("person", Words, nullable=False),
    Column("expires", UtcTime, nullable=False),
)

enrolments = Table(
    "enrolments",
    metadata,
    Column("person", Words, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("step", BigInteger, nullable=False),  # of the last code that was used
    Column("failures", Integer, nullable=False),
    Column("locked_until", UtcTime),
    Column("at", UtcTime, nullable=False),
)

proofs = Table(
    "proofs",
    metadata,
    Column("network", Words, primary_key=True),
    Column("id", Words, primary_key=True),
    Column("person", Words, nullable=False),
    Column("at", UtcTime, nullable=False),
)


def create(connection: Connection) -> None:
    """Make the tables in an empty database, as all the steps of `migrations` would."""
    for statement in _statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
    connection.execute(audit_head.insert().values(id=1, seq=0, hash="0" * 64))
    connection.execute(_version.insert().values(version_num=HEAD))


_key = PrimaryKeyConstraint("version_num", name="alembic_version_pkc")
_version = Table("alembic_version", MetaData(), Column("version_num", String(32)), _key)


@cache
def _statements(database: str) -> tuple[str, ...]:
    """What makes the tables, put into words once: that takes longer than to carry it out."""
    dialect = registry.load(database)()
    tables = [*metadata.sorted_tables, _version]
    indexes = [index for table in tables for index in sorted(table.indexes, key=lambda one: str(one.name))]
    parts: list[ExecutableDDLElement] = [*map(CreateTable, tables), *map(CreateIndex, indexes)]
    return tuple(str(part.compile(dialect=dialect)) for part in parts)
