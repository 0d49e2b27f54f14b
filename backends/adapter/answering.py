"""How a bot answers: its own side behind Errbot's, its surface, and work whose failures nobody reads in a room."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from automation_bots.app.bot import Bot
from automation_bots.errors import AutomationError, StoreError, UserError
from automation_bots.model import Answer, one_line
from automation_bots.surface import log_unsaid

if TYPE_CHECKING:
    from backends.adapter.host import Host

log = logging.getLogger(__name__)


def automation(bot: Host) -> Bot:
    """The bot's own side; without it nothing runs."""
    found: Bot = bot.bot_config.AUTOMATION
    return found


def answer(bot: Host, msg: Any, said: Answer) -> None:
    """Answer a message where it was said."""
    bot.automation_surface.say(bot.automation_origin(msg).place, said)


def later(bot: Host, msg: Any, work: Any) -> None:
    """Do it in the pool: the thread that receives messages must never wait for the store."""
    bot.thread_pool.apply_async(safely, (bot, msg, work))


def _without_secrets(bot: Host, answer: Answer) -> Answer:
    """Repeat no known secret to a room, also when somebody has typed it; one that is shown on purpose stays."""
    if answer.entrusted or any(file.passing for file in answer.files):
        return answer
    known = automation(bot).redactor.known
    buttons = tuple(button for button in answer.buttons if known(button.line) == button.line)
    return replace(answer, text=known(answer.text), block=known(answer.block), hint=known(answer.hint), buttons=buttons)


def _is_first(bot: Host, msg: Any) -> bool:
    """Whether this message was not seen before; asked where it would do something, never in the receiving thread."""
    message_id, kept = bot.automation_origin(msg).message_id, msg.extras
    if not message_id:
        return True
    with kept.setdefault("automation_lock", threading.Lock()):  # several commands may match one message
        if "automation_first" not in kept:
            ours = automation(bot)
            try:
                kept["automation_first"] = ours.store.first_seen(ours.settings.network, message_id)
            except StoreError as error:
                log.exception("a message could not be recorded, so nothing was done")
                raise UserError(f"Nothing was done, because it could not be recorded. {error.plain}") from error
        return bool(kept["automation_first"])


def safely(bot: Host, msg: Any, work: Any) -> Any:
    """Run it; answers go through the surface, and nobody ever sees a traceback or an exception's text by accident."""
    try:
        result = work() if _is_first(bot, msg) else None
    except UserError as error:
        result = Answer(str(error))
    except AutomationError as error:
        log.exception("a command failed")
        result = Answer(f"That failed. {one_line(error.plain, 300)}")
    except Exception:  # one broken command must neither end the bot nor show its inside to the room
        log.exception("a command failed inside the bot")
        result = Answer("That failed inside the bot; an admin finds the reason in the log.")
    if isinstance(result, Answer):
        result = automation(bot).spelled(_without_secrets(bot, result))
        try:
            bot.automation_answer(msg, result)
        except Exception as error:  # noqa: BLE001 - Errbot would log the typed words, which may be secret, and try to say it
            log_unsaid(log, error, "an answer was not said")
        return None
    return result
