"""A whole bot on a real Synapse, encrypted: what the server itself does to it, its limits and its restarts."""

import re
import time

import pytest

from tests.chat.harness import Talk
from tests.chat.networks.matrix import Matrix

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def net(synapse):
    """Give the network."""
    net = Matrix(synapse, encrypted=True)
    net.synapse = synapse
    yield net
    net.close()


@pytest.fixture(scope="module")
def talk(net, driver, tmp_path_factory):
    """Give a bot."""
    with Talk(net, tmp_path_factory.mktemp("bot"), (driver,)) as talk:
        yield talk


def test_the_servers_own_limit_delays_answers_and_loses_none(talk, net):
    first, began = talk.say("many questions"), time.monotonic()
    net.synapse.limit(net.bot, 2, 3)
    for number in range(9):
        talk.say(f"!nosuch{number}q", thread=first)
    talk.hears("nosuch8q", seconds=40)
    net.synapse.unlimit(net.bot)
    said = [int(m[1]) for post in talk.answers() if (m := re.search(r"nosuch(\d)q", post.text))]
    assert said == list(range(9))
    assert time.monotonic() - began >= 2.5  # three at once, and two a second: the limit was there


def test_after_a_restart_of_the_server_the_bot_is_back_by_itself(talk, net):
    net.synapse.stop()
    net.synapse.start()
    message = talk.say("!whoami")
    talk.hears("ana", thread=message, seconds=40)


def test_a_job_that_ends_while_the_server_is_away_is_told_when_it_is_back(talk, net):
    _, first = talk.asks("!reboot on web2", r"#\d+ ")
    net.synapse.stop()
    time.sleep(1.5)
    net.synapse.start()
    talk.hears(f"{re.search(r'#[0-9]+ ', first.text)[0]}.*done in", seconds=60)
