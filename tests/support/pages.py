"""Conversations that the pages show, typed again to a bot: what it says must be what the page says."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.chatbot import ROOT, ChatBot

_TIMES = re.compile(r"\b\d\d:\d\d:\d\d\b|\b(?:in|after) [\d.]+ s\b|\b(?:\d+ (?:s|min|h|d) ?){1,2}(?= )")
_NUMBER = re.compile(r"(?<=#)\d+|(?<=rollback )\d+|(?<=job )\d+|(?<=retry )\d+")


def exchanges(page: Path) -> list[tuple[str, list[str]]]:
    """What is typed on a page behind `> `, with the indented lines below, and what is answered."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        for typed, answer in re.findall(r"^> (.*\n(?:  .*\n)*)((?:(?!> ).*\n)*)", block, re.MULTILINE):
            found.append((typed.rstrip("\n"), answer.splitlines()))
    return found


class Numbers(dict[str, str]):
    """The numbers of jobs on the page, and those that the same jobs have here."""

    def learn(self, shown: str, here: str) -> None:
        for number, other in zip(_NUMBER.findall(shown), _NUMBER.findall(here), strict=False):
            self.setdefault(number, other)

    def put(self, text: str) -> str:
        return _NUMBER.sub(lambda found: self.get(found[0], found[0]), text)


def compared(line: str) -> str:
    """A line without what is other each time: times, and how wide a column of times is."""
    return re.sub(r"\s+", " ", _TIMES.sub("T ", line)).strip()


def play(chat: ChatBot, name: str, said_here: str = "", said_there: str = "") -> int:
    """Type all that a page shows; `said_here` is what this lab calls `said_there`. Return how many commands it was."""
    numbers, conversation = Numbers(), exchanges(ROOT / "docs" / name)
    for typed, shown in conversation:
        ended = r"#\d+ .* done in" if shown[0].startswith("#") else re.escape(shown[0][:20])
        said = chat.asks(numbers.put(typed), ended, seconds=60)
        said = said.replace(said_here, said_there) if said_here else said
        numbers.learn(shown[0], said.splitlines()[0])
        assert [compared(line) for line in said.splitlines()] == [compared(numbers.put(line)) for line in shown], (
            f"{typed}\n{said}"
        )
    return len(conversation)
