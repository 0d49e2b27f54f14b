"""The bot is killed at every step of an approval: what is asked, voted, denied and run stays true."""

import random
import time
from collections import Counter

import pytest

from automation_bots.errors import StoreError
from automation_bots.model import FINAL, State
from tests.approvals.test_approvals_time import LOOKED, Waiting
from tests.support.chatbot import ChatBot, wait, write_folder
from tests.support.crashing import Victim

pytestmark = pytest.mark.slow

POLICY = """
people:
  ana: {test: ana, groups: [admins]}
  joe: {test: joe, groups: [support]}
  kim: {test: kim, groups: [leads]}
  lee: {test: lee, groups: [leads]}
rules:
  - {name: admins, who: admins, may: [everything]}
  - {name: look, who: everyone, may: [reads]}
  - name: write
    who: support
    may: [write]
    approval: {by: leads, quorum: 2, within: 1h, room: leads}
"""
LOCAL = '{ansible_connection: local, ansible_python_interpreter: "{{ ansible_playbook_python }}"}'
HOSTS = f"all: {{hosts: {{here: {LOCAL}}}}}\n"
FUNCTION = '''
import subprocess


def write(token: str, devices: list[str], seconds: float = 0.2, check: bool = False) -> str:
    """Leave a trace. Example: !write a on here

    Risk: change
    """
    word = "look" if check else "begin"
    subprocess.run(["sh", "-c", f"echo {{word}} {{token}} >> {trace}; sleep {{seconds}}"])
    return "done"
'''


class Trace:
    def __init__(self, path):
        self.path = path

    def count(self, word):
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        return Counter(line.split()[1] for line in lines if line.startswith(word))


@pytest.fixture
def trace(tmp_path):
    return Trace(tmp_path / "trace")


@pytest.fixture
def folder(tmp_path, trace):
    files = {"plugins/write.py": FUNCTION.format(trace=trace.path)}
    return write_folder(tmp_path / "netbot", toml='backend = "Test"\n', policy=POLICY, hosts=HOSTS, files=files)


def told(chat, room, words, seconds=60):
    wait(
        lambda: any(place == room and words in text for place, text in chat.surface.said),
        seconds,
        lambda: f"{words!r} in {room}: {chat.surface.said}",
    )


def test_killed_while_it_waits_it_goes_on_waiting_and_keeps_the_votes(folder, trace):
    victim = Victim(folder)
    victim.say("joe", "ops", "!write one on here")
    victim.until(1, State.WAITING)
    wait(lambda: victim.store.approvals.find(1).asked, 60)
    victim.say("kim", "-", "!approve 1")
    wait(lambda: victim.store.approvals.find(1).votes, 60)
    victim.kill()
    with ChatBot(folder) as chat:
        assert "needs 1 more of leads" in chat.asks("!pending", "waiting:", who="lee", seconds=60)
        assert not [text for room, text in chat.surface.said if "asks for approval" in text and room == "ops"]
        chat.say("!approve 1", "lee")
        told(chat, "ops", "#1 write one on here done")
        assert (trace.count("begin"), chat.automation.store.verify_audit() > 0) == ({"one": 1}, True)


def test_killed_during_the_preview_it_looks_again_and_then_asks(folder, trace):
    victim = Victim(folder)
    victim.say("joe", "ops", "!write one seconds=5 on here")
    wait(lambda: trace.count("look")["one"], 60)
    victim.kill()
    assert not trace.count("begin")
    with ChatBot(folder) as chat:
        told(chat, "leads", "#1 joe asks for approval")
        assert "preview (#3): " in next(text for room, text in chat.surface.said if room == "leads")
        assert (chat.automation.store.job(2).state, chat.automation.store.holds()) == (State.INTERRUPTED, {})
        assert not [text for _, text in chat.surface.said if text.startswith("#2 ")]


def test_killed_after_it_was_denied_its_place_hears_of_it_and_nothing_runs(folder, trace):
    victim = Victim(folder)
    victim.say("joe", "ops", "!write one on here")
    wait(lambda: victim.store.jobs(states=(State.WAITING,)) and victim.store.approvals.find(1).asked, 60)
    victim.say("kim", "-", "!deny 1 no")
    victim.until(1, State.DENIED)
    victim.kill()
    with ChatBot(folder) as chat:
        wait(lambda: chat.automation.store.job(1).told, 30)
        chat.say("!approve 1", "lee")
        told(chat, "lee", "#1 waits no longer: denied")
        assert not trace.count("begin")


def test_killed_while_it_ran_it_is_interrupted_and_not_run_again(folder, trace):
    victim = Victim(folder)
    victim.say("joe", "ops", "!write one seconds=30 on here")
    wait(lambda: trace.count("look")["one"], 60)
    for who in ("kim", "lee"):
        victim.say(who, "-", "!approve 1")
    wait(lambda: trace.count("begin")["one"], 60)
    victim.kill()
    with ChatBot(folder) as chat:
        told(chat, "ops", "#1 write one seconds=30.0 on here interrupted")
        assert chat.automation.store.holds() == {"here": 1}
        assert trace.count("begin")["one"] == 1


