"""Something that happened, as a value: what each source makes of what it hears, and what comes of it once it is stored.

A source hands its events to an `Intake`, which stores them all or none; after that each is followed at least once,
also over a kill, by whoever was given to the intake: the alerts with their messages, then the rules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from automation_bots.model import NOTHING


class Severity(StrEnum):
    """How bad it is, the worst first; each source's own words are mapped to these."""

    CRITICAL = "critical"
    HIGH = "high"
    WARNING = "warning"
    INFO = "info"
    UNKNOWN = "unknown"


class Phase(StrEnum):
    """What an event says of the state of something."""

    FIRING = "firing"
    RESOLVED = "resolved"
    UPDATED = "updated"  # acknowledged, commented, silenced by somebody: still what it was
    SINGLE = "single"  # has no state: a trap, a line of a log, a job's end


@dataclass(frozen=True, slots=True)
class ReportedEvent:
    """What a source says has happened. All texts are of strangers: redacted and made harmless where they are shown."""

    source: str  # its name in bot.toml: zabbix, am-madrid; "bot" for what the bot itself tells
    kind: str  # alertmanager, zabbix, grafana, librenms, json, syslog, trap, salt, monitor, job, schedule
    what: str  # the alert's, trigger's, trap's or mnemonic's name
    at: datetime  # when it was heard
    phase: Phase = Phase.SINGLE
    severity: Severity = Severity.UNKNOWN
    device: str = ""  # a name of the inventory, where one is meant
    about: str = ""  # what the sender calls it: a host, an instance, an address
    text: str = ""
    fingerprint: str = ""  # what it is about, for its source: with `started` one alert and its one life; none if SINGLE
    started: datetime | None = None
    fields: Mapping[str, str] = field(default_factory=lambda: NOTHING)  # labels, tags, values of the sender
    origin: tuple[str, ...] = ()  # rules that started what this tells of, the first one first


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event in the record."""

    number: int
    event: ReportedEvent
    alert: int | None = None  # whose life it belongs to
    news: bool = True  # it changed something; a repeat did not


class Intake(Protocol):
    """Where sources bring what they heard."""

    def take(self, events: Sequence[ReportedEvent]) -> None:
        """Store all of them in one transaction, or raise StoreError; what follows happens soon after, elsewhere."""


class Follower(Protocol):
    """Does something about stored events; is given each at least once, in their order, and never waits for long."""

    def follow(self, events: Sequence[StoredEvent]) -> None:
        """Look at them; what is refused or broken is its own to tell, none of it keeps the next from being followed."""
