"""The end of something that nobody said had begun, of senders that tell no begin of it: traps, syslog."""

from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.alerts.event import Phase, ReportedEvent
from automation_bots.store import Store

NOW = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    made = Store.open(tmp_path)
    yield made
    made.close()


def link(phase, seconds=0):
    return ReportedEvent("traps", "trap", "link", NOW + timedelta(seconds=seconds), phase, fingerprint="core1/link:3")


def test_it_is_no_alert(store):
    store.events.take([link(Phase.RESOLVED)])
    assert store.alerts.latest(9) == []


def test_what_flaps_is_one_alert_however_often(store):
    store.events.take([link(Phase.FIRING), link(Phase.FIRING, 1), link(Phase.RESOLVED, 2), link(Phase.FIRING, 3)])
    for second in range(4, 600, 2):
        store.events.take([link(Phase.RESOLVED, second), link(Phase.FIRING, second + 1)])
    assert [(alert.firing, alert.reports) for alert in store.alerts.latest(9)] == [(True, 600)]


def test_what_goes_down_again_long_after_it_came_back_is_another_alert(store):
    store.events.take([link(Phase.FIRING), link(Phase.RESOLVED, 2), link(Phase.FIRING, 700)])
    assert [alert.firing for alert in store.alerts.latest(9)] == [True, False]
