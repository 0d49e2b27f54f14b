"""The reads of monitors on the way of every command: the same words, the same gate, at each time anew."""

from __future__ import annotations

from dataclasses import replace

from automation_bots import render
from automation_bots.errors import BadCommand, StoreError, UserError
from automation_bots.jobs.acceptance import Acceptance
from automation_bots.jobs.request_context import RequestContext, TypedCommand
from automation_bots.model import Answer, Decision, Monitor, Operation, Request, Risk, Verdict
from automation_bots.operations import catalog, web_address
from automation_bots.operations.ways import has_way
from automation_bots.pipeline import parser as grammar
from automation_bots.pipeline.lookup import OperationLookup
from automation_bots.pipeline.targets import TargetResolver
from automation_bots.policy import gate


class WatchedReads:
    """What monitors may look at, as the person who began them."""

    def __init__(
        self, context: RequestContext, acceptance: Acceptance, resolver: TargetResolver, lookup: OperationLookup
    ) -> None:
        self._context, self._acceptance, self._resolver, self._lookup = context, acceptance, resolver, lookup

    def request(self, said: TypedCommand) -> Request | Answer:
        """Read words as a read that can be repeated, judged now; an Answer refuses it."""
        said = self._lookup.verb(said)
        operation, person = self._lookup.operation(said), self._context.person(said.caller)
        if operation is None or person is None:
            return self._lookup.unknown(said)
        typed = grammar.parse(operation, said.line)
        values = grammar.checked(operation, typed)
        if isinstance(values, grammar.Missing):
            what = values.parameter.name if values.parameter else "which devices"
            raise BadCommand(f"{operation.name}: {what} is missing. → !help {operation.name}")
        if typed.filters or typed.when or typed.check:
            raise BadCommand("A monitor takes no | filters, --when or --check; what has to be so stands behind where.")
        request = Request(said.caller, said.place, operation, values, typed.pattern)
        self._refuse_unfit(request)
        request = replace(request, devices=self._resolver.devices(person, request))
        return self.judged(request) or request

    def _refuse_unfit(self, request: Request) -> None:
        operation = request.operation
        if request.risk is not Risk.READ:
            raise BadCommand(f"A monitor only looks, and {operation.name} may change something. → !help monitor")
        if catalog.without_secrets(operation, request.parameters) != dict(request.parameters):
            raise BadCommand(f"{operation.name} takes a secret, which is never stored, so nothing can repeat it.")

    def judged(self, request: Request) -> Answer | None:
        """Judge a read that is to be repeated; the refusal, or None when it is allowed."""
        decision = gate.decide(self._context.live.scope, request, self._context.now())
        if decision.verdict is Verdict.DENY:
            return self._acceptance.refuse(request, decision)
        if decision.verdict is Verdict.APPROVAL:
            why = f"No: {request.operation.name} needs approval there each time, so no monitor can repeat it."
            return self._acceptance.refuse(request, replace(decision, verdict=Verdict.DENY, reason=why))
        devices = self._context.live.inventory.devices(request.devices)
        if devices and not any(has_way(request.operation, device, request.parameters) for device in devices):
            raise BadCommand(
                f"{request.operation.name} can do nothing on {render.names(request.devices)}."
                f" → !help {request.operation.name}"
            )
        return None

    # -- while it goes on

    def judge(self, monitor: Monitor) -> str:
        """Say why its owner may not look any more; empty when all is well."""
        try:
            request = self._again(monitor)
        except UserError as error:
            return str(error)
        return self._refusal(gate.by_rules(self._context.live.scope, request, self._context.now()), request)

    def ask(self, monitor: Monitor) -> int | str:
        """Begin its read once: the number of the job, or why there is none."""
        try:
            request = self._again(monitor)
            decision = gate.by_rules(self._context.live.scope, request, self._context.now())
            if why := self._refusal(decision, request):
                return why
            person = self._context.person(monitor.caller)
            if person is None:
                return gate.stranger(self._context.live.policy, monitor.caller)
            return self._acceptance.look(person, request, decision, monitor.number).number
        except UserError as error:
            return str(error)
        except StoreError as error:
            return error.plain

    @staticmethod
    def _refusal(decision: Decision, request: Request) -> str:
        if decision.verdict is Verdict.APPROVAL:
            return f"{request.operation.name} needs approval there now."
        return decision.reason if decision.verdict is Verdict.DENY else ""

    def _again(self, monitor: Monitor) -> Request:
        """The request as it would be typed now, on those of its devices that are still there."""
        operation = self._operation(monitor)
        typed = grammar.ParsedCommand(dict(monitor.parameters), monitor.pattern or ",".join(monitor.devices))
        values = grammar.checked(operation, typed)  # its file may ask for other values now
        if isinstance(values, grammar.Missing):
            raise BadCommand(f"{operation.name} has changed since the monitor began; begin it anew.")
        find = self._context.live.inventory.find
        devices = tuple(name for name in monitor.devices if find(name) is not None)
        if monitor.devices and not devices:
            raise BadCommand("none of its devices is in the inventory any more.")
        return Request(monitor.caller, monitor.place, operation, values, typed.pattern, devices)

    def _operation(self, monitor: Monitor) -> Operation:
        if monitor.kind == web_address.NAME:
            return web_address.ON_DEVICE if monitor.devices else web_address.ELSEWHERE
        operation = self._context.live.catalog.find(monitor.operation)
        if operation is None:
            raise BadCommand(f"{monitor.operation} is no longer there.")
        return operation
