"""What work costs as a multiple of other work: no test depends on how fast or how busy a machine is."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

MEGABYTE = "interface Vlan12\n description of port 12, in use\n ip address 10.1.2.3 255.255.255.0\n" * 12_000
_TRIES = 7


def yardstick() -> None:
    """Find the words of a megabyte of text."""
    sum(1 for _ in re.finditer(r"[\w.-]+", MEGABYTE))


def in_yardsticks(work: Callable[[], object], below: float) -> float:
    """How many yardsticks `work` costs in this thread: the first try that is below what is asked, or the least."""
    ratios: list[float] = []
    while len(ratios) < _TRIES and (not ratios or ratios[-1] >= below):
        ratios.append(_seconds(work) / _seconds(yardstick))
    return min(ratios)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.thread_time()
    work()
    return time.thread_time() - begun
