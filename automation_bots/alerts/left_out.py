"""Fetches what an Alertmanager left out of its messages (max_alerts), and sees when it is over, which nobody tells."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from automation_bots.alerts.event import Alert, Intake, Phase, ReportedEvent
from automation_bots.alerts.sources import alertmanager
from automation_bots.alerts.sources.alertmanager import LEFT_OUT, AlertmanagerSettings
from automation_bots.drivers.alerts.alertmanager import AlertmanagerBack, Present
from automation_bots.errors import DriverError
from automation_bots.store.alerts import AlertStore
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
FETCHED = "fetched"  # the field of an alert that no message told of
_MISSED = 2  # looks in which an alert is not there any more, before it is over


class LeftOut:
    """Looks at one Alertmanager as long as something was left out, or was fetched and goes on."""

    def __init__(
        self,
        settings: AlertmanagerSettings,
        server: AlertmanagerBack,
        store: AlertStore,
        intake: Intake,
        now: Callable[[], datetime],
    ) -> None:
        self.source, self._settings, self._server = settings.name, settings, server
        self._store, self._intake, self._now = store, intake, now
        self._missed: dict[int, int] = {}
        self.problem = ""  # why it cannot be looked at
        self._loop = Loop(f"left out of {self.source}", self.look, 1.0)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def stop(self) -> None:
        """End."""
        self._loop.stop(1.0)

    def look(self) -> float:
        """Take what is missing here; return how long to wait."""
        known = [one for one in self._store.firing() if one.source == self.source]
        counts = [one for one in known if one.what == LEFT_OUT]
        fetched = [one for one in known if FETCHED in one.fields]
        if not counts and not fetched:
            return self._settings.poll_seconds
        try:
            present = self._server.present()
        except DriverError as error:
            if self.problem != (problem := str(error)):
                log.warning("left out of %s: %s", self.source, problem)
            self.problem = problem
            return self._settings.poll_seconds
        self.problem = ""
        there, mine = {one.fingerprint for one in present}, {one.fingerprint for one in known}
        missing = [one for one in present if _is_left_out(one, counts) and one.fingerprint not in mine]
        gone = self._gone([one for one in fetched if one.fingerprint not in there])
        self._intake.take([*(self._report(one, one.started) for one in missing if one.started), *map(self._over, gone)])
        return self._settings.poll_seconds

    def _report(self, one: Present, started: datetime) -> ReportedEvent:
        event = alertmanager.firing(one.fingerprint, started, (one.labels, one.notes), self._settings, self._now())
        return replace(event, fields={**event.fields, FETCHED: "by its API"})

    def _over(self, alert: Alert) -> ReportedEvent:
        return ReportedEvent(
            source=alert.source, kind=alert.kind, what=alert.what, at=self._now(), phase=Phase.RESOLVED,
            fingerprint=alert.fingerprint, started=alert.started, fields=alert.fields,
        )  # fmt: skip

    def _gone(self, alerts: Sequence[Alert]) -> list[Alert]:
        """Those that are not there any more, in several looks: it may just have started again itself."""
        self._missed = {alert.number: self._missed.get(alert.number, 0) + 1 for alert in alerts}
        return [alert for alert in alerts if self._missed[alert.number] >= _MISSED]


def _is_left_out(one: Present, counts: Sequence[Alert]) -> bool:
    """Whether it is of a group of which some were left out, and goes on there."""
    if not one.fingerprint or one.started is None or one.silenced_by:
        return False
    groups = ({name: text for name, text in count.fields.items() if name != "left_out"} for count in counts)
    return any(group.items() <= one.labels.items() for group in groups)
