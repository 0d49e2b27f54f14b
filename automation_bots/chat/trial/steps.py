"""The parts of a trial on a real network: each does one thing that the bot does there, and looks whether it arrived."""

from __future__ import annotations

import html
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from automation_bots.chat.client import IncomingMessage
from automation_bots.chat.trial.account import Party
from automation_bots.model import File
from automation_bots.surface import CHOICES, Capabilities

_BURST = 20
_UNSEEN = re.compile("[\u200b\u2060\ufeff]")  # what `escape` may put between, so that nobody is called
_ESCAPE = re.compile(r"\\(?=[^a-zA-Z0-9\s])")  # a backslash before a sign that would mean something
HOSTILE = (
    "*stars* _lines_ ~waves~ `ticks` <@U1> @here @all @channel <b>bold</b> [a](http://b.example) & &amp; \\ #1 > |"
)


class Failed(Exception):
    """The network did something else than the bot needs."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing to try; `needs` names what the network must be able to do, or "second" for another account."""

    name: str
    trial: Callable[[Party, Party | None], str]
    needs: tuple[str, ...] = ()

    def lacking(self, bot: Party, second: Party | None) -> str:
        """Say why it cannot be tried; empty when it can."""
        if "second" in self.needs and second is None:
            return "it needs a second account (--second)"
        can: Capabilities = bot.client.capabilities
        missing = [need for need in self.needs if need != "second" and not getattr(can, need)]
        return f"this network has no {missing[0]}" if missing else ""


def _mark(what: str) -> str:
    """A text that stands nowhere else in the room."""
    return f"automation-bots check {os.urandom(4).hex()}: {what}"


def _heard(who: Party | None, words: str, *, edited: bool = False) -> IncomingMessage | None:
    """What the other account hears of it; nothing where there is none to listen."""
    if who is None:
        return None
    found = who.hears(words, edited=edited)
    if found is None:
        raise Failed(f"{who.what} did not hear it within {who.hears_seconds:g} s")
    return found


def _seen(heard: IncomingMessage | None) -> str:
    return "arrived" if heard else "taken by the network; whether it is shown needs a second account"


def _by(heard: IncomingMessage, who: Party) -> None:
    if heard.sender != who.client.me:
        raise Failed(f"it came from {heard.sender!r} instead of {who.client.me!r}: people cannot be told apart")


def say(bot: Party, second: Party | None) -> str:
    """Post."""
    text = _mark("say")
    bot.post(bot.client.escape(text))
    if heard := _heard(second, text):
        _by(heard, bot)
    return _seen(heard)


def hear(bot: Party, second: Party | None) -> str:
    """What another account says arrives, under its immutable id."""
    assert second  # noqa: S101 - the part needs it
    text = _mark("hear")
    began, id_ = time.monotonic(), second.post(second.client.escape(text))
    heard = _heard(bot, text)
    assert heard  # noqa: S101 - it was waited for
    _by(heard, second)
    if heard.id != id_:
        raise Failed(f"it has the id {heard.id!r} here and {id_!r} where it was said: it could run twice")
    return f"arrived after {1000 * (time.monotonic() - began):.0f} ms from {heard.sender}"


def edit(bot: Party, second: Party | None) -> str:
    """Edit an own message, as progress does."""
    text = _mark("edit")
    id_ = bot.post(bot.client.escape(text))
    bot.edit(id_, bot.client.escape(f"{text}, edited"))
    return _seen(_heard(second, f"{text}, edited", edited=True))


def edit_is_no_command(bot: Party, second: Party | None) -> str:
    """What a person edits arrives marked as an edit: it never runs."""
    assert second  # noqa: S101 - the part needs it
    text = _mark("not a command")
    id_ = second.post(second.client.escape(text))
    _heard(bot, text)
    second.edit(id_, second.client.escape(f"{text} any more"))
    time.sleep(min(1.0, bot.hears_seconds))
    if any(f"{text} any more" in heard.text and not heard.edited for heard in bot.ears.messages):
        raise Failed("an edited message arrives as a new one: it would run a second time")
    return "an edited message is no new one"


def react(bot: Party, _second: Party | None) -> str:
    """Put reactions."""
    id_ = bot.post(bot.client.escape(_mark("react")))
    for choice in CHOICES:
        bot.react(id_, choice)
    return "taken by the network"


def upload(bot: Party, second: Party | None) -> str:
    """Send a file and download it again."""
    text = _mark("upload")
    content = "\n".join(f"{text} {number}" for number in range(500))
    name = f"check-{os.urandom(4).hex()}.txt"
    bot.upload(File.of_text(name, content))
    return _fetched(second, name, content)


def _fetched(who: Party | None, name: str, content: str) -> str:
    if who is None:
        return _seen(None)

    def found() -> bytes | None:
        files = [file for heard in who.ears.messages for file in heard.files if file.name == name]
        return files[0].fetch() if files else None

    got = who.ears.wait_for(found, who.hears_seconds)
    if got is None:
        raise Failed(f"{who.what} did not see the file within {who.hears_seconds:g} s")
    if got.decode("utf-8", "replace") != content:
        raise Failed(f"{len(content)} bytes were sent and {len(got)} came back, or others")
    return f"{len(got)} bytes, the same after the download"


def thread(bot: Party, second: Party | None) -> str:
    """Answer in the thread of a message."""
    text = _mark("thread")
    root = bot.post(bot.client.escape(text))
    bot.post(bot.client.escape(f"{text}, the answer"), root)
    heard = _heard(second, f"{text}, the answer")
    if heard and heard.thread != root:
        raise Failed(f"the answer is in the thread {heard.thread!r} instead of {root!r}")
    return _seen(heard)


