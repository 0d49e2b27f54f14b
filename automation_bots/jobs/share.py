"""One driver's share in a job's report: what it told, and whether it summed that up in its own words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from automation_bots.jobs.reports import OutcomeCollector
from automation_bots.model import Conclusion, Outcome
from automation_bots.render import LINES_SHOWN, NEED_A_PERSON, rows, table


class DriverShare:
    """The `Report` of one driver."""

    def __init__(self, collector: OutcomeCollector) -> None:
        self.progress = collector.progress
        self.concluded = False
        self.told: list[Outcome] = []  # without their outputs
        self._collector = collector

    def outcome(self, outcome: Outcome) -> None:
        """Take one device's outcome (Report)."""
        self.batch([outcome])

    def batch(self, found: Sequence[Outcome]) -> None:
        """Take the outcomes of many devices (Report)."""
        self.told += [replace(outcome, output="") for outcome in found]
        self._collector.batch(found)

    def conclude(self, conclusion: Conclusion) -> None:
        """Take a driver's words on its share (Report)."""
        self.concluded = True
        self._collector.conclude(conclusion)


def beside(shares: Iterable[DriverShare]) -> Conclusion | None:
    """Return what stands beside the words of drivers that summed their share up: outcomes of those that did not.

    The recap adds those that need a person by itself.
    """
    every = list(shares)
    if not any(share.concluded for share in every):
        return None
    told = [outcome for share in every if not share.concluded for outcome in share.told]
    block = table(rows([outcome for outcome in told if outcome.status not in NEED_A_PERSON]), limit=LINES_SHOWN)
    return Conclusion(block=block) if block else None
