"""What is silenced at an Alertmanager is shown here, and how that ends, which it tells nobody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from automation_bots.alerts.book import updated
from automation_bots.alerts.event import Alert, Phase, ReportedEvent
from automation_bots.drivers.alerts.alertmanager import AlertmanagerBack, Present, Silence

_YOUNG = timedelta(minutes=10)  # so long after its start it may not know yet what goes on
_NEVER = datetime.max.replace(tzinfo=UTC)
_MISSED = 2  # looks in which an alert is not there any more, before it is over


class Silences:
    """What one Alertmanager silences."""

    def __init__(self, server: AlertmanagerBack, now: Callable[[], datetime]) -> None:
        self._server, self._now = server, now
        self._missed: dict[int, int] = {}

    def other(self, known: Sequence[Alert]) -> list[ReportedEvent]:
        """What is other there than with the alerts that go on here."""
        present, silences = self._server.present(), self._server.silences()
        young = self._young()
        latest_first = sorted(present, key=lambda one: one.started or _NEVER, reverse=True)
        there = {one.fingerprint: one for one in latest_first}  # of a pair of senders, the begin of the first
        lives = [(alert, found if _same(alert, found := there.get(alert.fingerprint)) else None) for alert in known]
        events = [event for alert, found in lives if (event := self._other(alert, found, silences))]
        return events + self._gone([alert for alert, found in lives if found is None], young=young)

    def _other(self, alert: Alert, there: Present | None, silences: dict[str, Silence]) -> ReportedEvent | None:
        """What the server says of an alert that is not known here."""
        if there is None:
            return None
        on_it = [silences[name] for name in there.silenced_by if name in silences]
        last = max(on_it, key=lambda one: one.until, default=None)
        if last is None:
            muted = alert.muted is not None and alert.muted > self._now()
            return updated(alert, self._now(), "unsilenced", "", "") if muted else None
        if alert.muted is not None and abs(alert.muted - last.until) < timedelta(seconds=1):
            return None
        return updated(alert, self._now(), "silenced", last.by, last.comment, last.until)

    def _gone(self, alerts: Sequence[Alert], *, young: bool) -> list[ReportedEvent]:
        """The ends of silenced alerts, which it tells nobody: they are not there any more, in several looks."""
        silenced = [alert for alert in alerts if alert.muted is not None and not young]
        self._missed = {alert.number: self._missed.get(alert.number, 0) + 1 for alert in silenced}
        return [self._over(alert) for alert in silenced if self._missed[alert.number] >= _MISSED]

    def _over(self, alert: Alert) -> ReportedEvent:
        return ReportedEvent(
            source=alert.source, kind=alert.kind, what=alert.what, at=self._now(), phase=Phase.RESOLVED,
            device=alert.device, about=alert.about, fingerprint=alert.fingerprint, started=alert.started,
            fields=alert.fields, note="Alertmanager does not have it any more",
        )  # fmt: skip

    def _young(self) -> bool:
        since = self._server.running_since()
        return since is None or self._now() - since < _YOUNG


def _same(alert: Alert, found: Present | None) -> bool:
    """Whether it is no later life; its API leaves digits of the begin out that its messages have."""
    return found is not None and found.started is not None and found.started <= alert.started
