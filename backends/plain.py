"""The chat surface on Errbot's own interface: new messages for edits, words for buttons, text for files."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from automation_bots.model import Answer, Caller, File, Place
from automation_bots.surface import Capabilities, MessageRef
from backends.splitting import Style, compose

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # all but tab and line break
_MENTION = re.compile(r"@(?=(?:here|all|channel|everyone|room|group)\b)", re.IGNORECASE)
_MARKUP = re.compile(r"([\\`*_{}\[\]#])")


def caller_of(bot: Any, msg: Any) -> Caller:
    """Who sent a message, by the most stable id that the backend gives."""
    if hasattr(bot, "automation_caller"):
        return bot.automation_caller(msg)  # type: ignore[no-any-return]
    network = bot.bot_config.AUTOMATION.settings.network
    frm = msg.frm
    return Caller(network, str(getattr(frm, "aclattr", frm)), str(getattr(frm, "fullname", "") or frm))


def place_of(bot: Any, msg: Any) -> Place:
    """Where a message was said."""
    if hasattr(bot, "automation_place"):
        return bot.automation_place(msg)  # type: ignore[no-any-return]
    network = bot.bot_config.AUTOMATION.settings.network
    if msg.is_group:
        return Place(network, str(msg.to))
    return Place(network, str(msg.frm), direct=True)


def message_id_of(msg: Any) -> str:
    """The network's id of a message, where the backend passes one on."""
    return str(msg.extras.get("message_id") or "") if msg.extras else ""


def escaped(text: str) -> str:
    """Show markup characters instead of obeying them, and call nobody by a name that stands in a text."""
    text = _MENTION.sub("@\u200b", _CONTROL.sub("", text))
    return _MARKUP.sub(r"\\\1", text).replace("<", "&lt;").replace(">", "&gt;")


def fenced(text: str) -> str:
    """A block shown as it is: a fence inside the text cannot end it."""
    text = _CONTROL.sub("", text)
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


class PlainSurface:
    """What any Errbot backend can do."""

    capabilities = Capabilities()

    def __init__(self, bot: Any) -> None:
        self._bot = bot

    def say(self, place: Place, answer: Answer) -> MessageRef | None:
        """Send one message; there is no id to be had from Errbot's interface."""
        can = replace(self.capabilities, message_size=getattr(self._bot, "message_size_limit", 0) or 10_000)
        for message in compose(answer, can, Style(escaped, fenced)).messages:  # Errbot would cut in the middle of words
            self._bot.send(self._bot.build_identifier(place.room), message)
        return MessageRef(place, "")

    def edit(self, message: MessageRef, answer: Answer) -> None:
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
        return self.say(place, Answer(words, question.block, question.hint))
