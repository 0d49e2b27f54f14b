"""The end of a request: refused with its reason, or a job in the queue."""

from __future__ import annotations

import logging
from dataclasses import replace

from automation_bots import render
from automation_bots.errors import BadCommand
from automation_bots.jobs.request_context import RequestContext
from automation_bots.model import (
    FILTERS,
    Answer,
    Decision,
    Job,
    Operation,
    Person,
    Request,
    Risk,
    State,
    items_of,
    typed_words,
)
from automation_bots.operations import catalog
from automation_bots.operations.revision import revision
from automation_bots.policy import gate
from automation_bots.store import AuditKind, Subject

log = logging.getLogger(__name__)


class Acceptance:
    """Makes jobs of requests."""

    def __init__(self, context: RequestContext) -> None:
        self._context = context

    def refuse(self, request: Request, decision: Decision) -> Answer:
        """Record a refusal and say why."""
        self.record(AuditKind.DENIED, request, decision)
        log.info(
            "denied %s to %s at %s: %s", request.operation.name, request.caller.id, request.place.room, decision.reason
        )
        hint = self._verb_instead(request)
        if decision.allowed:
            what = request.operation.name
            hint = f"Devices you may use with {what}: {render.names(decision.allowed)} ({len(decision.allowed)})"
        return Answer(decision.reason, hint=hint)

    def _verb_instead(self, request: Request) -> str:
        """The verb that asks the same, for those who may not send commands of their own."""
        words, context = request.parameters.get("command") or (), self._context
        verb = (
            context.live.catalog.find(str(words[0])) if request.operation.name == catalog.SSH.name and words else None
        )
        if verb is None or verb.group != "Verbs":
            return ""
        devices = gate.usable(context.live.scope, context.person(request.caller), verb, request.place)
        return f"→ !{verb.name} on {request.pattern}" if devices else ""

    def accept(self, person: Person, request: Request, decision: Decision) -> Answer | None:
        """Queue what was allowed; its place hears of it by the announcer."""
        context = self._context
        job, hidden = self.job_of(person, request, decision)
        job = context.store.add_job(job, self.source(request))
        log.info("job %s accepted: %s for %s on %d devices", job.number, job.title, person.name, len(job.devices))
        context.announcer.expect(job.number)
        why = context.dispatcher.submit(job, hidden)
        context.announcer.accepted(job, why, silent=request.wait)
        if job.emergency:
            context.page(render.emergency(job, context.place_name(job.place)))
        return None

    def look(self, person: Person, request: Request, decision: Decision, monitor: int) -> Job:
        """Queue a read of a monitor, which alone hears how it ends."""
        job, hidden = self.job_of(person, request, decision)
        job = self._context.store.add_job(replace(job, monitor=monitor), self.source(request))
        self._context.dispatcher.submit(job, hidden)
        return job

    def source(self, request: Request) -> dict[str, str | int]:
        """What the record keeps of an acceptance beside the job."""
        version = self._context.live.policy.version
        files = revision(request.operation) if request.risk is Risk.CHANGE else ""
        return {"message": request.message_id, "policy": version, "confirmed": request.confirmed, "revision": files}

    def job_of(self, person: Person, request: Request, decision: Decision) -> tuple[Job, dict[str, object]]:
        """Make the job, and apart from it the values that are never stored."""
        context, operation = self._context, request.operation
        if (waiting := context.dispatcher.queued_by(person.name)) >= context.queued_per_person:
            seconds = context.dispatcher.free_in(person.name)
            again = f" Try again in {seconds} s." if seconds else ""
            raise BadCommand(f"You have {waiting} jobs waiting, which is the limit.{again} → !queue · !cancel <n>")
        stored = self._stored(request)
        hidden = {name: value for name, value in request.parameters.items() if stored[name] != value}
        drivers, sites = self._drivers(operation, request.devices)
        job = Job(
            number=0,
            state=State.QUEUED,
            person=person.name,
            caller=request.caller,
            place=request.place,
            operation=operation.name,
            parameters=stored,
            pattern=request.pattern,
            devices=request.devices,
            risk=Risk.READ if request.check or operation.only_looks(request.parameters) else request.risk,
            drivers=drivers,
            sites=sites,
            rules=decision.rules,
            limits=decision.limits,
            words=typed_words(operation, stored),
            check=request.check,
            quiet=request.quiet,
            reason=request.reason,
            digest=catalog.digest(operation, stored, request.devices),
            retry_of=request.retry_of,
            emergency=request.emergency,
            canary=request.canary,
            also=request.also,
            unknown=request.unknown,
            occurrence=request.occurrence,
            cause=request.cause,
        )
        return job, hidden

    def _stored(self, request: Request) -> dict[str, object]:
        """The values as they may be kept: without those that are secret by their kind, or known to be one."""
        values = catalog.without_secrets(request.operation, request.parameters)
        if request.filters:
            values[FILTERS] = [list(one) for one in request.filters]
        return {name: catalog.HIDDEN if self._is_known(value) else value for name, value in values.items()}

    def _is_known(self, value: object) -> bool:
        return any(isinstance(word, str) and self._context.known(word) != word for word in items_of(value))

    def _drivers(self, operation: Operation, devices: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        if operation.driver and not operation.network and not self._context.sites:
            return (operation.driver,), ()
        known = self._context.live.inventory.devices(devices)
        drivers = {operation.driver_on(device) for device in known}
        return tuple(sorted(drivers)), tuple(sorted({device.site for device in known if device.site}))

    def record(self, kind: AuditKind, request: Request, decision: Decision) -> None:
        """Record what became of a request that is no job."""
        person = self._context.person(request.caller)
        body = {
            "parameters": self._stored(request),
            "pattern": request.pattern,
            "rules": decision.rules,
            "reason": decision.reason,
            "check": request.check,
            "emergency": request.emergency,
            "direct": request.place.direct,
            "policy": self._context.live.policy.version,
        }
        self._context.store.record(kind, body, Subject.of_request(request, person.name if person else ""))
