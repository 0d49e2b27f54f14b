"""Two bots in one room, each with a prefix of its own: neither does the other's work, nor answers the other."""

import time

import pytest

from automation_bots.model import State
from tests.chat.harness import Talk
from tests.chat.networks.mattermost import Mattermost
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow


class Beside:
    """The same server for the account of another bot."""

    def __init__(self, net):
        self._net, self.bot = net, net.human("otherbot", robot=True)

    def __getattr__(self, name):
        return getattr(self._net, name)

    def settings(self):
        return {key: value for key, value in self._net.settings().items() if key != "callback"}

    def environment(self):
        return {"MATTERMOST_TOKEN": self._net._tokens[self.bot.id]}


@pytest.fixture
def net():
    """Give a server."""
    net = Mattermost()
    yield net
    net.close()


def test_each_does_what_is_said_with_its_prefix_and_no_more(net, driver, tmp_path):
    other = Beside(net)
    with (
        Talk(net, tmp_path / "one", (driver,)) as one,
        Talk(other, tmp_path / "two", (driver,), top='prefix = "?"\n') as two,
    ):
        for talk, bot in ((one, other.bot), (two, net.bot)):
            net.post(net.admin, f"/channels/{talk.room}/members", {"user_id": bot.id})
        net.post(net.admin, f"/channels/{two.room}/members", {"user_id": other.bot.id})
        said = lambda: [post for post in net.seen(two.ana, two.room) if post.author in (net.bot.id, other.bot.id)]  # noqa: E731
        for words in ("?whoami", "!whoami", "?nosuch", "?service restart nginx on db1"):
            two.say(words, two.joe)
        wait(lambda: any("asks for approval" in post.text for post in said()), 20, lambda: str(said()))
        two.say("!approve 1", two.kim)
        time.sleep(2)
        strangers = [
            post.text for post in said() if post.author == net.bot.id
        ]  # the first bot does not know these people
        assert (len(strangers), all("I do not know you" in text for text in strangers)) == (2, True)
        assert len([post for post in said() if post.author == other.bot.id]) == 4
        assert two.jobs[-1].state is State.WAITING
