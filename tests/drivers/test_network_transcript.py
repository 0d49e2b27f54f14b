"""What docs/network.md shows of a conversation, two real routers and a bot say: it is typed here line by line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chatbot import ChatBot, write_folder
from tests.lab.frr import Frr, wait

pytestmark = pytest.mark.slow
PAGE = Path(__file__).resolve().parents[2] / "docs/network.md"
TOML = 'name = "netbot"\nbackend = "Test"\n[drivers.ssh]\nknown_hosts = "known_hosts"\nagent = false\n'
TIMES = re.compile(r"\b\d\d:\d\d:\d\d\b|\b(?:in|after) [\d.]+ s\b|\b(?:\d+[smhd] ?){1,2}(?= )")
NUMBER = re.compile(r"(?<=#)\d+|(?<=rollback )\d+|(?<=job )\d+|(?<=retry )\d+")


@pytest.fixture(scope="module")
def chat(frr: Frr, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChatBot]:
    login = f"driver: network, platform: frr, ansible_user: {frr.user}, ansible_password: {frr.password}"
    hosts = f"all:\n  vars: {{{login}}}\n  children:\n    core:\n      hosts:\n"
    for it in frr.routers:
        hosts += f"        {it.name}: {{ansible_host: {it.address}, ansible_port: {it.port}}}\n"
        it.ask("configure terminal", "interface wire0", "no description")
    wait(lambda: all(it.established() for it in frr.routers), 30)
    folder = tmp_path_factory.mktemp("bot")
    files = {"known_hosts": frr.known_hosts.read_text()}
    with ChatBot(write_folder(folder, toml=TOML, hosts=hosts, files=files)) as chat:
        yield chat
    frr.routers[0].ask("configure terminal", "interface wire0", "no description")


def exchanges() -> list[tuple[str, list[str]]]:
    """What is typed on the page, with the lines below a command, and what is answered."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL):
        for typed, answer in re.findall(r"^> (.*\n(?:  .*\n)*)((?:(?!> ).*\n)*)", block, re.MULTILINE):
            found.append((typed.rstrip("\n"), answer.splitlines()))
    return found


class Numbers(dict[str, str]):
    """The numbers of jobs on the page, and those that the same jobs have here."""

    def learn(self, shown: str, here: str) -> None:
        for number, other in zip(NUMBER.findall(shown), NUMBER.findall(here), strict=False):
            self.setdefault(number, other)

    def put(self, text: str) -> str:
        return NUMBER.sub(lambda found: self.get(found[0], found[0]), text)


def compared(line: str) -> str:
    """A line without what is other each time: times, and how wide a column of times is."""
    return re.sub(r"\s+", " ", TIMES.sub("T ", line)).strip()


def test_the_page_shows_what_is_said(chat):
    numbers = Numbers()
    conversation = exchanges()
    assert len(conversation) > 5
    for typed, shown in conversation:
        said = chat.asks(numbers.put(typed), r"#\d+ .* done in", seconds=60)
        numbers.learn(shown[0], said.splitlines()[0])
        assert [compared(line) for line in said.splitlines()] == [compared(numbers.put(line)) for line in shown], typed
