"""What a room reads of what it wants to hear of. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from automation_bots import render
from automation_bots.model import GOOD, Answer, Button, Job, RoomWatch, State, WatchedChange, one_line

FAILED = frozenset({State.FAILED, State.INTERRUPTED})
_SHOWN = 10  # lines of one message


@dataclass(frozen=True, slots=True)
class News:
    """One event, and the watch that wants to hear of it; it is of a job, or of a change."""

    watch: RoomWatch
    kind: str
    about: Job | WatchedChange


def said(found: Sequence[News]) -> Answer:
    """One event whole, with what to type next; of several how many, and a line each."""
    if len(found) == 1:
        one = found[0]
        watch = one.watch
        return Answer(_line(one), hint=f"(watch W{watch.number} of {watch.person})", buttons=_next(one))
    lines = [_line(one) for one in found[:_SHOWN]]
    more = [f"… and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    watches = sorted({one.watch.number for one in found})
    hint = f"({', '.join(f'W{number}' for number in watches)}: → !watches)"
    return Answer(f"{_counted(found)}:", "\n".join([*lines, *more]), hint, buttons=_all(found))


def _counted(found: Sequence[News]) -> str:
    kinds = Counter(one.kind for one in found)
    failed = sum(map(_failed, found))
    some = f", {failed} of them failed" if failed else ""
    texts = [f"{render.many(kinds['job'], 'job')} ended{some}" if kinds["job"] else "",
             f"{render.many(kinds['change'], 'watched change')} ended" if kinds["change"] else "",
             f"{render.many(kinds['approval'], 'request')} for approval" if kinds["approval"] else ""]  # fmt: skip
    return "; ".join(filter(None, texts))


def _failed(one: News) -> bool:
    return one.kind == "job" and isinstance(one.about, Job) and one.about.state in FAILED


def _line(one: News) -> str:
    about = one.about
    if isinstance(about, WatchedChange):
        reason = f" · {one_line(about.reason, 80)}" if about.reason else ""
        return f"C{about.number} ended: {render.names(about.devices)}{reason} · {about.person}"
    if one.kind == "approval":
        return f"#{about.number} waits for approval: {about.title}{render.on_its_devices(about)} · {about.person}"
    return f"{render.headline(about)} · {about.person}"


def _next(one: News) -> tuple[Button, ...]:
    about = one.about
    if isinstance(about, WatchedChange):
        return (Button("Report", f"change {about.number}"),)
    if one.kind == "approval":
        return (Button("Details", f"details {about.number}"), Button("Approve", f"approve {about.number}"))
    look = Button("Details", f"job {about.number}")
    bad = any(status not in GOOD and many for status, many in about.counts.items())
    again = _failed(one) and about.state is State.FAILED and bad
    return (look, Button("Retry failed", f"retry {about.number} failed")) if again else (look,)


def _all(found: Sequence[News]) -> tuple[Button, ...]:
    kinds = {one.kind for one in found}
    jobs = (Button("Jobs", "jobs failed" if any(map(_failed, found)) else "jobs"),) if "job" in kinds else ()
    waits = (Button("Pending", "pending"),) if "approval" in kinds else ()
    changes = (Button("Changes", "change"),) if "change" in kinds else ()
    return (*jobs, *waits, *changes)
