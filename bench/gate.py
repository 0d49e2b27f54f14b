"""A decision of the gate: 200 rules, 10,000 devices."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from statistics import median

from automation_bots import gate, patterns, policy
from automation_bots.model import Caller, Operation, Place, Request, Risk, Verdict
from automation_bots.scope import Scope
from bench.figures import Figure, quantile
from bench.folders import ROLES, SITES, big_groups, workspace

RULES, ROUNDS = 200, 60
NOW = datetime(2025, 6, 2, 12, tzinfo=UTC)
PATTERNS = ("{role}", "site{site}", "{role}:&site{site}", "all:!site{site}", "{role}*1", "site{site}:!{role}", "all")
UPTIME = Operation("uptime", "Since when it is up", risk=Risk.READ)
RESTART = Operation("restart", "Restart it", risk=Risk.CHANGE)


def run() -> list[Figure]:
    groups = big_groups()
    names = tuple(name for role in ROLES for name in groups[role])
    members = {"all": names, **{group: tuple(found) for group, found in groups.items()}}
    rules = _policy()

    def scope() -> Scope:
        return Scope(rules, lambda pattern: frozenset(patterns.expand(pattern, names, members)))

    requests = (
        (_request("ana", UPTIME, names), Verdict.ALLOW),
        (_request("joe", RESTART, names), Verdict.DENY),
        (_request("ana", UPTIME, names[:1]), Verdict.ALLOW),
    )
    known = scope()
    gate.decide(known, requests[0][0], NOW)
    everywhere = [_milliseconds(known, *asked) for _ in range(ROUNDS) for asked in requests[:2]]
    single = [_milliseconds(known, *requests[2]) for _ in range(ROUNDS)]
    first = [_milliseconds(scope(), *requests[0]) for _ in range(5)]
    return [
        Figure("gate.all.p50", median(everywhere), "ms", 20),
        Figure("gate.all.p99", quantile(everywhere, 0.99), "ms", 20),
        Figure("gate.one.p50", median(single), "ms", 20),
        Figure("gate.first_after_reload", median(first), "ms"),
    ]


def _policy() -> policy.Policy:
    rules = [_rule(number) for number in range(RULES - 1)]
    rules.append({"name": "look", "who": "everyone", "may": ["reads"]})
    people = {"ana": {"text": "@ana", "groups": ["netops"]}, "joe": {"text": "@joe", "groups": ["support"]}}
    with workspace() as folder:
        file = folder / "policy.yml"
        file.write_text(json.dumps({"people": people, "rules": rules}))
        return policy.load(file)


def _rule(number: int) -> dict[str, object]:
    rule: dict[str, object] = {
        "name": f"rule {number}",
        "who": ("netops", "support")[number % 2],
        "on": PATTERNS[number % len(PATTERNS)].format(role=ROLES[number % 4], site=number % SITES),
    }
    if number % 10 == 9:
        return {**rule, "deny": [f"reboot {number}"]}
    if number % 3 == 0:
        rule["when"] = "Mon-Fri 08:00-18:00"
    return {**rule, "may": ["reads"] if number % 4 else ["uptime", "service restart *"]}


def _request(who: str, operation: Operation, devices: tuple[str, ...]) -> Request:
    return Request(Caller("text", f"@{who}"), Place("text", "#ops"), operation, {}, "all", devices)


def _milliseconds(scope: Scope, request: Request, verdict: Verdict) -> float:
    started = time.perf_counter()
    decision = gate.decide(scope, request, NOW)
    spent = time.perf_counter() - started
    assert decision.verdict is verdict, decision.reason
    return spent * 1000
