"""Questions: a missing value is asked for, and the next words of the same person complete the command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from automation_bots.errors import UserError
from automation_bots.jobs.request_context import RequestContext, TypedCommand
from automation_bots.model import Answer, Caller, Parameter, Place, Request
from automation_bots.pipeline import parser as grammar
from automation_bots.pipeline.questions import Confirmation, Question, Questions, is_cancel
from automation_bots.pipeline.targets import TargetResolver


@dataclass(frozen=True, slots=True)
class Conversation:
    """Takes answers, and lets the way of a command go on with what is complete now."""

    context: RequestContext
    questions: Questions
    resolver: TargetResolver
    completed: Callable[[TypedCommand, grammar.ParsedCommand], Answer | None]  # a command that lacked a value
    confirmed: Callable[[Request], Answer | None]  # a request whose size was typed
    abandoned: Callable[[Question | Confirmation, str], None]

    def asked(self, caller: Caller, place: Place) -> bool:
        """Return whether a question to this person is open here."""
        return self.questions.open(caller, place)

    def answer(self, caller: Caller, place: Place, text: str) -> Answer | None:
        """Take words that are no command as the answer to the open question."""
        question = self.questions.take(caller, place)
        if question is not None and is_cancel(text):
            self.abandoned(question, "cancelled")
        if question is None or is_cancel(text):
            return Answer("Nothing was done.")
        if isinstance(question, Confirmation):
            return self._confirmed(question, text)
        return self._completed(question, lambda: question.answered(text))

    def wanted(self, caller: Caller, place: Place) -> tuple[str, tuple[Parameter | None, ...]] | None:
        """The command of the open question, and all that it still needs (None: the devices), for a form.

        A secret value is never asked for by a form, since networks keep those.
        """
        question = self.questions.look(caller, place)
        operation = self.context.live.catalog.find(question.operation) if question else None
        if question is None or operation is None or operation.leading:
            return None
        missing = grammar.all_missing(operation, question.typed)
        return None if any(p is not None and p.secret for p in missing) else (operation.name, missing)

    def filled(self, caller: Caller, place: Place, values: Mapping[str, str], pattern: str) -> Answer | None:
        """Take a filled form as the answer to the open question."""
        question = self.questions.take(caller, place)
        if not isinstance(question, Question):
            return Answer("That form has run out, and nothing was done; type the command again.")
        given = question.typed
        typed = replace(given, values={**given.values, **values}, pattern=pattern or given.pattern)
        return self._completed(question, lambda: typed)

    def _completed(self, question: Question, typed: Callable[[], grammar.ParsedCommand]) -> Answer | None:
        try:
            return self.completed(TypedCommand(question.caller, question.place, question.operation), typed())
        except UserError as error:
            self.questions.again(question)
            return Answer(self.context.spell(str(error)), hint="Try again, or say cancel.")

    def _confirmed(self, question: Confirmation, text: str) -> Answer | None:
        request = question.confirmed(text)
        if request is None:
            return Answer(f"Nothing was done: that is not {len(question.request.devices)}.")
        try:
            devices = self._devices_of(request)
            return self.confirmed(replace(request, devices=devices))
        except UserError as error:
            return Answer(self.context.spell(str(error)))

    def _devices_of(self, request: Request) -> tuple[str, ...]:
        """What the pattern means by now; another number of devices is asked for anew."""
        person = self.context.person(request.caller)
        if person is None or request.retry_of:
            return request.devices
        return self.resolver.devices(person, request)
