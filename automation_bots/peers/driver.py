"""The driver of `!@winbot …`: a job here asks another bot and waits for its answer; work and rules are there."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from automation_bots.drivers import Report, Task
from automation_bots.errors import StoreError
from automation_bots.model import PARKED, Outcome, Status
from automation_bots.operations import peers as operations
from automation_bots.peers import text
from automation_bots.peers.asking import Asking, Call, Heard, NotAsked
from automation_bots.peers.messages import Step
from automation_bots.peers.presence import Presence
from automation_bots.peers.text import Said
from automation_bots.text.times import elapsed

TAKEN_SECONDS = 4.5  # until a bot that is there has taken a request
UNSURE_SECONDS = 10.0  # until nobody waits for one that has it and says nothing
LOST_SECONDS = 60.0  # until nobody waits for one that went away in the middle
_STOP_SECONDS = 10.0  # until nobody waits for one that was told to stop
_STEP_SECONDS = 0.1
_PARKED = {state.value for state in PARKED}


@dataclass(slots=True)
class Waiting:
    """What is known of one call; it ends with what was said."""

    call: Call
    taken: bool = False
    number: int | None = None  # of the job there
    order: int = -1
    words: str = ""
    said: list[str] = field(default_factory=list)  # by the way
    end: Said | None = None
    heard: Heard | None = None  # the end
    stopped: float | None = None

    @property
    def there(self) -> str:
        """What it is there."""
        return f"{self.call.bot} #{self.number}" if self.number is not None else self.call.bot

    def hear(self, heard: Heard, now: float) -> None:
        """Take a reply; one that is older than another says nothing new."""
        reply = heard.reply
        self.taken = True
        self.number = reply.job if reply.job is not None else self.number
        if reply.step in {Step.ENDED, Step.REFUSED}:
            self.end, self.heard = text.said(reply, now - self.call.began), heard
        elif reply.order > self.order and str(reply.answer):
            self.order = reply.order
            self.words = text.named(self.call.bot, reply.answer.text)
            if reply.state in _PARKED:  # somebody decides about it there, which may take a day
                self.end = Said(self.call.bot, Status.OK, f"{self.words} · its end is told here", reply.answer.block)

    def look(self, now: float, seen: Presence, withdraw: Callable[[Call], bool]) -> None:
        """Say what the silence means, when it has lasted."""
        waited = now - self.call.began
        if self.end is not None:
            return
        if self.stopped is not None and now - self.stopped > _STOP_SECONDS:
            self._unknown("was told to stop, and does not say what became of it")
        elif not self.taken and waited > UNSURE_SECONDS:
            self._unknown("has it, and says nothing. Does it trust the key of this bot? → there: !peers")
        elif not self.taken and waited > TAKEN_SECONDS and withdraw(self.call):
            why = f"did not take it within {TAKEN_SECONDS:g} s. It was taken back: nothing was done."
            self.end = Said(self.call.bot, Status.UNREACHABLE, f"{self.call.bot} {why}")
        elif self.taken and seen.seconds is not None and seen.seconds > LOST_SECONDS:
            self._unknown(
                f"went away in the middle, {elapsed(seen.seconds)} ago; what came of it is told here when it is back"
            )

    def _unknown(self, what: str) -> None:
        self.end = Said(self.call.bot, Status.UNKNOWN, f"{self.there} {what}.")

    def line(self, seen: Presence | None) -> str:
        """How far it is, in a few words."""
        if seen is not None and self.taken and not seen.here:
            return f"{self.there} is {seen.text}; what becomes of it is not known"
        return self.words or (f"{self.there} has it" if self.taken else f"{self.call.bot} is asked")


class Peers:
    """Asks one bot, or several at once."""

    name = operations.DRIVER

    def __init__(self, asking: Asking, look: Callable[[], Mapping[str, Presence]], known: Sequence[str]) -> None:
        self._asking, self._look, self._known = asking, look, tuple(known)

    def run(self, task: Task, report: Report) -> None:
        """Ask, show how far they are, and report what they said."""
        values = task.parameters
        bots = operations.asked(task.operation.name, tuple(values.get(operations.BOTS) or ()), self._known)
        line, block = " ".join(values[operations.COMMAND]), str(values.get(operations.TEXT) or "")
        waiting: list[Waiting] = []
        found: list[Said] = []
        for bot in dict.fromkeys(bots):
            asked = self._asked(task, bot, line, block)
            (waiting if isinstance(asked, Waiting) else found).append(asked)  # type: ignore[arg-type]  # either is of its list
        try:
            self._until_over(task, report, waiting)
        finally:
            self._close(waiting)
        found += [
            one.end or Said(one.call.bot, Status.UNKNOWN, f"{one.there}: nobody waited for its end") for one in waiting
        ]
        self._sum_up(report, found, several=len(bots) > 1 or task.operation.name == operations.ALL)

    def _asked(self, task: Task, bot: str, line: str, block: str) -> Waiting | Said:
        if bot not in self._known:
            known = ", ".join(sorted(self._known))
            return Said(bot, Status.FAILED, f"There is no bot {bot} in [peers] of bot.toml; there are {known}.")
        try:
            return Waiting(self._asking.ask(task.job, bot, line, block))
        except NotAsked as error:
            away = "cannot be asked" in str(error)
            return Said(bot, Status.UNREACHABLE if away else Status.FAILED, str(error))
        except StoreError as error:
            return Said(bot, Status.FAILED, f"{bot} was not asked: {error.plain}")

    def _until_over(self, task: Task, report: Report, waiting: list[Waiting]) -> None:
        told = ""
        while still := [one for one in waiting if one.end is None]:
            if task.cancel.is_set() and self._asking.stopping:
                return  # what the other bot does goes on, and is told after the next start
            if task.cancel.is_set():
                self._stop(task, still)
            seen = self._look()
            for one in still:
                self._hear(one)
                if presence := seen.get(one.call.bot):
                    one.look(time.monotonic(), presence, self._asking.withdraw)
            words = " · ".join(one.line(seen.get(one.call.bot)) for one in still)
            if words != told:
                report.progress(told := words)

    def _hear(self, one: Waiting) -> None:
        try:
            one.hear(one.call.inbox.get(timeout=_STEP_SECONDS), time.monotonic())
            while one.end is None:
                one.hear(one.call.inbox.get_nowait(), time.monotonic())
        except queue.Empty:
            return

    def _stop(self, task: Task, still: list[Waiting]) -> None:
        for one in still:
            if one.stopped is None:
                one.stopped = time.monotonic()
                if not self._asking.withdraw(one.call):
                    self._asking.cancel(one.call.bot, one.call.request.nonce, task.job.caller, task.job.person)
                else:
                    one.end = Said(
                        one.call.bot, Status.CANCELLED, f"{one.call.bot} had not taken it: nothing was done there."
                    )

    def _close(self, waiting: list[Waiting]) -> None:
        for one in waiting:
            if one.heard is not None:
                self._asking.over(one.call, one.heard)
            elif one.end is None or one.end.status is not Status.UNREACHABLE:
                self._asking.leave(one.call)

    @staticmethod
    def _sum_up(report: Report, found: list[Said], *, several: bool) -> None:
        whole = "\n\n".join("\n".join(filter(None, (one.text, one.block))) for one in found)
        seconds = max((one.seconds for one in found), default=0.0)
        report.outcome(Outcome("", text.worst(found), text.line(found), whole, seconds))
        if several or found[0].block or found[0].files or text.worst(found) is Status.OK:
            report.conclude(text.conclusion(found, several=several))
