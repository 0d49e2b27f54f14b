"""Work on devices that is watched: what ran while they were still looked at is never called the same."""

from dataclasses import replace
from datetime import timedelta

import pytest

from automation_bots.model import Risk, State, WatchedChange
from automation_bots.monitors.changes import Changes
from tests.monitors.site import ANA, ROOM, Site
from tests.store.conftest import JOB

SEEN = {"core1": {"interfaces": {"rows": {}}}, "core2": {"interfaces": {"rows": {}}}}


@pytest.fixture
def site(tmp_path):
    site = Site(tmp_path / "data")
    yield site
    site.close()


def reported(site, *, begins, lasts=5, risk=Risk.CHANGE):
    """What is said at the end when a job on core1 began so long after the change, which was looked at for 10 s."""
    start = site.now
    site.now = start + timedelta(seconds=begins)
    job = site.store.add_job(replace(JOB, devices=("core1",), risk=risk, monitor=None)).number
    site.store.start(job)
    site.now += timedelta(seconds=lasts)
    site.store.finish(job, State.DONE)
    looked, ended = start + timedelta(seconds=10), start + timedelta(minutes=5)
    change = WatchedChange(1, "ana", ANA, ROOM, "core", ("core1", "core2"), began=start, ended=ended, looked=looked,
                           before=SEEN, after=SEEN)  # fmt: skip
    return str(Changes(site.monitors._context, site.monitors).report(change))


@pytest.mark.parametrize("begins", [-3, 0, 9])
def test_what_ran_while_it_was_still_looked_at_is_not_called_the_same(site, begins):
    said = reported(site, begins=begins)
    assert "Everything is as it was" not in said
    assert "core1  I cannot say all: #1 ran while C1 looked at it first" in said
    assert "As before: core2." in said


def test_what_ran_after_everything_had_been_read_is_only_named(site):
    said = reported(site, begins=11)
    assert "Everything is as it was." in said
    assert "In between: #1" in said


def test_a_look_or_what_had_ended_before_leaves_no_doubt(site):
    assert "Everything is as it was." in reported(site, begins=0, risk=Risk.READ)
    assert "Everything is as it was." in reported(site, begins=-30)
