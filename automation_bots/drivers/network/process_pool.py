"""The processes that talk to network devices: one is kept between jobs, since its start takes longer than a `show`."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from automation_bots.drivers.child_process import Child
from automation_bots.drivers.network.child import IDLE_SECONDS
from automation_bots.processes import own

_CHILD = Path(__file__).with_name("child.py")
_KEPT_SECONDS = IDLE_SECONDS / 2  # then it ends by itself; well before, so that no request meets its end


class Processes:
    """Gives a process to a job, and takes it back when all of its work was done."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._kept: tuple[Child, float] | None = None

    def take(self) -> Child:
        """Return the process that is kept, or a new one."""
        with self._lock:
            kept, self._kept = self._kept, None
        if kept is None:
            return self._started()
        child, since = kept
        if time.monotonic() - since < _KEPT_SECONDS and not child.ended():
            return child
        child.__exit__()
        return self._started()

    def give(self, child: Child, *, whole: bool) -> str:
        """Keep a process, or end it; return what it printed, which nobody expects."""
        with self._lock:
            keep = whole and self._kept is None and not child.ended()
            if keep:
                self._kept = child, time.monotonic()
        if not keep:
            child.close()
        printed = child.printed.take()
        if not keep:
            child.__exit__()
        return printed

    def _started(self) -> Child:
        environment = own.inherited("HOME|SSH_AUTH_SOCK")
        return Child(own.isolated(_CHILD), folder=Path("/"), environment=environment, limit=self._limit)
