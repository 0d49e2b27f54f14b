"""A decision of the gate: 200 rules with every kind of condition, 500 people, 10,000 devices."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median

from automation_bots.inventory import patterns
from automation_bots.model import Caller, Operation, Parameter, Place, Request, Risk, Verdict
from automation_bots.policy import gate, policy
from automation_bots.policy.freezes import BlockKind, ChangeBlock
from automation_bots.policy.scope import Scope
from bench.figures import Figure, quantile
from bench.folders import ROLES, SITES, big_groups, workspace

RULES, MANY_RULES, PEOPLE, TEAMS, BAR = 200, 1_000, 500, 20, 20
FIRST_BAR = (
    30  # ms for the first decision by rules that were read just now; what they mean is found while they are read
)
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
PATTERNS = ("{role}", "site{site}", "{role}:&site{site}", "all:!site{site}", "{role}*1", "site{site}:!{role}", "all")
UPTIME = Operation("uptime", "Since when it is up", risk=Risk.READ)
PARAMETERS = (Parameter("action"), Parameter("name"))
SERVICE = Operation("service", "Services", risk=Risk.CHANGE, parameters=PARAMETERS, driver="ssh")
CALENDAR = "\r\n".join(
    ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//bench//EN", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z",
     "DTSTART:20260101T060000Z", "DTEND:20260101T200000Z", "RRULE:FREQ=DAILY", "END:VEVENT", "END:VCALENDAR", ""]
)  # fmt: skip


def run() -> list[Figure]:
    groups = big_groups()
    names = tuple(name for role in ROLES for name in groups[role])
    members = {"all": names, **{group: tuple(found) for group, found in groups.items()}}
    rules, many = made(RULES), made(MANY_RULES)
    closed = _change_blocks(names)

    lookup = patterns.Names(names, members)

    def scope(rules: policy.Policy = rules) -> Scope:
        return Scope(rules, lambda pattern: frozenset(patterns.meant(pattern, lookup)), change_blocks=closed)

    known, random = scope(), Random(1)
    everybody = [milliseconds(known, _request(random, names, 1), None) for _ in range(PEOPLE)]  # each person's first
    found = [Figure("policy.first_of_a_person", quantile(everybody, 0.99), "ms", BAR)]
    for label, count, rounds in (("one", 1, 4_000), ("hundred", 100, 2_000), ("all", len(names), 1_000)):
        samples = [milliseconds(known, _request(random, names, count), None) for _ in range(rounds)]
        found += [
            Figure(f"policy.{label}.p50", median(samples), "ms", BAR),
            Figure(f"policy.{label}.p99", quantile(samples, 0.99), "ms", BAR),
        ]
    look = Request(Caller("text", "@p0"), Place("text", "#ops"), UPTIME, {}, "all", names)
    allowed = [milliseconds(known, look, Verdict.ALLOW) for _ in range(1_000)]
    found.append(Figure("policy.all_allowed.p99", quantile(allowed, 0.99), "ms", BAR))
    for count, of in ((RULES, rules), (MANY_RULES, many)):
        scopes = [scope(of) for _ in range(5)]
        found.append(Figure(f"policy.prepared.{count}", median([_prepared(one) for one in scopes]), "ms"))
        fresh = [milliseconds(one, look, Verdict.ALLOW) for one in scopes]
        found.append(Figure(f"policy.first_after_reload.{count}", median(fresh), "ms", FIRST_BAR))
    return found


def _prepared(scope: Scope) -> float:
    """Milliseconds in the thread that reads the rules, for which nobody waits."""
    started = time.perf_counter()
    scope.prepare()
    return (time.perf_counter() - started) * 1000


def made(count: int, persons: int = PEOPLE) -> policy.Policy:
    """So many rules, with every kind of condition, for so many people."""
    people = {f"p{n}": {"text": f"@p{n}", "groups": [f"team{n % TEAMS}", f"team{n % 7}"]} for n in range(persons)}
    rules = [_rule(number) for number in range(count - 1)]
    rules.append({"name": "look", "who": "everyone", "may": ["reads"]})
    with workspace() as folder:
        Path(folder / "changes.ics").write_text(CALENDAR)
        file = folder / "policy.yml"
        windows = {"nightly": ["Mon-Fri 22:00-05:00", "ical:changes.ics"]}
        file.write_text(json.dumps({"windows": windows, "people": people, "rules": rules}))
        return policy.load(file)


_CONDITIONS: tuple[dict[str, object], ...] = (
    {},
    {"when": "Mon-Fri 08:00-18:00 Europe/Madrid"},
    {"when": "nightly"},
    {"where": ["#ops", "dm"]},
    {"with": {"name": ["nginx*", "php*"]}},
    {"limit": {"share": "25%", "above": "confirm", "rate": {"site": "5/min"}}},
    {"limit": {"devices": 2_000, "concurrent": 3}},
    {"needs": "approval by team1"},
    {"emergency": True},
)


def _rule(number: int) -> dict[str, object]:
    rule: dict[str, object] = {
        "name": f"rule {number}",
        "who": [f"team{number % TEAMS}", f"p{number}"],
        "on": PATTERNS[number % len(PATTERNS)].format(role=ROLES[number % 4], site=number % SITES),
    }
    if number % 10 == 9:
        return {**rule, "deny": [f"reboot {number}", "service stop *"]}
    return {**rule, **_CONDITIONS[number % len(_CONDITIONS)], "may": ["reads"] if number % 4 else ["service restart *"]}


def _change_blocks(names: tuple[str, ...]) -> tuple[ChangeBlock, ...]:
    until = NOW + timedelta(hours=2)
    freeze = ChangeBlock(BlockKind.FREEZE, "p1", "audit", frozenset(names[::50]), NOW, until)
    return (
        freeze,
        *(ChangeBlock(BlockKind.LOCK, f"p{n}", "work", frozenset(names[n : n + 3]), NOW) for n in range(50)),
    )


def _request(random: Random, names: tuple[str, ...], count: int) -> Request:
    who, urgent = random.randrange(PEOPLE), random.random() < 0.05
    place = random.choice((Place("text", "#ops"), Place("text", "dm", direct=True), Place("text", "#other")))
    operation, values = random.choice(
        ((UPTIME, {}), (SERVICE, {"action": "restart", "name": "nginx"}), (SERVICE, {"action": "stop", "name": "x"}))
    )
    devices = names if count == len(names) else tuple(random.sample(names, count))
    return Request(
        Caller("text", f"@p{who}"), place, operation, values, "…", devices, emergency="down" if urgent else ""
    )


def milliseconds(scope: Scope, request: Request, verdict: Verdict | None) -> float:
    """What one decision takes."""
    started = time.perf_counter()
    decision = gate.decide(scope, request, NOW)
    spent = time.perf_counter() - started
    assert verdict in (None, decision.verdict), decision.reason
    return spent * 1000
