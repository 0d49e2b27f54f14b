"""The one place that decides: person × place × operation × values × devices × time → allow, deny or approval. Pure.

Every device is judged by itself and the strictest answer wins. Whatever is missing (policy, person, rule) means no.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from heapq import nsmallest

from automation_bots.model import (
    NO_LIMITS,
    ApprovalRequirement,
    Caller,
    Decision,
    Job,
    Limits,
    Operation,
    Person,
    Place,
    Request,
    Verdict,
    one_line,
)
from automation_bots.policy import blast_radius, reauth
from automation_bots.policy.freezes import ALL, BlockKind, blocking, sentence
from automation_bots.policy.policy import Policy
from automation_bots.policy.reauth import Side
from automation_bots.policy.rules import Above, Rule, always, could, does, here, unmet
from automation_bots.policy.scope import Scope

_NAMES_SHOWN = 5


def decide(scope: Scope, request: Request, now: datetime, typed_at: datetime | None = None) -> Decision:
    """Decide one request: by the rules, then by what people have closed, of which others do not hear."""
    ruled = by_rules(scope, request, now, typed_at or now)
    return ruled if ruled.verdict is Verdict.DENY else shut(scope, request, now) or ruled


def shut(scope: Scope, request: Request, now: datetime) -> Decision | None:
    """Refuse a change of what somebody has frozen or locked. Only a freeze gives way in an emergency."""
    person = scope.policy.person(request.caller)
    if not scope.change_blocks or person is None or request.check:
        return None
    if request.operation.only_looks(request.parameters):
        return None
    if not request.devices and not request.operation.declared:
        return None  # a command of a plugin; those that close and open devices among them
    wanted = frozenset((*request.devices, *request.also))
    by = [c for c in blocking(scope.change_blocks, wanted, person.name, now)
          if not (request.emergency and c.kind is BlockKind.FREEZE)]  # fmt: skip
    if not by:
        return None
    refused = wanted if any(ALL in c.devices for c in by) else wanted & frozenset().union(*(c.devices for c in by))
    first = wanted if ALL in by[0].devices else wanted & by[0].devices
    what = _names(first, visible(scope, person)) if first else "Everything"
    allowed = tuple(device for device in request.devices if device not in refused)
    verb = "are" if len(first) > 1 else "is"
    reason = f"No: {what} {verb} {sentence(by[0], scope.policy.timezone)}."
    return Decision(Verdict.DENY, reason, refused=tuple(sorted(refused)), allowed=allowed)


def by_rules(scope: Scope, request: Request, now: datetime, typed_at: datetime | None = None) -> Decision:
    """Decide by the rules alone; without `typed_at` nobody has to prove themselves: that was done when it was typed."""
    person = scope.policy.person(request.caller)
    if person is None:
        reason = stranger(scope.policy, request.caller)
        return Decision(Verdict.DENY, reason, refused=tuple(sorted(request.devices)))
    if request.operation.devices == "alert" and not request.devices:
        # What is about no device that anybody knows is allowed only by a rule for all that names the operation.
        request = replace(request, operation=replace(request.operation, declared=False))
    found = _Found(scope, person, request, now, typed_at)
    without = {"optional", "alert"}
    if request.operation.devices != "none" and (request.devices or request.operation.devices not in without):
        return _with_others(found.on_devices(), request, scope, now, typed_at)
    return _with_others(found.without_devices(), request, scope, now, typed_at)


def _with_others(
    decision: Decision, request: Request, scope: Scope, now: datetime, typed_at: datetime | None
) -> Decision:
    """Judge the devices on which it works too like those that were asked for; the stricter answer counts."""
    if not request.also or decision.verdict is Verdict.DENY:
        return decision
    there = by_rules(scope, replace(request, devices=request.also, also=()), now, typed_at)
    if there.verdict is Verdict.DENY:
        why = f"{there.reason} (It works there too: delegate_to.)"
        return replace(there, reason=why, refused=(*there.refused,), allowed=())
    needs = tuple(dict.fromkeys((*decision.needs, *there.needs)))
    return replace(
        decision,
        verdict=Verdict.APPROVAL if needs else decision.verdict,
        rules=tuple(dict.fromkeys((*decision.rules, *there.rules))),
        needs=needs,
        approvers=tuple(dict.fromkeys((*decision.approvers, *there.approvers))),
        limits=strictest((decision.limits, there.limits)),
        approver_proof=min((p for p in (decision.approver_proof, there.approver_proof) if p is not None), default=None),
    )


def again(scope: Scope, operation: Operation, job: Job, now: datetime, hour: datetime | None = None) -> Decision:
    """Decide an accepted job once more: by the policy and devices of now, at the hour at which it runs, which is now or
    one that it waits for; by what is frozen and locked then.
    """  # fmt: skip
    return typed_before(scope, asked(job, operation), now, hour)


def typed_before(scope: Scope, request: Request, now: datetime, hour: datetime | None = None) -> Decision:
    """Decide what a person typed earlier, and proved themselves for then, by all that holds now."""
    ruled = by_rules(scope, request, hour or now)
    return ruled if ruled.verdict is Verdict.DENY else shut(scope, request, max(now, hour or now)) or ruled


def waits(scope: Scope, request: Request, now: datetime) -> str:
    """Say which window an accepted request waits for that gets its turn outside, where its rules let it wait."""
    if not any(rule.waits for rule in scope.policy.rules) or by_rules(scope, request, now).verdict is not Verdict.DENY:
        return ""
    at_any_hour = tuple(replace(rule, when=()) if rule.waits else rule for rule in scope.policy.rules)
    then = by_rules(replace(scope, policy=replace(scope.policy, rules=at_any_hour)), request, now)
    used = [rule for rule in scope.policy.rules if rule.waits and rule.name in then.rules]
    if then.verdict is Verdict.DENY or not used:
        return ""
    windows = " or ".join(f'{window.text} (rule "{rule.name}")' for rule in used for window in rule.when)
    return f"waits for {windows}"


def since(scope: Scope, request: Request, then: datetime) -> str:
    """Say why what was allowed then is refused now: by the hour, or by other rules."""
    by_now = by_rules(scope, request, then).verdict is Verdict.DENY
    return "the rules have changed since it was accepted" if by_now else "it got its turn when its time was over"


def asked(job: Job, operation: Operation) -> Request:
    """The request that a job came from."""
    return Request(
        job.caller, job.place, operation, job.parameters, job.pattern, job.devices, job.check, emergency=job.emergency,
        also=job.also,
    )  # fmt: skip


def stranger(policy: Policy, caller: Caller) -> str:
    """The sentence for somebody whom the policy does not name, or for everybody while it cannot be read."""
    if policy.problem:
        return (
            "No: the rules cannot be read (policy.yml is wrong), so nobody may do anything until it is mended."
            " The admins have been told what is wrong."
        )
    return (
        f"No: I do not know you. Your id on {caller.network} is {one_line(caller.id, 80)}; "
        "an admin can add it to people in policy.yml."
    )


class _Found:
    """The rules that match a request, sorted by what they say."""

    def __init__(
        self, scope: Scope, person: Person, request: Request, now: datetime, typed_at: datetime | None
    ) -> None:
        self.scope, self.person, self.request, self.now, self.typed_at = scope, person, request, now, typed_at
        self.rules = [rule for rule in scope.policy.rules if rule.concerns(person) and self._fits(rule)]

    def _fits(self, rule: Rule) -> bool:
        request = self.request
        if not rule.deny and rule.emergency is not bool(request.emergency):
            return False
        return does(rule, request, self.person) and not unmet(rule, request, self.now, self.scope.places)

    def without_devices(self) -> Decision:
        """Decide an operation that touches no device."""
        denying = [rule for rule in self.rules if rule.deny and self.scope.covers(rule)]
        wide = self.request.operation.devices == "alert"
        known = self.scope.covers if wide else lambda rule: self.scope.devices(rule) is not None
        allowing = [rule for rule in self.rules if not rule.deny and known(rule)]
        if denying or not allowing:
            return Decision(Verdict.DENY, self._sentence(frozenset(), denying), tuple(r.name for r in denying))
        return self._allowed(allowing, ())

    def on_devices(self) -> Decision:
        """Decide device by device; one refusal refuses the request."""
        wanted = frozenset(self.request.devices)
        used, allowed = self._allowing(wanted)
        denied = [(rule, hits) for rule in self.rules if rule.deny and (hits := self._denied(rule, wanted))]
        good = allowed.difference(*(hits for _, hits in denied))
        refused = wanted - good
        if refused or not wanted:
            denying = [rule for rule, _ in denied]
            names = tuple(rule.name for rule in denying)
            reason = self._sentence(refused, denying)
            in_order = tuple(device for device in self.request.devices if device in good)
            return Decision(Verdict.DENY, reason, names, refused=tuple(sorted(refused)), allowed=in_order)
        return self._allowed(used, tuple(self.request.devices))

    def _allowing(self, wanted: frozenset[str]) -> tuple[list[Rule], frozenset[str]]:
        """Return the rules that allow some of these devices, and which; what many rules share is looked at once."""
        allowing = [rule for rule in self.rules if not rule.deny]
        meant = {rule.on: self.scope.devices(rule) or frozenset() for rule in allowing}
        left = wanted
        for devices in sorted(meant.values(), key=len, reverse=True):
            left = left - devices
        return [rule for rule in allowing if not wanted.isdisjoint(meant[rule.on])], wanted - left

    def _denied(self, rule: Rule, wanted: frozenset[str]) -> frozenset[str]:
        hits = self.scope.hits(rule, wanted)
        if self.request.operation.driver or not any(w.text.startswith("driver:") for w in rule.what):
            return hits
        driver = self.scope.driver
        return frozenset(device for device in hits if does(rule, self.request, self.person, driver(device)))

    def _allowed(self, rules: list[Rule], devices: tuple[str, ...]) -> Decision:
        names = tuple(rule.name for rule in rules)
        limits = strictest(rule.limits for rule in rules)
        big = blast_radius.excess(rules, frozenset(devices), self.scope)
        if too_big := blast_radius.of(big, Above.DENY):
            return Decision(Verdict.DENY, f"No: {too_big[0].text}.", names, refused=devices)
        if reason := self._proof_due(rules):
            return Decision(Verdict.DENY, reason, names, refused=devices)
        needs = [rule.need or ApprovalRequirement(rule.name, rule.approvers) for rule in rules if rule.approvers]
        needs += [
            ApprovalRequirement(one.rule.name, one.rule.above_approvers) for one in blast_radius.of(big, Above.APPROVAL)
        ]
        approvers = tuple(dict.fromkeys(group for need in needs for group in need.by))
        return Decision(
            Verdict.APPROVAL if needs else Verdict.ALLOW,
            rules=names,
            approvers=approvers,
            limits=limits,
            needs=tuple(needs),
            allowed=devices,
            confirm=next((one.text for one in blast_radius.of(big, Above.CONFIRM)), ""),
            approver_proof=reauth.demanded((rule.reauth for rule in rules), Side.APPROVER),
        )

    def _proof_due(self, rules: list[Rule]) -> str:
        """Say which rule wants this person to prove themselves first; empty when they have, or none does."""
        within = reauth.demanded((rule.reauth for rule in rules), Side.REQUESTER)
        if within is None or self.typed_at is None:
            return ""
        if not reauth.due(within, self.scope.proved(self.request.caller, self.person.name), self.typed_at):
            return ""
        by = next(r.name for r in rules if r.reauth and r.reauth.who is not Side.APPROVER and r.reauth.within == within)
        return (
            f'No: rule "{by}" asks you to prove yourself first. Type !totp <code> to me in a direct message, '
            "then repeat the command."
        )

    def _sentence(self, refused: frozenset[str], denying: list[Rule]) -> str:
        request, seen = self.request, visible(self.scope, self.person)
        on = _on(refused, seen) if refused else ""
        what = f"No: {one_line(request.operation.name, 60)}{on}"
        if hinted := self._because(refused & seen if refused else refused, denying):
            return f"{what} {hinted}"
        if request.operation.controller:
            return f"{what} is for admins: it works on the bot's own machine, and no rule names it for you."
        if not request.operation.declared:
            why = "no rule names it"
            if request.operation.source:
                why = f"its file says nothing about its risk, and {why}"
            elif request.operation.devices == "alert":
                why = f"the alert is of no device of the inventory, and {why}"
            return f"{what} is for admins: {why}."
        urgent = " in an emergency" if request.emergency else ""
        return f"{what} is not allowed to you by any rule{urgent}."

    def _because(self, refused: frozenset[str], denying: list[Rule]) -> str:
        """The nearest reason: a rule that denies, one that would allow elsewhere or later, or whom it is for."""
        if denying:
            return f'is denied by rule "{denying[0].name}".'
        urgent = bool(self.request.emergency)
        rules = (r for r in self.scope.policy.rules if not r.deny and r.emergency is urgent)
        candidates = [rule for rule in rules if self._about(rule, refused)]
        for rule in candidates:
            if rule.concerns(self.person) and (why := unmet(rule, self.request, self.now, self.scope.places)):
                return f'is allowed only {why} (rule "{rule.name}").'
        for rule in candidates:
            if not rule.concerns(self.person) and refused:
                return f'is for {", ".join(sorted(rule.who))} (rule "{rule.name}").'
        return ""

    def _about(self, rule: Rule, refused: frozenset[str]) -> bool:
        return does(rule, self.request, self.person) and (not refused or self.scope.touches(rule, refused))


def _on(refused: frozenset[str], seen: frozenset[str]) -> str:
    return f" on {_names(refused, seen)}"


def _names(devices: Collection[str], seen: frozenset[str]) -> str:
    """Devices as far as a line allows; none that the person may not see is named or counted."""
    known = seen.intersection(devices)
    names, more = nsmallest(_NAMES_SHOWN, known), len(known) - _NAMES_SHOWN
    return (", ".join(names) + (f" and {more} more" if more > 0 else "")) or "these devices"


def strictest(limits: Iterable[Limits]) -> Limits:
    """Combine limits: of each kind the smallest."""
    every = list(limits)

    def least(values: Iterable[int | None]) -> int | None:
        return min((value for value in values if value is not None), default=None)

    rates = [limit.rate for limit in every if limit.rate]
    slowest = min(rates, key=lambda rate: rate[0] / rate[1], default=None)
    if slowest is None and not any(limit != NO_LIMITS for limit in every):
        return NO_LIMITS
    return Limits(
        least(x.devices for x in every),
        least(x.concurrent for x in every),
        slowest,
        failures=min((x.failures for x in every if x.failures is not None), default=None),
        caps=tuple(cap for x in every for cap in x.caps),
        rates=tuple(rate for x in every for rate in x.rates),
    )


def visible(scope: Scope, person: Person | None) -> frozenset[str]:
    """The devices that a person may know of: those on which some rule allows something at some time."""
    if person is None:
        return frozenset()
    return scope.seen(person)


def usable(scope: Scope, person: Person | None, operation: Operation, place: Place) -> frozenset[str] | None:
    """Where a person could use an operation here, whatever the values and the hour; None: not at all.

    For an operation without devices the answer is an empty set, which is not None.
    """
    if person is None:
        return None
    mine = [rule for rule in scope.policy.rules if rule.concerns(person) and here(rule, place, scope.places)]
    allowing = [rule for rule in mine if not rule.deny and could(rule, operation, person)]
    denying = [rule for rule in mine if rule.deny and always(rule, operation)]
    if not allowing or any(scope.covers(rule) for rule in denying):
        return None
    if operation.devices == "none":
        return frozenset()
    allowed = scope.reach(person, allowing, denying)
    return None if operation.devices != "optional" and not allowed else allowed


def outside(scope: Scope, request: Request, now: datetime) -> tuple[str, ...]:
    """Return the hours, each with its rule, in which a request would be usual and is not now."""
    person = scope.policy.person(request.caller)
    found = []
    for rule in scope.policy.rules if person else ():
        speaks = person and rule.concerns(person) and does(rule, request, person)
        if rule.deny or rule.emergency or not rule.when or not speaks:
            continue
        hit = not request.devices or scope.hits(rule, frozenset(request.devices))
        if hit and not any(window.contains(now) for window in rule.when):
            found.append(f'{" or ".join(window.text for window in rule.when)} (rule "{rule.name}")')
    return tuple(found)


def asks_nothing(operation: Operation, caller: Caller, place: Place) -> Request:
    """A request without values and devices, as Errbot's own and third-party commands make them."""
    return Request(caller, place, operation)
