"""When a schedule comes due: once, at intervals, or by a cron expression as the clocks of a zone show it. Pure.

cronsim reads the five fields; what becomes of the hour that the clocks skip or repeat is decided here. A time that is
skipped comes at the end of the gap, one that is shown twice comes the first time, and only `*` as the hour, which means
every hour there is, comes in both and loses nothing to a gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import islice, pairwise, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from automation_bots.model import one_line
from automation_bots.text import times

_DAYS = {"day": "*", "daily": "*", "weekday": "1-5", "weekdays": "1-5", "weekend": "0,6", "weekends": "0,6"}
_ONES = {"minute", "hour", "week"}  # `every hour`
_MOST_WORDS = 8  # of a length of time: `1 day 12 hours 30 min`
_AT = re.compile(r"(\d\d?):(\d\d)")
_FIELD = re.compile(r"[\d*][\d*,/\-]*|[\d*,/\-#LW]*[\d*][\d*,/\-#LW]*|(?:[A-Z]{3}|L|LW)(?:[,\-](?:[A-Z]{3}|\d))*", re.I)
_YEAR_DAYS = 366
_BACK = timedelta(hours=3)  # no clock goes forward or back by more
_LOOKED_AT = 100  # times, to find the shortest distance between two
_COUNTED = 2_000  # times that went by
_LONG_AGO = timedelta(days=1)  # of what comes so often that it was not counted to the end
_FIELDS = ("minute", "hour", "day of the month", "month", "weekday")
_HOW_EVERY = "write every 15m, every hour, every weekday 06:30, every day 06:30 or every mon,thu 06:30"
_HOW_CRON = 'write five fields, minute hour day month weekday, as in "0 2 * * 1-5"'


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


# -- as people write it


def at(words: Sequence[str], now: datetime, zone: str) -> tuple[Recurrence, Sequence[str]]:
    """Read `22:00 …`, `Mon 08:00 …`, `2h …`; a ValueError says what is wrong."""
    moment, rest = times.leading(words, now, zone)
    return Recurrence(f"at {moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}", zone, once=moment), rest


def every(words: Sequence[str], now: datetime, zone: str) -> tuple[Recurrence, Sequence[str]]:
    """Read `15m …`, `hour …`, `weekday 06:30 …`, `mon,thu 06:30 …`."""
    if not words:
        raise ValueError(f"how often? {_HOW_EVERY}")
    if found := _days(words):
        return _on_days(*found, zone)
    if words[0].lower() in _ONES:
        return _counted(f"1 {words[0]}", now, zone), words[1:]
    count = max((n for n in range(1, min(len(words), _MOST_WORDS) + 1) if _is_length(words[:n])), default=0)
    if not count:
        raise ValueError(f"{one_line(words[0], 40)!r} is no interval; {_HOW_EVERY}")
    return _counted(" ".join(words[:count]), now, zone), words[count:]


def _is_length(words: Sequence[str]) -> bool:
    return times.is_duration(" ".join(words))


def _counted(text: str, now: datetime, zone: str) -> Recurrence:
    length = times.duration(text)
    return Recurrence(f"every {times.duration_text(length)}", zone, every=length, anchor=now.replace(microsecond=0))


def _days(words: Sequence[str]) -> tuple[str, str, Sequence[str]] | None:
    """The days that some words begin with: as they are said, as cron's field, and the words behind; None: none."""
    count = next((n for n, word in enumerate(words, 1) if not word.endswith(",")), len(words))
    said = "".join(words[:count]).lower()
    if said in _DAYS:
        return said, _DAYS[said], words[count:]
    parts = [part.split("-") for part in said.split(",")]
    numbers = [[times.weekday(day) if len(day) > 2 else -1 for day in part] for part in parts]
    if any(len(part) > 2 or -1 in part for part in numbers):
        return None
    days = sorted({day for part in numbers for day in _span(part[0], part[-1])})
    return said, ",".join(str((day + 1) % 7) for day in days), words[count:]


def _span(first: int, last: int) -> list[int]:
    """Weekdays from one to another, over the end of the week too."""
    return [(first + step) % 7 for step in range((last - first) % 7 + 1)]


def _on_days(said: str, days: str, rest: Sequence[str], zone: str) -> tuple[Recurrence, Sequence[str]]:
    if rest and rest[0].lower() == "at":
        rest = rest[1:]
    clock = _AT.fullmatch(rest[0]) if rest else None
    if clock is None or int(clock[1]) > 23 or int(clock[2]) > 59:
        raise ValueError(f"at what time? write every {one_line(said, 40)} 06:30")
    text = f"every {said} {int(clock[1]):02}:{clock[2]}"
    return Recurrence(text, zone, cron=f"{int(clock[2])} {int(clock[1])} * * {days}"), rest[1:]


def cron(words: Sequence[str], zone: str) -> tuple[Recurrence, Sequence[str]]:
    """Read `"0 2 * * 1-5" …`, with quotes or without them."""
    fields, rest = _fields(words)
    if fields and fields[0].startswith("@"):
        raise ValueError(f"{one_line(fields[0], 40)} is not taken; {_HOW_CRON}, or use every day 00:00")
    if len(fields) != len(_FIELDS):
        more = ": there are no seconds and no years here" if len(fields) > len(_FIELDS) else ""
        raise ValueError(f"{len(fields)} fields{more}; {_HOW_CRON}")
    text = " ".join(fields).upper()
    try:
        first = next(CronSim(text, datetime(2024, 1, 1)), None)  # noqa: DTZ001 - as a clock shows it
    except (CronSimError, AssertionError) as error:
        wrong = one_line(str(error), 40).lower() or "what it says"
        raise ValueError(f'"{one_line(text, 60)}" never comes: {wrong}; {_HOW_CRON}') from error
    if first is None:
        raise ValueError(f'"{one_line(text, 60)}" never comes; {_HOW_CRON}')
    return Recurrence(f'cron "{text}"', zone, cron=text), rest


def _fields(words: Sequence[str]) -> tuple[list[str], Sequence[str]]:
    if words and words[0][0] in "\"'":
        end = next((n for n, word in enumerate(words, 1) if word.endswith(words[0][0]) and (n > 1 or len(word) > 1)), 0)
        if not end:
            raise ValueError(f"a quote is not closed; {_HOW_CRON}")
        return " ".join(words[:end])[1:-1].split(), words[end:]
    count = next((n for n, word in enumerate(words) if not _FIELD.fullmatch(word) and word[:1] != "@"), len(words))
    # A word such as `mon` may begin the command: only what no command is called makes a sixth field.
    if count > len(_FIELDS) and not re.fullmatch(r"[\d*][\d*,/\-]*", words[len(_FIELDS)]):
        count = len(_FIELDS)
    return list(words[:count]), words[count:]


def explained(recurrence: Recurrence) -> str:
    """Say of a cron expression what many read otherwise: a day of the month and a weekday together."""
    if not recurrence.cron:
        return ""
    _, _, day, _, weekday = recurrence.cron.split()
    if "*" in (day, weekday):
        return ""
    if day.startswith("*") or weekday.startswith("*"):
        return f"both have to fit: day of the month {day} and weekday {weekday}"
    return f"one of them is enough: day of the month {day} or weekday {weekday}; for one alone put * for the other"
