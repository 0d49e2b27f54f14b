"""The bot's own commands at times: they run in threads of their own, and their place reads what it asked for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from difflib import unified_diff

from automation_bots.errors import AutomationError, UserError
from automation_bots.model import Answer, Mark, Occurrence, Place, Schedule, Tells, one_line
from automation_bots.schedules import recurrence
from automation_bots.store.occurrences import Result
from automation_bots.store.schedules import ScheduleStore
from automation_bots.surface import Surface

log = logging.getLogger(__name__)
_AT_ONCE = 2  # commands; a look through a long record must keep no schedule from its time
_KEPT = 20_000  # characters of an answer, for the one after it to be compared with
_LINES_SHOWN = 30
_BROKEN = "that failed inside the bot; an admin finds the reason in the log"
_Ended = Callable[[str, Schedule, Occurrence, str], None]  # what became of it: ran, refused, or began as a job; and why


@dataclass(frozen=True, slots=True)
class OwnContext:
    """What they stand on."""

    store: ScheduleStore
    run: Callable[[Schedule, Occurrence], Answer | None]
    clear: Callable[[str], str]  # takes secrets out of a text
    surface: Callable[[Place], Surface]
    failures: int = 5


class OwnAnswers:
    """Runs them, and remembers which have not ended."""

    def __init__(self, context: OwnContext) -> None:
        self._context, self._store = context, context.store
        self._lock, self._busy = threading.Lock(), set[int]()
        self._pool = ThreadPoolExecutor(_AT_ONCE, "schedules")

    def stop(self) -> None:
        """Begin no other; what runs ends with the program."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def is_busy(self, number: int) -> bool:
        """Whether a command of a schedule has not ended."""
        with self._lock:
            return number in self._busy

    def begin(self, schedule: Schedule, occurrence: Occurrence, ended: _Ended) -> None:
        """Run it soon; `ended` is told what became of it."""
        with self._lock:
            self._busy.add(schedule.number)
        self._pool.submit(self._safely, schedule, occurrence, ended)

    def _safely(self, schedule: Schedule, occurrence: Occurrence, ended: _Ended) -> None:
        try:
            what, why = self._taken(schedule, occurrence)
        except Exception:  # the record itself: at the next start it is told as what nobody can say anything about
            log.exception("S%s: what came of it could not be recorded", schedule.number)
            what, why = "", ""
        with self._lock:
            self._busy.discard(schedule.number)
        if what:
            ended(what, schedule, occurrence, why)

    def _taken(self, schedule: Schedule, occurrence: Occurrence) -> tuple[str, str]:
        by_hand = recurrence.is_beside(schedule.times, occurrence.at)
        said = self._said(schedule, occurrence)
        if said is not None and is_refusal(said):
            why = one_line(said.text, 500)
            self._store.refuse(occurrence, Result.REFUSED, why, at_most=self._context.failures, told_again=by_hand)
            return "refused", why
        if said is None and self._store.job_of(occurrence) is not None:
            return "began", ""  # a job, which tells by itself
        before = self._store.last_answer(occurrence)
        text = f"{said.text}\n{said.block}".strip()[:_KEPT] if said else ""
        answer = _told(schedule, before, text, said, by_hand=by_hand)
        self._store.answered(occurrence, text, told=answer is None)
        if answer is not None:
            self._say(schedule, occurrence, answer)
        return "ran", ""

    def _said(self, schedule: Schedule, occurrence: Occurrence) -> Answer | None:
        clear = self._context.clear
        try:
            said = self._context.run(schedule, occurrence)
        except UserError as error:
            return Answer(f"No: {str(error).removeprefix('No: ')}")
        except AutomationError as error:
            log.exception("S%s failed", schedule.number)
            return Answer(f"No: that failed. {one_line(error.plain, 300)}")
        except Exception:  # one broken command must neither end the thread nor show its inside to the room
            log.exception("S%s failed inside the bot", schedule.number)
            return Answer(f"No: {_BROKEN}")
        return said and replace(said, text=clear(said.text), block=clear(said.block), hint=clear(said.hint))

    def _say(self, schedule: Schedule, occurrence: Occurrence, answer: Answer) -> None:
        """Say it; what a network does not take now is told by the timer, as far as the record has it."""
        try:
            mark = Mark(f"S{schedule.number} {Result.DONE} at {occurrence.at}", occurrence.at)
            self._context.surface(schedule.place).say(schedule.place, replace(answer, mark=mark))
        except Exception:  # whatever a network raises
            log.exception("%s could not be told: %s", schedule.place.room, answer.text)
            return
        self._store.tell([occurrence])


def is_refusal(said: Answer) -> bool:
    """Whether an answer says no."""
    return said.text.startswith("No: ")


def _told(schedule: Schedule, before: str | None, text: str, said: Answer | None, *, by_hand: bool) -> Answer | None:
    """What the place reads: all of it, what is other than the last time, or nothing."""
    if said is None or (schedule.tells is Tells.FAILURE and not by_hand):
        return None
    head = f"S{schedule.number} {schedule.title}: "
    if schedule.tells is not Tells.CHANGE or by_hand or before is None:
        return replace(said, text=f"{head}{said.text}")
    if before == text:
        return None
    lines = list(unified_diff(before.splitlines(), text.splitlines(), lineterm="", n=0))[2:]
    lines = [line for line in lines if not line.startswith("@@")]
    more = [f"… {len(lines) - _LINES_SHOWN} more lines"] if len(lines) > _LINES_SHOWN else []
    block = "\n".join([*lines[:_LINES_SHOWN], *more])
    return Answer(f"{head}other than before (− then, + now)", block, said.hint)
