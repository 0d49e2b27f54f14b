"""Which worker runs which file: as many files that work as there are processors, and those that wait besides."""

from __future__ import annotations

import os
import re
from collections import Counter
from functools import cache
from pathlib import Path

from xdist.scheduler.loadscope import LoadScopeScheduling
from xdist.workermanage import WorkerController

ROOT = Path(__file__).resolve().parents[2]
PROCESSORS = len(os.sched_getaffinity(0))
SLOW = re.compile(r"^pytestmark = \[?.*pytest\.mark\.slow\b", re.MULTILINE)
_WORKS = re.compile(r"^pytestmark = \[?.*pytest\.mark\.works\b", re.MULTILINE)
# Files that share a server that is too big for one a worker.
TOGETHER = {
    "tests/drivers/salt/": "salt",
    "tests/whole/test_salt_chat.py": "salt",
    "tests/chat/matrix/test_contract.py": "synapse one",  # all in one would be the longest way to the end
    "tests/chat/matrix/test_account.py": "synapse one",
    "tests/chat/matrix/": "synapse two",
}
_BIG = {*TOGETHER.values()}


def unit_of(nodeid: str) -> str:
    """What stays together on one worker: a file, or all files of one big server."""
    path = nodeid.partition("::")[0]
    return next((unit for start, unit in TOGETHER.items() if path.startswith(start)), path)


@cache
def waits(unit: str) -> bool:
    """Whether a unit mostly waits: what is slow does, unless it is marked as one that works."""
    path = ROOT / unit
    return not path.is_file() or (is_slow(unit) and not _WORKS.search(path.read_text()))


@cache
def is_slow(path: str) -> bool:
    """Whether all tests of a file are left out by `make quick`."""
    return bool(SLOW.search((ROOT / path).read_text()))


def in_order(nodeids: list[str], slow: list[bool]) -> list[int]:
    """The places of tests: big servers and long files first, so that none begins when all others end.

    Each unit's own order is kept.
    """
    units = [unit_of(nodeid) for nodeid in nodeids]
    sizes = Counter(unit for unit, is_long in zip(units, slow, strict=True) if is_long)
    return sorted(range(len(nodeids)), key=lambda place: (units[place] not in _BIG, -sizes[units[place]], units[place]))


class Schedule(LoadScopeScheduling):
    """The first workers, one a processor, take what works and then what waits; the others only what waits."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        unit = self._next_for(node)
        if unit is None:
            node.shutdown()
            return
        self.workqueue.move_to_end(unit, last=False)
        super()._assign_work_unit(node)

    def _next_for(self, node: WorkerController) -> str | None:
        works = node in [other for other in self.nodes if not other.shutting_down][:PROCESSORS]
        fitting = [unit for unit in self.workqueue if waits(unit) != works]
        return next(iter(fitting or (self.workqueue if works else ())), None)
