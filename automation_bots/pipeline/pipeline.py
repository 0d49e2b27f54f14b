"""The way of a command, in one direction: words → request → decision → job. Every entry point comes through here."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from automation_bots import render
from automation_bots.approvals.approvals import Approvals
from automation_bots.approvals.validity import ApprovalValidity
from automation_bots.drivers.alerts.driver import number_of
from automation_bots.errors import BadCommand, BadParameter, NoSuchJob, StoreError, UserError
from automation_bots.jobs.acceptance import Acceptance
from automation_bots.jobs.request_context import RequestContext, TypedCommand
from automation_bots.model import (
    FINAL,
    GOOD,
    Answer,
    Caller,
    Cause,
    Decision,
    Job,
    Occurrence,
    Operation,
    Person,
    Place,
    Request,
    Verdict,
    one_line,
    typed_words,
)
from automation_bots.operations import catalog
from automation_bots.operations.own_commands import OWN
from automation_bots.operations.ways import has_way
from automation_bots.pipeline import filled
from automation_bots.pipeline import parser as grammar
from automation_bots.pipeline.filled import Filling
from automation_bots.pipeline.lookup import OperationLookup
from automation_bots.pipeline.plugin_commands import PluginCommands
from automation_bots.pipeline.questions import Confirmation, Conversation, Question, Questions
from automation_bots.pipeline.targets import TargetResolver
from automation_bots.pipeline.watched import WatchedReads
from automation_bots.policy import canary, gate
from automation_bots.store import AuditKind, Subject
from automation_bots.surface import MessageRef
from automation_bots.text import times

log = logging.getLogger(__name__)
Unfit = Callable[[Operation, grammar.ParsedCommand, Mapping[str, Any]], str]


@runtime_checkable
class Refuses(Protocol):
    """The body of an operation that can tell from the words alone what it will not run."""

    def refuse(self, parameters: Mapping[str, Any]) -> None:
        """Raise the UserError that it would end with, before anything is accepted."""


class Pipeline:
    """Turns what was said into a job, a question, or a refusal with its reason."""

    def __init__(self, context: RequestContext, validity: ApprovalValidity) -> None:
        self._context = context
        self._questions = Questions(abandoned=self._abandoned)
        self._resolver, self._acceptance = TargetResolver(context.live, context.selectors), Acceptance(context)
        self.lookup, self.plugin_commands = OperationLookup(context), PluginCommands(context, self._acceptance)
        self.conversation = Conversation(
            context, self._questions, self._resolver, self._completed, self.request, self._abandoned
        )
        self.approvals = Approvals(context, self._acceptance, validity)
        self.watched = WatchedReads(context, self._acceptance, self._resolver, self.lookup)

    def place_name(self, place: Place) -> str:
        """A place as people call it."""
        return self._context.place_name(place)

    def submit(self, said: TypedCommand) -> Answer | None:
        """Take a command; None when its job has been announced already, else what to answer."""
        return self._safely(self.lookup.verb(said), self._submit)

    def submit_typed(self, said: TypedCommand, typed: grammar.ParsedCommand) -> Answer | None:
        """The same for plugins, which have values instead of words; they are checked all the same."""

        def submit(said: TypedCommand) -> Answer | None:
            operation = self.lookup.operation(said)
            return self.lookup.unknown(said) if operation is None else self._with(said, operation, typed)

        return self._safely(said, submit)

    def _safely(self, said: TypedCommand, submit: Callable[[TypedCommand], Answer | None]) -> Answer | None:
        self._questions.drop(said.caller, said.place)
        try:
            return submit(said)
        except UserError as error:
            self._rejected(said, error)
            return Answer(str(error))
        except StoreError as error:
            log.exception("a command could not be recorded, so nothing was started")
            return Answer(f"Nothing was started, because it could not be recorded. {error.plain}")

    def filtered(self, said: TypedCommand) -> None:
        """Record a command that a filter of Errbot kept back, such as its access control."""
        self._note(AuditKind.DENIED, said, "a filter of Errbot kept it back (ACCESS_CONTROLS)")

    def _rejected(self, said: TypedCommand, error: UserError) -> None:
        """Record words that made no command; what is wrong with a secret value is not said there."""
        operation = self.lookup.operation(said)
        hidden = operation is None or any(parameter.secret for parameter in operation.parameters)
        self._note(AuditKind.REJECTED, said, type(error).__name__ if hidden else one_line(str(error), 300))

    def _abandoned(self, question: Question | Confirmation, why: str) -> None:
        self._note(AuditKind.ABANDONED, TypedCommand(question.caller, question.place, question.operation), why)

    def _note(self, kind: AuditKind, said: TypedCommand, reason: str) -> None:
        person = self._context.person(said.caller)
        about = Subject(person.name if person else "", said.caller, said.place, one_line(said.operation, 60))
        try:
            self._context.store.record(kind, {"reason": reason}, about)
        except StoreError:  # nothing was started, and the person must hear why not
            log.exception("%s %s could not be recorded", kind.value, about.operation)

    def _submit(self, said: TypedCommand) -> Answer | None:
        operation = self.lookup.operation(said)
        if operation is None:
            return self.lookup.unknown(said)
        if len(said.line) + len(said.text) > self._context.message_size:
            size = len(said.line) + len(said.text)
            raise BadCommand(f"That is {size} characters; I read at most {self._context.message_size}.")
        # Without the words, since a secret may be among them; what may be shown of them is recorded anyway.
        log.info("request %s by %s at %s", said.operation, said.caller.id, said.place.room)
        typed = self._parsed(said, operation)
        return typed if isinstance(typed, Answer) else self._with(said, operation, typed)

    def _parsed(self, said: TypedCommand, operation: Operation) -> grammar.ParsedCommand | Answer:
        try:
            typed = grammar.parse(operation, said.line, said.text)
            grammar.checked(operation, typed)
        except UserError:  # what it takes is told only to whom it is for
            if refused := self._not_for(said, operation, ""):
                return refused
            raise
        return typed

    def _not_for(self, said: TypedCommand, operation: Operation, pattern: str) -> Answer | None:
        """Refuse an operation that a person cannot use here, whatever the values."""
        scope, person = self._context.live.scope, self._context.person(said.caller)
        if gate.usable(scope, person, operation, said.place) is not None:
            return None
        request = Request(said.caller, said.place, operation, {}, pattern)
        return self._acceptance.refuse(request, gate.decide(scope, request, self._context.now()))

    def _with(self, said: TypedCommand, operation: Operation, typed: grammar.ParsedCommand) -> Answer | None:
        values = grammar.checked(operation, typed)
        if isinstance(values, grammar.Missing):
            return self._ask(said, operation, typed, values)
        return self.request(self._request(said, operation, typed, values))

    def _request(
        self, said: TypedCommand, operation: Operation, typed: grammar.ParsedCommand, values: Mapping[str, Any]
    ) -> Request:
        return Request(
            caller=said.caller,
            place=said.place,
            operation=operation,
            parameters=values,
            pattern=typed.pattern or self._devices_of(said, operation, values),
            check=typed.check,
            reason=one_line(typed.reason, 500),
            quiet=typed.quiet,
            wait=typed.wait,
            message_id=said.message_id,
            when=self._moment(typed.when),
            emergency=one_line(typed.emergency, 500),
            canary=canary.read(typed.canary, typed.pause_after),
            filters=typed.filters,
        )

    def _devices_of(self, said: TypedCommand, operation: Operation, values: Mapping[str, object]) -> str:
        """The pattern of an operation that is about a job or an alert: its devices, unless others are named.

        What somebody may not see is not there: neither that it is, nor on what.
        """
        if operation.devices == "job":
            return self._devices_of_job(said, int(str(values["job"])))
        return self._device_of_alert(said, str(values["alert"])) if operation.devices == "alert" else ""

    def _devices_of_job(self, said: TypedCommand, number: int) -> str:
        job, person = self._context.store.job(number), self._context.person(said.caller)
        if not (person and job.person == person.name) and not self._sees(person, job.devices):
            raise NoSuchJob(f"There is no job #{number}. → !jobs")
        return ",".join(job.devices)

    def _device_of_alert(self, said: TypedCommand, written: str) -> str:
        alert, person = self._context.store.alerts.find(number_of(written)), self._context.person(said.caller)
        device = alert.device if alert and self._context.live.inventory.find(alert.device) else ""
        if alert is None or not self._sees(person, filter(None, (device,))):
            raise BadCommand(f"There is no alert {one_line(written, 20)}. → !alerts")
        return device

    def _sees(self, person: Person | None, devices: Iterable[str]) -> bool:
        """Whether somebody may know of all of these; a stranger is told that he is one before anything is looked up."""
        return person is None or gate.visible(self._context.live.scope, person).issuperset(devices)

    def _moment(self, text: str) -> datetime | None:
        try:
            return times.moment(text, self._context.now(), self._context.live.policy.timezone) if text else None
        except ValueError as error:
            raise BadParameter(f"when: {error}.") from error

    def request(self, request: Request) -> Answer | None:
        """Resolve, decide and accept a request whose values are checked."""
        person = self._context.person(request.caller)
        if person is None:
            return self._stranger(request)
        return self._decided(person, self._resolved(person, request))

    def _stranger(self, request: Request) -> Answer:
        reason = gate.stranger(self._context.live.policy, request.caller)
        return self._acceptance.refuse(request, Decision(Verdict.DENY, reason))

    def _resolved(self, person: Person, request: Request) -> Request:
        if request.check and not request.operation.previews:
            raise BadCommand(
                f"{request.operation.name} cannot show beforehand what it would change; leave --check out."
            )
        if isinstance(body := request.operation.body, Refuses):
            body.refuse(request.parameters)
        request = replace(request, devices=request.devices or self._resolver.devices(person, request))
        return self._resolver.with_others(request)

    def _decided(self, person: Person, request: Request, *, asked: bool = True) -> Answer | None:
        decision = self._decision(request)
        if decision.verdict is Verdict.DENY:
            return self._acceptance.refuse(request, decision)
        self._refuse_without_way(request)
        if decision.confirm and request.confirmed != len(request.devices):
            if request.occurrence is not None or request.cause is not None or not asked:  # nobody is there to be asked
                raise BadCommand(_unconfirmed(request, decision.confirm))
            return self._questions.confirm(request, decision.confirm)
        if decision.verdict is Verdict.APPROVAL or request.when:
            return self.approvals.park(person, request, decision)
        return self._acceptance.accept(person, request, decision)

    def _decision(self, request: Request) -> Decision:
        now, scope = self._context.now(), self._context.live.scope
        if request.occurrence is not None:
            return gate.typed_before(scope, request, now, request.when)
        return gate.decide(scope, request, request.when or now, now)

    # -- schedules

    def planned(self, said: TypedCommand) -> Request | Answer:
        """Return what a command would ask for, resolved as now, where it needs nobody who could be asked.

        The answer is a refusal, which is recorded; nothing is started.
        """
        return self._whole(said, self._unplanned)

    def _whole(self, said: TypedCommand, unfit: Unfit = lambda *_: "") -> Request | Answer:
        """Read a command that has to say all, since nobody can be asked; `unfit` says what cannot be meant."""
        said = self.lookup.verb(said)
        operation, person = self.lookup.operation(said), self._context.person(said.caller)
        if operation is None or person is None:
            return self.lookup.unknown(said)
        typed = self._parsed(said, operation)
        if isinstance(typed, Answer):
            return typed
        values = grammar.checked(operation, typed)
        if isinstance(values, grammar.Missing):
            missing = values.parameter.name if values.parameter else "the devices, as in `on web`"
            raise BadCommand(f"{operation.name} needs {missing}, and nobody is asked later. → !help {operation.name}")
        if why := unfit(operation, typed, values):
            raise BadCommand(why)
        return self._resolved(person, self._request(said, operation, typed, values))

    def unattended(self, said: TypedCommand, *, confirmed: int = 0) -> Answer | None:
        """Take a whole command of somebody who is not here to be asked. None: there is a job for it."""
        try:
            request = self._whole(said)
            person = self._context.person(said.caller)
            if isinstance(request, Answer) or person is None:
                return request if isinstance(request, Answer) else self._stranger(request)
            return self._decided(person, replace(request, confirmed=confirmed), asked=False)
        except UserError as error:
            self._rejected(said, error)
            return Answer(str(error))
        except StoreError as error:
            log.exception("a command could not be recorded, so nothing was started")
            return Answer(f"Nothing was started, because it could not be recorded. {error.plain}")

    def _unplanned(self, operation: Operation, typed: grammar.ParsedCommand, values: Mapping[str, Any]) -> str:
        """Say what of a command cannot be meant for later."""
        if typed.when or typed.emergency:
            flag = "--when" if typed.when else "--emergency"
            return f"{flag} does not go with a schedule or a rule, which have times of their own; leave it out."
        if catalog.without_secrets(operation, values) != values:
            return f"{operation.name} is given a secret, which is never stored, so it cannot run later."
        return ""

    def scheduled(
        self, said: TypedCommand, occurrence: Occurrence, *, confirmed: int, silent: bool, when: datetime | None = None
    ) -> Answer | None:
        """Ask for what a schedule says, at one of its times: decided by what holds now. None: there is a job for it."""
        try:
            request = self.planned(said)
            person = self._context.person(said.caller)
            if isinstance(request, Answer) or person is None:
                return request if isinstance(request, Answer) else self._stranger(request)
            silent = silent or request.wait
            request = replace(request, occurrence=occurrence, confirmed=confirmed, wait=silent, when=when)
            return self._decided(person, request)
        except UserError as error:
            self._rejected(said, error)
            return Answer(str(error))
        except StoreError as error:
            log.exception("S%s could not be recorded, so nothing was started", occurrence.schedule)
            return Answer(f"Nothing was started, because it could not be recorded. {error.plain}")

    def asks(self, said: TypedCommand, occurrence: Occurrence) -> timedelta | None:
        """Return how long before a time of a schedule approvers are asked at most; None: nobody has to be asked.

        Nothing is recorded, and nothing said: at the time itself all of it is decided again.
        """
        at, person = occurrence.at, self._context.person(said.caller)
        try:
            request = self.planned(said)
            if isinstance(request, Answer) or person is None:
                return None
            request = replace(request, occurrence=occurrence)
            decision = gate.typed_before(self._context.live.scope, request, self._context.now(), at)
            given = decision.verdict is not Verdict.APPROVAL or self.approvals.is_given(person, request, decision, at)
        except UserError:
            return None
        within = [need.within for need in decision.needs if need.within]
        return None if given else timedelta(seconds=min(within)) if within else timedelta.max

    # -- rules of events

    def by_rule(self, said: TypedCommand, filling: Filling, cause: Cause) -> Answer | None:
        """Ask for what a rule says about an event, as the rule's robot. None: there is a job for it."""
        try:
            request = self.of_rule(said, filling)
            person = self._context.person(said.caller)
            if isinstance(request, Answer) or person is None:
                return request if isinstance(request, Answer) else self._stranger(request)
            return self._decided(person, replace(request, cause=cause))
        except UserError as error:
            self._rejected(said, error)
            return Answer(str(error))
        except StoreError as error:
            log.exception("the rule %r: nothing could be recorded, so nothing was started", cause.rules[-1])
            return Answer(f"Nothing was started, because it could not be recorded. {error.plain}")

    def of_rule(self, said: TypedCommand, filling: Filling) -> Request | Answer:
        """Return what a rule would ask for, resolved as now; nothing is started."""
        said = self.lookup.verb(said)
        operation, person = self.lookup.operation(said), self._context.person(said.caller)
        if operation is None or person is None:
            return self.lookup.unknown(said)
        typed = filled.parse(operation, said.line, filling)
        values = grammar.checked(operation, typed)
        if isinstance(values, grammar.Missing):
            missing = values.parameter.name if values.parameter else "the devices, as in `on {device}`"
            raise BadCommand(f"{operation.name} needs {missing}, and nobody is asked then. → !help {operation.name}")
        if why := self._unplanned(operation, typed, values):
            raise BadCommand(why)
        return self._resolved(person, self._request(said, operation, typed, values))

    def title(self, said: TypedCommand, filling: Filling) -> str:
        """Return a command of a rule as it would be typed; a UserError says why it makes none."""
        said = self.lookup.verb(said)
        operation = self.lookup.operation(said)
        if operation is None and said.operation in OWN:
            return f"{said.operation} {filled.words(said.line, filling)}".strip()
        if operation is None:
            raise BadCommand(f"There is no operation {one_line(said.operation, 40)!r}.")
        typed = filled.parse(operation, said.line, filling)
        values = grammar.checked(operation, typed)
        if isinstance(values, grammar.Missing):
            missing = values.parameter.name if values.parameter else "the devices, as in `on {device}`"
            raise BadCommand(f"{operation.name} needs {missing}.")
        on = [f"on {typed.pattern}"] if typed.pattern else []
        return " ".join([operation.name, *typed_words(operation, values), *on])

    def would(self, said: TypedCommand, filling: Filling) -> Decision | Answer:
        """Return what would be decided now about what a rule runs; an Answer says what is wrong with it."""
        try:
            request = self.of_rule(said, filling)
        except UserError as error:
            return Answer(str(error))
        now = self._context.now()
        return request if isinstance(request, Answer) else gate.decide(self._context.live.scope, request, now)

    def proposed(self, said: TypedCommand, filling: Filling) -> Answer | None:
        """Take what a rule proposed, as the person who wants it now; None when its job has been announced already."""

        def submit(said: TypedCommand) -> Answer | None:
            operation = self.lookup.operation(said)
            if operation is None:
                return self.lookup.unknown(said)
            return self._with(said, operation, filled.parse(operation, said.line, filling))

        return self._safely(self.lookup.verb(said), submit)

    def looks(self, said: TypedCommand) -> bool:
        """Whether a command, as its words are read now, only looks; not where that cannot be said."""
        said = self.lookup.verb(said)
        operation = self.lookup.operation(said)
        try:
            values = grammar.checked(operation, grammar.parse(operation, said.line, said.text)) if operation else None
        except UserError:
            return False
        if operation is None or values is None or isinstance(values, grammar.Missing):
            return False
        return operation.only_looks(values)

    def _refuse_without_way(self, request: Request) -> None:
        """Refuse what no device of a request has a way for, before anybody is asked to approve of it."""
        devices = self._context.live.inventory.devices(request.devices)
        if devices and not any(has_way(request.operation, device, request.parameters) for device in devices):
            what = request.operation.name
            platforms = ", ".join(sorted({device.platform for device in devices}))
            one = "is" if len(devices) == 1 else "are"
            raise BadCommand(
                f"{what} can do nothing on {render.names(request.devices)}, which {one} {platforms}. → !help {what}"
            )

    def meant(self, said: TypedCommand) -> Request | Answer:
        """Return what would be asked for, as far as it was said; nothing is started, asked or recorded."""
        said = self.lookup.verb(said)
        operation, person = self.lookup.operation(said), self._context.person(said.caller)
        if operation is None or person is None:
            return self.lookup.unknown(said)
        typed = grammar.parse(operation, said.line)
        values = grammar.checked(operation, typed)
        known = {} if isinstance(values, grammar.Missing) else values
        request = Request(
            said.caller, said.place, operation, known, typed.pattern, check=typed.check, emergency=typed.emergency
        )
        devices = self._resolver.devices(person, request)
        if not devices and operation.devices in {"required", "one"}:
            usable = gate.usable(self._context.live.scope, person, operation, said.place)
            devices = tuple(sorted(usable or ()))
        return replace(request, devices=devices)

    def expand(self, person: Person, pattern: str) -> tuple[str, ...]:
        """The devices of a pattern, among those that a person may see."""
        return self._resolver.expand(person, pattern)

    def _ask(
        self, said: TypedCommand, operation: Operation, typed: grammar.ParsedCommand, missing: grammar.Missing
    ) -> Answer:
        if refused := self._not_for(said, operation, typed.pattern):
            return refused
        usable = gate.usable(self._context.live.scope, self._context.person(said.caller), operation, said.place) or ()
        return self._questions.ask(Question(said.caller, said.place, operation.name, typed, missing), sorted(usable))

    def _completed(self, said: TypedCommand, typed: grammar.ParsedCommand) -> Answer | None:
        operation = self.lookup.operation(said)
        return self.lookup.unknown(said) if operation is None else self._with(said, operation, typed)

    def decided(self, caller: Caller, place: Place, number: int, choice: str) -> Answer | None:
        """Take a click or a reaction on a request that waits: Approve, Deny or Details."""
        return self._safely(
            TypedCommand(caller, place, choice), lambda _: self.approvals.choose(caller, place, number, choice)
        )

    def chosen(self, caller: Caller, message: MessageRef, choice: str) -> Answer | None:
        """The same for networks that only know which message was clicked on."""
        number = self.approvals.asked_with(message)
        return self.decided(caller, message.place, number, choice) if number else None

    def judged(self, request: Request) -> Answer | None:
        """Judge a request that becomes no job; the refusal, or None when it is allowed."""
        decision = gate.decide(self._context.live.scope, request, self._context.now())
        return None if decision.verdict is Verdict.ALLOW else self._acceptance.refuse(request, decision)

    # -- jobs that exist already

    def retry(
        self,
        caller: Caller,
        place: Place,
        job: Job,
        *,
        failed: bool,
        occurrence: Occurrence | None = None,
        confirmed: int = 0,
    ) -> Answer | None:
        """Ask for the same again, on all of a job's devices or those that failed; decided anew, as if typed anew."""
        try:
            request = self._same(caller, place, job, failed=failed)
            if isinstance(request, Answer):
                return request
            return self.request(replace(request, occurrence=occurrence, confirmed=confirmed))
        except UserError as error:
            if occurrence is not None:
                raise
            return Answer(str(error))

    def could_retry(self, caller: Caller, place: Place, job: Job, *, failed: bool) -> Answer | None:
        """Say why the same could not be asked for now; nothing is started."""
        request, person = self._same(caller, place, job, failed=failed), self._context.person(caller)
        if isinstance(request, Answer) or person is None:
            return request if isinstance(request, Answer) else self._stranger(request)
        request = self._resolved(person, request)
        decision = gate.decide(self._context.live.scope, request, self._context.now())
        return self._acceptance.refuse(request, decision) if decision.verdict is Verdict.DENY else None

    def _same(self, caller: Caller, place: Place, job: Job, *, failed: bool) -> Request | Answer:
        """The request of a job once more, on all of its devices or those that failed."""
        said, operation = TypedCommand(caller, place, job.operation), self._context.live.catalog.find(job.operation)
        if operation is None:
            return self.lookup.unknown(said)
        if job.state not in FINAL:
            return Answer(f"#{job.number} has not ended. → !cancel {job.number}")
        if any(value == catalog.HIDDEN for value in job.parameters.values()):
            return Answer(f"#{job.number} had a value that is never stored; type the command again.")
        if failed and self._context.store.forgotten(job):
            return Answer(f"{render.forgotten(job)} Which devices failed, I cannot say any more.")
        bad = [o.device for o in self._context.store.outcomes(job.number) if o.status not in GOOD] if failed else []
        if failed and not bad:
            return Answer(f"#{job.number} has no failed device.")
        devices = tuple(device for device in bad if device) if failed else job.devices
        return self._again(said, operation, job, devices)

    def _again(self, said: TypedCommand, operation: Operation, job: Job, devices: tuple[str, ...]) -> Request | Answer:
        typed = grammar.ParsedCommand(dict(job.parameters), ",".join(devices))
        values = grammar.checked(operation, typed)  # its file may ask for other values now
        if isinstance(values, grammar.Missing):
            return Answer(f"{operation.name} has changed since #{job.number}; type the command again.")
        request = Request(said.caller, said.place, operation, values, typed.pattern, devices, job.check, job.reason)
        quiet = job.quiet and job.preview_of is None
        same = replace(request, quiet=quiet, emergency=job.emergency, canary=job.canary, filters=job.filters)
        return replace(same, retry_of=job.number)


def _unconfirmed(request: Request, why: str) -> str:
    """What is heard of a command that needs a number of devices that nobody can be asked for."""
    many = len(request.devices)
    if request.cause is not None:
        return f"{why}, and nobody is asked when a rule acts. Propose it instead: propose: {request.operation.name} …"
    if not request.confirmed:
        where = "in the schedule" if request.occurrence is not None else "behind the command"
        return f"{why}, so the number has to stand {where}: --confirm {many}"
    return f"{why}, and it was set for {request.confirmed} devices, but means {many} now. Set it anew."
