"""One file of trusted host keys for commands over SSH and for playbooks."""

import pytest

from tests.fakes.__main__ import inventory
from tests.support.chatbot import BOT_TOML, ChatBot, write_folder

pytestmark = pytest.mark.slow


def test_what_the_bot_trusts_playbooks_trust_too_and_nothing_else(tmp_path, sshd):
    folder = write_folder(tmp_path, toml=BOT_TOML, hosts=inventory(sshd))
    (folder / "known_hosts").write_text("")
    with ChatBot(folder) as chat:
        assert "unreachable" in chat.asks("!facts on web1 --wait", "facts on", seconds=60)
        assert "automation-bots trust" in chat.asks("!uptime on web1 --wait", "uptime on", seconds=60)
        (folder / "known_hosts").write_text(sshd.known_hosts.read_text())
        assert "1 ok" in chat.asks("!facts on web1 --wait", "facts on", seconds=60)
        assert "1 ok" in chat.asks("!uptime on web1 --wait", "uptime on", seconds=60)
