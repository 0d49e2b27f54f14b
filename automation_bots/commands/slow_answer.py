"""Answers that may take a while: at once where they are quick, else announced and told when they are there."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future

from automation_bots.errors import AutomationError
from automation_bots.model import Answer, Place

log = logging.getLogger(__name__)
_AT_ONCE_SECONDS = 0.7


def soon(place: Place, doing: str, work: Callable[[], Answer], tell: Callable[[Place, Answer], object]) -> Answer:
    """Return what the work answers, or that it follows; `tell` says it then. `doing` names the work: "Fetching x"."""
    done: Future[Answer] = Future()
    threading.Thread(target=_run, args=(done, doing, work), name="later", daemon=True).start()
    try:
        return done.result(_AT_ONCE_SECONDS)
    except TimeoutError:
        done.add_done_callback(lambda future: _tell(place, doing, future.result(), tell))
        return Answer(f"{doing}; the answer follows.")


def _run(done: Future[Answer], doing: str, work: Callable[[], Answer]) -> None:
    try:
        done.set_result(work())
    except AutomationError as error:
        done.set_result(Answer(str(error)))
    except Exception:  # this thread's own last line of defence: whoever asked must hear something
        log.exception("%s: failed", doing)
        done.set_result(Answer("That failed inside the bot; its log has the reason."))


def _tell(place: Place, doing: str, answer: Answer, tell: Callable[[Place, Answer], object]) -> None:
    try:
        tell(place, answer)
    except OSError:
        log.exception("%s: the answer could not be told", doing)
