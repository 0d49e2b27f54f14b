"""What happens to jobs, outcomes, holds and messages, told in sentences."""

import pytest

from automation_bots.errors import NoSuchJob, StoreError
from automation_bots.model import Outcome, Risk, State, Status
from automation_bots.store import AuditKind, Subject

OK = Outcome("web1", Status.OK, "active", "● nginx.service\n", 0.5, 0)


def started(store, job):
    number = store.add_job(job).number
    assert store.start(number)
    return number


def kinds(store, **criteria):
    return [row.kind for row in reversed(store.audit_rows(**criteria))]


def test_a_job_comes_back_as_it_went_in(store, job, clock):
    added = store.add_job(job())
    assert (added.number, added.state, added.created) == (1, State.QUEUED, clock.now)
    assert store.job(1) == added
    assert store.job(1).parameters["words"] == ("a", "b")


def test_text_that_no_database_takes_does_not_lose_a_job(store, job):
    number = store.add_job(job(person="a\x00b\udcff", reason="\x00", devices=("w\x00",), pattern="\udcff")).number
    assert store.job(number).person == "a\ufffdb\ufffd"
    assert store.job(number).devices == ("w\x00",)
    store.start(number)
    assert store.add_outcomes(number, [Outcome("w\x00", Status.OK, "s\x00", "out\x00\udcff" * 500)]) == 1
    assert store.outcomes(number, with_output=True)[0].output == "out\x00\udcff" * 500
    assert store.finish(number, State.DONE)
    assert store.verify_audit() == 3


def test_a_life_of_a_job_is_in_the_audit(store, job):
    number = started(store, job())
    store.add_outcomes(number, [OK])
    assert store.finish(number, State.FAILED, "web2 is gone")
    assert store.mark_told(number)
    assert kinds(store, job=number) == ["accepted", "started", "ended", "told"]
    ended = store.audit_rows(kind=AuditKind.ENDED)[0].body
    assert ended["counts"] == {"ok": 1}
    assert ended["outcomes"] == {"web1": "ok"}
    assert ended["error"] == "web2 is gone"


def test_the_extra_of_an_acceptance_cannot_hide_what_was_asked(store, job):
    store.add_job(job(), {"message_id": "9.1", "reason": "other"})
    body = store.audit_rows()[0].body
    assert (body["message_id"], body["reason"]) == ("9.1", "CHG-7")


def test_only_one_start_wins(store, job):
    number = started(store, job())
    assert not store.start(number)
    assert not store.cancel_queued(number, "ana")
    assert kinds(store) == ["accepted", "started"]


@pytest.mark.parametrize("move", ["start", "finish", "cancel"])
def test_an_ended_job_never_moves_again(store, job, move):
    number = started(store, job())
    assert store.finish(number, State.DONE)
    before = store.job(number)
    moves = {"start": lambda: store.start(number), "finish": lambda: store.finish(number, State.FAILED),
             "cancel": lambda: store.cancel_queued(number, "joe")}  # fmt: skip
    assert not moves[move]()
    assert store.job(number) == before
    assert store.verify_audit() == 3


def test_a_queued_job_cannot_finish_and_no_job_finishes_as_running(store, job):
    number = store.add_job(job()).number
    assert not store.finish(number, State.DONE)
    with pytest.raises(ValueError, match="no final state"):
        store.finish(number, State.RUNNING)


def test_whoever_cancels_is_named(store, job):
    number = store.add_job(job()).number
    assert store.cancel_queued(number, "joe")
    row = store.audit_rows(kind=AuditKind.CANCELLED)[0]
    assert (row.person, row.body["requester"]) == ("joe", "ana")
    assert [j.number for j in store.untold()] == [number]


def test_the_first_outcome_of_a_device_stays(store, job):
    number = started(store, job())
    assert store.add_outcomes(number, [OK, Outcome("web1", Status.FAILED), Outcome("web2", Status.FAILED)]) == 2
    assert store.add_outcomes(number, [Outcome("web1", Status.FAILED, output="again")]) == 0
    assert store.job(number).counts == {"ok": 1, "failed": 1}
    assert store.outcomes(number, with_output=True)[0] == OK
    assert store.outcomes(number, Status.FAILED) == [Outcome("web2", Status.FAILED)]
    assert store.outcomes(number)[0].output == ""


def test_long_output_comes_back_and_takes_little_room(store, job, sql):
    number = started(store, job())
    store.add_outcomes(number, [Outcome("web1", Status.OK, output="interface up\n" * 10_000)])
    assert store.output(number, "web1") == "interface up\n" * 10_000
    assert store.output(number, "web2") == ""
    assert sql("SELECT length(data) FROM outputs")[0][0] < 2_000


def test_many_devices_in_one_batch(store, job):
    names = tuple(f"d{n}" for n in range(1_500))
    number = started(store, job(devices=names))
    assert store.add_outcomes(number, [Outcome(name, Status.OK) for name in names[:700]]) == 700
    assert store.add_outcomes(number, [Outcome(name, Status.FAILED) for name in names]) == 800
    assert store.job(number).counts == {"ok": 700, "failed": 800}


def test_an_operation_without_devices_has_one_outcome_without_a_name(store, job):
    number = started(store, job(devices=()))
    store.add_outcomes(number, [Outcome("", Status.OK, "93.184.216.34")])
    store.finish(number, State.DONE)
    assert store.job(number).counts == {"ok": 1}


def test_jobs_are_listed_newest_first_and_page_by_page(store, job):
    for person in ["ana", "joe", "ana", "joe", "ana"]:
        store.add_job(job(person=person))
    store.start(2)
    assert [j.number for j in store.jobs(limit=2)] == [5, 4]
    assert [j.number for j in store.jobs(limit=2, before=4)] == [3, 2]
    assert [j.number for j in store.jobs(person="joe")] == [4, 2]
    assert [j.number for j in store.jobs(states={State.RUNNING})] == [2]
    assert store.jobs(states=()) == []
    assert [j.number for j in store.queued()] == [1, 3, 4, 5]
    assert [j.number for j in store.running()] == [2]


