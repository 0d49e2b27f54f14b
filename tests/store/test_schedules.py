"""Schedules in the record: a time is taken once, whoever is quicker and whatever the clock does."""

from dataclasses import replace
from datetime import timedelta

import pytest

from automation_bots.errors import StoreError
from automation_bots.model import Caller, Occurrence, Place, Schedule, ScheduleState, State, Tells
from automation_bots.store import Subject
from automation_bots.store.occurrences import Result
from tests.store.conftest import JOB

HOUR = timedelta(hours=1)
MADE = Schedule(
    0, "ana", Caller("slack", "U1", "Ana"), Place("slack", "C1"), "patch", "on web", times={"cron": "0 * * * *"}
)
ANA = Subject("ana", MADE.caller, MADE.place)


@pytest.fixture
def made(store, clock):
    return store.schedules.add(replace(MADE, due=clock.now))


def test_it_is_kept_as_it_was_made(store, made):
    assert store.schedules.find(1) == made
    assert (made.number, made.state, made.tells) == (1, ScheduleState.ACTIVE, Tells.ALWAYS)
    assert [str(row.kind) for row in store.audit_rows()] == ["schedule set"]


TIMES = {
    "UPDATE schedules SET person = 'kim'": "is not what the record says",
    "UPDATE schedules SET body = REPLACE(body, 'patch', 'wipe')": "is not what the record says",
    "UPDATE schedules SET body = REPLACE(body, 'U1', 'U2')": "is not what the record says",
    "UPDATE schedules SET state = 'paused'": "S1 is paused, and by the record active",
    "UPDATE schedules SET due = NULL": "S1 is due at no time",
    "INSERT INTO schedules (state, person, body) SELECT state, person, body FROM schedules": "S2: no entry of the",
    "DELETE FROM occurrences": "of S1 is gone, and the record tells of it",
    "UPDATE occurrences SET result = 'done'": "did not come to what the record says: refused",
    "UPDATE occurrences SET text = 'no'": "did not come to what the record says: refused",
    "UPDATE occurrences SET at = '2027-01-01T00:00:00.000000Z'": "no entry of the record tells of it",
    "UPDATE occurrences SET job = (SELECT number FROM jobs)": "is not the one of #1",
}


@pytest.mark.parametrize("behind", TIMES)
def test_what_somebody_does_to_it_behind_the_bots_back_is_named(store, made, clock, sql, behind):
    store.add_job(JOB)
    assert store.schedules.take(made, clock.now, clock.now + HOUR)
    store.schedules.refuse(Occurrence(1, clock.now), Result.REFUSED, "No: frozen.", at_most=5)
    assert store.verify_audit()
    sql(behind)
    with pytest.raises(StoreError, match=TIMES[behind]):
        store.verify_audit()


def test_one_that_somebody_removed_behind_the_bots_back_is_named(store, made, sql):
    sql("DELETE FROM schedules")
    with pytest.raises(StoreError, match="S1: it is gone, and the record tells of it"):
        store.verify_audit()


def test_a_life_of_a_schedule_agrees_with_the_record(store, made, clock):
    store.schedules.take(made, clock.now, clock.now + HOUR)
    clock.now += HOUR
    store.schedules.answered(Occurrence(1, made.due), "2 jobs", told=True)
    seen = store.schedules.find(1)
    store.schedules.miss(seen, clock.now, 3, clock.now + HOUR, "from then")
    seen = store.schedules.find(1)
    store.schedules.rewind(seen, clock.now)
    store.schedules.take(store.schedules.find(1), clock.now, clock.now + 2 * HOUR)
    store.schedules.take_now(store.schedules.find(1), ANA)
    clock.now += HOUR
    store.schedules.lose()
    for number in range(3):
        store.schedules.take_now(store.schedules.find(1), ANA)
        store.schedules.refuse(Occurrence(1, clock.now), Result.REFUSED, "No.", at_most=3)
        clock.now += HOUR * (number < 2)
    assert store.schedules.find(1).state is ScheduleState.PAUSED
    assert store.verify_audit()
    clock.now += 100 * 24 * HOUR
    store.prune(90)
    assert store.verify_audit()


def test_one_of_two_takes_a_time(store, made, clock):
    then = clock.now + HOUR
    assert store.schedules.take(made, clock.now, then)
    assert not store.schedules.take(made, clock.now, then)
    assert (store.schedules.find(1).due, store.schedules.next_due()) == (then, then)
    assert store.audit_rows()[0].body["at"]


def test_a_time_that_was_taken_is_never_taken_again_although_the_clock_goes_back(store, made, clock):
    at = clock.now
    store.schedules.take(made, at, at + HOUR)
    assert not store.schedules.take(store.schedules.find(1), at, at + HOUR)
    assert len(store.schedules.history(1, 9)) == 1


def test_a_time_has_one_job_and_only_what_was_taken_has_any(store, made, clock):
    at = clock.now
    job = replace(JOB, occurrence=Occurrence(1, at))
    with pytest.raises(StoreError, match="taken already"):
        store.add_job(job)
    store.schedules.take(made, at, at + HOUR)
    number = store.add_job(job).number
    with pytest.raises(StoreError, match="taken already"):
        store.add_job(job)
    assert [taken.job for taken in store.schedules.history(1, 9)] == [number]
    assert store.job(number).occurrence == Occurrence(1, at)
    assert len(store.jobs()) == 1


