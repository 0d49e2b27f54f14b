"""The bot is killed while schedules come due: nothing runs twice, and nothing is left out without a word."""

import random
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.model import State
from automation_bots.store import Store, Subject
from automation_bots.store.occurrences import Result
from tests.jobs.test_crash import FUNCTION, Trace
from tests.support.chatbot import ChatBot, wait, write_folder
from tests.support.crashing import Victim

pytestmark = [pytest.mark.slow, pytest.mark.works]
TOML = 'backend = "Test"\n[schedules]\nreads = "1s"\nchanges = "1s"\nfailures = 100\n'
POLICY = """
people:
  ana: {test: ana, groups: [admins]}
rules:
  - {name: admins, who: admins, may: [everything]}
"""
LOCAL = '{ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}'


@pytest.fixture
def trace(tmp_path):
    return Trace(tmp_path / "trace")


@pytest.fixture
def folder(tmp_path, trace):
    files = {"plugins/write.py": FUNCTION.format(name="write", risk="change", trace=trace.path)}
    hosts = f"all: {{hosts: {{here: {LOCAL}}}}}\n"
    return write_folder(tmp_path / "netbot", toml=TOML, policy=POLICY, hosts=hosts, files=files)


def test_killed_again_and_again_no_time_runs_twice(folder, trace):
    chance = random.Random(3)
    for life in range(2):
        victim = Victim(folder)
        if not life:
            victim.say("ana", "ops", "!every 1s write one seconds=0.1 on here")
        begun = trace.count("begin")["one"]
        wait(lambda begun=begun: trace.count("begin")["one"] > begun + 1, 60)
        time.sleep(chance.uniform(0, 1))
        victim.kill()
        with closing(Store.open(folder / "data" / "netbot")) as store:
            for number in set(store.holds().values()):
                store.acknowledge(number, "ana")
    with ChatBot(folder) as chat:
        chat.asks("!schedule 1 remove", "removed", seconds=30)
        store = chat.automation.store
        wait(lambda: all(taken.result for taken in store.schedules.history(1, 1000)), 70)  # one may have come meanwhile
        times, jobs = store.schedules.history(1, 1000), chat.jobs
        assert store.verify_audit()
    assert sorted(taken.job for taken in times if taken.job) == sorted(job.number for job in jobs)
    assert len({job.occurrence for job in jobs}) == len(jobs)
    done, started = ([j for j in jobs if j.state is State.DONE], [j for j in jobs if j.started])
    assert len(done) <= trace.count("begin")["one"] <= len(started)


def test_killed_between_taking_a_time_and_beginning_it_it_does_not_run_and_that_is_said(folder, trace):
    with ChatBot(folder) as chat:
        chat.asks("!every day 03:00 write one on here", "^S1 ", room="ops")
    with closing(Store.open(folder / "data" / "netbot")) as store:
        made, now = store.schedules.find(1), datetime.now(UTC)
        due = replace(made, due=now)
        assert store.schedules.change(made, due, "test", Subject())
        assert store.schedules.take(due, now, now + timedelta(days=1))
    with ChatBot(folder) as chat:
        chat.hears("One time of a schedule was missed, and no change is made up for:\n.*not begun: I was killed")
        assert (chat.jobs, sum(trace.count("begin").values())) == ([], 0)
        assert chat.automation.store.schedules.history(1, 9)[0].result == Result.LOST
