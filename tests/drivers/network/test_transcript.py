"""What docs/network.md shows of a conversation, two real routers and a bot say: it is typed here line by line."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.frr import Frr, wait
from tests.support.chatbot import ChatBot, write_folder
from tests.support.pages import play

pytestmark = pytest.mark.slow
TOML = 'name = "netbot"\nbackend = "Test"\n[drivers.ssh]\nknown_hosts = "known_hosts"\nagent = false\n'


@pytest.fixture(scope="module")
def chat(frr: Frr, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatBot]:
    for it in frr.routers:
        it.ask("configure terminal", "interface wire0", "no description")
    wait(lambda: all(it.established() for it in frr.routers), 30)
    folder = tmp_path_factory.mktemp("bot")
    files = {"known_hosts": frr.known_hosts.read_text()}
    with ChatBot(write_folder(folder, toml=TOML, hosts=frr.inventory, files=files)) as chat:
        yield chat
    frr.routers[0].ask("configure terminal", "interface wire0", "no description")


def test_the_page_shows_what_is_said(chat):
    assert play(chat, "network.md") >= 6
