"""Killed at random moments and at every step, hundreds of times in `make soak`: nothing lost, twice or untold."""

import itertools
import os
import random
import signal
import time

import pytest

from tests.fakes.postgres import Postgres
from tests.support.bounds import rounds
from tests.support.crash_site import STEPS, Site

pytestmark = [pytest.mark.slow, pytest.mark.works]

SEED = int(os.environ.get("CRASH_SEED") or random.randrange(1_000_000))  # the same seed types the same
KILLS = int(os.environ.get("CRASH_KILLS") or rounds(2, 30))  # of each kind
WHEN = ("before", "after")


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request, tmp_path):
    print(f"CRASH_SEED={SEED}")  # noqa: T201 - pytest shows it when the test fails
    url = request.getfixturevalue("postgresql").fresh() if request.param == "postgresql" else ""
    site = Site(tmp_path / "netbot", SEED, url)
    yield site
    print(site.report())  # noqa: T201


def test_killed_at_random_moments_nothing_is_lost_twice_or_untold(site):
    for _ in range(KILLS):
        site.live(site.chance.uniform(0, 3))
    site.settle()


def test_killed_at_each_step_nothing_is_lost_twice_or_untold(site):
    every = list(itertools.product([*STEPS, "write"], WHEN))
    for step, when in every if len(every) < KILLS else site.chance.sample(every, KILLS):
        site.live(4, step, "1" if step == "recover" else str(site.chance.randint(1, 6)), when)
    site.settle()


def test_killed_after_any_write_nothing_is_lost_twice_or_untold(site):
    for number in range(1, KILLS + 1):
        site.live(4, "write", str(number * 3), site.chance.choice(WHEN))
    site.settle()


def test_stopped_and_killed_in_turns_nothing_is_lost_twice_or_untold(site):
    for by in (signal.SIGTERM, signal.SIGKILL) * 2:
        site.live(site.chance.uniform(0.5, 2), by=by)
    site.settle()


def test_while_its_database_goes_and_comes_back_nothing_is_lost_twice_or_untold(tmp_path):
    with Postgres() as server:
        site = Site(tmp_path / "netbot", SEED, server.fresh())
        site.live(12, by=signal.SIGTERM, meanwhile=lambda: outage(server, site.chance))
        site.settle()


def outage(server, chance):
    time.sleep(chance.uniform(0.5, 2))
    server.stop()
    time.sleep(chance.uniform(0.1, 3))
    server.start()
