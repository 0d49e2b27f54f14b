"""Stands before a driver: what a running job works on comes in, anything else is refused and recorded."""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from automation_bots.drivers import Closing, Driver, Report, Task
from automation_bots.errors import DriverError
from automation_bots.store import Subject

log = logging.getLogger(__name__)


class Permits:
    """Knows the very tasks that running jobs work on; one that only looks the same is not among them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[int, Task] = {}

    @contextmanager
    def holding(self, task: Task) -> Iterator[None]:
        """Let this task in for as long as this lasts."""
        with self._lock:
            self._tasks[id(task)] = task
        try:
            yield
        finally:
            with self._lock:
                del self._tasks[id(task)]

    def __contains__(self, task: object) -> bool:
        with self._lock:
            return self._tasks.get(id(task)) is task and task is not None


class DriverGuard:
    """A driver as the bot hands it out.

    It is no wall, since there is none inside a Python process; it is what a plugin meets that takes the short way.
    """

    def __init__(self, driver: Driver, permits: Permits, refused: Callable[[str, Subject], object]) -> None:
        self.name, self.behind = driver.name, driver
        self._permits, self._refused = permits, refused

    def run(self, task: Task, report: Report) -> None:
        """Run the task of a job that the gate has let pass and the record knows."""
        if task not in self._permits:
            reason = f"the driver {self.name} was called from {_caller()}, past the gate; nothing was done"
            log.error("%s", reason)
            self._refused(reason, Subject(operation=f"driver {self.name}", devices=_devices(task)))
            raise DriverError(f"the driver {self.name} runs only what a job brings; use submit(...) of ThrottledMixin")
        self.behind.run(task, report)

    def close(self) -> None:
        """Let go of what the driver keeps."""
        if isinstance(self.behind, Closing):
            self.behind.close()


def _devices(task: object) -> tuple[str, ...]:
    return tuple(device.name for device in task.devices) if isinstance(task, Task) else ()


def _caller() -> str:
    """The file and line from which `run` was called."""
    frame = inspect.currentframe()
    for _ in range(2):
        frame = frame.f_back if frame else None
    return f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame else "nowhere"
