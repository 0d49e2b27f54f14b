"""How a bot answers: its own side behind Errbot's, its surface, and work whose failures nobody reads in a room."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from typing import Any

from errbot.core import ErrBot

from automation_bots.app.bot import Bot
from automation_bots.errors import AutomationError, StoreError, UserError
from automation_bots.model import Answer, one_line
from backends.adapter.plain_surface import PlainSurface, message_id_of, place_of

log = logging.getLogger(__name__)


def automation(bot: ErrBot) -> Bot:
    """The bot's own side; without it nothing runs."""
    found: Bot = bot.bot_config.AUTOMATION
    return found


def surface_of(bot: ErrBot) -> Any:
    """How this network is spoken to: the backend's own surface, or one that Errbot's interface can do."""
    if not hasattr(bot, "automation_surface"):
        bot.automation_surface = PlainSurface(bot)
    return bot.automation_surface


def later(bot: ErrBot, msg: Any, work: Any) -> None:
    """Do it in the pool: the thread that receives messages must never wait for the store."""
    bot.thread_pool.apply_async(safely, (bot, msg, work))


def _without_secrets(bot: ErrBot, answer: Answer) -> Answer:
    """Repeat no known secret to a room, also when somebody has typed it; one that is shown on purpose stays."""
    if answer.entrusted or any(file.passing for file in answer.files):
        return answer
    known = automation(bot).redactor.known
    return replace(answer, text=known(answer.text), block=known(answer.block), hint=known(answer.hint))


def _is_first(bot: ErrBot, msg: Any) -> bool:
    """Whether this message was not seen before; asked where it would do something, never in the receiving thread."""
    message_id = message_id_of(msg)
    if not message_id:
        return True
    with vars(msg).setdefault("automation_lock", threading.Lock()):  # several commands may match one message
        if not hasattr(msg, "automation_first"):
            ours = automation(bot)
            try:
                msg.automation_first = ours.store.first_seen(ours.settings.network, message_id)
            except StoreError as error:
                log.exception("a message could not be recorded, so nothing was done")
                raise UserError(f"Nothing was done, because it could not be recorded. {error.plain}") from error
        return bool(msg.automation_first)


def safely(bot: ErrBot, msg: Any, work: Any) -> Any:
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
        result = _without_secrets(bot, result)
        try:
            if not (hasattr(bot, "automation_answer") and bot.automation_answer(msg, result)):
                surface_of(bot).say(place_of(bot, msg), result)
        except OSError as error:
            log.warning("an answer was not said yet: %s", error)
        except Exception:  # Errbot would log the typed words, which may be secret, and try to say the error
            log.exception("an answer could not be said")
        return None
    return result
