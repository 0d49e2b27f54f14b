"""How many devices one request may touch: by count and by share of what a rule speaks of. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from automation_bots.policy.rules import Above, Rule
from automation_bots.policy.scope import Scope


@dataclass(frozen=True, slots=True)
class Excess:
    """That a request is bigger than a rule allows."""

    rule: Rule
    text: str


def excess(rules: Sequence[Rule], devices: frozenset[str], scope: Scope) -> list[Excess]:
    """Find the rules that allow fewer devices at once than these."""
    return [Excess(rule, text) for rule in rules if devices and (text := beyond(rule, devices, scope))]


def beyond(rule: Rule, devices: frozenset[str], scope: Scope) -> str:
    """Say how a request exceeds a rule; empty when it does not."""
    if rule.limits.devices is not None and len(devices) > rule.limits.devices:
        return f'{len(devices)} devices at once; rule "{rule.name}" allows {rule.limits.devices}'
    if rule.share is None:
        return ""
    spoken_of = scope.devices(rule) or frozenset()
    hit = len(spoken_of & devices)
    most = max(1, int(rule.share * len(spoken_of) + 1e-9))  # of three, 25 % is still one
    if hit <= most:
        return ""
    return f'{hit} devices of {rule.on} at once; rule "{rule.name}" allows {rule.share * 100:g}% ({most})'


def of(found: Sequence[Excess], above: Above) -> list[Excess]:
    """Those whose rule asks for this."""
    return [one for one in found if one.rule.above is above]
