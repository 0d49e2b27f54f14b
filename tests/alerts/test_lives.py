"""Lives of alerts: repeats change nothing, and the order of what is heard neither."""

import json
import random
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation_bots.alerts.event import Phase, Severity
from automation_bots.alerts.sources import alertmanager
from automation_bots.errors import StoreError
from tests.alerts.site import AM, BODIES, FIRED, NOW, OVER, Site, many, told


def test_an_alert_is_one_life_from_firing_to_resolved(site):
    site.takes(FIRED)
    site.takes(OVER)
    (alert,) = site.store.alerts.latest(10)
    assert (alert.firing, alert.ended - alert.started, alert.reports) == (False, timedelta(minutes=4), 2)


def test_a_repeat_is_counted_and_is_no_event(site):
    site.takes(FIRED)
    site.takes(FIRED, replace(FIRED, at=NOW + timedelta(minutes=5)))
    assert [stored.number for stored in site.store.events.latest(10)] == [1]
    assert site.store.alerts.find(1).reports == 3


def test_a_late_repeat_does_not_open_what_is_over(site):
    site.takes(OVER)
    site.takes(replace(FIRED, at=OVER.at + timedelta(minutes=9)))
    assert not site.store.alerts.find(1).firing


def test_of_two_ends_the_earlier_one_counts_in_any_order(site):
    later = replace(OVER, ended=OVER.ended + timedelta(minutes=5))
    site.takes(later, OVER, replace(later, fingerprint="g"))
    site.takes(replace(OVER, fingerprint="g"), replace(later, fingerprint="g"))
    assert {alert.ended for alert in site.store.alerts.latest(9)} == {OVER.ended}


def test_what_is_reported_long_after_its_end_fires_again(site):
    site.takes(OVER)
    site.takes(replace(FIRED, at=OVER.at + timedelta(minutes=11)))
    assert site.store.alerts.find(1).firing


def test_a_life_is_over_when_a_later_one_began(site):
    site.takes(FIRED, replace(FIRED, started=NOW + timedelta(hours=1)))
    assert [(alert.number, alert.firing) for alert in site.store.alerts.latest(10)] == [(2, True), (1, False)]


EARLIER = NOW - timedelta(seconds=30)  # as the second Prometheus of a pair told it


def test_an_earlier_begin_of_what_goes_on_is_the_same_life(site):
    site.takes(FIRED, replace(FIRED, started=EARLIER), replace(OVER, started=EARLIER))
    (alert,) = site.store.alerts.latest(10)
    assert (alert.started, alert.ended, alert.reports) == (NOW, OVER.ended, 3)


def test_an_end_that_reaches_over_a_later_begin_ends_that_too_in_any_order(site):
    site.takes(replace(OVER, started=EARLIER), FIRED)
    assert [alert.firing for alert in site.store.alerts.latest(10)] == [False, False]
    assert site.store.events.last() == 1


def test_the_end_of_an_earlier_life_ends_no_later_one(site):
    early = NOW - timedelta(hours=2)
    site.takes(FIRED, replace(OVER, started=early, ended=early + timedelta(hours=1)))
    assert site.store.alerts.find(1).firing


def test_another_severity_is_news(site):
    site.takes(FIRED)
    site.takes(replace(FIRED, severity=Severity.CRITICAL))
    assert [stored.event.severity for stored in site.store.events.latest(10)] == [Severity.CRITICAL, Severity.HIGH]


def test_the_end_of_what_nobody_heard_of_is_nothing(site):
    site.takes(replace(OVER, started=None))
    assert (site.store.alerts.latest(10), site.store.events.last()) == ([], 0)


def test_an_end_without_a_begin_is_of_the_life_that_goes_on(site):
    site.takes(FIRED)
    site.takes(replace(OVER, started=None))
    assert not site.store.alerts.find(1).firing


