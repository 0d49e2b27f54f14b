"""How the bot is: its queue, drivers, record, disk, link to the chat network and last errors."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from automation_bots import render
from automation_bots.config.live import LiveConfig
from automation_bots.errors import StoreError
from automation_bots.health.logs import Recent
from automation_bots.jobs.dispatcher import Local
from automation_bots.model import ScheduleState, one_line
from automation_bots.store import Store

GOING = (ScheduleState.ACTIVE.value, ScheduleState.PAUSED.value)
LOW_DISK = 500_000_000  # bytes: an afternoon of busy logs and outputs


@dataclass(frozen=True, slots=True)
class Facts:
    """One look. Bytes, seconds, counts."""

    up_seconds: float
    link: str  # empty: connected
    running: int
    at_most: int  # may run at once
    waiting: int
    oldest_waiting_seconds: float
    in_use: Mapping[str, int]  # running jobs by driver
    devices: int
    operations: int
    problems: tuple[str, ...]  # of files
    held: Mapping[str, int]  # device -> the job that holds it
    record: str  # empty: it answers
    record_bytes: int | None  # None: on a server
    disk_free_bytes: int
    plugins: tuple[str, ...] = ()  # that were put in by hand and reach for more than plugins are given
    undelivered: tuple[int, int, str] = (0, 0, "")  # posts that wait, posts that failed, why the last one did
    copies: tuple[str, ...] = ()  # of the record, that lag behind
    schedules: Mapping[str, int] = field(default_factory=dict)  # by their state


@dataclass(frozen=True, slots=True)
class Watched:
    """What monitors come to: how many, their targets by state, their looks, how late those left, each target."""

    running: int = 0
    states: Mapping[str, int] = field(default_factory=dict)
    looks: int = 0
    late_p99_seconds: float = 0.0
    lost: bool = False  # the bot itself reaches nothing
    targets: tuple[
        tuple[str, str, bool, float | None, str], ...
    ] = ()  # monitor, target, whether it is well, figure, its unit


@dataclass(frozen=True, slots=True)
class PeerFigures:
    """What other bots come to: who is there, requests sent and taken, what was refused by reason."""

    here: Mapping[str, bool] = field(default_factory=dict)
    sent: int = 0
    taken: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    problem: str = ""  # of the queue


@dataclass(frozen=True, slots=True)
class Heard:
    """What events come to: heard by source, alerts that go on by severity, what waits, how calls were answered."""

    events: Mapping[str, int] = field(default_factory=dict)
    alerts: Mapping[str, int] = field(default_factory=dict)
    unfollowed: int = 0
    calls: Mapping[int, int] = field(default_factory=dict)  # by status


@dataclass(frozen=True, slots=True)
class Health:
    """Where to look."""

    started: datetime
    data: Path
    store: Store
    dispatcher: Local
    live: LiveConfig
    drivers: tuple[str, ...]
    recent: Recent
    link: Callable[[], str]
    files: Callable[[], tuple[str, ...]]  # what is wrong with files
    plugins: Callable[[], tuple[str, ...]] = tuple
    undelivered: Callable[[], tuple[int, int, str]] = lambda: (0, 0, "")
    copies: Callable[[], tuple[str, ...]] = tuple  # of the record, that lag behind
    watched: Callable[[], Watched] = Watched
    peers: Callable[[], PeerFigures | None] = lambda: None
    heard: Callable[[], Heard] = Heard

    def look(self, now: datetime) -> Facts:
        """Look at everything once; a record that does not answer is a fact too."""
        running, waiting = self.dispatcher.active
        held, schedules, record = self._recorded()
        oldest = self.dispatcher.waiting_since or now
        file = self.data / "bot.db"
        return Facts(
            up_seconds=(now - self.started).total_seconds(),
            link=self.link(),
            running=running,
            at_most=self.dispatcher.at_most,
            waiting=waiting,
            oldest_waiting_seconds=(now - oldest).total_seconds(),
            in_use={**dict.fromkeys(self.drivers, 0), **self.dispatcher.in_use},
            devices=len(self.live.inventory.names),
            operations=len(self.live.catalog.operations),
            problems=self.files(),
            plugins=self.plugins(),
            held=held,
            record=record,
            record_bytes=sum(path.stat().st_size for path in self.data.glob("bot.db*")) if file.exists() else None,
            disk_free_bytes=shutil.disk_usage(self.data).free,
            undelivered=self.undelivered(),
            copies=() if record else self.copies(),
            schedules=schedules,
        )

    def _recorded(self) -> tuple[Mapping[str, int], Mapping[str, int], str]:
        try:
            return self.store.holds(), self.store.schedules.counts(), ""
        except StoreError as error:
            return {}, {}, str(error)


def rows(facts: Facts) -> list[tuple[str, str]]:
    """What everybody may read."""
    busy = ", ".join(f"{name} {count}" for name, count in facts.in_use.items() if count)
    wait = f", the oldest for {render.duration(facts.oldest_waiting_seconds)}" if facts.waiting else ""
    found = [
        ("up", render.duration(facts.up_seconds)),
        ("chat", " · ".join([facts.link or "connected", *_posts(facts)])),
        ("jobs", f"{facts.running} running, {facts.waiting} waiting{wait}"),
        ("workers", f"{facts.running} of {facts.at_most} busy, threads of this bot"),
        ("drivers", busy or "idle"),
        ("devices", str(facts.devices)),
        ("operations", str(facts.operations)),
    ]
    if any(facts.schedules.get(state) for state in GOING):
        found.append(("schedules", ", ".join(f"{facts.schedules.get(state, 0)} {state}" for state in GOING)))
    if facts.held:
        jobs = ", ".join(f"#{number}" for number in sorted(set(facts.held.values())))
        found.append(("held", f"{len(facts.held)} devices by interrupted jobs {jobs}"))
    return found


def _posts(facts: Facts) -> list[str]:
    waiting, failed, why = facts.undelivered
    found = [f"{render.many(waiting, 'post')} waiting"] if waiting else []
    return found + ([f"{render.many(failed, 'post')} never said, the last one {one_line(why)}"] if failed else [])


def inside(facts: Facts, recent: Recent, now: datetime, zone: str) -> list[tuple[str, str]]:
    """What is for admins."""
    kept = "on a server" if facts.record_bytes is None else size(facts.record_bytes)
    found = [("record", facts.record or kept), ("disk", f"{size(facts.disk_free_bytes)} free")]
    found += [("problem", text) for text in troubles(facts)[:5]]
    found += [("copy", text) for text in facts.copies]
    found += [("plugin", text) for text in facts.plugins[:5]]
    return found + [("log", f"{render.age(at, now, zone)}: {level} {text}") for at, level, text in recent.last(3)]


def troubles(facts: Facts) -> list[str]:
    """What somebody has to look at."""
    found = list(facts.problems)
    if facts.record:
        found.insert(0, "the record does not answer, so nothing can start")
    if facts.disk_free_bytes < LOW_DISK:
        found.insert(0, f"the disk is nearly full: {size(facts.disk_free_bytes)} free")
    return found


def size(number: float) -> str:
    """Write bytes as people read them."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"
