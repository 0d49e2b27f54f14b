"""The state of the link to the chat network is told by `!status` and by the figures."""

import pytest

from automation_bots.app import bot
from automation_bots.chat.connection import Connection, Life
from automation_bots.health import health
from tests.chat.harness import Talk
from tests.chat.networks.memory import Memory, MemoryClient, Server
from tests.health.test_health import figures, free_port
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow


def test_a_cut_link_and_what_waits_for_it_are_shown_until_it_is_back(tmp_path, driver):
    net, port = Memory(), free_port()
    with Talk(net, tmp_path, (driver,), top=f"[metrics]\nport = {port}\n") as talk:
        told = lambda: dict(health.rows(talk.bot.automation.health.look(bot.now())))["chat"]  # noqa: E731
        _, first = talk.asks("!reboot on web1", r"#\d+ ")
        net.down(is_down=True)
        wait(lambda: "cut off: 503" in told() or "cut off: connection" in told(), 5, told)
        wait(lambda: "1 post waiting" in told(), 10, told)
        known = figures(port)
        assert (known["automation_bots_chat_connected",], known["automation_bots_chat_posts_waiting",]) == (0, 1)
        net.down(is_down=False)
        wait(lambda: told() == "connected", 40, told)
        assert figures(port)["automation_bots_chat_connected",] == 1
        assert talk.hears(r"reboot on web1.* done in").id == first.id
    net.close()


def test_a_disk_that_takes_nothing_does_not_end_the_link(tmp_path):
    nothing = Life(lambda: None, lambda _since: None, lambda: None)
    link = Connection(MemoryClient(Server()), None, tmp_path / "no folder" / "chat-alive", nothing)
    link.start()
    assert link.first.wait(5)
    link.touch()
    assert not link._thread.join(0.5) and link.trouble == ""
    link.close()
