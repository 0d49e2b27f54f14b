"""2,000 commands a minute while 50 jobs run and one person floods; 10,000 waiting jobs; a record of a million."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from automation_bots.jobs.counters import Entry, Start
from automation_bots.jobs.throttle import Caps, admit
from automation_bots.model import Limits, Risk
from automation_bots.store import AuditKind, Store
from bench.figures import Figure, quantile
from bench.folders import workspace
from tests.fakes.postgres import Postgres
from tests.support import big, loading
from tests.support.chatbot import Surface

COMMANDS, SECONDS = 2_000, 60.0
FLOOD = 20.0  # commands a second of the one who floods
QUEUED, JOBS = 10_000, 1_000_000


def run() -> list[Figure]:
    with workspace() as folder, Postgres() as server:
        records = {"million": folder / "old/data/old", "million.postgresql": server.fresh()}
        looks = [figure for name, place in records.items() for figure in _record(name, place)]
        return [*_crowds(folder / "netbot"), *_permits(), *looks, *_answers(folder / "old")]


def _crowds(folder: Path) -> list[Figure]:
    figures = []
    logging.disable(logging.CRITICAL)
    with loading.load_bot(folder) as chat:
        loading.make_busy(chat)
        crowd = loading.Crowd(chat)
        for name, flood in (("load", 0.0), ("load.flooded", FLOOD)):
            spent = crowd.type(COMMANDS, SECONDS, flood)
            figures += [
                Figure(f"{name}.p50", median(spent), "ms"),
                Figure(f"{name}.p99", quantile(spent, 0.99), "ms", 1_000),
                Figure(f"{name}.max", max(spent), "ms"),
            ]
            crowd.settle()
    logging.disable(logging.NOTSET)
    return figures


FREE: dict[str, Any] = {
    "bot": 1_000,
    "person": 1_000,
    "place": 1_000,
}  # so that it is a rule or rate that they wait for
RATES = {"person": (30, 60.0)}
RULES = Limits(rates=(("team", "person", 500, 60.0), ("look", "device", 1, 60.0)))
PASSES = {  # a pass and the reason of one job; with 50 running the bot is full, else every job is looked at
    "admit": (Caps(), Limits()),
    "admit.rates": (Caps(rates=RATES), Limits()),
    "admit.rules": (Caps(rates=RATES), RULES),
    "admit.free": (Caps(**FREE), Limits()),
    "admit.free.rates": (Caps(**FREE, rates=RATES), Limits()),
    "admit.free.rules": (Caps(**FREE), RULES),
    "admit.free.caps": (Caps(**FREE, driver={"ssh": 60}), Limits(caps=(("team", "person", 1), ("look", "device", 1)))),
}


def _permits() -> list[Figure]:
    return [Figure(name, _pass(caps, limits), "ms", 20) for name, (caps, limits) in PASSES.items()]


def _pass(caps: Caps, limits: Limits) -> float:
    queued, spent = [_entry(number, limits) for number in range(1, QUEUED + 51)], []
    recent = [Start.of(number / 100, entry) for number, entry in enumerate(queued[:QUEUED])]
    for _ in range(15):
        begun = time.perf_counter()
        answer = admit(queued[50:], queued[:50], caps, held={"d7": 3}, recent=recent, now=100.0)
        next(iter(answer.waits.values()))
        spent.append((time.perf_counter() - begun) * 1_000)
    return median(spent)


def _entry(number: int, limits: Limits) -> Entry:
    risk = Risk.READ if number % 3 else Risk.CHANGE
    devices = frozenset(f"d{(number * 7 + step) % 2_000}" for step in range(number % 5 + 1))
    return Entry(number, f"p{number % 200}", f"test/r{number % 30}", "service", risk, devices, ("ssh",), limits=limits)


def _record(name: str, place: str | Path) -> list[Figure]:
    store = Store.open(place)
    big.fill(store, JOBS)
    since = store._clock() - timedelta(hours=2)  # noqa: SLF001 - the clock that the rows were made by
    looks = {
        "jobs": lambda: store.jobs(limit=50),
        "jobs.mine": lambda: store.jobs(person="p7", limit=50),
        "jobs.failed": lambda: store.jobs(states=big.FAILED, limit=50),
        "jobs.running": lambda: store.jobs(states=big.ALIVE, limit=50),
        "audit": lambda: store.audit_rows(limit=50),
        "audit.person": lambda: store.audit_rows(person="p7"),
        "audit.person.kind": lambda: store.audit_rows(person="p7", kind=AuditKind.DENIED),
        "audit.device": lambda: store.audit_rows(device="d77"),
        "audit.kind": lambda: store.audit_rows(kind=AuditKind.DENIED),
        "audit.since": lambda: store.audit_rows(since=since),
    }
    figures = [Figure(f"{name}.{what}", _slowest(look), "ms", 200) for what, look in looks.items()]
    store.close()
    return figures


LINES = {
    "!jobs": "latest first", "!jobs mine": "latest first", "!jobs failed": "latest first", "!audit": "newest first",
    "!audit person=p7": "newest first", "!audit device=d7": "newest first", "!status": "is up",
    "!queue": "Nothing waits",
}  # fmt: skip


def _answers(folder: Path) -> list[Figure]:
    """What a person waits for an answer over a record of a million jobs, typed into Errbot."""
    with loading.load_bot(folder, surface=Surface()) as chat:
        asking = {line: partial(chat.asks, line, said, "p7", seconds=60) for line, said in LINES.items()}
        return [Figure(f"answer {line}", _slowest(ask), "ms", 200) for line, ask in asking.items()]


def _slowest(look) -> float:
    spent = []
    for _ in range(5):
        begun = time.perf_counter()
        look()
        spent.append((time.perf_counter() - begun) * 1_000)
    return max(spent)
