"""What the master itself is asked: which minions there are, and which jobs Salt runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from automation_bots.drivers import Task
from automation_bots.drivers.salt.api import Session
from automation_bots.model import Operation, Outcome, Risk, Status, one_line

_LATEST = 20  # jobs shown
_HOUSEKEEPING = ("runner.", "wheel.", "saltutil.find_job", "saltutil.running")  # what asking itself leaves behind
MINIONS = Operation(
    name="minions",
    help="Which minions of Salt are up or down, and which keys wait",
    risk=Risk.READ,
    driver="salt",
    devices="none",
    examples=("minions",),
    group="Salt",
)
JOBS = Operation(
    name="salt-jobs",
    help="What Salt runs now and ran last, whoever asked for it",
    risk=Risk.READ,
    driver="salt",
    devices="none",
    examples=("salt jobs",),
    group="Salt",
)
ASKED = frozenset({MINIONS.name, JOBS.name})
_KEYS = (("minions_pre", "waits for its key to be accepted"), ("minions_rejected", "key rejected"),
         ("minions_denied", "key denied: another one is accepted"))  # fmt: skip


def ask(session: Session, task: Task, seen: Callable[[str], bool]) -> Outcome:
    """Ask the master, and return what it said of minions that this person may see."""
    if task.operation.name == MINIONS.name:
        return _minions(session.wheel("key.list_all"), session.runner("manage.status"), seen)
    running, latest = session.runner("jobs.active"), session.runner("jobs.list_jobs")
    return _jobs(running, latest, seen)


def _minions(keys: Any, status: Any, seen: Callable[[str], bool]) -> Outcome:
    keys, status = keys if isinstance(keys, dict) else {}, status if isinstance(status, dict) else {}
    up, down = _names(status.get("up"), seen), _names(status.get("down"), seen)
    lines = [f"{name:<24} up" for name in up] + [f"{name:<24} down" for name in down]
    waiting = 0
    for kind, words in _KEYS:
        names = _names(keys.get(kind), seen)
        waiting += len(names) if kind == "minions_pre" else 0
        lines += [f"{name:<24} {words}" for name in names]
    summary = f"{len(up)} up, {len(down)} down, {waiting} waiting for their key"
    return Outcome("", Status.OK, summary, "\n".join([summary, *lines]))


def _names(found: Any, seen: Callable[[str], bool]) -> list[str]:
    return [one_line(str(name), 100) for name in sorted(found or ()) if seen(str(name))]


def _jobs(running: Any, latest: Any, seen: Callable[[str], bool]) -> Outcome:
    """Tell function, target and user; never the values, which may hold secrets."""
    running, latest = running if isinstance(running, dict) else {}, latest if isinstance(latest, dict) else {}
    lines = [_line(jid, job, "runs on " + ", ".join(_running(job, seen))) for jid, job in sorted(running.items())]
    ours = [(jid, job) for jid, job in sorted(latest.items(), reverse=True) if jid not in running]
    ended = [(jid, job) for jid, job in ours if not str(job.get("Function")).startswith(_HOUSEKEEPING)]
    lines += [_line(jid, job, str(job.get("StartTime") or "")[:21]) for jid, job in ended[:_LATEST]]
    summary = f"{len(running)} running, {len(ended)} ended that Salt remembers"
    return Outcome("", Status.OK, summary, "\n".join([summary, *lines]))


def _running(job: Mapping[str, Any], seen: Callable[[str], bool]) -> Sequence[str]:
    return [name for entry in job.get("Running") or () if isinstance(entry, dict) for name in entry if seen(name)]


def _line(jid: str, job: Mapping[str, Any], when: str) -> str:
    return one_line(f"{jid}  {job.get('Function') or '?'} by {job.get('User') or '?'} · {when}", 200)
