"""Finds the command of a message, and hands it to Errbot's thread pool."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from automation_bots.errors import UserError
from automation_bots.jobs.request_context import Origin
from automation_bots.model import Answer, Place
from automation_bots.operations.own_commands import OWN
from automation_bots.pipeline import parser as grammar
from backends.adapter.answering import automation, later
from backends.adapter.fair_pool import in_lanes

if TYPE_CHECKING:
    from backends.adapter.host import Host

_COMMAND_WORDS = 4  # no command has more words than this
_AGAIN_SECONDS = 5.0
_TAKEN_OVER = "Nothing was done: a plugin had taken over !{}. It is put back, and the admins are told; type it again."
_REGEX_LENGTH = 1_000  # regular expressions of plugins from elsewhere see no longer message


def process_message(bot: Host, msg: Any) -> bool:
    """Find the command of a message and hand it to Errbot's thread pool; replaces Errbot's own search.

    Errbot's search takes quadratic time on long messages, and its `!!` ends the receiving thread after a regex command.
    """
    if msg.delayed or bot.is_from_self(msg) or (msg.extras and msg.extras.get("notice")):
        return False  # no program answers a notice of IRC (RFC 2812 §3.3.2): two of them would go on for ever
    text, origin = grammar.clean(msg.body or ""), bot.automation_origin(msg)
    asked = _asked_at(bot, origin)
    if not text and (asked is None or origin.attached is str):
        return False
    in_lanes(bot)
    # Where a network has no threads, what one person says in one place is answered in that order.
    msg.extras.setdefault("lane", f"{origin.place.room} {origin.caller.id}")
    prefixed, words = _addressed(bot, text)
    if not prefixed and asked is not None:
        answer = automation(bot).pipeline.conversation.answer
        later(bot, msg, lambda: answer(origin.caller, asked, text or origin.attached()))  # a file answers without words
        return True
    replaced = bot.automation_ledger.look()
    words = _expanded(bot, origin, words)
    command, rest = _command(bot, words) if prefixed or msg.is_direct else ("", "")
    if command and (command in replaced or bot.automation_ledger.is_rewritten(command)):
        later(bot, msg, lambda: Answer(_TAKEN_OVER.format(words.partition(" ")[0])))
    elif command:
        _process(bot, msg, command, rest)
    elif not _regex_commands(bot, msg, words, prefixed=prefixed) and (prefixed or msg.is_direct):
        later(bot, msg, lambda: _unknown(bot, msg, origin, words))
    return True


def _asked_at(bot: Host, origin: Origin) -> Place | None:
    """Where the question stands that these words of this person may answer: here, or the only one in this room."""
    conversation, place = automation(bot).pipeline.conversation, origin.place
    if conversation.asked(origin.caller, place):
        return place
    in_the_room = not place.direct and origin.message_id == f"{place.room}:{place.thread}"  # it would open a thread
    return conversation.only(origin.caller, place) if in_the_room else None


def meant(bot: Host, msg: Any) -> tuple[str, str, bool]:
    """Return the command of a message, what stands behind it, and whether the bot is meant at all."""
    prefixed, words = _addressed(bot, grammar.clean(msg.body or ""))
    called = prefixed or msg.is_direct
    command, rest = _command(bot, _expanded(bot, bot.automation_origin(msg), words)) if called else ("", "")
    return command, rest, called or _asked_at(bot, bot.automation_origin(msg)) is not None


def _expanded(bot: Host, origin: Origin, words: str) -> str:
    """Put in what a short form stands for; one that cannot be is no command, and is answered as that."""
    with suppress(UserError):
        return automation(bot).pipeline.lookup.expanded(origin.caller, words)
    return words


def _process(bot: Host, msg: Any, command: str, rest: str) -> None:
    try:
        bot._process_command(msg, command, rest, None)
    except KeyError:  # its file was taken away in this very moment
        later(bot, msg, lambda: _unknown(bot, msg, bot.automation_origin(msg), f"{command} {rest}"))


def _addressed(bot: Host, text: str) -> tuple[bool, str]:
    """Strip the prefix or the mention; say whether there was one."""
    settings = automation(bot).settings
    for start in (settings.prefix, *(mention + end for mention in mentions(bot) for end in (":", ",", " "))):
        if text[: len(start)].lower() == start.lower() and text[len(start) :].strip():
            rest = text[len(start) :].strip()
            return True, rest.removeprefix(settings.prefix) if start != settings.prefix else _to_me(bot, rest)
    return False, text


def _to_me(bot: Host, rest: str) -> str:
    """`!@winbot status` asks another bot, but for winbot itself it is its own command."""
    name, _, words = rest.partition(" ")
    mine = {f"@{automation(bot).settings.name}", *automation(bot).settings.mention}
    return words.strip() if name.lower() in {one.lower() for one in mine} and words.strip() else rest


def mentions(bot: Host) -> list[str]:
    """The ways to call the bot by its name."""
    settings = automation(bot).settings
    return [*settings.mention, f"@{settings.name}", str(bot.bot_identifier)]


def _command(bot: Host, text: str) -> tuple[str, str]:
    """The longest command that the first words make, and what stands behind it."""
    words = text.split(maxsplit=_COMMAND_WORDS)[:_COMMAND_WORDS]
    for length in range(len(words), 0, -1):
        typed = "_".join(words[:length])
        for name in (typed, typed.lower()):  # phones begin with a capital letter
            if name in bot.commands:
                parts = text.split(maxsplit=length)
                return name, parts[length] if len(parts) > length else ""
    return "", ""


def _regex_commands(bot: Host, msg: Any, text: str, *, prefixed: bool) -> bool:
    found = False
    for name, function in list(bot.re_commands.items()):
        if function._err_command_prefix_required and not (prefixed or msg.is_direct):
            continue
        pattern = function._err_command_re_pattern
        short = text[:_REGEX_LENGTH]
        match = list(pattern.finditer(short)) if function._err_command_matchall else pattern.search(short)
        if match:
            found = True
            bot._process_command(msg, name, text, match)
    return found


def _unknown(bot: Host, msg: Any, origin: Origin, words: str) -> Answer | None:
    line, text = grammar.split_text(words)
    name, _, rest = line.partition(" ")
    if name in OWN and _is_there_again(bot, words):
        _process(bot, msg, *_command(bot, words))
        return None
    said = origin.command(name, rest, text or origin.attached())
    pipeline = automation(bot).pipeline
    # While commands are made anew, Errbot does not know them for a moment.
    known = pipeline.lookup.operation(pipeline.lookup.meant(said))
    return pipeline.submit(said) if known else pipeline.lookup.unknown(said)


def _is_there_again(bot: Host, words: str) -> bool:
    """Wait for a command of ours: after a cut Errbot makes its commands anew, and knows none for a moment."""
    deadline = time.monotonic() + _AGAIN_SECONDS
    while not (there := bool(_command(bot, words)[0])) and time.monotonic() < deadline:
        time.sleep(0.05)
    return there
