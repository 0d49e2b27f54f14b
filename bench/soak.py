"""`make soak`: long searches, hundreds of kills and an hour of load; prints the report for docs/operate.md."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import linear_regression, median

from automation_bots.app import process
from bench.figures import quantile
from bench.folders import workspace
from tests.fakes.postgres import Postgres
from tests.support import loading
from tests.support.crash_site import STEPS, Site
from tests.support.watching import children

KILLS_A_SITE = 20  # then all is checked, and a new folder begun
PAUSE_SECONDS = 20.0  # of typing between two looks at the memory
WARM_PART = 0.3  # of the looks, until pools and caches are full
GROWTH_BAR = 0.05  # of the memory after that, at the end
TESTS = Path(__file__).resolve().parents[1] / "tests"
LOOK_MINUTES = 5.0  # between two lines about the memory


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser("soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="how often the bot is killed (300)")
    parser.add_argument("--minutes", type=float, default=60, help="how long it is under load (60)")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("CRASH_SEED") or random.randrange(1_000_000)))
    parser.add_argument("--searches", action=argparse.BooleanOptionalAction, default=True, help="the tests' long forms")
    wanted = parser.parse_args(words)
    logging.disable(logging.CRITICAL)
    process.share_heaps()  # as the program does, see config.py
    begun = time.monotonic()
    print(f"{datetime.now(UTC):%Y-%m-%d}, seed {wanted.seed}, {os.cpu_count()} processors", flush=True)
    code = _search(wanted.seed) if wanted.searches else 0
    with workspace() as folder:
        load = _load(folder, wanted.minutes) if wanted.minutes else ()
        for line in itertools.chain(_crashes(folder, wanted.kills, wanted.seed), load):
            print(line, flush=True)
    print(f"in all {(time.monotonic() - begun) / 60:.0f} minutes")
    return code


def _search(seed: int) -> int:
    """Run what has a bounded form in `make test` in its long one; the chat contract whole on every network."""
    files = [str(path) for path in sorted(TESTS.rglob("test_*.py")) if _has_a_long_form(path.read_text("utf-8"))]
    environment = {**os.environ, "TESTS": "long", "CRASH_SEED": str(seed)}
    command = [sys.executable, "-m", "pytest", "-q", "-n", str(os.cpu_count() or 2), *files]
    return subprocess.run(command, env=environment, cwd=TESTS.parent, check=False).returncode


def _has_a_long_form(text: str) -> bool:
    return "from tests.support.bounds import" in text or "pytest.mark.wire" in text


def _crashes(folder: Path, kills: int, seed: int) -> Iterator[str]:
    """Every step before and after, random moments, SIGTERM and every n-th write, in turns, on both databases."""
    steps = itertools.cycle([(step, when) for step in [*STEPS, "write"] for when in ("before", "after")])
    with Postgres() if kills else contextlib.nullcontext() as server:
        for count, first in enumerate(range(0, kills, KILLS_A_SITE)):
            kind, url = ("PostgreSQL", server.fresh()) if count % 2 else ("SQLite", "")
            site = Site(folder / f"site{first}", seed + first, url)
            for number in range(first, min(first + KILLS_A_SITE, kills)):
                _one_life(site, number, steps)
            site.settle()
            yield f"crash, {kind}: {site.report()}: all true"


def _one_life(site: Site, number: int, steps: Iterator[tuple[str, str]]) -> None:
    if number % 3 == 0:
        by = signal.SIGTERM if number % 15 == 0 else signal.SIGKILL
        site.live(site.chance.uniform(0, 3), by=by)
        return
    step, when = next(steps)
    most = {"recover": 1, "write": 60}.get(step, 8)
    site.live(4, step, str(site.chance.randint(1, most)), when)


def _load(folder: Path, minutes: float) -> Iterator[str]:
    """2,000 commands a minute of 200 people, 50 running, a flood in every second round; SIGTERM ends it sooner."""
    enough = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: enough.set())
    begun, spent, sizes = time.monotonic(), array("f"), []  # what is kept here must not look like the bot growing
    with loading.load_bot(folder / "load") as chat:
        loading.make_busy(chat)
        crowd = loading.Crowd(chat)
        for flood in itertools.cycle((0.0, 20.0)):
            if (passed := (time.monotonic() - begun) / 60) > minutes or enough.is_set():
                break
            spent.extend(crowd.type(int(PAUSE_SECONDS * 2_000 / 60), PAUSE_SECONDS, flood))
            crowd.settle()
            sizes.append((passed, loading.megabytes(), threading.active_count(), loading.open_files()))
            if passed // LOOK_MINUTES != sizes[max(0, len(sizes) - 2)][0] // LOOK_MINUTES:
                yield f"after {passed:.0f} minutes: {sizes[-1][1]:.1f} MB, {len(spent)} commands"
        jobs, rows = chat.jobs[0].number, chat.automation.store.verify_audit()
    yield (
        f"load: {len(spent)} commands of 200 people and {crowd.flooded} of one who floods, 50 jobs running: {jobs} jobs"
        f", first answer p50 {median(spent):.0f} ms, p99 {quantile(spent, 0.99):.0f} ms, all answered;"
        f" {rows} entries of the record hold"
    )
    yield _flatness(sizes[int(len(sizes) * WARM_PART) :])


def _flatness(sizes: list[tuple[float, float, int, int]]) -> str:
    at, memory, threads, files = zip(*sizes, strict=True)
    slope = linear_regression(at, memory).slope * 60 if len(at) > 1 else 0.0
    holds = memory[-1] <= memory[0] * (1 + GROWTH_BAR)
    return (
        f"left behind: memory {memory[0]:.1f} MB after {at[0]:.0f} minutes, {memory[-1]:.1f} MB at the end"
        f" (bar {memory[0] * (1 + GROWTH_BAR):.1f} MB: {'holds' if holds else 'MISSED'}; {slope:+.1f} MB an hour),"
        f" threads {threads[0]} to {threads[-1]}, open files {files[0]} to {files[-1]},"
        f" processes {len(children())}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
