"""Freezes, locks and reviews in the record, on both databases."""

from datetime import timedelta

from automation_bots.model import Canary
from automation_bots.policy.freezes import ALL, BlockKind, ChangeBlock
from automation_bots.store import AuditKind, Subject


def block(clock, person, *devices, kind=BlockKind.LOCK, until=None):
    return ChangeBlock(kind, person, "work", frozenset(devices), clock.now, until)


def held(store):
    return {(c.kind.value, c.person): set(c.devices) for c in store.change_blocks.current()}


def test_a_lock_of_another_person_stands_in_the_way_until_it_is_stolen(store, clock):
    assert store.change_blocks.add(block(clock, "joe", "web1", "web2"), Subject("joe")) == []
    assert [other.person for other in store.change_blocks.add(block(clock, "kim", "web2"), Subject("kim"))] == ["joe"]
    assert held(store) == {("lock", "joe"): {"web1", "web2"}}
    store.change_blocks.add(block(clock, "kim", "web2"), Subject("kim"), steals=True)
    assert held(store) == {("lock", "joe"): {"web1"}, ("lock", "kim"): {"web2"}}


def test_freezes_of_two_people_hold_side_by_side_and_each_takes_away_the_own(store, clock):
    for person in ("ana", "joe"):
        store.change_blocks.add(block(clock, person, "web1", ALL, kind=BlockKind.FREEZE), Subject(person))
    assert store.change_blocks.remove(BlockKind.FREEZE, ["web1", "web9"], Subject("joe"), of="joe") == ["web1"]
    assert held(store) == {("freeze", "ana"): {"web1", ALL}, ("freeze", "joe"): {ALL}}
    assert store.change_blocks.remove(BlockKind.FREEZE, [ALL], Subject("ana")) == [ALL]
    assert held(store) == {("freeze", "ana"): {"web1"}}


def test_what_is_over_holds_no_longer(store, clock):
    store.change_blocks.add(block(clock, "joe", "web1", until=clock.now + timedelta(hours=1)), Subject("joe"))
    clock.pass_days(1)
    assert store.change_blocks.current() == ()
    assert store.change_blocks.add(block(clock, "kim", "web1"), Subject("kim")) == []


def test_an_emergency_is_reviewed_once_by_somebody_else(store, job):
    number = store.add_job(job(emergency="down", canary=Canary(("1", "10%"), 1))).number
    assert [review.reason for review in store.reviews.open()] == ["down"]
    assert not store.reviews.write(number, "fine", Subject("ana", job=number))
    assert store.reviews.write(number, "fine", Subject("kim", job=number))
    assert not store.reviews.write(number, "again", Subject("joe", job=number))
    assert store.reviews.open() == [] and store.reviews.of(number).reviewer == "kim"
    assert store.job(number).canary == Canary(("1", "10%"), 1)


def test_closing_opening_and_reviewing_are_in_the_record(store, clock, job):
    store.change_blocks.add(block(clock, "joe", "web1"), Subject("joe", devices=("web1",)))
    store.change_blocks.remove(BlockKind.LOCK, ["web1"], Subject("joe", devices=("web1",)))
    number = store.add_job(job(emergency="down")).number
    store.reviews.write(number, "fine", Subject("kim", job=number))
    kinds = [row.kind for row in store.audit_rows(limit=4)]
    assert kinds == [AuditKind.REVIEWED, AuditKind.ACCEPTED, AuditKind.UNLOCKED, AuditKind.LOCKED]
    assert store.audit_rows(limit=2)[1].body["emergency"] == "down"
    assert store.verify_audit() >= 4
