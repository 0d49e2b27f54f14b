"""What is left of a job's answers behind `| include …`, whatever driver they came from."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from automation_bots.model import GOOD, Conclusion, Job, Outcome
from automation_bots.render import LINES_SHOWN
from automation_bots.render import table as as_text
from automation_bots.text import csv_file, filters

_NOTHING = "nothing is left of its answer"


class Filtering:
    """The filters of one job, and the rows of its CSV file."""

    def __init__(self, job: Job) -> None:
        self._job, self._filters = job, job.filters
        self._csv = any(name == "csv" for name, _ in self._filters)
        self._answers: dict[str, str] = {}
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._filters)

    def outcome(self, outcome: Outcome) -> Outcome:
        """Filter what a device answered; what went wrong is told whole."""
        if not self._filters or outcome.filtered or outcome.status not in GOOD:
            return outcome
        text = filters.applied(outcome.output or outcome.summary, self._filters)
        if self._csv:
            with self._lock:
                self._answers[outcome.device] = text
        summary = next((line.strip() for line in text.splitlines() if line.strip()), _NOTHING)
        return replace(outcome, summary=summary, output=text if outcome.output else "")

    def conclusion(self) -> Conclusion | None:
        """The CSV file, where one is wanted: the device in front of each of its lines."""
        if not self._csv or not self._answers:
            return None
        tables = {device: filters.table(text.splitlines()) for device, text in sorted(self._answers.items())}
        headers = {header for header, _ in tables.values()}
        if len(headers) != 1:  # not the same table everywhere: line by line
            tables = {device: _lines(text.splitlines()) for device, text in sorted(self._answers.items())}
        header = ("device", *next(iter(tables.values()))[0])
        rows = [(device, *row) for device, (_, found) in tables.items() for row in found]
        file = csv_file.file(f"{self._job.operation}-{self._job.number}", header, rows)
        return Conclusion(block=as_text(rows, limit=LINES_SHOWN, header=header), files=(file,))


def _lines(lines: Sequence[str]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    return ("line",), [(line,) for line in lines if line.strip()]
