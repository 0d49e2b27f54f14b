"""One function on its way: published once, heard as minions return; silent ones are asked whether they live."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from automation_bots.drivers.salt.api import NoMinions, Session
from automation_bots.drivers.salt.functions import Call
from automation_bots.errors import DriverError

log = logging.getLogger(__name__)
_LONGEST_WAIT = 30.0  # seconds between two looks at a job that runs long
_TOLD_AGAIN = 2  # looks in which a minion may say that it does not have the job, before it is believed


@dataclass(slots=True)
class Probe:
    """The question to silent minions whether they still work on a job."""

    jid: str
    asked: frozenset[str]
    until: float
    answered: dict[str, bool] = field(default_factory=dict)  # minion: whether it runs the job


@dataclass(slots=True)
class Flight:
    """A published call and what is known of each minion it went to."""

    call: Call
    minions: tuple[str, ...]
    patience: float  # seconds a minion may be silent before it is asked
    jid: str = ""
    unknown: frozenset[str] = frozenset()  # minions whose keys the master does not have
    waiting: set[str] = field(default_factory=set)
    seen_running: set[str] = field(default_factory=set)
    lost: dict[str, int] = field(default_factory=dict)
    probe: Probe | None = None
    look_at: float = 0.0
    wait: float = 0.0

    def publish(self, session: Session) -> None:
        """Send it; what the master does not know is in `unknown` afterwards."""
        try:
            sent = session.publish(self.minions, self.call.function, self.call.args, dict(self.call.kwargs))
        except NoMinions:
            self.unknown = frozenset(self.minions)
            return
        self.jid, self.wait = sent.jid, self.patience
        self.unknown = frozenset(self.minions) - sent.minions
        self.waiting = set(self.minions) - self.unknown
        self.look_at = time.monotonic() + self.patience

    def takes(self, jid: str, minion: str, data: Mapping[str, Any]) -> bool:
        """Take a return; True when it is the answer of a minion that was waited for."""
        if self.probe is not None and jid == self.probe.jid and minion in self.probe.asked:
            self.probe.answered[minion] = bool(data.get("return"))
            return False
        if jid != self.jid or minion not in self.waiting:
            return False
        self.waiting.discard(minion)
        return True

    def returned(self, session: Session) -> Mapping[str, Mapping[str, Any]]:
        """Ask the master for what it has: the answers of minions that are still waited for."""
        found = session.job(self.jid)
        return {minion: data for minion, data in found.items() if minion in self.waiting and isinstance(data, dict)}

    def ask(self, session: Session) -> None:
        """Ask the silent ones whether they run it."""
        sent = session.publish(sorted(self.waiting), "saltutil.find_job", (self.jid,))
        self.probe = Probe(sent.jid, frozenset(self.waiting), time.monotonic() + self.patience)

    def silent(self, session: Session, *, heard: bool) -> tuple[str, ...]:
        """Judge the answers to `ask`: return who said nothing, or no longer has the job."""
        probe, self.probe = self.probe, None
        if probe is None:
            return ()
        if not heard:  # without the event stream, the master is asked for the answers
            for minion, data in session.job(probe.jid).items():
                probe.answered.setdefault(minion, bool(data.get("return")))
        gone = [
            minion for minion in probe.asked & self.waiting if self._is_gone(minion, running=probe.answered.get(minion))
        ]
        self.waiting.difference_update(gone)
        self.wait = min(self.wait * 1.5, _LONGEST_WAIT)
        self.look_at = time.monotonic() + self.wait
        return tuple(sorted(gone))

    def _is_gone(self, minion: str, *, running: bool | None) -> bool:
        if running:
            self.seen_running.add(minion)
            self.lost.pop(minion, None)
            return False
        if running is None:
            return True
        self.lost[minion] = self.lost.get(minion, 0) + 1
        return self.lost[minion] >= _TOLD_AGAIN

    def kill(self, session: Session) -> None:
        """End it on the minions that have not returned."""
        if self.waiting:
            session.publish(sorted(self.waiting), "saltutil.kill_job", (self.jid,))


def kill_all(session: Session, flights: Iterable[Flight]) -> None:
    """End what still runs, as far as Salt can be reached."""
    for flight in flights:
        try:
            flight.kill(session)
        except DriverError as error:
            log.warning("salt job %s could not be ended: %s", flight.jid, error)


def grouped(calls: Sequence[tuple[str, Call]], patience: float) -> list[Flight]:
    """Return one flight for each different call."""
    by: dict[Call, list[str]] = {}
    for minion, call in calls:
        by.setdefault(call, []).append(minion)
    return [Flight(call, tuple(dict.fromkeys(minions)), patience) for call, minions in by.items()]
