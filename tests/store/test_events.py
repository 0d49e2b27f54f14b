"""Events and alerts in the record, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest

from automation_bots.errors import StoreError
from automation_bots.model import Finding
from automation_bots.store import Subject
from tests.alerts.site import FIRED, OVER, many


@pytest.fixture
def store(open_store):
    return open_store()


def test_many_alerts_and_their_ends_are_one_life_each(store):
    assert store.events.take(many(1_200)) == 1_200
    assert store.events.take(many(1_200)) == 0
    assert store.events.take([replace(OVER, fingerprint=f"f{n}") for n in range(1_200)]) == 1_200
    assert (len(store.alerts.firing()), len(store.alerts.latest(9_999)), store.events.last()) == (0, 1_200, 2_400)


def test_strange_texts_are_kept_and_known_again(store):
    event = replace(FIRED, text="a\x00b\ud800", fields={"k\x00": "v\x00"}, fingerprint="f\x00\ud800")
    assert store.events.take([event, event]) == 1
    assert store.events.take([event]) == 0


def test_nothing_of_a_broken_batch_is_kept(store):
    with pytest.raises(StoreError):
        store.events.take([FIRED, replace(FIRED, fingerprint="g", at=None)])
    assert (store.events.last(), store.alerts.latest(9)) == (0, [])


def test_what_is_said_again_of_an_event_replaces_what_was_said(store):
    store.events.take([FIRED])
    store.events.follow("rules")
    store.events.followed("rules", 1, [Finding(1, "a", "one"), Finding(1, "b", "two")])
    store.events.followed("rules", 1, [Finding(1, "a", "three")])
    assert [(one.by, one.said) for one in store.events.findings(1)] == [("a", "three"), ("b", "two")]


def test_what_came_while_a_message_was_said_stays_untold(store):
    store.events.take([FIRED])
    seen = store.alerts.find(1)
    store.events.take([OVER])
    store.alerts.told([replace(seen, message="m", told=seen.revision, shown="firing")])
    (alert,) = store.alerts.untold(9)
    assert (alert.message, alert.firing) == ("m", False)


def test_a_change_is_in_the_audit_and_of_what_is_forgotten_there_is_none(store, clock):
    store.events.take([OVER])
    store.alerts.change(1, lambda one: replace(one, acknowledged="ana"), Subject("ana"), {"acknowledged": "yes"})
    assert store.audit_rows(limit=1)[0].body["alert"] == 1
    clock.now = OVER.at + timedelta(days=31)
    store.events.forget(30, 1_000)
    with pytest.raises(LookupError):
        store.alerts.change(1, lambda one: one, Subject("ana"), {})
    assert store.verify_audit()
