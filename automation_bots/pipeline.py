"""The way of a command, in one direction: words → request → decision → job. Every entry point comes through here."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from automation_bots import canary, catalog, gate, grammar, moments
from automation_bots.acceptance import Acceptance
from automation_bots.approvals import Approvals
from automation_bots.consent import Consent
from automation_bots.errors import BadCommand, BadParameter, StoreError, UserError
from automation_bots.model import (
    FINAL,
    GOOD,
    Answer,
    Caller,
    Decision,
    Job,
    Operation,
    Parameter,
    Person,
    Place,
    Request,
    Verdict,
    one_line,
)
from automation_bots.parts import Parts, Said
from automation_bots.questions import Confirmation, Question, is_cancel
from automation_bots.resolve import Resolver
from automation_bots.store import AuditKind, Subject
from automation_bots.surface import MessageRef

__all__ = ["Parts", "Pipeline", "Said"]
log = logging.getLogger(__name__)
# Errbot's own commands that change which plugins run.
_INSTALLS = frozenset(
    {"plugin_activate", "plugin_deactivate", "plugin_blacklist", "plugin_unblacklist", "plugin_reload"}
)
_USERINFO = re.compile(r"://[^/@\s]*@")


class Pipeline:
    """Turns what was said into a job, a question, or a refusal with its reason."""

    def __init__(self, parts: Parts, consent: Consent) -> None:
        self._parts = parts
        parts.questions.abandoned = self._abandoned
        self._resolver, self._acceptance = Resolver(parts.world, parts.selectors), Acceptance(parts)
        self.approvals = Approvals(parts, self._acceptance, consent)

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
            self._rejected(said, error)
            return Answer(self._parts.spell(str(error)))
        except StoreError as error:
            log.exception("a command could not be recorded, so nothing was started")
            return Answer(f"Nothing was started, because it could not be recorded: {error}")

    def _rejected(self, said: Said, error: UserError) -> None:
        """Record words that made no command; what is wrong with a secret value is not said there."""
        operation = self.operation(said)
        hidden = operation is None or any(parameter.secret for parameter in operation.parameters)
        self._note(AuditKind.REJECTED, said, type(error).__name__ if hidden else one_line(str(error), 300))

    def _abandoned(self, question: Question | Confirmation, why: str) -> None:
        self._note(AuditKind.ABANDONED, Said(question.caller, question.place, question.operation), why)

    def _note(self, kind: AuditKind, said: Said, reason: str) -> None:
        person = self.person(said.caller)
        about = Subject(person.name if person else "", said.caller, said.place, one_line(said.operation, 60))
        try:
            self._parts.store.record(kind, {"reason": reason}, about)
        except StoreError:  # nothing was started, and the person must hear why not
            log.exception("%s %s could not be recorded", kind.value, about.operation)

    def _submit(self, said: Said) -> Answer | None:
        operation = self.operation(said)
        if operation is None:
            return self.unknown(said)
        if len(said.line) + len(said.text) > self._parts.message_size:
            size = len(said.line) + len(said.text)
            raise BadCommand(f"That is {size} characters; I read at most {self._parts.message_size}.")
        # Without the words, since a secret may be among them; what may be shown of them is recorded anyway.
        log.info("request %s by %s at %s", said.operation, said.caller.id, said.place.room)
        try:
            typed = grammar.parse(operation, said.line, said.text)
            grammar.checked(operation, typed)
        except UserError:  # what it takes is told only to whom it is for
            if refused := self._not_for(said, operation, ""):
                return refused
            raise
        return self._with(said, operation, typed)

    def _not_for(self, said: Said, operation: Operation, pattern: str) -> Answer | None:
        """Refuse an operation that a person cannot use here, whatever the values."""
        scope, person = self._parts.world.scope, self.person(said.caller)
        if gate.usable(scope, person, operation, said.place) is not None:
            return None
        request = Request(said.caller, said.place, operation, {}, pattern)
        return self._acceptance.refuse(request, gate.decide(scope, request, self._parts.now()))

    def _with(self, said: Said, operation: Operation, typed: grammar.Typed) -> Answer | None:
        values = grammar.checked(operation, typed)
        if isinstance(values, grammar.Missing):
            return self._ask(said, operation, typed, values)
        request = Request(
            caller=said.caller,
            place=said.place,
            operation=operation,
            parameters=values,
            pattern=typed.pattern or self._devices_of_job(operation, values),
            check=typed.check,
            reason=one_line(typed.reason, 500),
            quiet=typed.quiet,
            wait=typed.wait,
            message_id=said.message_id,
            when=self._moment(typed.when),
            emergency=one_line(typed.emergency, 500),
            canary=canary.read(typed.canary, typed.pause_after),
        )
        return self.request(request)

    def _devices_of_job(self, operation: Operation, values: Mapping[str, object]) -> str:
        """The pattern of an operation that is about a job: its devices, unless others are named."""
        if operation.devices != "job":
            return ""
        return ",".join(self._parts.store.job(int(str(values["job"]))).devices)

    def _moment(self, text: str) -> datetime | None:
        try:
            return moments.moment(text, self._parts.world.policy.timezone, self._parts.now()) if text else None
        except ValueError as error:
            raise BadParameter(f"when: {error}.") from error

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
        now = self._parts.now()
        decision = gate.decide(self._parts.world.scope, request, request.when or now, now)
        if decision.verdict is Verdict.DENY:
            return self._acceptance.refuse(request, decision)
        if decision.confirm and request.confirmed != len(request.devices):
            return self._parts.questions.confirm(request, decision.confirm)
        if decision.verdict is Verdict.APPROVAL or request.when:
            return self.approvals.park(person, request, decision)
        return self._acceptance.accept(person, request, decision)

    def meant(self, said: Said) -> Request | Answer:
        """Return what would be asked for, as far as it was said; nothing is started, asked or recorded."""
        said = self._meant_verb(said)
        operation, person = self.operation(said), self.person(said.caller)
        if operation is None or person is None:
            return self.unknown(said)
        typed = grammar.parse(operation, said.line)
        values = grammar.checked(operation, typed)
        known = {} if isinstance(values, grammar.Missing) else values
        request = Request(
            said.caller, said.place, operation, known, typed.pattern, check=typed.check, emergency=typed.emergency
        )
        devices = self._resolver.devices(person, request)
        if not devices and operation.devices in {"required", "one"}:
            usable = gate.usable(self._parts.world.scope, person, operation, said.place)
            devices = tuple(sorted(usable or ()))
        return replace(request, devices=devices)

    def expand(self, person: Person, pattern: str) -> tuple[str, ...]:
        """The devices of a pattern, among those that a person may see."""
        return self._resolver.expand(person, pattern)

    # -- questions: a missing value is asked for, and the next words of the same person complete the command

    def _ask(self, said: Said, operation: Operation, typed: grammar.Typed, missing: grammar.Missing) -> Answer:
        if refused := self._not_for(said, operation, typed.pattern):
            return refused
        usable = gate.usable(self._parts.world.scope, self.person(said.caller), operation, said.place) or ()
        return self._parts.questions.ask(
            Question(said.caller, said.place, operation.name, typed, missing), sorted(usable)
        )

    def asked(self, caller: Caller, place: Place) -> bool:
        """Return whether a question to this person is open here."""
        return self._parts.questions.open(caller, place)

    def answer(self, caller: Caller, place: Place, text: str) -> Answer | None:
        """Take words that are no command as the answer to the open question."""
        question = self._parts.questions.take(caller, place)
        if question is not None and is_cancel(text):
            self._abandoned(question, "cancelled")
        if question is None or is_cancel(text):
            return Answer("Nothing was done.")
        if isinstance(question, Confirmation):
            return self._confirmed(question, text)
        said = Said(caller, place, question.operation)
        try:
            return self._completed(said, question.answered(text))
        except UserError as error:
            self._parts.questions.again(question)
            return Answer(self._parts.spell(str(error)), hint="Try again, or say cancel.")

    def wanted(self, caller: Caller, place: Place) -> tuple[str, tuple[Parameter | None, ...]] | None:
        """The command of the open question, and all that it still needs (None: the devices), for a form.

        A secret value is never asked for by a form, since networks keep those.
        """
        question = self._parts.questions.look(caller, place)
        operation = self._parts.world.catalog.find(question.operation) if question else None
        if question is None or operation is None or operation.leading:
            return None
        missing = grammar.all_missing(operation, question.typed)
        return None if any(p is not None and p.secret for p in missing) else (operation.name, missing)

    def filled(self, caller: Caller, place: Place, values: Mapping[str, str], pattern: str) -> Answer | None:
        """Take a filled form as the answer to the open question."""
        question = self._parts.questions.take(caller, place)
        if not isinstance(question, Question):
            return Answer("That form has run out, and nothing was done; type the command again.")
        given = question.typed
        typed = replace(given, values={**given.values, **values}, pattern=pattern or given.pattern)
        try:
            return self._completed(Said(caller, place, question.operation), typed)
        except UserError as error:
            self._parts.questions.again(question)
            return Answer(self._parts.spell(str(error)), hint="Try again, or say cancel.")

    def _completed(self, said: Said, typed: grammar.Typed) -> Answer | None:
        operation = self.operation(said)
        return self.unknown(said) if operation is None else self._with(said, operation, typed)

    def _confirmed(self, question: Confirmation, text: str) -> Answer | None:
        request = question.confirmed(text)
        if request is None:
            return Answer(f"Nothing was done: that is not {len(question.request.devices)}.")
        try:
            devices = self._devices_of(request)
            return self.request(replace(request, devices=devices))
        except UserError as error:
            return Answer(self._parts.spell(str(error)))

    def _devices_of(self, request: Request) -> tuple[str, ...]:
        """What the pattern means by now; another number of devices is asked for anew."""
        person = self.person(request.caller)
        if person is None or request.retry_of:
            return request.devices
        return self._resolver.devices(person, request)

    # -- who, what, and what was meant

    def person(self, caller: Caller) -> Person | None:
        """Who that is by the policy."""
        return self._parts.person(caller)

    def operation(self, said: Said) -> Operation | None:
        """Find the operation."""
        return self._parts.world.catalog.find(said.operation)

    def _meant_verb(self, said: Said) -> Said:
        """`run uptime` is `uptime`, since a verb knows the platforms and its risk; `config diff` is config-diff."""
        first, _, rest = said.line.strip().partition(" ")
        if self._parts.world.catalog.find(both := f"{said.operation}-{first}"):
            return replace(said, operation=both, line=rest)
        if said.operation != "run":
            return said
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

    def decided(self, caller: Caller, place: Place, number: int, choice: str) -> Answer | None:
        """Take a click or a reaction on a request that waits: Approve, Deny or Details."""
        return self._safely(Said(caller, place, choice), lambda _: self.approvals.choose(caller, place, number, choice))

    def chosen(self, caller: Caller, message: MessageRef, choice: str) -> Answer | None:
        """The same for networks that only know which message was clicked on."""
        number = self.approvals.asked_with(message)
        return self.decided(caller, message.place, number, choice) if number else None

    def guard(self, caller: Caller, place: Place, command: str, words: str = "") -> Answer | None:
        """Judge a command that is none of ours (Errbot's own, or of a plugin from elsewhere); None lets it through.

        `words` are only looked at where a command changes which plugins there are.
        """
        request, decision = self._judge_command(caller, place, command)
        if decision.verdict is not Verdict.ALLOW:
            return self._acceptance.refuse(request, decision)
        if command in _INSTALLS:
            what = one_line(_USERINFO.sub("://", words), 300)
            about = Subject.of_request(request, person.name if (person := self.person(caller)) else "")
            self._parts.store.record(AuditKind.INSTALLED, {"what": what, "rules": decision.rules}, about)
            return None
        self._acceptance.record(AuditKind.COMMAND, request, decision)
        return None

    def judged(self, request: Request) -> Answer | None:
        """Judge a request that becomes no job; the refusal, or None when it is allowed."""
        decision = gate.decide(self._parts.world.scope, request, self._parts.now())
        return None if decision.verdict is Verdict.ALLOW else self._acceptance.refuse(request, decision)

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
