"""What was said while the bot was away: looks count when young enough, and so does a no; all else is to be repeated."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from automation_bots import render
from automation_bots.chat.client import Click
from automation_bots.errors import AutomationError
from automation_bots.model import Answer, Request, Risk, one_line
from automation_bots.operations.own_commands import OWN, Late
from automation_bots.pipeline import parser as grammar
from backends.adapter import answering, find_command

if TYPE_CHECKING:
    from backends.adapter.host import Host

_SECONDS = 20.0  # what is older was said while nobody listened, whichever way it came
_NO_SECONDS = 600.0  # that a no to an open question may come late; a yes would begin a change late
log = logging.getLogger(__name__)


def process(bot: Host, msg: Any, age_seconds: float, limit_seconds: float) -> bool:
    """Take a late message; nothing of it is dropped without a word, and no change runs late."""
    command, rest, called = find_command.meant(bot, msg)
    if called:
        answering.later(bot, msg, lambda: _judged(bot, msg, (command, rest), age_seconds, limit_seconds))
    return False  # plugins that listen to everything would act late


def _judged(bot: Host, msg: Any, words: tuple[str, str], age: float, limit: float) -> Answer | None:
    command, rest = words
    refuses = _kind(command) is Late.REFUSES and _is_ours(bot, command)
    if age <= (_NO_SECONDS if refuses else limit) and (refuses or _only_looks(bot, msg, command, rest)):
        bot._process_command(msg, command, rest, None)
        return None
    said = one_line(grammar.clean(msg.body).partition("\n")[0], 80)
    return Answer(f"I was away, please repeat:  {said}", hint=f"That was {render.duration(age)} ago; nothing was done.")


def _kind(command: str) -> Late:
    return OWN[command].late if command in OWN else Late.REPEAT


def _is_ours(bot: Host, command: str) -> bool:
    return getattr(bot.commands.get(command), "automation_ours", False)


def _only_looks(bot: Host, msg: Any, command: str, rest: str) -> bool:
    if not _is_ours(bot, command):
        return False
    said = bot.automation_origin(msg).command(command, rest)
    pipeline = answering.automation(bot).pipeline
    if pipeline.lookup.operation(said) is None:
        return _kind(command) is Late.LOOKS
    try:
        meant = pipeline.meant(said)
    except AutomationError:
        return False
    return isinstance(meant, Request) and meant.risk is Risk.READ


def age(at: datetime, began: datetime) -> float | None:
    """How many seconds ago something was said while the bot was away; None for what it heard in time."""
    seconds = (datetime.now(UTC) - at).total_seconds()
    return max(0.0, seconds) if at < began or seconds > _SECONDS else None


def is_too_late(click: Click, began: datetime) -> bool:
    """Whether a click or a reaction that has just come was made while the bot was away, and counts no more.

    A no counts for a while, a yes never.
    """
    seconds = age(click.at, began)
    return seconds is not None and (click.choice == "Approve" or seconds > _NO_SECONDS)


def chosen(pipeline: Any, message: Any, choice: str) -> Answer | None:
    """Answer a click or a reaction that was made while the bot was away: it decides nothing any more."""
    number = pipeline.approvals.asked_with(message)
    if number is None:
        return None
    word = one_line(choice, 30)
    return Answer(f"I was away when you chose {word}, and did nothing. Choose again, or type !{word.lower()} {number}")
