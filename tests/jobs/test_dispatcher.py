"""Jobs keep their promises while the store is away, the rules change, drivers hang and the bot stops."""

import threading
import time
from dataclasses import replace

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.errors import DriverError, StoreError
from automation_bots.model import Outcome, State, Status
from automation_bots.policy.policy import Policy
from automation_bots.store import AuditKind
from tests.support.chatbot import wait
from tests.support.works import LOGIN, LOOK, PATCH, Works

pytestmark = pytest.mark.slow  # real threads, real waiting


@pytest.fixture
def works(tmp_path):
    made = Works(tmp_path)
    made.dispatcher.start()
    yield made
    made.store.away = False
    made.dispatcher.stop(0)
    made.store.close()


def test_a_secret_value_is_cut_out_of_what_devices_print(works):
    works.fake.outcomes["web1"] = Outcome("web1", Status.FAILED, "hunter22 is wrong", "login hunter22\n")
    number = works.add(LOGIN, "web1", password="hunter22")
    works.is_in(number, State.FAILED)
    found = works.store.outcomes(number, with_output=True)[0]
    assert "hunter22" not in found.summary + found.output
    assert works.redactor.text("hunter22") == "hunter22", "one person's value must not blind everybody's output"


def test_a_job_whose_person_lost_the_right_does_not_start(works):
    works.pause = "waits"
    number = works.add(PATCH, "web1")
    works.policy, works.pause = Policy(), ""
    assert "the rules have changed" in works.is_in(number, State.FAILED).error
    assert works.fake.ran == []


def test_nothing_starts_while_the_policy_is_broken(works):
    works.pause = "waits: the policy is broken"
    number = works.add(LOOK, "web1")
    assert works.why == "waits: the policy is broken"
    works.pause = ""
    works.is_in(number, State.DONE)


def test_an_operation_that_is_no_longer_what_was_decided_on_does_not_run(works):
    works.pause = "waits"
    number = works.add(LOOK, "web1")
    works.operations["look"], works.pause = replace(LOOK, risk=PATCH.risk), ""
    assert "was changed after" in works.is_in(number, State.FAILED).error


def test_what_a_driver_reports_while_the_store_is_away_is_not_lost(works):
    works.fake.seconds = 0.4
    number = works.add(LOOK, "web1", "web2", "db1")
    works.store.away = True
    wait(lambda: len(works.fake.ran) == 3, 10)
    time.sleep(1)
    works.store.away = False
    assert works.is_in(number, State.DONE).counts == {"ok": 3}


def test_an_accepted_job_is_never_called_refused_because_the_pass_failed(works):
    works.store.away = True
    number = works.add(LOOK, "web1")
    assert works.why.startswith("waits")
    works.store.away = False
    works.is_in(number, State.DONE)


def test_a_cancellation_that_cannot_be_recorded_leaves_the_job_in_the_queue(works):
    works.pause = "waits"
    number = works.add(LOOK, "web1")
    works.store.away = True
    with pytest.raises(StoreError):
        works.dispatcher.cancel(number, "ana")
    assert number in works.dispatcher.waiting()
    works.store.away = False
    assert works.dispatcher.cancel(number, "ana")
    assert [row.person for row in works.store.audit_rows(kind=AuditKind.CANCELLED)] == ["ana"]


def test_nothing_starts_before_the_bot_has_recovered(tmp_path):
    works = Works(tmp_path)
    number = works.add(LOGIN, "web1", password="hunter22")
    assert works.why == "waits: the bot is starting"
    assert works.store.recover() == []
    works.dispatcher.start()
    works.is_in(number, State.DONE)
    works.dispatcher.stop(0)
    works.store.close()


def test_a_change_that_the_bot_itself_broke_off_holds_its_devices(works):
    works.fake.seconds = 30
    number = works.add(PATCH, "web1", "web2")
    wait(lambda: works.fake.ran, 10)
    works.dispatcher.stop(0)
    assert works.store.job(number).state is State.INTERRUPTED
    assert works.store.holds() == {"web1": number}


def test_a_change_over_its_time_holds_its_devices_and_the_next_one_waits(works):
    works.operations["patch"] = quick = replace(PATCH, time_limit=0.2)
    works.fake.seconds = 30
    number = works.add(quick, "web1")
    assert "time limit" in works.is_in(number, State.INTERRUPTED).error
    wait(lambda: not works.dispatcher.active[0], 5)
    works.add(quick, "web1")
    assert "is not acknowledged" in works.why


def test_a_change_whose_driver_does_not_come_back_holds_its_devices(works):
    class Deaf(Fake):
        def run(self, task, report):
            self.ran.append((task.job.number, "", ""))
            threading.Event().wait(3)

    works.fake.__class__ = Deaf
    number = works.add(PATCH, "web1")
    wait(lambda: works.fake.ran, 10)
    works.dispatcher.cancel(number, "ana")
    works.is_in(number, State.INTERRUPTED)
    assert works.store.holds() == {"web1": number}


def test_what_a_driver_meets_after_its_last_device_is_not_lost(works):
    class Forgetful(Fake):
        def run(self, task, report):
            super().run(task, report)
            raise DriverError("the disk is full: nothing was kept")

    works.fake.__class__ = Forgetful
    number = works.add(LOOK, "web1")
    assert works.is_in(number, State.FAILED).error == "the disk is full: nothing was kept"
    assert works.store.outcomes(number)[0].status is Status.OK


@pytest.fixture
def slow(works):
    """The record takes its time to say that the first job may begin."""
    free = threading.Event()
    works.store.start = lambda number: (number > 1 or free.wait(10)) and works.store.store.start(number)
    yield free
    free.set()


def test_a_job_that_the_record_is_slow_to_begin_holds_up_no_other(works, slow):
    first, second = works.add(LOOK, "web1"), works.add(LOOK, "web2")
    works.is_in(second, State.DONE)
    assert works.dispatcher.active[0] == 1
    assert works.store.job(first).state is State.QUEUED
    slow.set()
    works.is_in(first, State.DONE)


def test_what_is_cancelled_before_the_record_lets_it_begin_does_nothing(works, slow):
    number = works.add(LOOK, "web1")
    assert works.dispatcher.cancel(number, "ana")
    assert works.store.job(number).state is State.CANCELLED, "also when the bot is killed now"
    slow.set()
    wait(lambda: works.dispatcher.active == (0, 0), 5)
    assert works.fake.ran == []


def test_what_the_record_had_not_let_begin_at_the_end_waits_for_the_next_start(works):
    free = threading.Event()

    def closed(number):
        free.wait(10)
        raise StoreError("closed: the bot is stopping")

    works.store.start = closed
    number = works.add(PATCH, "web1")
    threading.Timer(0.5, free.set).start()
    works.dispatcher.stop(5)
    assert works.store.job(number).state is State.QUEUED
    assert works.dispatcher.waiting() == [number]
    assert works.fake.ran == []


def test_a_record_that_is_away_for_a_moment_costs_a_job_nothing(works):
    works.store.away = {"start"}
    number = works.add(LOOK, "web1")
    wait(lambda: works.dispatcher.waiting() == [number], 5)
    works.store.away = False
    works.is_in(number, State.DONE)
    assert len(works.fake.ran) == 1
