"""What was refused between bots, for the record: each with its reason, a flood as a number. The time is given."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from automation_bots.store import AuditKind, Subject

_MINUTE = timedelta(minutes=1)
_EACH = 20  # rows a minute for one sender
Record = Callable[[AuditKind, Mapping[str, object], Subject], object]


class Refusals:
    """Counts all, and writes down as many as anybody can read."""

    def __init__(self, record: Record, known: Callable[[str], bool]) -> None:
        self._record, self._known = record, known
        self._lock = threading.Lock()
        self._began: datetime | None = None
        self._recent: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()  # by reason, since the start

    def note(self, why: str, reason: str, sender: str, now: datetime, about: Subject | None = None) -> bool:
        """Take one; whether it was written down, and may be spoken of."""
        name = sender if self._known(sender) else "unknown"  # whoever can write to the queue may invent names
        with self._lock:
            more = self._turn(now)
            self.counts[why] += 1
            self._recent[name] += 1
            written = self._recent[name] <= _EACH
        for other, many in more.items():
            self._write("flood", f"{many} more of the minute before were refused", other, None)
        if written:
            self._write(why, reason, name, about)
        return written

    def _turn(self, now: datetime) -> dict[str, int]:
        if self._began is not None and timedelta() <= now - self._began < _MINUTE:
            return {}
        more = {name: many - _EACH for name, many in self._recent.items() if many > _EACH}
        self._began, self._recent = now, Counter()
        return more

    def _write(self, why: str, reason: str, name: str, about: Subject | None) -> None:
        self._record(AuditKind.PEER_REFUSED, {"bot": name, "why": why, "reason": reason}, about or Subject())
