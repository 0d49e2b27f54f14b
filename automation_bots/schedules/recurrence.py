"""When a schedule comes due: once, at intervals, or by a cron expression as the clocks of a zone show it. Pure.

cronsim reads the five fields; what becomes of the hour that the clocks skip or repeat is decided here. A time that is
skipped comes at the end of the gap, one that is shown twice comes the first time, and only `*` as the hour, which means
every hour there is, comes in both and loses nothing to a gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim

from automation_bots.text import times

_YEAR_DAYS = 366
_BACK = timedelta(hours=3)  # no clock goes forward or back by more
_LOOKED_AT = 100  # times, to find the shortest distance between two
_COUNTED = 2_000  # times that went by
_LONG_AGO = timedelta(days=1)  # of what comes so often that it was not counted to the end


@dataclass(frozen=True, slots=True, order=True)
class Due:
    """One moment at which it is due, and what the clocks do there."""

    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """One of `once`, `every` (counted from `anchor`, so that nothing drifts) and `cron`; its words are of this zone."""

    text: str
    zone: str
    once: datetime | None = None
    every: timedelta | None = None
    anchor: datetime | None = None
    cron: str = ""

    def after(self, moment: datetime) -> Iterator[Due]:
        """Give all times behind a moment, in their order."""
        if self.once is not None:
            return iter([Due(self.once)] if self.once > moment else [])
        return self._by_clock(moment) if self.cron else self._counted(moment)

    def next(self, moment: datetime) -> datetime | None:
        """Return the first time behind a moment."""
        return next((due.at for due in self.after(moment)), None)

    def span(self, first: datetime, now: datetime) -> tuple[int, datetime]:
        """Return how many times there are from one of them until now, and the last; many are not counted to the end."""
        past = takewhile(lambda due: due.at <= now, self.after(first))
        found = [due.at for due in islice(past, _COUNTED)]
        if len(found) < _COUNTED:
            return len(found) + 1, found[-1] if found else first
        if self.every is not None:
            many = (now - first) // self.every
            return many + 1, first + many * self.every
        close = (due.at for due in self.after(now - _LONG_AGO))
        return _COUNTED, next((last for last, then in pairwise(close) if then > now), found[-1])

    @property
    def shortest(self) -> timedelta | None:
        """The shortest time between two of them; None where it comes once."""
        if self.every is not None or not self.cron:
            return self.every
        walls = CronSim(self.cron, datetime(2024, 1, 1))  # noqa: DTZ001 - as a clock shows it
        return min((two - one for one, two in pairwise(islice(walls, _LOOKED_AT))), default=None)

    def _counted(self, moment: datetime) -> Iterator[Due]:
        anchor, every = self.anchor or moment, self.every or timedelta(days=1)
        number = max(1, (moment - anchor) // every + 1)
        while True:
            yield Due(anchor + number * every)
            number += 1

    def _by_clock(self, moment: datetime) -> Iterator[Due]:
        zone, last, second = ZoneInfo(self.zone), moment, list[Due]()
        hourly = self.cron.split()[1] == "*"
        for wall in CronSim(self.cron, moment.astimezone(zone).replace(tzinfo=None) - _BACK):
            real = times.instants(wall, zone)
            if not real and hourly:
                continue
            first = _moved(wall, zone) if not real else Due(real[0], _which(real, hourly=hourly))
            heappush(second, first)
            if len(real) > 1 and hourly:
                heappush(second, Due(real[1], "the second of two"))
            while second and second[0].at <= first.at:
                due = heappop(second)
                if due.at > last:  # of those that one gap has moved, one
                    last = due.at
                    yield due


def _which(real: Sequence[datetime], *, hourly: bool) -> str:
    if len(real) < 2:
        return ""
    return "the first of two" if hourly else "the clocks show it twice: it comes once"


def _moved(wall: datetime, zone: ZoneInfo) -> Due:
    """The end of a gap, for a time in it."""
    there = wall
    while not (real := times.instants(there, zone)):
        there += timedelta(minutes=1)
    return Due(real[0], f"the clocks skip {wall:%H:%M}")


def kept(recurrence: Recurrence) -> dict[str, str]:
    """Write it down; `read` makes the same of it."""
    found: dict[str, str] = {"text": recurrence.text, "zone": recurrence.zone, "cron": recurrence.cron}
    for name in ("once", "anchor"):
        if (moment := getattr(recurrence, name)) is not None:
            found[name] = moment.isoformat()
    if recurrence.every is not None:
        found["every"] = str(recurrence.every.total_seconds())
    return found


def read(found: Mapping[str, str]) -> Recurrence:
    """Read what `kept` wrote."""
    moments = {name: datetime.fromisoformat(found[name]) for name in ("once", "anchor") if name in found}
    every = timedelta(seconds=float(found["every"])) if "every" in found else None
    return Recurrence(found["text"], found["zone"], every=every, cron=found["cron"], **moments)


def is_beside(kept: Mapping[str, str], at: datetime) -> bool:
    """Whether a moment is none of its times: somebody let it run then, and waits for the answer."""
    return read(kept).next(at - timedelta(microseconds=1)) != at


def clocks(recurrence: Recurrence, now: datetime) -> list[Due]:
    """The times of the next year at which the clocks do something to it."""
    zone, found = ZoneInfo(recurrence.zone), []
    if not recurrence.cron or recurrence.cron.split()[1] == "*":
        return []
    for day in (now + timedelta(days=number) for number in range(_YEAR_DAYS)):
        begin, end = day - timedelta(hours=12), day + timedelta(hours=12)
        if begin.astimezone(zone).utcoffset() != end.astimezone(zone).utcoffset():
            around = takewhile(lambda due, end=end: due.at <= end, recurrence.after(begin))  # type: ignore[misc]
            found += [due for due in around if due.note]
    return found


def explained(recurrence: Recurrence) -> str:
    """Say of a cron expression what many read otherwise: a day of the month and a weekday together, and the 31st."""
    if not recurrence.cron:
        return ""
    _, _, day, _, weekday = recurrence.cron.split()
    if "*" in (day, weekday):
        late = [number for number in ("29", "30", "31") if number in day.split(",")]
        return f"a month without a day {late[-1]} is left out; the last day of each is L" if late else ""
    if day.startswith("*") or weekday.startswith("*"):
        return f"both have to fit: day of the month {day} and weekday {weekday}"
    return f"one of them is enough: day of the month {day} or weekday {weekday}; for one alone put * for the other"
