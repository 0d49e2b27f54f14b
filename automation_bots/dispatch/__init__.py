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

    def waits(self) -> Mapping[int, str]:
        """Why each queued job waits, in the order in which they are likely to start."""

    def progress(self, number: int) -> str:
        """What the driver of a running job said last."""
