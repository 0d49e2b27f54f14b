"""What the network took just before the bot was killed stands there once: a question, and a job's first words."""

import time

import pytest

from tests.chat.as_a_program import said_below
from tests.chat.harness import Talk
from tests.chat.networks.matrix import Matrix
from tests.chat.networks.mattermost import Mattermost
from tests.chat.networks.rocketchat import RocketChat
from tests.chat.networks.slack import SlackNet
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow  # starts servers, and bots as programs

RULES = "- {name: slow, who: support, may: [turn], needs: approval by leads}"
FILES = {
    "plugins/turn.py": 'import time\n\n\ndef turn(check: bool = False) -> str:\n    """Turn it. Example: !turn\n\n'
    '    Risk: change\n    """\n    time.sleep(2 if check else 0)\n    return "turned"\n',
    "plugins/peek.py": 'def peek() -> str:\n    """Look at it. Example: !peek"""\n    return "seen"\n',
}


@pytest.fixture
def net(request):
    """Give a network."""
    more = {"encrypted": True} if request.param is Matrix else {}
    made = request.param(*[request.getfixturevalue("synapse")] if more else [], **more)
    yield made
    made.close()


@pytest.fixture
def talk(net, tmp_path):
    """People in a room; the bot is a program that is started and killed."""
    return Talk(net, tmp_path, rules=RULES, files=FILES)


def killed(bot):
    bot.kill()
    bot.wait(10)


def seen(talk, words):
    return [post for post in talk.net.seen(talk.kim, talk.room) if words in post.text]


def on(*networks):
    return pytest.mark.parametrize("net", networks, indirect=True)


@on(SlackNet, Mattermost, RocketChat, Matrix)
def test_a_question_and_the_reaction_to_it_outlive_a_kill_before_the_bot_knew(talk, net, started):
    bot = started(talk)
    message = talk.say("!turn", who=talk.joe)
    wait(lambda: said_below(talk, message), 20)  # the first words; the question comes after a preview of two seconds
    net.late(30)
    wait(lambda: seen(talk, "asks for approval"), 20)
    killed(bot)
    net.react(talk.kim, talk.room, seen(talk, "asks for approval")[0].id, "Deny")
    bot = started(talk)
    wait(lambda: seen(talk, "is denied"), 30, lambda: seen(talk, "#1 "))
    time.sleep(2)  # in which it could be said again
    assert len(seen(talk, "asks for approval")) == 1
    killed(bot)


@on(SlackNet)
def test_the_first_words_of_a_request_are_said_once_although_the_bot_was_killed_before_it_knew(talk, net, started):
    bot = started(talk)
    net.late(30)
    talk.say("!turn", who=talk.joe)
    wait(lambda: seen(talk, "#1 turn · waits"), 20)
    killed(bot)
    bot = started(talk)
    wait(lambda: seen(talk, "asks for approval"), 30)
    assert (len(seen(talk, "#1 turn · waits")), len(seen(talk, "asks for approval"))) == (1, 1)
    killed(bot)


@on(Matrix)
def test_a_job_whose_first_words_arrived_before_the_kill_is_one_message(talk, net, started):
    bot = started(talk)
    net.late(30)
    talk.say("!peek")
    wait(lambda: seen(talk, "#1 peek"), 20)
    time.sleep(1)  # the job ends, and nobody can tell
    killed(bot)
    bot = started(talk)
    wait(lambda: seen(talk, "seen"), 30, lambda: seen(talk, "#1 "))
    assert len(seen(talk, "#1 peek")) == 1
    killed(bot)