def test_only_an_ended_job_is_told_and_only_once(store, job):
    number = started(store, job())
    assert not store.mark_told(number)
    store.finish(number, State.DONE)
    assert [j.number for j in store.untold()] == [number]
    assert store.mark_told(number)
    assert not store.mark_told(number)
    assert store.untold() == []


def test_the_chat_message_of_a_job_is_kept(store, job):
    number = store.add_job(job()).number
    assert store.message(number) == ""
    store.set_message(number, '{"ts": "1.2"}')
    assert store.message(number) == '{"ts": "1.2"}'


@pytest.mark.parametrize("call", ["job", "add_outcomes", "mark_told", "set_message", "acknowledge"])
def test_a_number_that_nobody_has_is_a_sentence(store, call):
    arguments = {"add_outcomes": ([OK],), "set_message": ("x",), "acknowledge": ("ana",)}.get(call, ())
    with pytest.raises(NoSuchJob, match="There is no job #99"):
        getattr(store, call)(99, *arguments)


def test_a_message_is_seen_for_the_first_time_once(store):
    assert store.first_seen("slack", "1.1")
    assert not store.first_seen("slack", "1.1")
    assert store.first_seen("matrix", "1.1")


def test_after_a_crash_a_change_holds_the_devices_of_unknown_outcome(store, open_store, job):
    change, read, waits = started(store, job()), started(store, job(risk=Risk.READ)), store.add_job(job()).number
    store.add_outcomes(change, [OK])
    store.close()
    again = open_store()
    assert [(j.number, j.state, j.counts) for j in again.recover()] == [
        (change, State.INTERRUPTED, {"ok": 1, "unknown": 2}), (read, State.INTERRUPTED, {"unknown": 3})]  # fmt: skip
    assert again.holds() == {"web2": change, "web3": change}
    assert again.job(waits).state is State.QUEUED
    assert again.recover() == []
    assert [j.number for j in again.untold()] == [change, read]


def test_held_devices_go_when_somebody_acknowledges(store, job):
    number = started(store, job())
    store.recover()
    assert store.acknowledge(number, "joe")
    assert store.holds() == {}
    assert not store.acknowledge(number, "joe")
    row = store.audit_rows(kind=AuditKind.ACKNOWLEDGED)[0]
    assert (row.person, row.devices, row.body["requester"]) == ("joe", 3, "ana")


def test_two_jobs_that_hold_a_device_are_both_to_be_acknowledged(store, job):
    first, second = started(store, job(devices=("web1",))), started(store, job(devices=("web1",)))
    store.recover()
    assert store.holds() == {"web1": first}
    store.acknowledge(first, "ana")
    assert store.holds() == {"web1": second}


def test_a_change_that_is_stopped_in_the_middle_holds_its_devices_too(store, job):
    number = started(store, job())
    assert store.finish(number, State.INTERRUPTED, "stopped")
    assert sorted(store.holds()) == ["web1", "web2", "web3"]


def test_an_outcome_that_comes_late_corrects_unknown_and_is_recorded(store, job):
    number = started(store, job())
    store.recover()
    assert store.add_outcomes(number, [OK, Outcome("web2", Status.UNKNOWN)]) == 1
    assert store.job(number).counts == {"ok": 1, "unknown": 2}
    assert store.job(number).state is State.INTERRUPTED
    assert store.audit_rows(kind=AuditKind.LATE)[0].body["outcomes"] == {"web1": "ok"}


def test_old_details_go_and_what_is_needed_stays(store, job, clock):
    told, untold, held = started(store, job()), started(store, job()), started(store, job())
    for number in (told, untold, held):
        store.add_outcomes(number, [Outcome("web1", Status.OK, output="x" * 9_000)])
        store.finish(number, State.INTERRUPTED if number == held else State.DONE)
    store.mark_told(told)
    store.mark_told(held)
    store.first_seen("slack", "1.1")
    clock.pass_days(31)
    assert store.prune(keep_days=30) == {"outputs": 1, "outcomes": 1, "messages": 1}
    assert store.outcomes(told) == []
    assert store.job(told).counts == {"ok": 1}
    assert store.output(untold, "web1")
    assert store.output(held, "web1")
    assert store.audit_rows(kind=AuditKind.PRUNED)[0].body["outputs"] == 1
    assert store.prune(keep_days=30)["outputs"] == 0


def test_numbers_are_never_given_twice(store, open_store, job, sql):
    assert [store.add_job(job()).number for _ in range(3)] == [1, 2, 3]
    sql("DELETE FROM jobs WHERE number = 3")
    store.close()
    assert open_store().add_job(job()).number == 4


def test_a_refused_request_is_recorded_with_who_and_where(store, job):
    about = Subject("ana", job().caller, job().place, "patch", ("db1", "db2"))
    store.record(AuditKind.DENIED, {"reason": "is for dba", "rule": "databases"}, about)
    row = store.audit_rows(device="db2")[0]
    assert (row.kind, row.person, row.network, row.caller, row.place) == (
        AuditKind.DENIED, "ana", "slack", "U024BE7LH", "C1/168.1")  # fmt: skip
    assert row.body == {"devices": ["db1", "db2"], "reason": "is for dba", "rule": "databases"}


def test_a_closed_store_says_so(store, job):
    store.close()
    with pytest.raises(StoreError, match="is closed"):
        store.add_job(job())
    with pytest.raises(StoreError, match="is closed"):
        store.queued()