@pytest.mark.parametrize(("pause", "counts"), [(0, {"unknown": 1, "skipped": 1}), (1, {"changed": 1, "skipped": 1})])
def test_killed_in_a_batch_or_a_pause_later_batches_are_not_in_doubt(tmp_path, trace, pause, counts):
    files = {"plugins/write.py": FUNCTION.format(trace=trace.path)}
    hosts = f"all: {{hosts: {{here: {LOCAL}, there: {LOCAL}}}}}\n"
    folder = write_folder(tmp_path / "netbot", toml='backend = "Test"\n', policy=POLICY, hosts=hosts, files=files)
    victim = Victim(folder)
    victim.say("ana", "ops", f"!write one seconds={0 if pause else 30} on all --canary 1{' --pause-after' * pause}")
    wait(lambda: victim.store.outcomes(1) if pause else trace.count("begin")["one"], 60)
    victim.kill()
    with ChatBot(folder) as chat:
        told(chat, "ops", "#1 write one")
        assert chat.automation.store.holds() == ({} if pause else {"here": 1})
        assert chat.automation.store.job(1).counts == counts


def test_killed_again_and_again_nothing_runs_without_its_votes_or_twice(folder, trace):
    chance = random.Random(8)
    for number in range(4):
        victim = Victim(folder)
        for command in range(3):
            victim.say("joe", "ops", f"!write t{number}.{command} on here")
        for job in range(1, 25):
            for who in chance.sample(["kim", "lee"], 2):
                victim.say(who, "-", f"!approve {job}" if chance.random() < 0.8 else f"!deny {job} no")
        time.sleep(chance.uniform(0.2, 3))
        victim.kill()
    with ChatBot(folder) as chat:
        _settle(chat)
        for job in chat.jobs:
            _is_true(chat.automation.store, job, trace.count("begin"))
        assert chat.automation.store.verify_audit()


def _settle(chat):
    def settled():
        for number in set(chat.automation.store.holds().values()):
            chat.say(f"!ack {number}")
        return all(job.state is State.WAITING or (job.state in FINAL and job.told) for job in chat.jobs)

    wait(settled, 60, lambda: str([(job.number, job.state, job.told) for job in chat.jobs]))


def _is_true(store, job, began):
    if job.preview_of is not None:
        return
    times, votes = began[job.parameters["token"]], len(store.approvals.find(job.number).votes)
    kinds = Counter(str(row.kind) for row in store.audit_rows(limit=100, job=job.number))
    assert (kinds["approval asked"], kinds["approved"]) == (1, votes)
    if job.state in {State.DONE, State.INTERRUPTED, State.FAILED}:
        assert (votes, kinds["accepted"], times <= 1) == (2, 1, True), job
    else:
        assert (times, kinds["accepted"]) == (0, 0), job
    assert kinds["approval denied"] == (job.state is State.DENIED)


# -- the same without chance: after the n-th thing written nothing is written any more


class Dies(Waiting):
    """A bot whose every write after the n-th one fails, as if it were dead."""

    def __init__(self, folder, writes):
        super().__init__(folder)
        self.left, database = writes, self.store._database
        begin = database.write

        def write():
            self.left -= 1
            if self.left < 0:
                raise StoreError("dead")
            return begin()

        database.write = write


@pytest.mark.parametrize("writes", range(16))
@pytest.mark.parametrize("last", ["approve", "deny"])
def test_whatever_was_written_last_the_next_bot_goes_on_from_there(tmp_path, writes, last):
    dead = Dies(tmp_path / "bot", writes)
    _live(dead, last)
    dead.dispatcher.stop(0.2)
    dead.store.close()
    again = Waiting.__new__(Waiting)
    again.__dict__.update(dead.__dict__)
    again.restart(tmp_path / "bot", first=True)
    again.store.recover()
    again.timer.look_at_all()
    _live(again, last)
    _finished(again, last)
    again.dispatcher.stop(0)
    again.store.close()


def _live(waiting, last):
    """Do all that is left to do, as people would who see nothing happen."""
    steps = [
        lambda: waiting.store.approvals.find(1) or waiting.ask(LOOKED),
        lambda: wait(lambda: waiting.store.job(waiting.store.approvals.find(1).preview).state in FINAL, 0.5),
        waiting.look,
        lambda: waiting.approve(1, "kim"),
        lambda: waiting.approve(1, "lee") if last == "approve" else waiting.approvals.deny(*_lee()),
        waiting.look,
        lambda: wait(lambda: waiting.state(1) in FINAL, 0.5),
        waiting.look,
    ]
    for step in steps:
        try:
            step()
        except Exception:  # noqa: BLE001 - it is dead from somewhere on; what counts is what the next one finds
            continue


def _lee():
    from automation_bots.model import Caller, Place

    return Caller("test", "lee"), Place("test", "leads"), 1, "no"


def _finished(waiting, last):
    job = waiting.store.job(1)
    ran = len([1 for number, _, _ in waiting.fake.ran if number == 1])
    votes = [vote.person for vote in waiting.store.approvals.find(1).votes]
    if last == "deny":
        assert (job.state, ran) == (State.DENIED, 0)
    else:
        assert job.state in {State.DONE, State.INTERRUPTED, State.FAILED}
        assert ran <= 2
        assert votes == ["kim", "lee"]
    assert waiting.store.verify_audit()
