"""Why a request is allowed or not: each rule with the conditions that failed, the closest first. Pure.

Nobody learns more than they may see: rules for others are named only where refusals name them too, without their
conditions, and devices only as far as the asker sees them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from automation_bots import render
from automation_bots.model import Decision, Person, Request, Verdict
from automation_bots.policy import blast_radius, gate, quorum
from automation_bots.policy.rules import ADMINS, Rule, does, lacks
from automation_bots.policy.scope import Scope

_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Look:
    """One rule held against a request."""

    rule: Rule
    failed: tuple[tuple[str, str], ...]  # (key of the rule, what it says)

    @property
    def words(self) -> str:
        """What the rule does, or why not."""
        if self.failed:
            return " · ".join(f"{key}: {text}" for key, text in self.failed)
        if self.rule.deny:
            return "denies it"
        need = self.rule.need
        return f"allows it with approval by {quorum.whom((need,))}" if need else "allows it"


def explain(scope: Scope, request: Request, asker: Person, now: datetime) -> list[Look]:
    """Hold every rule that the asker may know of against a request; those that decide come first."""
    person = scope.policy.person(request.caller)
    if person is None:
        return []
    seen = gate.visible(scope, asker)
    found = []
    for rule in scope.policy.rules:
        look = Look(rule, tuple(_failed(scope, rule, request, person, now, seen)))
        if not rule.concerns(asker) and ADMINS not in asker.groups:
            look = _hushed(scope, look, seen)
        if (look.failed or not rule.deny) and not _matters(look):
            continue
        found.append(look)
    return sorted(found, key=lambda look: (not (look.rule.deny and not look.failed), len(look.failed)))[:_SHOWN]


def block(looks: list[Look]) -> str:
    """The rules as lines to read."""
    return render.table([(f'"{look.rule.name}"', look.words) for look in looks])


def verdict(decision: Decision, request: Request) -> str:
    """The decision in a sentence."""
    if decision.verdict is Verdict.DENY:
        return decision.reason
    by = f" with approval by {quorum.whom(decision.needs)}" if decision.needs else ""
    rules = ", ".join(f'"{rule}"' for rule in decision.rules)
    typed = f", after typing {len(request.devices)}: {decision.confirm}" if decision.confirm else ""
    return f"Yes: {request.operation.name}{render.on(decision.allowed)}{by} (rule {rules}){typed}."


def _failed(  # each key of a rule once, in the order of the file
    scope: Scope, rule: Rule, request: Request, person: Person, now: datetime, seen: frozenset[str]
) -> Iterator[tuple[str, str]]:
    if not rule.concerns(person):
        yield "who", f"for {', '.join(sorted(rule.who))}"
    if not does(rule, request, person):
        yield "deny" if rule.deny else "may", ", ".join(words.text for words in rule.what)
    wanted = frozenset(request.devices)
    missed = wanted - scope.hits(rule, wanted)
    if missed and (not rule.deny or missed == wanted):
        yield "on", f"not {render.names(sorted(missed & seen)) or 'all of these devices'}"
    yield from ((key, f"only {text}") for key, text in lacks(rule, request, now, scope.places))
    if not rule.deny and rule.emergency is not bool(request.emergency):
        yield "emergency", 'only with --emergency "<reason>"' if rule.emergency else "not in an emergency"
    if not rule.deny and (text := blast_radius.beyond(rule, wanted, scope)):
        yield "limit", f"{text} ({rule.above.value})"


def _hushed(scope: Scope, look: Look, seen: frozenset[str]) -> Look:
    """Of a rule for others only for whom it is, and only if it speaks of what the asker sees."""
    others = {key for key, _ in look.failed} - {"who"}
    visible = not seen.isdisjoint(scope.devices(look.rule) or ())
    text = f"for {', '.join(sorted(look.rule.who))}"
    return Look(look.rule, (("who", text), *((("hidden", ""),) if others or not visible or look.rule.deny else ())))


def _matters(look: Look) -> bool:
    """Whether a rule could have allowed it: one about something else explains nothing."""
    keys = {key for key, _ in look.failed}
    return not (look.rule.deny or "hidden" in keys or "may" in keys)
