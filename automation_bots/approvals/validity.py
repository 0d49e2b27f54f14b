"""Whether what waits, or was approved, is still what would run: operation, values, devices, rules, votes, clock."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from automation_bots.config.live import LiveConfig
from automation_bots.errors import UnknownDevice
from automation_bots.model import ApprovalRequirement, Decision, Job, Operation, State, Verdict
from automation_bots.operations import catalog
from automation_bots.policy import deadlines, gate, quorum
from automation_bots.policy.approval import Approval, Vote

_CLOCK = timedelta(seconds=60)
_APPROVED = frozenset(State) - {State.WAITING, State.DENIED, State.EXPIRED, State.WITHDRAWN, State.VOID}


@dataclass(frozen=True, slots=True)
class ApprovalValidity:
    """Compares an approval with the world of now; each answer is the reason why it is void, or nothing."""

    live: LiveConfig
    find: Callable[[int], Approval | None]
    now: Callable[[], datetime]

    def bound(self, operation: Operation, job: Job, run_at: datetime | None) -> str:
        """Return the digest that an approval is bound to: who, what, where, when, and how the devices are reached."""
        stored = catalog.without_secrets(operation, job.parameters)
        facts = [
            (d.name, sorted(d.groups), dict(d.variables), sorted(d.secrets))
            for d in self.live.inventory.devices((*job.devices, *job.also))
        ]
        who = (job.person, job.caller.network, job.caller.id, job.place.room, job.place.direct)
        how = (job.reason, job.emergency, job.canary and (job.canary.steps, job.canary.pause_after))
        whole = [catalog.digest(operation, stored, job.devices), job.pattern, job.check, run_at, who, how, facts]
        return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()

    def stale(self, job: Job, approval: Approval) -> str:
        """Say why a job that waits can wait no longer."""
        if self.live.policy_problem:  # nothing starts meanwhile, and the policy may be mended
            return ""
        operation = self.live.operation(job.operation)
        if operation is None:
            return f"{job.operation} is no longer there"
        if why := self._changed(operation, job, approval) or self._requester(job):
            return why
        # What is frozen or locked today may be open again before it is approved: that is looked at by then.
        hour = approval.run_at or job.created or self.now()
        decision = gate.by_rules(self.live.scope, gate.asked(job, operation), hour)
        if decision.verdict is Verdict.DENY:
            return _rules(decision)
        if job.state is State.WAITING and decision.needs != approval.needs:
            return "the rules about who approves it have changed"
        return ""

    def standing(
        self, job: Job, earlier: Job, needs: Sequence[ApprovalRequirement], at: datetime
    ) -> tuple[tuple[Vote, ...], str]:
        """Return the votes on an earlier time of a schedule that count for this one, at its hour: the same request in
        every way, not given too long ago, and enough by the rules of now; or none, and why they count no longer.
        """  # fmt: skip
        found, operation = self.find(earlier.number), self.live.operation(job.operation)
        if found is None or operation is None or earlier.state not in _APPROVED or not found.votes:
            return (), ""
        why = _other(job, earlier)
        if not why and self.bound(operation, job, found.run_at) != found.digest:
            why = "the inventory, or the request itself, was changed since"
        if not why and (at > lasts(needs, found.votes) or deadlines.from_the_future(found, self.now())):
            why = "its time is over"
        if not why and self.lacking(job, found, needs, found.votes):
            gone = self.uncounted(job, found)
            why = quorum.no_longer(gone) if gone else "the rules want more now"
        return ((), why) if why else (found.votes, "")

    def decision(self, job: Job, approval: Approval) -> Decision:
        """Return what the gate says at the hour at which it would run."""
        operation = self.live.operation(job.operation)
        if operation is None:
            return Decision(Verdict.DENY, f"No: {job.operation} is no longer there.")
        now = self.now()
        return gate.again(self.live.scope, operation, job, now, approval.run_at or now)

    def lacking(
        self, job: Job, approval: Approval, needs: Sequence[ApprovalRequirement], votes: Sequence[Vote]
    ) -> list[tuple[ApprovalRequirement, int]]:
        """Return what these votes do not meet, by the policy of now."""
        return quorum.lacking(needs, votes, self.live.policy, job, approval.escalated)

    def uncounted(self, job: Job, approval: Approval) -> list[str]:
        """Return who has approved and counts no longer."""
        return quorum.uncounted(approval.needs, approval.votes, self.live.policy, job, approval.escalated)

    def void(self, operation: Operation, job: Job) -> str:
        """Say why a job that waited, or the preview of one that waits, must not run now."""
        if job.preview_of is not None:
            return self._preview(operation, job)
        approval = self.find(job.number)
        if approval is None or approval.released is None:
            return "its approval is not on record"
        if why := self._changed(operation, job, approval) or self._requester(job) or self._clock(job, approval):
            return why
        scope, request, now = self.live.scope, gate.asked(job, operation), self.now()
        decision = gate.by_rules(scope, request, now)
        if decision.verdict is Verdict.DENY:
            return f"{gate.since(scope, request, approval.released)}: {_reason(decision)}"
        if closed := gate.shut(scope, request, now):
            return closed.reason.removeprefix("No: ").rstrip(".")
        return self._votes(job, approval, decision)

    def _preview(self, operation: Operation, job: Job) -> str:
        waiting = self.find(job.preview_of) if job.preview_of is not None else None
        hour = waiting.run_at if waiting else None  # it is shown beforehand what would be done then
        decision = gate.again(self.live.scope, operation, job, self.now(), hour)
        if not job.check:
            return "it is no preview"
        return _rules(decision) if decision.verdict is Verdict.DENY else ""

    def _changed(self, operation: Operation, job: Job, approval: Approval) -> str:
        stored = catalog.without_secrets(operation, job.parameters)
        if catalog.digest(operation, stored, job.devices) != job.digest:
            return f"{job.operation} was changed since it was asked for"
        try:
            meant = self.live.inventory.expand(job.pattern) if job.pattern else ()
            bound = self.bound(operation, job, approval.run_at)
        except UnknownDevice as error:
            return str(error).rstrip(".")
        if set(meant) != set(job.devices):
            return f"{job.pattern} means other devices now"
        return "" if bound == approval.digest else "the inventory, or the request itself, was changed since"

    def _requester(self, job: Job) -> str:
        person = self.live.policy.person(job.caller)
        if person is None or person.name != job.person:
            return f"{job.person}, who asked, is no longer in the policy"
        return ""

    def _clock(self, job: Job, approval: Approval) -> str:
        now = self.now()
        early = approval.run_at is not None and now < approval.run_at - _CLOCK
        once = job.occurrence is not None and all(need.once for need in approval.needs)
        before = not once and any(job.created and vote.at < job.created - _CLOCK for vote in approval.votes)
        if early or before or deadlines.from_the_future(approval, now):
            return "the clock was changed since it was approved"
        return ""

    def _votes(self, job: Job, approval: Approval, decision: Decision) -> str:
        needs = (*approval.needs, *decision.needs)
        missing = self.lacking(job, approval, needs, approval.votes)
        if not missing:
            return ""
        gone = self.uncounted(job, approval)
        why = f"{quorum.no_longer(gone)}, so " if gone else ""
        return f"{why}by the rules of now it needs {quorum.still(missing, approval.escalated)}"


def _other(job: Job, earlier: Job) -> str:
    """What of a time of a schedule is other than what was approved."""
    if job.devices != earlier.devices:
        return f"{job.pattern} means other devices now"
    if job.parameters != earlier.parameters:
        return "its values are others now"
    return "" if job.digest == earlier.digest else f"{job.operation} was changed since"


def lasts(needs: Sequence[ApprovalRequirement], votes: Sequence[Vote]) -> datetime:
    """Until when votes that were given once for a schedule count."""
    return min(vote.at for vote in votes) + timedelta(seconds=min(need.once for need in needs))


def _rules(decision: Decision) -> str:
    return f"the rules have changed: {_reason(decision)}"


def _reason(decision: Decision) -> str:
    return decision.reason.removeprefix("No: ").rstrip(".")
