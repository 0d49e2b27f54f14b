"""The contract of dispatchers: start accepted jobs when the throttle lets them, report through the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from automation_bots.model import Job


class Dispatcher(Protocol):
    """Carries jobs to where they run."""

    def submit(self, job: Job, hidden: Mapping[str, Any]) -> str:
        """Take a queued job; return why it waits, or nothing when it starts. `hidden`: values that are never stored."""

    def cancel(self, number: int, by: str) -> bool:
        """Stop a job that is queued or running for a person; return whether there was something to stop."""

    def waiting(self) -> list[int]:
        """The numbers of the jobs that wait, in the order in which they were asked for."""

    def why(self, number: int) -> str:
        """What a queued job waits for; empty of any other job."""

    def progress(self, number: int) -> str:
        """What the driver of a running job said last."""
