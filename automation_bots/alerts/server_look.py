"""Looks at a server again and again for what is other there than here: what it does not tell, or could not."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from automation_bots.alerts.event import Alert, Intake, ReportedEvent
from automation_bots.errors import DriverError
from automation_bots.store.alerts import AlertStore
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)


class ServerLook:
    """One server; `other` is given the alerts that go on here, and says by events what is other there."""

    def __init__(
        self,
        source: str,
        other: Callable[[Sequence[Alert]], Sequence[ReportedEvent]],
        store: AlertStore,
        intake: Intake,
        seconds: float,
    ) -> None:
        self.source, self._other, self._store, self._intake = source, other, store, intake
        self._seconds = seconds
        self.problem = ""  # why it cannot be looked at
        self._loop = Loop(f"look at {source}", self.look, 1.0)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def stop(self) -> None:
        """End."""
        self._loop.stop(1.0)

    def look(self) -> float:
        """Take what is other; return how long to wait."""
        known = [one for one in self._store.firing() if one.source == self.source]  # before the server, which is newer
        if not known:
            return self._seconds
        try:
            self._intake.take(self._other(known))
        except DriverError as error:
            if self.problem != (problem := str(error)):
                log.warning("alerts of %s: %s", self.source, problem)
            self.problem = problem
        else:
            self.problem = ""
        return self._seconds
