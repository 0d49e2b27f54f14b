"""Reads of monitors: a row before each, one after it only where something is other, and little that stays."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.errors import NoSuchJob
from automation_bots.model import Caller, Monitor, MonitorTarget, Outcome, Place, State, Status
from automation_bots.store import AuditKind, Store
from tests.store.conftest import JOB

OK, AWAY = {"web1": Status.OK, "web2": Status.OK}, {"web1": Status.OK, "web2": Status.UNREACHABLE}


class Watching:
    """A store with a monitor; each look is a job."""

    def __init__(self, folder):
        self.now = datetime(2026, 12, 1, 14, tzinfo=UTC)
        self.store = Store.open(folder, clock=lambda: self.now)
        monitor = Monitor(0, "ana", Caller("t", "a"), Place("t", "#x"), "read", "disk on web", "disk")
        self.store.monitors.add(monitor, [MonitorTarget(0, 0, "web1", "web1")])

    def look(self, found=None, state=State.DONE):
        number = self.store.add_job(replace(JOB, operation="disk", devices=("web1", "web2"), monitor=1)).number
        self.store.start(number)
        self.store.add_outcomes(
            number, [Outcome(name, status, "", "x" * 900) for name, status in (found or OK).items()]
        )
        self.store.finish(number, state)
        return number

    def kinds(self, job):
        return [row.kind for row in reversed(self.store.audit_rows(job=job))]


@pytest.fixture
def watching(tmp_path):
    watching = Watching(tmp_path / "data")
    yield watching
    watching.store.close()


def test_a_look_is_in_the_audit_before_it_and_after_it_only_where_it_was_not_as_before(watching):
    kinds = [watching.kinds(watching.look(found)) for found in (OK, OK, AWAY, AWAY, OK)]
    whole = ["accepted", "ended"]
    assert kinds == [whole, ["accepted"], whole, ["accepted"], whole]


def test_a_look_that_was_broken_off_is_always_told(watching):
    watching.look()
    assert watching.kinds(watching.look(state=State.FAILED)) == ["accepted", "ended"]


def test_what_was_as_before_can_be_forgotten_and_what_the_audit_tells_cannot(watching):
    first, second = watching.look(), watching.look()
    assert (watching.store.monitors.forget_look(first), watching.store.monitors.forget_look(second)) == (False, True)
    assert (len(watching.store.outcomes(first)), watching.store.outcomes(second)) == (2, [])


def test_jobs_that_somebody_asked_for_are_never_forgotten_so(watching):
    number = watching.store.add_job(JOB).number
    watching.store.start(number)
    watching.store.finish(number, State.DONE)
    assert not watching.store.monitors.forget_look(number)
    assert watching.kinds(number) == ["accepted", "started", "ended"]


def test_after_a_day_a_row_sums_up_what_was_as_before(watching):
    first, *same = (watching.look() for _ in range(7))
    watching.now += timedelta(days=2)
    assert watching.store.monitors.sum_up_looks() == len(same)
    (row,) = watching.store.audit_rows(kind=AuditKind.MONITOR_SAW)
    assert row.body == {"monitor": 1, "as_before": 6, "first": same[0], "last": same[-1]}
    assert watching.store.job(first).number == first
    with pytest.raises(NoSuchJob):
        watching.store.job(same[0])


def test_the_record_is_whole_all_the_while(watching):
    for found in (OK, OK, AWAY, AWAY, OK, OK):
        watching.store.monitors.forget_look(watching.look(found))
    watching.store.verify_audit()
    watching.now += timedelta(days=2)
    watching.store.monitors.sum_up_looks()
    watching.store.verify_audit()
