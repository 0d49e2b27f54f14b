"""Open questions: a missing value was asked for, and the next words of the same person in the same place answer it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from automation_bots import render
from automation_bots.errors import UserError
from automation_bots.jobs.request_context import RequestContext, TypedCommand
from automation_bots.model import Answer, Caller, Parameter, Place, Request
from automation_bots.operations import target_words
from automation_bots.pipeline import parser as grammar
from automation_bots.pipeline.targets import TargetResolver

_SECONDS = 300.0
_HINT = "Just answer, or say cancel."
_CANCEL = frozenset({"cancel", "stop", "no", "never mind"})

_Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Question:
    """A command that is not complete: what was typed so far, and what is missing."""

    caller: Caller
    place: Place
    operation: str
    typed: grammar.ParsedCommand
    missing: grammar.Missing

    @property
    def key(self) -> _Key:
        """Whose answer, and where."""
        return _key(self.caller, self.place)

    def answered(self, text: str) -> grammar.ParsedCommand:
        """Return what was typed, completed by the answer."""
        text, parameter = grammar.clean(text), self.missing.parameter
        if parameter is None and self.missing.leading == target_words.SALT:
            words = grammar.words(text.removeprefix("on "))
            return replace(self.typed, pattern=target_words.take(target_words.SALT, words)[0])
        if parameter is None:
            return replace(self.typed, pattern=grammar.pattern(grammar.words(text.removeprefix("on "))))
        value = tuple(word.text for word in grammar.words(text)) if parameter.rest else text
        return replace(self.typed, values={**self.typed.values, parameter.name: value})


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A request that is bigger than a rule lets through without a second thought; its size has to be typed."""

    request: Request

    @property
    def caller(self) -> Caller:
        """Who has to type it."""
        return self.request.caller

    @property
    def place(self) -> Place:
        """Where."""
        return self.request.place

    @property
    def operation(self) -> str:
        """What was asked for."""
        return self.request.operation.name

    @property
    def key(self) -> _Key:
        """Whose answer, and where."""
        return _key(self.caller, self.place)

    def confirmed(self, text: str) -> Request | None:
        """Return the request as it was confirmed; None when something else was said."""
        count = len(self.request.devices)
        return replace(self.request, confirmed=count) if text.strip() == str(count) else None


@dataclass(slots=True)
class Questions:
    """The open questions; in memory only, since a restart answers nobody's half-typed command."""

    clock: Callable[[], float] = time.monotonic
    # one that nobody answered, and why
    abandoned: Callable[[Question | Confirmation, str], None] = lambda _question, _why: None
    _open: dict[_Key, tuple[Question | Confirmation, float]] = field(default_factory=dict)

    def ask(self, question: Question, devices: Sequence[str]) -> Answer:
        """Open a question and return how it is asked."""
        self.again(question)
        parameter = question.missing.parameter
        if parameter is None:
            return Answer(f"On which devices? You may use {render.names(devices)}.", hint=_HINT)
        choices = f" ({', '.join(str(choice) for choice in parameter.choices)})" if parameter.choices else ""
        helped = f" – {parameter.help}" if parameter.help and not parameter.choices else ""
        return Answer(f"Which {parameter.name}?{choices}{helped}", hint=_HINT)

    def confirm(self, request: Request, why: str) -> Answer:
        """Ask for the number of devices, and return how it is asked."""
        self.again(Confirmation(request))
        count = len(request.devices)
        text = f"This is {render.many(count, 'device')} ({render.names(request.devices)}): {why}."
        return Answer(f"{text} Type {count} to go on.", hint="Anything else leaves it.")

    def again(self, question: Question | Confirmation) -> None:
        """Leave a question open, with fresh time; those that nobody answered go."""
        self.sweep()
        self._open[question.key] = (question, self.clock() + _SECONDS)

    def sweep(self) -> None:
        """Close the questions that nobody answered in time."""
        now = self.clock()
        for key in [key for key, (_, expires) in list(self._open.items()) if expires <= now]:
            if closed := self._open.pop(key, None):
                self.abandoned(closed[0], "no answer")

    def open(self, caller: Caller, place: Place) -> bool:
        """Return whether a question to this person is open here."""
        _, expires = self._open.get(_key(caller, place), (None, 0.0))
        return self.clock() < expires

    def only(self, caller: Caller, place: Place) -> Place | None:
        """Where in this room the one question to this person is open; None where none is, or several are."""
        here, now = (caller.network, caller.id, place.room), self.clock()
        found = [one.place for key, (one, expires) in list(self._open.items()) if key[:3] == here and now < expires]
        return found[0] if len(found) == 1 else None

    def take(self, caller: Caller, place: Place) -> Question | Confirmation | None:
        """Close the question and return it."""
        question, expires = self._open.pop(_key(caller, place), (None, 0.0))
        return question if self.clock() < expires else None

    def look(self, caller: Caller, place: Place) -> Question | None:
        """Return the open question for a missing value; it stays open."""
        question, expires = self._open.get(_key(caller, place), (None, 0.0))
        return question if isinstance(question, Question) and self.clock() < expires else None

    def drop(self, caller: Caller, place: Place) -> None:
        """Forget the question: another command was typed."""
        self.sweep()
        if closed := self._open.pop(_key(caller, place), None):
            self.abandoned(closed[0], "another command was typed")


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

    def only(self, caller: Caller, place: Place) -> Place | None:
        """Where the one open question to this person in this room stands: said in the room, "just answer" is for it."""
        return self.questions.only(caller, place)

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
            return Answer(str(error), hint="Try again, or say cancel.")

    def _confirmed(self, question: Confirmation, text: str) -> Answer | None:
        request = question.confirmed(text)
        if request is None:
            return Answer(f"Nothing was done: that is not {len(question.request.devices)}.")
        try:
            devices = self._devices_of(request)
            return self.confirmed(replace(request, devices=devices))
        except UserError as error:
            return Answer(str(error))

    def _devices_of(self, request: Request) -> tuple[str, ...]:
        """What the pattern means by now; another number of devices is asked for anew."""
        person = self.context.person(request.caller)
        if person is None or request.retry_of:
            return request.devices
        return self.resolver.devices(person, request)


def is_cancel(text: str) -> bool:
    """Return whether an answer means: leave it."""
    return text.strip().lower() in _CANCEL


def _key(caller: Caller, place: Place) -> _Key:
    return caller.network, caller.id, place.room, place.thread
