"""Either bot is killed in the middle, or the queue between them: nothing runs twice, and nothing ends in silence."""

import random
import time
from contextlib import ExitStack, contextmanager

import pytest

from automation_bots.model import State
from tests.jobs.test_crash import FUNCTION, LOCAL, Trace
from tests.peers.site import folder_of, introduce, meet
from tests.support.bounds import rounds
from tests.support.chatbot import ChatBot, wait
from tests.support.crashing import Victim

pytestmark = [pytest.mark.slow, pytest.mark.works]
POLICY = """
people:
  ana: {test: ana, groups: [admins]}
rules:
  - {name: admins, who: admins, may: [everything]}
"""
HOSTS = f"all: {{hosts: {{here: {LOCAL}}}}}\n"


@pytest.fixture
def trace(tmp_path):
    return Trace(tmp_path / "trace")


@pytest.fixture
def folders(tmp_path, trace, postgresql):
    """linuxbot and winbot; what winbot does leaves a trace."""
    queue = postgresql.fresh()
    files = {"plugins/write.py": FUNCTION.format(name="write", risk="change", trace=trace.path)}
    lin = folder_of(tmp_path, "linuxbot", queue, "winbot", policy=POLICY)
    win = folder_of(tmp_path, "winbot", queue, "linuxbot", policy=POLICY, files=files)
    (win / "inventory/hosts.yml").write_text(HOSTS)
    introduce(lin, win)
    return lin, win


@contextmanager
def victim(folder):
    """A bot in a process of its own, which is killed at the latest at the end."""
    running = Victim(folder)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.kill()


def begun(trace, token):
    wait(lambda: trace.count("begin")[token] == 1, 30)


def test_a_bot_that_dies_in_the_middle_is_said_and_what_came_of_it_when_it_is_back(folders, trace):
    lin, win = folders
    with ChatBot(lin) as linuxbot:
        with victim(win) as winbot:
            meet("winbot", linuxbot)
            linuxbot.say("!@winbot write one seconds=60 on here", room="ops")
            begun(trace, "one")
            winbot.kill()
            linuxbot.hears(r"winbot #1 is away, last seen .*not known", 20)
            linuxbot.asks("!@winbot status", r"winbot cannot be asked: away.* Nothing was sent", seconds=5)
        with ChatBot(win):
            linuxbot.hears(
                r"#1 @winbot write one .*1 unknown(?s:.*)winbot #1 write one seconds=60.0 on here interrupted", 30
            )
    assert trace.count("begin")["one"] == 1


def test_a_bot_that_is_killed_while_it_waits_hears_the_end_in_its_next_life(folders, trace):
    lin, win = folders
    with ChatBot(win) as winbot, ExitStack() as stack:
        linuxbot = stack.enter_context(victim(lin))
        meet("linuxbot", winbot)
        linuxbot.say("ana", "ops", "!@winbot write one seconds=2 on here")
        begun(trace, "one")
        linuxbot.kill()
        with ChatBot(lin) as again:
            again.hears(r"#1 @winbot write one .* interrupted", 20)
            again.hears(r"#1: winbot #1 write one seconds=2.0 on here done", 20)
            wait(lambda: not again.automation.store.peers.calls_of(1)[0].open, 10)
    assert trace.count("begin") == trace.count("end") == {"one": 1}


def test_while_the_queue_is_dead_that_is_said_and_the_answer_comes_when_it_is_back(folders, trace, postgresql):
    lin, win = folders
    with ChatBot(lin) as linuxbot, ChatBot(win) as winbot:
        meet("winbot", linuxbot)
        linuxbot.say("!@winbot write one seconds=1 on here", room="ops")
        begun(trace, "one")
        postgresql.stop()
        try:
            wait(lambda: winbot.jobs[0].state is State.DONE, 30)
            linuxbot.hears("queue between bots does not answer", 20)
            linuxbot.asks("!@winbot status", "winbot cannot be asked: .*queue", seconds=10)
        finally:
            postgresql.start()
        linuxbot.hears(r"#1 @winbot write one .*winbot #1 write one seconds=1.0 on here done", 40)
    assert trace.count("begin") == {"one": 1}


def test_killed_again_and_again_a_request_runs_at_most_once_and_each_is_told(folders, trace):
    lin, win = folders
    chance = random.Random(7)
    for life in range(rounds(1, 10)):
        with victim(lin) as linuxbot, victim(win) as winbot:
            _until_one_has_begun(linuxbot, winbot, trace, life)
            for bot in chance.sample((linuxbot, winbot), 2):
                time.sleep(chance.uniform(0, 0.4))
                bot.kill()
    with ChatBot(win) as winbot, ChatBot(lin) as linuxbot:
        store, there = linuxbot.automation.store, winbot.automation.store.peers
        calls = [call for job in linuxbot.jobs for call in store.peers.calls_of(job.number)]
        taken = [call.nonce for call in calls if there.request_of("linuxbot", call.nonce)]
        for cut_off in set(winbot.automation.store.holds().values()):
            winbot.say(f"!ack {cut_off}", room="ops")
        wait(lambda: not any(store.peers.call(nonce).open for nonce in taken), 60)
        wait(lambda: all(job.told for job in linuxbot.jobs), 20)
        assert store.verify_audit()
        assert winbot.automation.store.verify_audit()
    assert taken
    assert max(trace.count("begin").values()) == 1


def _until_one_has_begun(linuxbot, winbot, trace, life):
    """Ask for something else again and again; what was cut off before holds its device until somebody has looked."""
    before = len(trace.count("begin"))
    for number in range(100):
        linuxbot.say("ana", "ops", f"!@winbot write t{life}-{number} seconds=0.3 on here")
        for cut_off in set(winbot.store.holds().values()):
            winbot.say("ana", "ops", f"!ack {cut_off}")
        time.sleep(0.2)
        if len(trace.count("begin")) > before:
            return
    raise AssertionError("nothing has begun")
