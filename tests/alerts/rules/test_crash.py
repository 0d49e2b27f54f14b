"""The bot is killed while rules act: for each event a run begins at most once, and none is left out without a word."""

import random
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from automation_bots.alerts.event import Phase, ReportedEvent
from automation_bots.store import Store
from automation_bots.store.rules import ActionState
from tests.jobs.test_crash import FUNCTION, Trace
from tests.support.chatbot import ChatBot, wait, write_folder
from tests.support.crashing import Victim

pytestmark = [pytest.mark.slow, pytest.mark.works]
EVENTS = 20
POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  writer: {rule: writer, robot: true}
rules:
  - {name: admins, who: [admins, writer], may: [everything]}
"""
RULES = """
- name: each one is written down
  when: {source: am}
  rate: 10000/min
  as: writer
  do: {to: ops, run: "write {fields.word} seconds=0 on here"}
"""
LOCAL = '{ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}'


@pytest.fixture
def trace(tmp_path):
    return Trace(tmp_path / "trace")


@pytest.fixture
def folder(tmp_path, trace):
    files = {"plugins/write.py": FUNCTION.format(name="write", risk="change", trace=trace.path), "rules.yml": RULES}
    return write_folder(tmp_path / "netbot", policy=POLICY, hosts=f"all: {{hosts: {{here: {LOCAL}}}}}\n", files=files)


def heard(store):
    """Keep events that nobody has followed yet."""
    store.events.follow("rules")
    event = ReportedEvent("am", "alertmanager", "Down", datetime.now(UTC), Phase.FIRING)
    found = [replace(event, fingerprint=f"f{n}", fields={"word": f"w{n}"}) for n in range(EVENTS)]
    store.events.take(found)


def acted(store):
    return [action for number in range(1, EVENTS + 1) for action in store.rules.of_event(number)]


def test_killed_again_and_again_no_event_lets_a_rule_run_twice(folder, trace):
    chance = random.Random(5)
    with closing(Store.open(folder / "data" / "netbot")) as store:
        heard(store)
    for _ in range(2):
        victim = Victim(folder)
        time.sleep(chance.uniform(0, 0.4))
        victim.kill()
        with closing(Store.open(folder / "data" / "netbot")) as store:
            for job in store.recover():
                store.acknowledge(job.number, "ana")
    with ChatBot(folder) as chat:
        store = chat.automation.store
        wait(lambda: {action.state for action in acted(store)} <= {ActionState.DONE, ActionState.REFUSED}, 60)
        wait(lambda: all(job.ended for job in chat.jobs), 60)
        actions = acted(store)
        caused = [job.cause.event for job in chat.jobs]
    assert sorted(caused) == sorted(action.event for action in actions if action.job)
    assert (len(actions), len(set(caused))) == (EVENTS, len(caused))
    assert max(trace.count("begin").values()) == 1
