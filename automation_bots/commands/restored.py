"""What people say about requests of a record that was restored: they go on, or are taken back; one, or all at once."""

from __future__ import annotations

from collections.abc import Callable

from automation_bots import render
from automation_bots.commands.context import CommandCall, CommandContext
from automation_bots.errors import BadCommand
from automation_bots.model import Answer
from automation_bots.policy.rules import ADMINS

ALL = "all"


class RestoredCommands:
    """`!continue` and `!withdraw`, where the number is of such a request, or the word `all`."""

    def __init__(self, context: CommandContext, schedules: Callable[[CommandCall], int] = lambda _: 0) -> None:
        self._context, self._approvals = context, context.pipeline.approvals
        self._schedules = schedules  # lets those go on that were held too

    def each(self, ask: CommandCall, *, ends: bool) -> Answer | None:
        """Decide about what was named; None when it is about something else."""
        word = ask.words[0].removeprefix("#").lower() if ask.words else ""
        if word == ALL:
            return self._all(ask, ends=ends)
        digits = word.isascii() and word.isdigit() and len(word) <= 15
        job = self._approvals.undecided(ask.caller, int(word)) if digits else None
        if job is None:
            return None
        self._decide(ask, job.number, ends=ends)
        return Answer(f"#{job.number} is taken back; nothing was done." if ends else f"#{job.number} goes on.")

    def _all(self, ask: CommandCall, *, ends: bool) -> Answer:
        if ADMINS not in self._context.person(ask).groups:
            raise BadCommand("No: that is for admins.")
        numbers, schedules = self._approvals.restored(), self._schedules(ask)
        if not numbers and not schedules:
            return Answer("Nothing waits since a record was restored. → !pending")
        for number in numbers:
            self._decide(ask, number, ends=ends)
        many = render.many(len(numbers), "request") + (f" and {render.many(schedules, 'schedule')}" * bool(schedules))
        return Answer(f"{many} of the restored record: {'taken back, nothing was done' if ends else 'going on'}.")

    def _decide(self, ask: CommandCall, number: int, *, ends: bool) -> None:
        if job := self._approvals.undecided(ask.caller, number):
            (self._approvals.take_back if ends else self._approvals.go_on)(ask.caller, ask.place, job)
