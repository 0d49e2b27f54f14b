"""Requests made again from the record: to be explained, or judged by another policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from automation_bots.config.live import LiveConfig
from automation_bots.model import Caller, Decision, Operation, Place, Request, Verdict
from automation_bots.policy import gate
from automation_bots.policy.policy import Policy
from automation_bots.policy.scope import Scope
from automation_bots.store import AuditKind, AuditRow

REQUESTS = (AuditKind.ACCEPTED, AuditKind.DENIED)


def request_of(row: AuditRow, operation: Operation, devices: frozenset[str]) -> Request:
    """The request that an audit row is about, on those of its devices that are still there."""
    body = row.body
    room, _, thread = row.place.partition("/")
    return Request(
        caller=Caller(row.network, row.caller),
        place=Place(row.network, room, thread, direct=bool(body.get("direct"))),
        operation=operation,
        parameters=dict(body.get("parameters") or {}),
        pattern=str(body.get("pattern", "")),
        devices=tuple(name for name in body.get("devices", ()) if name in devices),
        check=bool(body.get("check")),
        emergency=str(body.get("emergency") or ""),
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """A request that another policy answers differently."""

    person: str
    what: str
    before: str
    after: str
    reason: str


def differences(live: LiveConfig, other: Policy, rows: Iterable[AuditRow]) -> tuple[int, Counter[Difference]]:
    """Judge recorded requests by both policies; returns how many there were, and what changes, how often."""
    now = replace(live.scope, change_blocks=())
    then = replace(now, policy=other, meanings={}, _seen={}, _reach={})
    devices, found, looked = frozenset(live.inventory.names), Counter[Difference](), 0
    for row in rows:
        operation = live.catalog.find(row.operation)
        if operation is None or row.kind not in REQUESTS:
            continue
        looked += 1
        request = request_of(row, operation, devices)
        before, after = _said(now, request, row), _said(then, request, row)
        if before != after:
            reason = gate.decide(then, request, row.at).reason
            what = " ".join(filter(None, [operation.name, "on " + request.pattern if request.pattern else ""]))
            found[Difference(row.person or row.caller, what, before, after, reason)] += 1
    return looked, found


def _said(scope: Scope, request: Request, row: AuditRow) -> str:
    decision: Decision = gate.decide(scope, request, row.at)
    if decision.verdict is Verdict.APPROVAL:
        return f"approval by {' or '.join(decision.approvers)}"
    return f"{decision.verdict.value}{' once confirmed' if decision.confirm else ''}"
