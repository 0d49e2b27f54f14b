"""Who takes events and who follows them: a source hands what it heard to an `Intake`, which stores all or nothing.

After that each event is followed at least once, also over a kill, by everybody who was given to the intake. The events
themselves are values of the project: `model.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from automation_bots.model import Alert, Finding, Phase, ReportedEvent, Severity, StoredEvent

__all__ = [
    "Alert",
    "Finding",
    "Follower",
    "Intake",
    "Phase",
    "ReportedEvent",
    "Severity",
    "StoredEvent",
]


class Intake(Protocol):
    """Where sources bring what they heard."""

    def take(self, events: Sequence[ReportedEvent]) -> None:
        """Store all of them in one transaction, or raise StoreError; what follows happens soon after, elsewhere."""


class Follower(Protocol):
    """Does something about stored events; is given each at least once, in their order, and never waits for long.

    How far it came is kept under its name. A new one begins with the next event, not with the past.
    """

    @property
    def name(self) -> str:
        """What its place in the events is kept under; never changes."""

    def follow(self, events: Sequence[StoredEvent]) -> Iterable[Finding]:
        """Look at them; what is refused or broken is its own to tell, none of it keeps the next from being followed.

        What it says of each is kept with the event, in the transaction that keeps how far it came.
        """
