"""A network whose clock is not the bot's: what is said now counts as said now, and what was said while away as late."""

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from automation_bots.chat.clock import NetworkClock
from tests.chat.harness import Talk
from tests.chat.networks.mattermost import Mattermost
from tests.chat.networks.rocketchat import RocketChat
from tests.chat.networks.slack import SlackNet

SECOND = 1.2  # by which the time in a header is uncertain


def noted(*answers):
    """What a clock knows after answers from a network that is so far ahead, each after so long a way."""
    clock = NetworkClock()
    for ahead, way in answers:
        now = datetime.now(UTC)
        told = (now + timedelta(seconds=ahead)).replace(microsecond=0)
        clock.note(format_datetime(told), now - timedelta(seconds=way))
    return clock.ahead.total_seconds()


@pytest.mark.parametrize("ahead", [90, -90, 3600])
def test_a_difference_is_known_to_the_second_and_no_message_seems_newer_than_it_is(ahead):
    assert ahead <= noted((ahead, 0)) <= ahead + 1.1


def test_a_long_way_and_missing_fractions_are_no_difference():
    assert noted((0, 0)) == noted((-0.9, 2)) == 0


def test_one_slow_answer_spoils_nothing():
    assert noted((90, 0), (90, 30), (90, 0)) <= 91.1


def test_a_clock_that_is_set_is_noticed():
    assert noted((90, 0), (0, 0)) == 0


@pytest.mark.parametrize("date", ["", "soon", None])
def test_an_answer_without_a_time_says_nothing(date):
    clock = NetworkClock()
    clock.note(date, datetime.now(UTC))
    assert clock.ahead == timedelta()


def test_there_and_back_is_the_same_time():
    clock, now = NetworkClock(), datetime.now(UTC)
    clock.ahead = timedelta(seconds=90)
    assert clock.here(clock.there(now)) == now
    assert clock.now() - datetime.now(UTC) > timedelta(seconds=89)


@pytest.fixture(
    params=[(kind, ahead) for kind in (SlackNet, Mattermost, RocketChat) for ahead in (90, -90)],
    ids=lambda param: f"{param[0].__name__} {param[1]}",
)
def talk(request, driver, tmp_path):
    kind, ahead = request.param
    net = kind()
    net.set_clock(ahead)
    with Talk(net, tmp_path, (driver,)) as talk:
        yield talk
    net.close()


@pytest.mark.slow
def test_a_change_runs_although_the_clocks_differ_and_none_runs_late(talk, driver):
    time.sleep(SECOND)
    talk.asks("!service restart now on web1", "#1 .*web1")
    talk.hears("service restart now on web1 done in")
    talk.stop()
    talk.say("!service restart late on web1")
    talk.say("!uptime on web1,web2")
    talk.start()
    talk.hears("I was away, please repeat: .*restart late")
    talk.hears("uptime on web1, web2.* done in")
    time.sleep(SECOND)
    talk.asks("!service restart again on web1", "#3 .*web1")
