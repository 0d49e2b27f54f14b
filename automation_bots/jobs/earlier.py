"""What drivers may know of the last time the same was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from automation_bots.model import Job, Outcome
from automation_bots.store import Store


class PreviousRun:
    """Answers the questions of one job (the drivers' `Before`)."""

    def __init__(self, store: Store, job: Job) -> None:
        self._store, self._job = store, job

    def outcomes(self, operations: tuple[str, ...], ignoring: tuple[str, ...]) -> Mapping[str, Outcome]:
        """Return the latest outcome of each device, without outputs."""
        return {name: outcome for name, (_, outcome) in self._store.earlier(self._job, operations, ignoring).items()}

    def output(self, device: str, ignoring: tuple[str, ...]) -> str:
        """Return what the device printed then."""
        found = self._store.earlier(replace(self._job, devices=(device,)), (), ignoring)
        return self._store.output(found[device][0], device) if device in found else ""
