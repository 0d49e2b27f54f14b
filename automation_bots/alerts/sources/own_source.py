"""Brings what the bot itself and Salt tell to the intake: what bot.toml names, and what a rule asks for."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from fnmatch import fnmatchcase

from automation_bots.alerts.event import Intake, ReportedEvent, Severity
from automation_bots.alerts.sources.own_events import reported
from automation_bots.errors import StoreError
from automation_bots.events import Bus, Event, Subscription
from automation_bots.model import one_line

log = logging.getLogger(__name__)
OWN = "bot"  # the source of what the bot itself tells
_WAITING = 5_000  # events that wait for us
_AT_ONCE = 500
_LOOK_SECONDS = 0.5
_AWAY_SECONDS = 1.0


class OwnSource:
    """Listens to the bus in a thread; what comes between the bus and the record is lost when the bot is killed."""

    problem = ""

    def __init__(
        self,
        bus: Bus,
        intake: Intake,
        now: Callable[[], datetime],
        kept: Sequence[str],
        asked: Callable[[ReportedEvent], bool] = lambda _event: False,
    ) -> None:
        self._bus, self._intake, self._now, self._kept, self._asked = bus, intake, now, tuple(kept), asked
        self._ready: list[ReportedEvent] = []
        self._dropped = 0
        self._ending, self._listening = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="own events", daemon=True)

    def start(self) -> None:
        """Begin; what is told from now on is heard."""
        self._thread.start()
        self._listening.wait()

    def stop(self) -> None:
        """End; what was told is kept first."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        with self._bus.listen("*", _WAITING) as mine:
            self._listening.set()
            while not self._ending.is_set():
                self._safely(mine, _LOOK_SECONDS)
            self._safely(mine, 0.0)

    def _safely(self, mine: Subscription, seconds: float) -> None:
        try:
            self.round(mine, seconds)
        except StoreError as error:
            log.warning("what the bot itself tells cannot be kept now; tried again: %s", error)
            self._ending.wait(_AWAY_SECONDS)

    def round(self, mine: Subscription, seconds: float) -> None:
        """Wait for events, and bring those that are wanted to the intake; StoreError: the same again, later."""
        if not self._ready:
            self._ready = self._some(mine, seconds)
        self._intake.take(self._ready)
        self._ready = []

    def _some(self, mine: Subscription, seconds: float) -> list[ReportedEvent]:
        found: list[ReportedEvent] = []
        for at in range(_AT_ONCE):
            if (event := mine.next(0.0 if at else seconds)) is None:
                break
            found += self._wanted(event)
        if lost := mine.dropped - self._dropped:
            self._dropped += lost
            found.append(self._left_out(lost))
        return found

    def _wanted(self, event: Event) -> list[ReportedEvent]:
        named = any(fnmatchcase(event.tag, pattern) for pattern in self._kept)
        try:
            return [one for one in reported(event, self._now()) if named or self._asked(one)]
        except Exception:  # of one event, which a plugin or Salt told; all others are heard all the same
            log.exception("an event could not be read: %s", one_line(event.tag))
            return []

    def _left_out(self, count: int) -> ReportedEvent:
        text = f"{count:,} events of the bot itself and of Salt were left out: they came faster than they could be read"
        return ReportedEvent(OWN, OWN, "events left out", self._now(), severity=Severity.WARNING, text=text)
