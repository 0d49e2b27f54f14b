"""The way of a command, in one direction: words → request → decision → job. Every entry point comes through here."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from automation_bots import catalog, gate, grammar
from automation_bots.acceptance import Acceptance
from automation_bots.errors import BadCommand, StoreError, UserError
from automation_bots.model import (
    FINAL,
    GOOD,
    Answer,
    Caller,
    Decision,
    Job,
    Operation,
    Person,
    Place,
    Request,
    Verdict,
    one_line,
)
from automation_bots.parts import Parts, Said
from automation_bots.questions import Question, is_cancel
from automation_bots.resolve import Resolver
from automation_bots.store import AuditKind, Subject

__all__ = ["Parts", "Pipeline", "Said"]
log = logging.getLogger(__name__)


class Pipeline:
    """Turns what was said into a job, a question, or a refusal with its reason."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._resolver, self._acceptance = Resolver(parts.world), Acceptance(parts)

    def submit(self, said: Said) -> Answer | None:
        """Take a command; None when its job has been announced already, else what to answer."""
        return self._safely(self._meant_verb(said), self._submit)

    def submit_typed(self, said: Said, typed: grammar.Typed) -> Answer | None:
        """The same for plugins, which have values instead of words; they are checked all the same."""

        def submit(said: Said) -> Answer | None:
            operation = self.operation(said)
            return self.unknown(said) if operation is None else self._with(said, operation, typed)

        return self._safely(said, submit)

    def _safely(self, said: Said, submit: Callable[[Said], Answer | None]) -> Answer | None:
        self._parts.questions.drop(said.caller, said.place)
        try:
            return submit(said)
        except UserError as error:
            return Answer(self._parts.spell(str(error)))
        except StoreError as error:
            log.exception("a command could not be recorded, so nothing was started")
            return Answer(f"Nothing was started, because it could not be recorded: {error}")

    def _submit(self, said: Said) -> Answer | None:
        operation = self.operation(said)
        if operation is None:
            return self.unknown(said)
        if len(said.line) + len(said.text) > self._parts.message_size:
            size = len(said.line) + len(said.text)
            raise BadCommand(f"That is {size} characters; I read at most {self._parts.message_size}.")
        # Without the words, since a secret may be among them; what may be shown of them is recorded anyway.
        log.info("request %s by %s at %s", said.operation, said.caller.id, said.place.room)
        typed = grammar.parse(operation, said.line, said.text)
        return self._with(said, operation, typed)

    def _with(self, said: Said, operation: Operation, typed: grammar.Typed) -> Answer | None:
        values = grammar.checked(operation, typed)
        if isinstance(values, grammar.Missing):
            return self._ask(said, operation, typed, values)
        request = Request(
            caller=said.caller,
            place=said.place,
            operation=operation,
            parameters=values,
            pattern=typed.pattern,
            check=typed.check,
            reason=one_line(typed.reason, 500),
            quiet=typed.quiet,
            wait=typed.wait,
            message_id=said.message_id,
        )
        return self.request(request)

    def request(self, request: Request) -> Answer | None:
        """Resolve, decide and accept a request whose values are checked."""
        person = self.person(request.caller)
        if person is None:
            return self._acceptance.refuse(request, Decision(Verdict.DENY, gate.stranger(request.caller)))
        if request.check and not request.operation.previews:
            raise BadCommand(
                f"{request.operation.name} cannot show beforehand what it would change; leave --check out."
            )
        if refuse := getattr(request.operation.body, "refuse", None):
            refuse(request.parameters)  # what can be judged from the words alone is, before anything is accepted
        request = replace(request, devices=request.devices or self._resolver.devices(person, request))
        decision = gate.decide(self._parts.world.scope, request, self._parts.now())
        if decision.verdict is Verdict.DENY:
            return self._acceptance.refuse(request, decision)
        if decision.verdict is Verdict.APPROVAL:
            by = " or ".join(decision.approvers)
            reason = (
                f"{request.operation.name} on these devices needs approval by {by}, and this bot cannot ask for it yet"
            )
            return self._acceptance.refuse(request, replace(decision, reason=f"No: {reason}."))
        return self._acceptance.accept(person, request, decision)

    def judge(self, said: Said) -> Decision | Answer:
        """Say what the gate would decide; nothing is started, asked or recorded."""
        said = self._meant_verb(said)
        operation, person = self.operation(said), self.person(said.caller)
        if operation is None or person is None:
            return self.unknown(said)
        typed = grammar.parse(operation, said.line)
        values = grammar.checked(operation, typed)
        known = {} if isinstance(values, grammar.Missing) else values
        request = Request(said.caller, said.place, operation, known, typed.pattern, check=typed.check)
        devices = self._resolver.devices(person, request)
        if not devices and operation.devices in {"required", "one"}:
            usable = gate.usable(self._parts.world.scope, person, operation, said.place)
            devices = tuple(sorted(usable or ()))
        return gate.decide(self._parts.world.scope, replace(request, devices=devices), self._parts.now())

    # -- questions: a missing value is asked for, and the next words of the same person complete the command

    def _ask(self, said: Said, operation: Operation, typed: grammar.Typed, missing: grammar.Missing) -> Answer:
        person = self.person(said.caller)
        usable = gate.usable(self._parts.world.scope, person, operation, said.place)
        if usable is None:
            request = Request(said.caller, said.place, operation, {}, typed.pattern)
            decision = gate.decide(self._parts.world.scope, request, self._parts.now())
            return self._acceptance.refuse(request, decision)
        return self._parts.questions.ask(
            Question(said.caller, said.place, operation.name, typed, missing), sorted(usable)
        )

    def asked(self, caller: Caller, place: Place) -> bool:
        """Return whether a question to this person is open here."""
        return self._parts.questions.open(caller, place)

    def answer(self, caller: Caller, place: Place, text: str) -> Answer | None:
        """Take words that are no command as the answer to the open question."""
        question = self._parts.questions.take(caller, place)
        if question is None or is_cancel(text):
            return Answer("Nothing was done.")
        said = Said(caller, place, question.operation)
        try:
            operation = self.operation(said)
            return self.unknown(said) if operation is None else self._with(said, operation, question.answered(text))
        except UserError as error:
            self._parts.questions.again(question)
            return Answer(self._parts.spell(str(error)), hint="Try again, or say cancel.")

    # -- who, what, and what was meant

    def person(self, caller: Caller) -> Person | None:
        """Who that is by the policy."""
        return self._parts.person(caller)

    def operation(self, said: Said) -> Operation | None:
        """Find the operation."""
        return self._parts.world.catalog.find(said.operation)

    def _meant_verb(self, said: Said) -> Said:
        """`run uptime on web` is `uptime on web`: a verb knows the platforms and its risk."""
        if said.operation != "run":
            return said
        first, _, rest = said.line.strip().partition(" ")
        verb = self._parts.world.catalog.find(first)
        return replace(said, operation=first, line=rest) if verb and verb.group == "Verbs" else said

    def unknown(self, said: Said) -> Answer:
        """The answer to a command that does not exist: what was meant, among what this person may use here."""
        person = self.person(said.caller)
        about = Subject(person.name if person else "", said.caller, said.place, one_line(said.operation, 60))
        kind = AuditKind.UNKNOWN_COMMAND if person else AuditKind.UNKNOWN_PERSON
        self._parts.store.record(kind, about=about)
        if person is None:
            return Answer(gate.stranger(said.caller))
        near = self._parts.world.catalog.nearest(said.operation, self.names_for(said.caller, said.place))
        word = one_line(said.operation, 40)
        if not near:
            return Answer(self._parts.spell(f'No operation "{word}". → !help'))
        line = one_line(said.line, 80)
        return Answer(self._parts.spell(f'No operation "{word}". Did you mean  !{near[0]} {line}'.rstrip() + " ?"))

    def names_for(self, caller: Caller, place: Place) -> list[str]:
        """The operations that a person may use here, the bot's own among them."""
        return [*catalog.BASIC, *(operation.name for operation in self.usable(caller, place))]

    def usable(self, caller: Caller, place: Place) -> list[Operation]:
        """The operations of the catalog that a person may use here."""
        world, person = self._parts.world, self.person(caller)
        return [o for o in world.catalog.operations.values() if gate.usable(world.scope, person, o, place) is not None]

    def guard(self, caller: Caller, place: Place, command: str) -> Answer | None:
        """Judge a command that is none of ours (Errbot's own, or of a plugin from elsewhere); None lets it through."""
        request, decision = self._judge_command(caller, place, command)
        if decision.verdict is not Verdict.ALLOW:
            return self._acceptance.refuse(request, decision)
        self._acceptance.record(AuditKind.COMMAND, request, decision)
        return None

    def may_command(self, caller: Caller, place: Place, command: str) -> bool:
        """Return whether `guard` would let a command through; nothing is recorded."""
        return self._judge_command(caller, place, command)[1].verdict is Verdict.ALLOW

    def _judge_command(self, caller: Caller, place: Place, command: str) -> tuple[Request, Decision]:
        operation = Operation(command, "a command of a plugin", declared=False, devices="none")
        request = gate.asks_nothing(operation, caller, place)
        return request, gate.decide(self._parts.world.scope, request, self._parts.now())

    # -- jobs that exist already

    def retry(self, caller: Caller, place: Place, job: Job, *, failed: bool) -> Answer | None:
        """Ask for a job again, on all of its devices or those that failed; decided anew, as if typed anew."""
        operation = self._parts.world.catalog.find(job.operation)
        if operation is None:
            return self.unknown(Said(caller, place, job.operation))
        if job.state not in FINAL:
            return Answer(f"#{job.number} has not ended. → !cancel {job.number}")
        if any(value == catalog.HIDDEN for value in job.parameters.values()):
            return Answer(f"#{job.number} had a value that is never stored; type the command again.")
        devices = job.devices
        if failed:
            bad = [o.device for o in self._parts.store.outcomes(job.number) if o.status not in GOOD]
            if not bad:
                return Answer(f"#{job.number} has no failed device. → !retry {job.number}")
            devices = tuple(device for device in bad if device)
        typed = grammar.Typed(dict(job.parameters), ",".join(devices))
        try:
            values = grammar.checked(operation, typed)  # its file may ask for other values now
            if isinstance(values, grammar.Missing):
                return Answer(f"{operation.name} has changed since #{job.number}; type the command again.")
            request = Request(caller, place, operation, values, typed.pattern, devices, job.check, job.reason)
            return self.request(replace(request, retry_of=job.number))
        except UserError as error:
            return Answer(self._parts.spell(str(error)))
