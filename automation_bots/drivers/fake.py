"""A driver without devices, for tests of everything above drivers: scripted outcomes, and a record of what ran."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from automation_bots.drivers import Report, Task
from automation_bots.drivers.output import cut
from automation_bots.drivers.stopped import is_over, stopped
from automation_bots.errors import DriverError
from automation_bots.model import Conclusion, Device, Outcome, Risk, Status

_STEP = 0.05  # seconds between two looks at the clock while a device "works"


class Fake:
    """Answer from `outcomes` (key: device or operation; the device wins), else ok or changed, after `seconds`."""

    def __init__(
        self,
        outcomes: Mapping[str, Outcome] | None = None,
        *,
        seconds: float | Mapping[str, float] = 0.0,
        error: DriverError | None = None,
        output_limit: int = 1_000_000,
        name: str = "fake",
    ) -> None:
        self.name = name
        self.outcomes = dict(outcomes or {})
        self.seconds = seconds
        self.error = error
        self.output_limit = output_limit
        self.tasks: list[Task] = []
        self.ran: list[tuple[int, str, str]] = []  # (job number, operation, device), in the order they began

    def run(self, task: Task, report: Report) -> None:
        """Go through the devices in their order; raise `error` when one was given."""
        self.tasks.append(task)
        if self.error is not None:
            raise self.error
        for device in task.devices:
            report.outcome(self._one(task, device))

    def _one(self, task: Task, device: Device) -> Outcome:
        if is_over(task):
            return stopped(task, device.name, started=False)
        if task.check and task.operation.risk_of(task.parameters) is Risk.CHANGE:
            return Outcome(device.name, Status.SKIPPED, f"would run: {task.job.operation}")
        self.ran.append((task.job.number, task.operation.name, device.name))
        began = time.monotonic()
        if not self._work(task, device):
            return stopped(task, device.name, started=True, seconds=time.monotonic() - began)
        outcome = self._scripted(task, device)
        return replace(outcome, device=device.name, output=cut(outcome.output, self.output_limit))

    def _work(self, task: Task, device: Device) -> bool:
        end = time.monotonic() + self._seconds_of(task, device)
        while (left := end - time.monotonic()) > 0:
            if task.seconds_left <= 0 or task.cancel.wait(min(left, _STEP)):
                return False
        return True

    def _seconds_of(self, task: Task, device: Device) -> float:
        if not isinstance(self.seconds, Mapping):
            return self.seconds
        return self.seconds.get(device.name, self.seconds.get(task.operation.name, 0.0))

    def _scripted(self, task: Task, device: Device) -> Outcome:
        usual = Status.CHANGED if task.job.risk is Risk.CHANGE else Status.OK
        found = self.outcomes.get(device.name) or self.outcomes.get(task.operation.name)
        return found or Outcome(device.name, usual, "done", "done", exit_code=0)


class Recorder:
    """A `Report` that keeps what it hears; of two outcomes of a device the first one stays."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.outcomes: dict[str, Outcome] = {}
        self.repeated: list[Outcome] = []
        self.texts: list[str] = []
        self.remarks: list[str] = []
        self.conclusions: list[Conclusion] = []

    def outcome(self, outcome: Outcome) -> None:
        """Keep one device's outcome."""
        with self._lock:
            if self.outcomes.setdefault(outcome.device, outcome) is not outcome:
                self.repeated.append(outcome)

    def batch(self, found: Sequence[Outcome]) -> None:
        """Keep those of many devices."""
        for outcome in found:
            self.outcome(outcome)

    def progress(self, text: str, lines: Sequence[str] = ()) -> None:
        """Keep what is going on."""
        with self._lock:
            self.texts.append("\n".join([text, *lines]))

    def remark(self, text: str) -> None:
        """Keep what was not done."""
        self.remarks.append(text)

    def conclude(self, conclusion: Conclusion) -> None:
        """Keep how the driver sums it up."""
        with self._lock:
            self.conclusions.append(conclusion)
