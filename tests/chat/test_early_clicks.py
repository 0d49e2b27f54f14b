"""A click counts although the network has not told yet which message the question became."""

import re
import threading
import time

import pytest

from automation_bots.model import State
from backends.adapter.clicks import Early
from tests.chat.harness import Talk
from tests.chat.networks.memory import Memory
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def net():
    """Give a network in memory."""
    net = Memory()
    yield net
    net.close()


def asked(talk, device="db1"):
    _, answer = talk.asks(f"!service restart nginx on {device}", "waits for approval", who=talk.joe)
    number = int(re.search(r"#(\d+)", answer.text)[1])
    return number, talk.hears(f"#{number} joe asks for approval")


def questions(talk, number):
    return len([post for post in talk.answers() if f"#{number} joe asks for approval" in post.text])


def test_a_click_at_once_counts_when_the_network_answers_the_post_after_8_seconds(talk, net):
    net.server.slow = [8.0]
    number, question = asked(talk)
    net.choose(talk.kim, talk.room, question.id, "Approve")
    time.sleep(1)
    assert talk.bot.automation.store.approvals.find(number).messages == ()
    said = talk.hears(f"#{number} .*is approved by kim", seconds=30)
    talk.hears(f"#{number} .*done in")
    assert (said.thread, questions(talk, number)) == (question.thread, 1)


def test_meanwhile_the_approver_is_answered_and_a_click_elsewhere_decides_nothing(talk, net):
    _, other = talk.asks("!whoami", "kim", who=talk.kim)
    net.server.find(talk.room, other.id).choices = ("Approve",)
    net.server.slow = [3.0]
    number, question = asked(talk)
    for _ in range(5):
        net.choose(talk.kim, talk.room, other.id, "Approve")
    talk.asks("!whoami", "kim", who=talk.kim)
    wait(lambda: talk.bot.automation.store.approvals.find(number).asked, 20)
    talk.settled()
    assert talk.bot.automation.store.job(number).state is State.WAITING
    net.choose(talk.kim, talk.room, question.id, "Deny")
    talk.hears(f"#{number} .*is denied")


def test_a_click_of_somebody_else_is_judged_all_the_same(talk, net):
    net.server.slow = [2.0]
    number, question = asked(talk)
    net.choose(talk.joe, talk.room, question.id, "Approve")
    talk.hears("nobody approves their own", seconds=20)
    talk.asks(f"!deny {number} no", "is denied", who=talk.kim)


@pytest.fixture
def rooms(net, driver, tmp_path):
    """A bot with two rooms of approvers for one request."""
    kim = net.human("kim")
    names = [net.room(kim), net.room(kim)]
    rules = [f"- {{name: {n}, who: support, may: [reboot], approval: {{by: leads, room: {n}}}}}" for n in names]
    with Talk(net, tmp_path, (driver,), rules="\n  ".join(rules)) as talk:
        yield talk, names


def test_of_two_rooms_the_slow_one_neither_delays_nor_repeats_the_other(rooms, net):
    talk, (first, second) = rooms
    net.server.slow = [6.0, 0.0]
    talk.asks("!reboot on web1", "waits for approval", who=talk.joe)
    question = talk.hears("asks for approval", first, who=talk.kim)
    talk.hears("asks for approval", second, who=talk.kim)
    wait(lambda: talk.bot.automation.store.approvals.find(1).messages, 2)
    net.choose(talk.kim, first, question.id, "Details")
    talk.hears("#1 reboot on web1 of joe", first, seconds=3)
    wait(lambda: talk.bot.automation.store.approvals.find(1).asked, 20)
    for room in (first, second):
        assert len([post for post in talk.answers(room) if "asks for approval" in post.text]) == 1


def test_only_so_many_are_kept_and_each_comes_again():
    early, again, gate = Early(), [], threading.Event()
    gate.set()
    taken = [early.keep(lambda number=number: again.append(number)) for number in range(300)]
    assert (sum(taken), taken[:200]) == (200, [True] * 200)
    wait(lambda: again == list(range(200)), 5)
    assert early.keep(lambda: again.append("more"))
    wait(lambda: again[-1] == "more", 5)
