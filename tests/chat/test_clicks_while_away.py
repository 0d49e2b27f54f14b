"""What was chosen while the bot was stopping, away or cut off: once, by who chose, and while the question is open."""

import os
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.model import State
from tests.chat.harness import Talk
from tests.chat.networks.memory import Memory
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow
RULES = "- {name: soon, who: support, may: [reboot], approval: {by: leads, within: 5s}}"


@pytest.fixture(scope="module")
def net():
    """Give a network in memory."""
    net = Memory()
    yield net
    net.close()


@pytest.fixture
def talk(net, driver, tmp_path):
    """A bot of its own for each test, since it is stopped and started."""
    with Talk(net, tmp_path, (driver,), rules=RULES) as talk:
        yield talk


def asked(talk, words="!service restart nginx on db1"):
    _, answer = talk.asks(words, "waits for approval", who=talk.joe)
    number = int(re.search(r"#(\d+)", answer.text)[1])
    return number, talk.hears(f"#{number} joe asks for approval")


def state(talk, number):
    return talk.bot.automation.store.job(number).state


def said(talk, pattern):
    return len([post for post in talk.answers() if re.search(pattern, post.text)])


def test_a_denial_of_long_ago_decides_nothing_and_is_answered(talk, net):
    number, question = asked(talk)
    talk.stop()
    net.react(talk.kim, talk.room, question.id, "Deny")
    long_ago = time.time() - 700
    os.utime(talk.folder / "data/netbot/chat-alive", (long_ago, long_ago))
    talk.start()
    talk.hears("I was away when you chose Deny, and did nothing. Choose again")
    assert state(talk, number) is State.WAITING


def test_a_question_that_has_expired_meanwhile_is_not_approved(talk, net, driver):
    number, question = asked(talk, "!reboot on web1")
    talk.stop()
    net.react(talk.kim, talk.room, question.id, "Approve")
    time.sleep(6)
    talk.start()
    wait(lambda: state(talk, number) is State.EXPIRED, 10)
    talk.settled()
    assert said(talk, "is approved by|goes to work") == 0


def test_of_a_denial_and_an_approval_of_meanwhile_the_denial_counts(talk, net):
    number, question = asked(talk)
    talk.stop()
    net.react(talk.kim, talk.room, question.id, "Approve")
    net.react(talk.kim, talk.room, question.id, "Deny")
    talk.start()
    talk.hears(f"#{number} .*is denied")
    talk.settled(3)
    assert said(talk, "goes to work") == 0


def test_a_reaction_that_came_before_its_question_was_known_outlives_the_bot(talk, net):
    net.server.slow = [8.0]
    number, question = asked(talk)
    net.react(talk.kim, talk.room, question.id, "Deny")
    time.sleep(1)
    assert talk.bot.automation.store.approvals.find(number).messages == ()
    talk.stop()
    talk.start()
    talk.hears(f"#{number} .*is denied")
    talk.settled()
    assert (said(talk, "asks for approval"), said(talk, "is denied")) == (1, 1)


def test_a_button_clicked_meanwhile_has_to_be_clicked_again_and_the_question_says_so(talk, net):
    number, question = asked(talk)
    talk.stop()
    net.choose(talk.kim, talk.room, question.id, "Approve")
    talk.start()
    again = talk.hears(
        r"asks for approval.* I was away until .*: a button that was clicked meanwhile has to be clicked"
    )
    assert (again.id, again.choices, state(talk, number)) == (question.id, question.choices, State.WAITING)
    net.choose(talk.kim, talk.room, question.id, "Approve")
    talk.hears(f"#{number} .*done in")


def test_a_question_that_somebody_deleted_is_asked_anew_and_its_buttons_count(talk, net):
    number, question = asked(talk)
    talk.stop()
    net.server.posts.remove(net.server.find(talk.room, question.id))
    talk.start()
    again = talk.hears("asks for approval.* has to be clicked again")
    assert again.id != question.id
    net.choose(talk.kim, talk.room, again.id, "Approve")
    talk.hears(f"#{number} .*done in")
    wait(lambda: not talk.hears("asks for approval").choices, 10)
    assert said(talk, "asks for approval") == 1


def test_what_was_said_long_ago_is_read_although_the_network_fails_meanwhile(talk, net):
    talk.stop()
    long_ago = datetime.now(UTC) - timedelta(minutes=20)
    os.utime(talk.folder / "data/netbot/chat-alive", (long_ago.timestamp(), long_ago.timestamp()))
    net.server.new(talk.room, talk.ana.id, "!uptime on web1").at = long_ago + timedelta(minutes=10)
    net.server.unreadable = 2
    talk.start()
    talk.hears("I was away, please repeat: .*!uptime on web1", seconds=20)


def test_a_reaction_that_was_heard_is_not_taken_again_after_a_cut_and_a_new_one_is(talk, net):
    _, question = asked(talk)
    net.react(talk.joe, talk.room, question.id, "Approve")
    talk.hears("nobody approves their own")
    net.cut()
    talk.settled()
    assert said(talk, "nobody approves their own") == 1
    net.react(talk.joe, talk.room, question.id, "Approve")
    wait(lambda: said(talk, "nobody approves their own") == 2, 10)


def test_a_reaction_that_was_given_during_a_cut_counts(talk, net):
    number, question = asked(talk)
    net.down(is_down=True)
    net.react(talk.kim, talk.room, question.id, "Deny")
    net.down(is_down=False)
    talk.hears(f"#{number} .*is denied")


def test_an_approval_that_the_network_tells_late_has_to_be_given_again(talk, net):
    number, question = asked(talk)
    bot, minute = talk.bot.errbot, timedelta(minutes=1)
    bot.link.began -= 5 * minute  # it was there all the time
    click = net.server.reacted(net.server.find(talk.room, question.id), talk.kim.id, "Approve")
    bot.chosen(replace(click, at=click.at - minute))
    talk.hears("I was away when you chose Approve, and did nothing. Choose again")
    assert state(talk, number) is State.WAITING


def test_a_bot_that_is_stopping_takes_nothing_more(talk, net):
    number, question = asked(talk)
    bot = talk.bot.errbot
    talk.stop()
    click = net.server.reacted(net.server.find(talk.room, question.id), talk.kim.id, "Approve")
    assert not bot.chosen(click)
    talk.start()
    assert state(talk, number) is State.WAITING
