"""A plugin from outside that goes to the drivers by itself: nothing runs, and the record knows who tried."""

import pytest

from automation_bots.drivers.fake import Fake, Recorder
from automation_bots.errors import DriverError
from automation_bots.jobs.driver_guard import DriverGuard, Permits
from automation_bots.model import FINAL, State
from automation_bots.store import AuditKind
from tests.support import entries
from tests.support.chatbot import POLICY, ChatBot, wait, write_folder

pytestmark = pytest.mark.slow
NAMED = POLICY + "  - {name: short, who: support, may: [shortcut]}\n"
TO_A_DRIVER = ["driver", "driver_of_the_dispatcher", "driver_with_what_was_lent", "driver_with_nothing"]
TO_THE_QUEUE = {
    "job_that_nobody_allowed": "the rules have changed since it was accepted",
    "job_that_says_it_was_approved": "its approval is not on record",
    "job_that_says_it_is_a_preview": "it is no preview",
    "job_of_another_operation": "was changed after the job was accepted",
    "decision_of_its_own": "was changed after the job was accepted",
}


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    fake = Fake()
    with ChatBot(write_folder(tmp_path_factory.mktemp("bot"), policy=NAMED), (fake,), plugins=entries.PLUGINS) as chat:
        chat.fake = fake
        chat.asks("!uptime on web1 --wait", "done in", who="joe")
        yield chat


def took(chat, way):
    """What the plugin met on its way; none of its ways ends at the device."""
    said = chat.asks(f"!shortcut {way}", "met", who="joe")
    entries.idle(chat)
    assert "db1" not in [device for _, _, device in chat.fake.ran]
    return said


def denied(chat):
    found = chat.automation.store.audit_rows(kind=AuditKind.DENIED, limit=1)
    return found[0].body["reason"] if found else ""


@pytest.mark.parametrize("way", TO_A_DRIVER)
def test_a_plugin_that_calls_a_driver_itself_is_refused_and_named_in_the_record(chat, way):
    assert "runs only what a job brings" in took(chat, way)
    assert "called from shortcut.py:" in denied(chat)


def test_a_number_that_runs_lets_nobody_else_in(chat):
    chat.fake.seconds = 1.5
    chat.say("!uptime on web1", "joe")
    wait(lambda: chat.automation.dispatcher.active == (1, 0), 10)
    said = chat.asks("!shortcut driver_with_a_number_that_runs", "met", who="joe")
    chat.fake.seconds = 0
    assert "runs only what a job brings" in said
    assert "called from shortcut.py:" in denied(chat)


@pytest.mark.parametrize(("way", "why"), TO_THE_QUEUE.items())
def test_a_job_that_a_plugin_puts_into_the_queue_past_the_gate_never_starts(chat, way, why):
    before, ran = len(chat.jobs), len(chat.fake.tasks)
    took(chat, way)
    wait(lambda: chat.jobs[0].state in FINAL, 10)
    assert len(chat.jobs) == before + 1
    assert chat.jobs[0].state in {State.VOID, State.FAILED}
    assert why in chat.jobs[0].error
    assert len(chat.fake.tasks) == ran


def test_a_job_that_is_not_in_the_record_never_starts(chat):
    before = len(chat.fake.tasks)
    took(chat, "job_that_nobody_recorded")
    assert len(chat.fake.tasks) == before


def test_a_running_bot_gives_no_driver_away(chat):
    assert "runs drivers by jobs only" in took(chat, "driver_for_windows")


def test_every_driver_of_a_bot_stands_behind_a_door(chat):
    for name, door in chat.automation._drivers.items():
        with pytest.raises(DriverError, match=f"the driver {name} runs only"):
            door.run(chat.fake.tasks[0], Recorder())


def test_a_task_is_let_in_once_and_no_longer_than_it_is_held(chat):
    task, permits, told = chat.fake.tasks[0], Permits(), []
    door = DriverGuard(Fake(), permits, lambda reason, about: told.append(about.operation))
    with permits.holding(task):
        door.run(task, Recorder())
    with pytest.raises(DriverError):
        door.run(task, Recorder())
    assert told == ["driver fake"]