def test_what_was_taken_by_a_bot_that_was_killed_before_it_began_is_told_and_has_no_job(store, made, clock):
    store.schedules.take(made, clock.now, clock.now + HOUR)
    store.schedules.lose()
    ((schedule, taken),) = store.schedules.untold()
    assert (schedule.number, taken.result, taken.job) == (1, Result.LOST, None)
    with pytest.raises(StoreError, match="taken already"):
        store.add_job(replace(JOB, occurrence=taken.occurrence))
    store.schedules.tell([taken.occurrence])
    store.schedules.lose()
    assert store.schedules.untold() == []


def test_once_is_over_when_it_was_taken(store, made, clock):
    assert store.schedules.take(made, clock.now, None)
    assert store.schedules.find(1).state is ScheduleState.OVER
    assert store.schedules.next_due() is None
    store.schedules.lose()
    assert store.schedules.all() == []


def test_missed_times_are_one_row_and_are_told(store, made, clock):
    last = clock.now + 20 * HOUR
    assert store.schedules.miss(made, last, 20, last + HOUR, "from then")
    assert not store.schedules.miss(made, last, 20, last + HOUR, "from then")
    ((_, taken),) = store.schedules.untold()
    assert (taken.result, taken.missed, taken.occurrence.at) == (Result.MISSED, 19, last)
    assert store.audit_rows()[0].body["missed"] == 20


def run(store, clock, state):
    """Let its next time come, with a job that ends so."""
    schedule = store.schedules.find(1)
    clock.now = schedule.due or clock.now
    assert store.schedules.take(schedule, clock.now, clock.now + HOUR)
    number = store.add_job(replace(JOB, occurrence=Occurrence(1, clock.now))).number
    store.start(number)
    assert store.schedules.runs(1) == number
    store.finish(number, state)
    store.schedules.settle(at_most=3)
    return number


def test_what_fails_again_and_again_is_paused_and_that_is_told(store, made, clock):
    run(store, clock, State.FAILED)
    run(store, clock, State.DONE)
    for _ in range(2):
        run(store, clock, State.FAILED)
    assert (store.schedules.find(1).failures, store.schedules.untold()) == (2, [])
    run(store, clock, State.INTERRUPTED)
    assert (store.schedules.find(1).state, store.schedules.next_due()) == (ScheduleState.PAUSED, None)
    assert [taken.text for _, taken in store.schedules.untold()] == ["paused, since that was 3 times in a row"]


def refuse(store, clock, why, result=Result.REFUSED):
    schedule = store.schedules.find(1)
    clock.now = schedule.due
    store.schedules.take(schedule, clock.now, clock.now + HOUR)
    store.schedules.refuse(Occurrence(1, clock.now), result, why, at_most=4)
    told = [taken.text for _, taken in store.schedules.untold()]
    store.schedules.tell([taken.occurrence for _, taken in store.schedules.untold()])
    return told


def test_the_same_refusal_is_told_once_until_it_pauses_the_schedule(store, made, clock):
    assert refuse(store, clock, "No: web is frozen") == ["No: web is frozen"]
    assert refuse(store, clock, "No: web is frozen") == []
    assert refuse(store, clock, "No: web is locked") == ["No: web is locked"]
    assert refuse(store, clock, "No: web is locked") == ["No: web is locked · paused, since that was 4 times in a row"]


def test_without_its_owner_it_is_paused_at_once(store, made, clock):
    assert refuse(store, clock, "ana is gone", Result.ORPHANED) == ["ana is gone · paused"]
    assert store.schedules.find(1).why == "ana is gone"


def test_of_two_who_change_it_one_wins(store, made):
    paused = replace(made, state=ScheduleState.PAUSED, due=None)
    assert store.schedules.change(made, paused, "paused", ANA)
    assert not store.schedules.change(made, replace(made, state=ScheduleState.REMOVED, due=None), "removed", ANA)
    assert store.schedules.find(1) == paused
    assert store.audit_rows()[0].body["what"] == "paused"


def test_removed_is_gone_and_its_number_is_not_given_again(store, made, clock):
    store.schedules.change(made, replace(made, state=ScheduleState.REMOVED, due=None), "removed", ANA)
    assert (store.schedules.find(1), store.schedules.all(), store.schedules.due(clock.now)) == (None, [], [])
    assert store.schedules.add(MADE).number == 2


def test_the_last_answer_is_found(store, made, clock):
    first = run(store, clock, State.DONE)
    run(store, clock, State.CANCELLED)
    third = run(store, clock, State.FAILED)
    assert store.schedules.previous(store.job(third).occurrence) == first
    assert store.schedules.previous(store.job(first).occurrence) is None


def test_times_are_forgotten_with_the_outputs(store, made, clock):
    run(store, clock, State.DONE)
    clock.pass_days(2)
    store.prune(keep_days=1)
    assert store.schedules.history(1, 9) == []
    assert store.schedules.find(1)