def markup(bot: Party, second: Party | None) -> str:
    """Text full of markup and mentions is shown as it is, and calls nobody."""
    mark, theirs = _mark("markup"), f"@{second.client.my_name} <@{second.client.me}>" if second else ""
    text = f"{mark} {HOSTILE} {theirs}".rstrip()
    bot.post(bot.client.escape(text))
    heard = _heard(second, mark)
    if heard and heard.mentioned:
        raise Failed("a name in a text calls people")
    if heard and _plain(heard.text) != _plain(text):
        raise Failed(f"it arrives as {heard.text[len(mark) :]!r}")
    return _seen(heard)


def _plain(text: str) -> str:
    """A text without what may stand in it to keep markup from working."""
    return " ".join(html.unescape(html.unescape(_ESCAPE.sub("", _UNSEEN.sub("", text)))).split())


def fence(bot: Party, second: Party | None) -> str:
    """A block of fixed width cannot be ended from inside."""
    text = _mark("block")
    name = second.client.my_name if second else "here"
    bot.post(bot.client.fence(f"{text}\n```\n@{name} *not bold*\n```\nend of {text}"))
    heard = _heard(second, f"end of {text}")
    if heard and heard.mentioned:
        raise Failed("a name in a block calls people")
    return _seen(heard)


def long(bot: Party, second: Party | None) -> str:
    """The longest message arrives whole."""
    size = bot.client.capabilities.message_size
    text = _mark("long ")
    text += "".join(f"{number:>9} " for number in range(size // 10 + 1))[: size - len(text) - 5] + " last"
    bot.post(text)
    heard = _heard(second, text[:40])
    if heard and not heard.text.rstrip().endswith("last"):
        raise Failed(f"{size} characters were sent and {len(heard.text)} arrived")
    return f"{size} characters, {_seen(heard)}"


def ask(bot: Party, second: Party | None) -> str:
    """Ask with choices, and take them away again."""
    text = _mark("ask")
    id_ = bot.post(bot.client.escape(text), choices=CHOICES)
    bot.edit(id_, bot.client.escape(f"{text}, answered"))
    return _seen(_heard(second, text))


def answer(bot: Party, second: Party | None) -> str:
    """A reaction of another account answers a question, under its id."""
    assert second  # noqa: S101 - the part needs it
    if bot.client.capabilities.buttons:
        return "a click is a person's: ask the bot for something that needs approval, and click"
    id_ = bot.post(bot.client.escape(_mark("answer")), choices=CHOICES)
    for choice in CHOICES:
        bot.react(id_, choice)
    second.react(id_, CHOICES[0])
    chosen = bot.hears_choice(id_)
    if chosen is None:
        raise Failed(f"the reaction did not arrive within {bot.hears_seconds:g} s")
    if (chosen.sender, chosen.choice) != (second.client.me, CHOICES[0]):
        raise Failed(f"{chosen.choice!r} of {chosen.sender!r} arrived instead")
    return f"{chosen.choice} of {chosen.sender}"


def direct(bot: Party, second: Party | None) -> str:
    """Write to a person directly."""
    assert second  # noqa: S101 - the part needs it
    text = _mark("direct")
    bot.post(bot.client.escape(text), room=bot.sent(lambda: bot.client.direct_room(second.client.me)))
    heard = _heard(second, text)
    if heard and not heard.direct:
        raise Failed("it arrived in a room where others read along")
    return _seen(heard)


def missed(bot: Party, second: Party | None) -> str:
    """What was said while the bot was away is found afterwards."""
    assert second  # noqa: S101 - the part needs it
    text, since = _mark("missed"), datetime.now(UTC) - timedelta(seconds=30)
    bot.leave()
    id_ = second.post(second.client.escape(text))
    bot.come_back()
    until = time.monotonic() + bot.hears_seconds
    while time.monotonic() < until:
        if any(heard.id == id_ for heard in bot.sent(lambda: list(bot.client.missed(since)))):
            return "found"
        time.sleep(0.2)
    raise Failed("the network does not give it back: what is said during a restart of the bot is lost")


def rate(bot: Party, second: Party | None) -> str:
    """Many messages at once: all arrive, in order."""
    text, began, waits = _mark("rate"), time.monotonic(), bot.waits
    for number in range(_BURST):
        bot.post(bot.client.escape(f"{text} {number:02}"))
    seconds = time.monotonic() - began
    if second:
        _heard(second, f"{text} {_BURST - 1:02}")
        order = list(dict.fromkeys(heard.text[-2:] for heard in second.ears.messages if text in heard.text))
        if order != [f"{number:02}" for number in range(_BURST)]:
            raise Failed(f"they arrived as {', '.join(order)}")
    asked = f", asked to wait {bot.waits - waits} times" if bot.waits > waits else ""
    return f"{_BURST} messages in {seconds:.1f} s{asked}{', all in order' if second else ''}"


PARTS = (
    Part("say", say),
    Part("hear", hear, ("second",)),
    Part("edit", edit, ("edits",)),
    Part("an edit is no command", edit_is_no_command, ("second", "edits")),
    Part("react", react, ("reactions",)),
    Part("upload", upload, ("files",)),
    Part("thread", thread, ("threads",)),
    Part("markup", markup),
    Part("block", fence),
    Part("long", long),
    Part("ask", ask),
    Part("answer", answer, ("second", "reactions")),
    Part("direct message", direct, ("second",)),
    Part("missed", missed, ("second",)),
    Part("rate", rate),
)
