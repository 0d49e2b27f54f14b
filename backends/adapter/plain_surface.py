"""The chat surface on Errbot's own interface: new messages for edits, words for buttons, text for files."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from automation_bots.chat import calls
from automation_bots.chat.splitting import Style, compose
from automation_bots.model import NOT_SHOWN, Answer, File, Mention, Place
from automation_bots.surface import COLUMNS, Capabilities, MessageRef, PlainWays

_MENTION = re.compile(r"@(?=(?:here|all|channel|everyone|room|group)\b)", re.IGNORECASE)
_MARKUP = re.compile(r"([\\`*_{}\[\]#])")
_LIST = re.compile(r"^([-+]|\d+(?=\.\s))(\.?)", re.MULTILINE)
_BLOCK = re.compile(r"^(?=[ \t=:|~])", re.MULTILINE)  # code, headings, definitions, tables: no backslash helps there
# The longest line in bytes, by Errbot's mode. IRC: 512 with the command, and with the sender that the server writes
# in front of it when it passes the line on (RFC 2812 §2.3 and §2.3.1).
_LINE_BYTES = {"irc": 350}
_COLUMNS = {"irc": 90}  # a client of 100 characters shows the time and a nickname in front
_PATIENCE_SECONDS = 5.0


def escaped(text: str) -> str:
    """Show markup characters instead of obeying them, and call nobody by a name that stands in a text."""
    text = _MENTION.sub("@\u200b", NOT_SHOWN.sub("", text))
    text = _MARKUP.sub(r"\\\1", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _BLOCK.sub("\u200b", _LIST.sub(_unlisted, text))


def _unlisted(mark: re.Match[str]) -> str:
    """A line that begins like an item of a list keeps its number or its dash."""
    return f"{mark[1]}\\{mark[2]}" if mark[2] else f"\\{mark[1]}"


def fenced(text: str) -> str:
    """A block shown as it is: a fence inside the text cannot end it."""
    text = NOT_SHOWN.sub("", text)
    return "```\n" + text.replace("```", "`\u200b``") + "\n```" if text else ""


def cut(text: str, lines: int) -> str:
    """At most so many lines, and how many are missing."""
    every = text.rstrip("\n").split("\n")
    if len(every) <= lines:
        return "\n".join(every)
    return "\n".join([*every[:lines], f"… {len(every) - lines} more lines"])


def shown(file: File, lines: int) -> str:
    """A file in words, for a network that takes none."""
    text = file.text
    return f"({file.name}, {len(file.content)} bytes, cannot be shown here)" if text is None else cut(text, lines)


def wrapped(text: str, size: int) -> str:
    """Lines of at most `size` bytes, cut between words where there are any; empty ones are left out."""
    return "\n".join(part for line in text.split("\n") if line.strip() for part in _parts(line, size))


def _parts(line: str, size: int) -> Iterator[str]:
    while len(raw := line.encode()) > size:
        part = raw[:size].decode(errors="ignore")  # no half of a character
        end = part.rfind(" ", size // 2) if " " in part[size // 2 :] else len(part)
        yield line[:end]
        line = line[end:].removeprefix(" ")
    yield line


class PlainSurface(PlainWays):
    """What any Errbot backend can do."""

    capabilities = Capabilities()

    def __init__(self, bot: Any) -> None:
        self._bot = bot
        self._line_bytes = _LINE_BYTES.get(getattr(bot, "mode", ""), 0)
        self._one = threading.Lock()  # the lines of two answers must not mix
        self.capabilities = replace(
            self.capabilities,
            message_size=getattr(bot, "message_size_limit", 0) or 10_000,
            columns=_COLUMNS.get(getattr(bot, "mode", ""), COLUMNS),
        )
        self.here = threading.Event()  # Errbot's backends drop in silence what is sent while their network is away
        self.here.set()

    def say(self, place: Place, answer: Answer) -> MessageRef | None:
        """Send one message; there is no id to be had from Errbot's interface."""
        if size := self._line_bytes:
            text, block, hint = (wrapped(part, size) for part in (answer.text, answer.block, answer.hint))
            answer = replace(answer, text=text, block=block, hint=hint)
        messages = compose(answer, self.capabilities, Style(escaped, fenced)).messages  # Errbot would cut inside words
        with self._one:
            for message in messages:
                if not self.here.wait(_PATIENCE_SECONDS):  # rooms are being joined again
                    raise ConnectionError("the chat network is away")
                self._bot.send(self._bot.build_identifier(place.room), calls.written(message, self._called))
        return MessageRef(place, "")

    def _called(self, person: Mention) -> str:
        """IRC programs tell their user of the own nick, where the id has it; elsewhere a name is only read."""
        nick, has_nick, _ = person.account.partition("!")
        return escaped(nick if has_nick and self._line_bytes else person.name)

    def edit(self, message: MessageRef, answer: Answer, choices: tuple[str, ...] = ()) -> None:  # noqa: ARG002
        """Say it anew."""
        self.say(message.place, answer)

    def react(self, message: MessageRef, name: str) -> None:
        """Nothing to be done here."""

    def upload(self, place: Place, file: File) -> None:
        """Show the text instead of a file."""
        self.say(place, Answer(file.name, shown(file, self.capabilities.screen_lines)))

    def ask(self, place: Place, question: Answer, choices: tuple[str, ...]) -> MessageRef | None:
        """Ask in words."""
        words = f"{question.text} ({', '.join(choices)})" if choices else question.text
        return self.say(place, replace(question, text=words))
