"""Who spoke, which operation was meant, and which ones a person has here. Nothing is decided or started."""

from __future__ import annotations

from dataclasses import replace

from automation_bots.jobs.request_context import RequestContext, TypedCommand
from automation_bots.model import Answer, Caller, Operation, Person, Place, one_line
from automation_bots.operations.own_commands import OWN
from automation_bots.pipeline import habits, suggested
from automation_bots.pipeline import parser as grammar
from automation_bots.pipeline.suggested import Asker
from automation_bots.policy import gate
from automation_bots.policy.rules import ADMINS
from automation_bots.store import AuditKind, Subject


class OperationLookup:
    """Reads what was said against the catalog and the policy."""

    def __init__(self, context: RequestContext) -> None:
        self._context = context

    def person(self, caller: Caller) -> Person | None:
        """Who that is by the policy."""
        return self._context.person(caller)

    def operation(self, said: TypedCommand) -> Operation | None:
        """Find the operation, whatever its capitals."""
        find = self._context.live.catalog.find
        return find(said.operation) or find(said.operation.lower())

    def meant(self, said: TypedCommand) -> TypedCommand:
        """The command that was meant by words that people of the field type by habit."""
        if not self.operation(said):
            operation, _, line = self.expanded(said.caller, f"{said.operation} {said.line}").partition(" ")
            said = replace(said, operation=operation, line=line)
        name, line = habits.meant(
            said.operation, said.line, lambda name: bool(self.operation(replace(said, operation=name)))
        )
        found = self.operation(replace(said, operation=name))
        return replace(said, operation=found.name if found else name, line=line)

    def expanded(self, caller: Caller, words: str) -> str:
        """Put in what a short form stands for."""
        return self._context.alias(caller, words)

    def verb(self, said: TypedCommand) -> TypedCommand:
        """`run uptime` is `uptime`, since a verb knows the platforms and its risk; `config diff` is config-diff."""
        said = self.meant(said)
        first, _, rest = said.line.strip().partition(" ")
        if self._context.live.catalog.find(both := f"{said.operation}-{first}"):
            return replace(said, operation=both, line=rest)
        for flag, line in grammar.flags(said.line):  # `config --replace` is config-replace
            if self._context.live.catalog.find(both := f"{said.operation}-{flag}"):
                return replace(said, operation=both, line=line)
        if said.operation != "run":
            return said
        verb = self._context.live.catalog.find(first)
        return replace(said, operation=first, line=rest) if verb and verb.group == "Verbs" else said

    def unknown(self, said: TypedCommand) -> Answer:
        """The answer to a command that does not exist: what was meant, among what this person may use here."""
        person = self.person(said.caller)
        about = Subject(person.name if person else "", said.caller, said.place, one_line(said.operation, 60))
        kind = AuditKind.UNKNOWN_COMMAND if person else AuditKind.UNKNOWN_PERSON
        self._context.store.record(kind, about=about)
        if person is None:
            return Answer(gate.stranger(self._context.live.policy, said.caller))
        if problem := self._context.live.catalog.broken(said.operation):
            told = str(problem) if ADMINS in person.groups else "the admins have been told what is wrong"
            return Answer(f'The file of "{one_line(said.operation, 40)}" is broken, so it is no command now: {told}.')
        self._context.missed(said.caller, said.place, f"{said.operation} {said.line}".strip())
        return suggested.answer(self.asker(person, said.caller, said.place), said)

    def asked(self, caller: Caller, place: Place, question: str) -> Answer:
        """Answer a question with the commands that answer it, among those that this person may use here."""
        person = self.person(caller)
        if person is None:
            return Answer(gate.stranger(self._context.live.policy, caller))
        self._context.missed(caller, place, question)
        return suggested.asked(self.asker(person, caller, place), question)

    def asker(self, person: Person, caller: Caller, place: Place) -> Asker:
        """What is suggested to a person here is made of this."""
        context = self._context
        return Asker(
            context.live,
            person,
            self.usable(caller, place),
            context.compare,
            context.learnt(),
            context.store.questions.curated(),
        )

    def names_for(self, caller: Caller, place: Place) -> list[str]:
        """The operations that a person may use here, the bot's own among them."""
        return [*OWN, *(operation.name for operation in self.usable(caller, place))]

    def usable(self, caller: Caller, place: Place) -> list[Operation]:
        """The operations of the catalog that a person may use here."""
        live, person = self._context.live, self.person(caller)
        return [o for o in live.catalog.operations.values() if gate.usable(live.scope, person, o, place) is not None]
