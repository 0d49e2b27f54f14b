"""Monitors in the record: kept over the end of the program, told once that they ended, their looks in few bytes."""

from datetime import UTC, datetime

import pytest

from automation_bots.model import Caller, Monitor, MonitorEvent, MonitorTarget, Place, State
from automation_bots.store.monitors import subject

PING = Monitor(
    0, "ana", Caller("slack", "U1"), Place("slack", "C1"), "ping", "ping core", "ping", devices=("core1", "core2"),
    parameters={"ports": (22, 443)},
)  # fmt: skip
TARGETS = [MonitorTarget(0, 0, name, name, {"address": name}) for name in ("core1", "core2")]


@pytest.fixture
def added(store):
    return store.monitors.add(PING, TARGETS)


def test_a_monitor_is_read_as_it_was_written(store, added):
    made, targets = added
    assert store.monitors.running() == [made]
    assert store.monitors.targets(made.number) == targets
    assert [(one.name, one.monitor) for one in targets] == [("core1", 1), ("core2", 1)]
    assert made.parameters == {"ports": (22, 443)}


def test_it_ends_once_and_the_record_says_why(store, added):
    made, _ = added
    assert store.monitors.end(made, "ana ended it")
    assert not store.monitors.end(made, "its time is over")
    assert store.monitors.running() == []
    assert store.monitors.find(1).why == "ana ended it"
    assert [row.kind for row in store.audit_rows()] == ["monitor ended", "monitor begun"]


def test_what_is_said_of_a_target_is_kept_with_its_audit_row(store, added):
    made, targets = added
    muted = MonitorTarget(targets[0].id, made.number, "core1", "core1", {"muted": "ana"})
    store.monitors.change(made, subject(made), {"what": "muted"}, [muted])
    assert store.monitors.targets(made.number)[0] == muted
    assert store.audit_rows(limit=1)[0].body["what"] == "muted"


def test_what_was_told_is_there_the_newest_first(store, added):
    made, _ = added
    at = datetime(2026, 12, 1, 12, tzinfo=UTC)
    told = [MonitorEvent(1, "core1", at, "down", "no answer"), MonitorEvent(1, "core2", at, "up", "")]
    store.monitors.tell(made, told, {"down": 1, "up": 1})
    assert store.monitors.events(1, 9) == told[::-1]
    assert store.monitors.events(1, 9, "core1") == told[:1]


def test_looks_are_replaced_read_and_forgotten_by_time(store):
    store.monitors.keep(0, [(1, 300, b"a"), (1, 600, b"b"), (2, 300, b"c")])
    store.monitors.keep(0, [(1, 300, b"A")])
    assert store.monitors.seen(1, 0, 0, 1000) == [(300, b"A"), (600, b"b")]
    store.monitors.forget_seen([1], 0, 600)
    assert store.monitors.seen(1, 0, 0, 1000) == [(600, b"b")]
    assert store.monitors.seen(2, 0, 0, 1000) == [(300, b"c")]


def test_a_monitor_that_ended_long_ago_is_forgotten_with_all_of_it(store, clock, added):
    made, targets = added
    store.monitors.keep(0, [(targets[0].id, 300, b"a")])
    store.monitors.end(made, "over")
    clock.pass_days(400)
    assert store.monitors.forget_ended() == 1
    assert store.monitors.find(1) is None
    assert store.monitors.all_targets() == []


def test_no_room_hears_of_a_monitors_job_and_no_list_is_full_of_them(store, job):
    asked = store.add_job(job())
    looked = store.add_job(job(monitor=3))
    for one in (asked, looked):
        store.start(one.number)
        store.finish(one.number, State.DONE)
    assert [one.number for one in store.untold()] == [asked.number]
    assert [one.number for one in store.jobs(asked_for=True)] == [asked.number]
    assert store.job(looked.number).monitor == 3
