"""How cost grows with devices, jobs, people and rules: each series from small to large, and a picture of each."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from automation_bots.inventory import patterns
from automation_bots.model import Caller, Place, Request
from automation_bots.policy import gate, policy
from automation_bots.policy.scope import Scope
from automation_bots.store import Store
from bench import start
from bench.figures import Figure
from bench.folders import HOSTS, SITES, big_groups, workspace
from bench.policy import NOW, UPTIME, made, milliseconds
from tests.support import big

DEVICES, JOBS, PEOPLE, RULES = (1_000, 10_000, 50_000), (1_000, 100_000, 1_000_000), (10, 500, 5_000), (10, 200, 1_000)
AGAIN, DECISIONS = 3, 300


def run() -> list[Figure]:
    with workspace() as folder:
        return [*_devices(folder), *_jobs(folder), *_people(), *_rules()]


def _devices(folder: Path) -> list[Figure]:
    """Until a bot that is started gives its first answer, with the inventory's cache and without."""
    found = []
    for hosts in DEVICES:
        place = folder / f"devices{hosts}"
        start.write(place, hosts)
        cold = start.seconds_cold(place)
        warm = median(start.seconds(place, "!whoami", "You are ana") for _ in range(AGAIN))
        found += [
            Figure(f"growth.devices.{hosts}.cold", cold, "s"),
            Figure(f"growth.devices.{hosts}.warm", warm, "s"),
        ]
    return found


def _jobs(folder: Path) -> list[Figure]:
    """What `!jobs` and one person's part of the record take to read."""
    return [figure for jobs in JOBS for figure in _looks(folder / f"jobs{jobs}", jobs)]


def _looks(place: Path, jobs: int) -> list[Figure]:
    store = Store.open(place)
    big.fill(store, jobs)
    looks = {"jobs": lambda: store.jobs(limit=50), "audit": lambda: store.audit_rows(person="p7")}
    spent = {what: median(start.timed(look) for _ in range(AGAIN)) for what, look in looks.items()}
    store.close()
    return [Figure(f"growth.jobs.{jobs}.{what}", seconds * 1000, "ms") for what, seconds in spent.items()]


def _people() -> list[Figure]:
    return [figure for people in PEOPLE for figure in _decisions("people", people, made(200, people))]


def _rules() -> list[Figure]:
    return [figure for rules in RULES for figure in _decisions("rules", rules, made(rules))]


def _decisions(what: str, many: int, of: policy.Policy) -> list[Figure]:
    """A decision over all of ten thousand devices, and over one of them."""
    groups = big_groups()
    names = tuple(name for number in range(SITES) for name in groups[f"site{number}"])
    assert len(names) == HOSTS
    lookup = patterns.Names(names, {"all": names, **{group: tuple(found) for group, found in groups.items()}})
    scope = Scope(of, lambda pattern: frozenset(patterns.meant(pattern, lookup)))
    scope.prepare()
    person, found = Caller("text", "@p0"), []
    for label, devices in (("one", names[:1]), ("all", names)):
        request = Request(person, Place("text", "#ops"), UPTIME, {}, "…", devices)
        gate.decide(scope, request, NOW)
        spent = median(milliseconds(scope, request, None) for _ in range(DECISIONS))
        found.append(Figure(f"growth.{what}.{many}.{label}", spent, "ms"))
    return found
