"""What drivers may know of the last time the same was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from automation_bots.model import Job
from automation_bots.store import Store


class PreviousRun:
    """Answers the questions of one job (the drivers' `Before`)."""

    def __init__(self, store: Store, job: Job) -> None:
        self._store, self._job = store, job

    def statuses(self, operations: tuple[str, ...], ignoring: tuple[str, ...]) -> Mapping[str, str]:
        """Return the latest status of each device."""
        found: dict[str, str] = {}
        for statuses in self._store.earlier(self._job, operations, ignoring).values():
            found = found | statuses if found else statuses
        return found

    def output(self, device: str, ignoring: tuple[str, ...]) -> str:
        """Return what the device printed then."""
        found = self._store.earlier(replace(self._job, devices=(device,)), (), ignoring)
        return next((self._store.output(number, device) for number, devices in found.items() if devices), "")
