"""A change in batches: a few devices first, the others when all went well there. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from automation_bots.errors import BadParameter
from automation_bots.model import GOOD, Canary, Status, one_line

_STEP = re.compile(r"\d{1,5}%?")
_MOST_STEPS = 10


def read(steps: str, pause_after: int) -> Canary | None:
    """Read `1,10%`; a pause alone is one after the first device."""
    if not steps and not pause_after:
        return None
    found = tuple(step.strip() for step in (steps or "1").split(","))
    for step in found:
        number = int(step.rstrip("%")) if _STEP.fullmatch(step) else 0
        if not number or (step.endswith("%") and number > 100):
            raise BadParameter(f"--canary takes counts or shares such as 1,10%; got {one_line(step, 20)!r}")
    if len(found) > _MOST_STEPS:
        raise BadParameter(f"--canary takes at most {_MOST_STEPS} batches.")
    if pause_after > len(found):
        raise BadParameter(f"--pause-after {pause_after}: --canary names {len(found)} of the batches.")
    return Canary(found, pause_after)


def batches(canary: Canary | None, devices: Sequence[str]) -> list[tuple[str, ...]]:
    """Cut the devices: a batch for each step, a share being one of all, and then the rest."""
    left, cut = tuple(devices), []
    for step in canary.steps if canary else ():
        size = max(1, len(devices) * int(step[:-1]) // 100) if step.endswith("%") else int(step)
        if left:
            cut.append(left[:size])
            left = left[size:]
    return [*cut, left] if left or not cut else cut


def stops(found: Sequence[Status], share: float | None) -> bool:
    """Whether so many of a batch failed that the others must not be reached; without a share, any failure does."""
    bad = sum(1 for status in found if status not in GOOD)
    return bad > (share or 0.0) * len(found)


def words(canary: Canary) -> str:
    """The batches as people say them."""
    pause = f", pause after batch {canary.pause_after}" if canary.pause_after else ""
    return f"{', '.join(canary.steps)}, the rest{pause}"
