"""A bot whose record was restored from a backup, beside one that ran meanwhile: nothing runs twice by itself."""

from contextlib import closing
from dataclasses import replace

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.model import State
from automation_bots.store import Store
from automation_bots.store import backup as moving
from tests.support.chatbot import BOT_TOML, ChatBot, wait, write_folder

pytestmark = pytest.mark.slow
POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [web]}
  kim: {test: kim, groups: [leads]}
rules:
  - {name: look, who: everyone, may: [reads], on: all}
  - {name: restarts, who: web, may: ["service restart *"], on: web, needs: approval by leads}
  - {name: starts, who: web, may: ["service start *"], on: web}
"""


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    """A bot on a backup with one job in the queue, two for later and two that wait for approval."""
    first = write_folder(tmp_path_factory.mktemp("first"), toml=BOT_TOML, policy=POLICY)
    with ChatBot(first, drivers=(Fake(),)) as chat:
        chat.asks("!service start nginx on web1", "done", who="joe")
        for number in (2, 3):
            chat.asks(f"!service start nginx on web{number} --when 'in 1h'", "runs at", who="joe")
            chat.asks(f"!service restart nginx on web{number}", "waits for approval", who="joe")
        data = chat.automation.data
    with closing(Store.open(data)) as store:
        store.add_job(replace(store.job(1), number=0))
    moving.backup(data, first / "copy.db")
    second = write_folder(tmp_path_factory.mktemp("second"), toml=BOT_TOML, policy=POLICY)
    moving.restore(first / "copy.db", second / data.relative_to(first))
    with ChatBot(second, drivers=(Fake(),)) as chat:
        yield chat


def states(chat):
    return [chat.automation.store.job(number).state.value for number in chat.automation.store.restored()]


def test_a_restored_record_holds_all_that_was_pending_until_a_person_says_what_goes_on(chat):
    wait(lambda: any("The record was restored from a backup. 5 requests" in t for _, t in chat.surface.said), 10)
    waiting = chat.automation.store.restored()
    listed = chat.asks("!pending", "5 requests of then may have run since", who="ana")
    assert all(f"#{number}" in listed for number in waiting)
    approvals = [n for n in waiting if chat.automation.store.job(n).state is State.WAITING]
    chat.asks(f"!approve {approvals[0]}", "may have run already", who="kim")
    chat.asks("!continue all", "for admins", who="joe")
    queued = waiting[-1]
    assert chat.automation.store.job(queued).state is State.QUEUED
    chat.asks("!queue", "restored from a backup", who="joe")
    chat.asks(f"!continue {queued}", "goes on", who="joe")
    wait(lambda: chat.automation.store.job(queued).state is State.DONE, 20)
    chat.asks(f"!continue {approvals[0]}", "goes on", who="ana")
    chat.asks(f"!approve {approvals[0]}", "is approved by kim", who="kim")
    wait(lambda: chat.automation.store.job(approvals[0]).state is State.DONE, 20)
    chat.asks("!withdraw all", "3 requests of the restored record: taken back", who="ana")
    assert states(chat) == []
    chat.asks("!continue all", "Nothing waits since a record was restored", who="ana")


def test_a_restored_record_holds_its_schedules_until_a_person_says_that_they_go_on(tmp_path):
    first = write_folder(tmp_path / "one", toml=BOT_TOML, policy=POLICY)
    with ChatBot(first, drivers=(Fake(),)) as chat:
        chat.asks("!every 15m uptime on web1", "^S1 ", who="joe")
        data = chat.automation.data
    moving.backup(data, tmp_path / "copy.db")
    second = write_folder(tmp_path / "two", toml=BOT_TOML, policy=POLICY)
    moving.restore(tmp_path / "copy.db", second / data.relative_to(first))
    with ChatBot(second, drivers=(Fake(),)) as chat:
        wait(lambda: any("1 schedule that waited then may have run" in text for _, text in chat.surface.said), 10)
        assert chat.automation.store.schedules.next_due() is None
        chat.asks("!schedule 1", "paused: the record was restored from a backup", who="joe")
        chat.asks("!continue all", "0 requests and 1 schedule of the restored record: going on", who="ana")
        assert chat.automation.store.schedules.next_due()
