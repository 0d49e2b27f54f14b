"""Takes what sources heard into the record, and hands it to whoever follows: each event at least once, in its order."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from automation_bots.alerts.event import Finding, Follower, ReportedEvent, StoredEvent
from automation_bots.errors import StoreError
from automation_bots.model import one_line
from automation_bots.store.events import EventStore
from automation_bots.store.schema import storable
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
MAX_FIELDS, MAX_WORD, MAX_TEXT = 96, 300, 4_000
_AT_ONCE = 200  # events that a follower is given together
_IDLE_SECONDS = 60.0
_TOGETHER_SECONDS = 0.03


class EventIntake:
    """The one way in. `heard` is called after events were kept: it must neither wait nor raise."""

    def __init__(
        self,
        store: EventStore,
        device: Callable[[ReportedEvent], str],
        heard: Callable[[], None],
        followers: Sequence[Follower] = (),
    ) -> None:
        self._store, self._device, self._heard = store, device, heard
        self._followers = tuple(followers)
        self._marks: dict[str, int] = {}
        self.taken: Counter[str] = Counter()  # by source, since the start
        self.total = 0
        self._loop = Loop("events", self._turn, _IDLE_SECONDS)

    def start(self) -> None:
        """Go on where every follower was."""
        self._marks = {one.name: self._store.follow(one.name) for one in self._followers}
        self._loop.start()
        self._loop.wake()

    def stop(self) -> None:
        """End; what was not followed yet is followed after the next start."""
        self._loop.stop()

    def take(self, events: Sequence[ReportedEvent]) -> None:
        """Store all of them in one transaction, or raise StoreError."""
        if not events:
            return
        bound = [bounded(event) for event in events]
        self._store.take([replace(event, device=self._device(event)) for event in bound])
        self.taken.update(event.source for event in bound)
        self.total += len(bound)
        self._heard()
        self._loop.wake()

    def waiting(self) -> int:
        """How many events the slowest follower has not seen."""
        return max(0, self._store.last() - min(self._marks.values())) if self._marks else 0

    def _turn(self) -> float:
        time.sleep(_TOGETHER_SECONDS)  # what comes meanwhile is followed with it, in one transaction
        return self.round()

    def round(self) -> float:
        """Give every follower what it has not seen."""
        more = [self._follow(one) for one in self._followers]
        return 0.0 if any(more) else _IDLE_SECONDS

    def _follow(self, follower: Follower) -> bool:
        """Give it some; whether there may be more."""
        events = self._store.after(self._marks[follower.name], _AT_ONCE)
        if not events:
            return False
        said = _asked(follower, events)
        self._store.followed(follower.name, events[-1].number, said)
        self._marks[follower.name] = events[-1].number
        return len(events) == _AT_ONCE


def _asked(follower: Follower, events: Sequence[StoredEvent]) -> Iterable[Finding]:
    """Let it look; one that fails is no reason for others to wait, but events say that it did."""
    try:
        return tuple(follower.follow(events))
    except StoreError:
        raise  # the record is away: the same again later
    except Exception:  # of one of them; whoever asks of these events reads that it failed
        log.exception("%s could not look at events %d to %d", follower.name, events[0].number, events[-1].number)
        return [Finding(one.number, follower.name, "could not look at it; the log says why") for one in events]


def bounded(event: ReportedEvent) -> ReportedEvent:
    """Leave out what is longer than anybody reads."""
    return replace(
        event,
        what=storable(one_line(event.what, MAX_WORD)),
        about=storable(one_line(event.about, MAX_WORD)),
        by=storable(one_line(event.by, MAX_WORD)),
        done=storable(one_line(event.done, MAX_WORD)),
        text=storable(event.text[:MAX_TEXT]),
        note=storable(event.note[:MAX_TEXT]),
        fingerprint=storable(event.fingerprint[:MAX_WORD]),
        fields=_bounded(event.fields),
    )


def _bounded(fields: Mapping[str, str]) -> dict[str, str]:
    kept = list(fields.items())[:MAX_FIELDS]
    return {storable(name[:MAX_WORD]): storable(text[:MAX_TEXT]) for name, text in kept}