def test_a_begin_that_is_not_named_makes_a_new_life_only_long_after_the_end(site):
    unnamed = replace(FIRED, started=None)
    site.takes(unnamed, replace(unnamed, at=NOW + timedelta(minutes=1)))
    site.takes(replace(OVER, started=None), replace(unnamed, at=OVER.at + timedelta(minutes=11)))
    assert [(alert.number, alert.firing) for alert in site.store.alerts.latest(10)] == [(2, True), (1, False)]


def test_an_acknowledgement_elsewhere_is_shown_and_told_once(site):
    acked = replace(FIRED, phase=Phase.UPDATED, done="acknowledged", by="Zoe", note="on it")
    site.takes(FIRED, acked, acked)
    assert site.store.alerts.find(1).acknowledged == "Zoe: on it"
    assert site.store.events.last() == 2


def test_each_alert_counts_by_its_own_status_and_not_by_its_groups(site):
    for body in BODIES[:4]:
        site.hears(body)
    down = {alert.fields.get("instance"): alert.firing for alert in site.store.alerts.latest(99)}
    assert (down["127.0.0.1:28100"], down["127.0.0.1:28199"]) == (False, True)


def test_alerts_that_were_left_out_are_an_alert_until_their_group_is_over(site):
    site.hears(BODIES[2])
    (left,) = [alert for alert in site.store.alerts.firing() if alert.fields.get("left_out")]
    assert left.text.startswith("480 alerts are not in")
    site.hears(BODIES[5])
    assert not site.store.alerts.find(left.number).firing


def test_replicas_whose_label_is_ignored_tell_of_one_alert():
    body, own = told(BODIES[1]), AM.model_copy(update={"ignore": ["replica"]})
    prints = set()
    for replica in "ab":
        alert = {**body["alerts"][0], "fingerprint": replica}
        alert["labels"] = {**alert["labels"], "replica": replica}
        found = alertmanager.read(json.dumps({**body, "alerts": [alert]}).encode(), {}, own, NOW)
        prints.add(found[0].fingerprint)
    assert len(prints) == 1


RIGHT = {"127.0.0.1:28100": [False, True], "127.0.0.1:28199": [True], "core1": [False]}


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False))
def test_captured_bodies_in_any_order_and_twice_end_the_same(chance: random.Random):
    bodies = [*BODIES, *BODIES]
    chance.shuffle(bodies)
    with tempfile.TemporaryDirectory() as folder:
        site = Site(Path(folder))
        for body in bodies:
            site.hears(body)
        found = sorted(site.store.alerts.latest(99), key=lambda alert: alert.started)
        assert len(found) == 25
        for name, lives in RIGHT.items():
            assert [one.firing for one in found if name in {one.about, one.device}] == lives
        assert [one.firing for one in found if one.what == "Storm"] == [False] * 20
        ends = {one.about: (one.ended - one.started).total_seconds() for one in found if one.ended}
        assert (ends["127.0.0.1:28100"], ends["core1"], ends["sw000"]) == (16.0, 60.0, 60.0)
        site.store.close()


def test_all_or_nothing_is_kept(site):
    broken = replace(FIRED, fingerprint="g", at=None)
    with pytest.raises(StoreError):
        site.takes(FIRED, broken)
    assert (site.store.alerts.latest(10), site.store.events.last()) == ([], 0)


def test_old_events_and_ended_alerts_are_forgotten_and_what_goes_on_stays(site):
    site.takes(FIRED, replace(OVER, fingerprint="g"), *many(20))
    site.now += timedelta(days=40)
    site.store.events.forget(30, 1_000)
    assert (site.store.events.latest(99), len(site.store.alerts.latest(99))) == ([], 21)


def test_no_more_events_are_kept_than_wanted_but_none_goes_that_was_not_followed(site):
    site.store.events.follow("rules")
    site.takes(*many(20))
    site.store.events.forget(30, 5)
    assert len(site.store.events.latest(99)) == 20
    site.store.events.followed("rules", 20)
    site.store.events.forget(30, 5)
    assert [one.number for one in site.store.events.latest(99)] == [20, 19, 18, 17, 16]
