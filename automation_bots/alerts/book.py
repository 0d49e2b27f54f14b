"""The alerts as whoever does something about them sees them: found, told to their servers, kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from automation_bots.alerts.event import Intake, Phase, ReportedEvent
from automation_bots.drivers.alerts.back import (
    ACKNOWLEDGE,
    CLOSE,
    COMMENT,
    SILENCE,
    UNACKNOWLEDGE,
    UNSILENCE,
    Back,
    Deed,
)
from automation_bots.model import Alert
from automation_bots.store.alerts import AlertStore

_DONE = {
    ACKNOWLEDGE: "acknowledged",
    UNACKNOWLEDGE: "unacknowledged",
    COMMENT: "commented",
    SILENCE: "silenced",
    UNSILENCE: "unsilenced",
    CLOSE: "closed",
}


class AlertBook:
    """What people do counts here in the same way as what servers tell of: as an event of the alert."""

    def __init__(
        self,
        store: AlertStore,
        intake: Intake,
        backs: Mapping[str, Back],
        zone: Callable[[], str],
        now: Callable[[], datetime],
    ) -> None:
        self._store, self._intake, self._backs, self.zone, self._now = store, intake, backs, zone, now

    def find(self, number: int) -> Alert | None:
        """Return one; None when it is forgotten, or never was."""
        return self._store.find(number)

    def back(self, source: str) -> Back | None:
        """The server that told of it, where it can be told something."""
        return self._backs.get(source)

    def tells(self, source: str, deed: str) -> bool:
        """Whether the server of a source hears of a deed."""
        back = self.back(source)
        return back is not None and deed in back.does

    def keep(self, alert: Alert, deed: Deed) -> None:
        """Let it count here: the message shows it, rules hear of it."""
        self._intake.take([updated(alert, self._now(), _DONE[deed.what], deed.person, deed.note, deed.until)])


def updated(alert: Alert, now: datetime, done: str, by: str, note: str, until: datetime | None = None) -> ReportedEvent:
    """That somebody did something about an alert, as its own source would tell it."""
    return ReportedEvent(
        source=alert.source,
        kind=alert.kind,
        what=alert.what,
        at=now,
        phase=Phase.UPDATED,
        device=alert.device,
        about=alert.about,
        fingerprint=alert.fingerprint,
        started=alert.started,
        by=by,
        done=done,
        note=note,
        until=until,
    )
