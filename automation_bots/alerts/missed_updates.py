"""What Zabbix could not tell while nobody heard it: problems that ended meanwhile, acknowledged or no longer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from automation_bots.alerts.book import updated
from automation_bots.alerts.event import Alert, Phase, ReportedEvent
from automation_bots.drivers.alerts.zabbix import Problem, ZabbixBack
from automation_bots.model import one_line

_AT_ONCE = 500  # problems in one question
_SETTLED = timedelta(seconds=30)  # what is younger may still be on its way here
_PROBLEMS = {"", "0"}  # events of triggers; troubles of Zabbix itself and services are no problems for its API


class MissedUpdates:
    """What one Zabbix knows of the problems that go on here."""

    def __init__(self, server: ZabbixBack, now: Callable[[], datetime]) -> None:
        self._server, self._now = server, now

    def other(self, known: Sequence[Alert]) -> list[ReportedEvent]:
        """What is other there. What it does not show, deleted or hidden from the bot's user, stays as it is."""
        settled = self._now() - _SETTLED
        asked = [one for one in known if one.last < settled and one.fields.get("event_source", "") in _PROBLEMS]
        events: list[ReportedEvent] = []
        for start in range(0, len(asked), _AT_ONCE):
            some = asked[start : start + _AT_ONCE]
            going = self._server.problems([one.fingerprint for one in some])
            events += [event for one in some if (event := self._said(one, going.get(one.fingerprint)))]
            events += self._over([one for one in some if one.fingerprint not in going])
        return events

    def _said(self, alert: Alert, there: Problem | None) -> ReportedEvent | None:
        if there is None or there.acknowledged is bool(alert.acknowledged):
            return None
        if there.acknowledged:
            return updated(alert, self._now(), "acknowledged", one_line(there.by, 100), there.note)
        return updated(alert, self._now(), "unacknowledged", "", "")

    def _over(self, alerts: Sequence[Alert]) -> list[ReportedEvent]:
        ended = self._server.ended([one.fingerprint for one in alerts]) if alerts else {}
        return [self._end(one, ended[one.fingerprint]) for one in alerts if one.fingerprint in ended]

    def _end(self, alert: Alert, at: datetime) -> ReportedEvent:
        return ReportedEvent(
            source=alert.source, kind=alert.kind, what=alert.what, at=self._now(), phase=Phase.RESOLVED,
            device=alert.device, about=alert.about, fingerprint=alert.fingerprint, started=alert.started, ended=at,
            fields=alert.fields, note="found out by asking: Zabbix could not tell it",
        )  # fmt: skip
