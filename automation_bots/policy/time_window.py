"""Time windows as people write them: `Mon-Fri 08:00-18:00 Europe/Madrid`."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIMES = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")


@dataclass(frozen=True, slots=True)
class Window:
    """Weekdays and a time of day in a time zone; a window over midnight belongs to the day on which it begins."""

    text: str
    days: frozenset[int]
    begin: time
    end: time
    zone: ZoneInfo

    def contains(self, moment: datetime) -> bool:
        """Return whether an aware moment lies in the window; the end itself does not."""
        local = moment.astimezone(self.zone)
        at, day = local.time().replace(tzinfo=None), local.weekday()
        if self.begin == self.end:
            return day in self.days
        if self.begin < self.end:
            return day in self.days and self.begin <= at < self.end
        yesterday = (local - timedelta(days=1)).weekday()
        return (day in self.days and at >= self.begin) or (yesterday in self.days and at < self.end)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The events of a calendar file as moments, in the order in which they begin, none overlapping."""

    text: str
    spans: tuple[tuple[datetime, datetime], ...]

    def contains(self, moment: datetime) -> bool:
        """Return whether an aware moment lies in an event; the end itself does not."""
        at = bisect_right(self.spans, moment, key=lambda span: span[0])
        return at > 0 and moment < self.spans[at - 1][1]


def calendar(text: str, spans: Iterable[tuple[datetime, datetime]]) -> Calendar:
    """Join what overlaps, so that one look finds the event of a moment."""
    joined: list[tuple[datetime, datetime]] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif begin < end:
            joined.append((begin, end))
    return Calendar(text, tuple(joined))


def window(text: str, zone: str = "UTC") -> Window:
    """Read a window: weekdays, times and zone, each of which may be left out; a ValueError says what is wrong."""
    days: frozenset[int] = frozenset(range(7))
    begin = end = time(0)
    for word in text.replace(", ", ",").split():
        if times := _TIMES.fullmatch(word):
            begin, end = _clock(times.group(1), times.group(2)), _clock(times.group(3), times.group(4))
        elif word[:3].lower() in _DAYS and "/" not in word:
            days = _weekdays(word)
        else:
            zone = word
    try:
        return Window(text, days, begin, end, ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{text!r}: {zone!r} is no weekday, time or time zone; write Mon-Fri 08:00-18:00 Europe/Madrid"
        ) from None


def _clock(hour: str, minute: str) -> time:
    if (int(hour), int(minute)) == (24, 0):
        return time(0)
    return time(int(hour), int(minute))


def _weekdays(word: str) -> frozenset[int]:
    found: set[int] = set()
    for part in word.lower().split(","):
        first, _, last = part.partition("-")
        if first[:3] not in _DAYS or (last and last[:3] not in _DAYS):
            raise ValueError(f"{part!r} is no weekday; write Mon, Tue, Wed, Thu, Fri, Sat, Sun or Mon-Fri")
        begin = _DAYS.index(first[:3])
        length = (_DAYS.index(last[:3]) - begin) % 7 if last else 0
        found.update((begin + step) % 7 for step in range(length + 1))
    return frozenset(found)
