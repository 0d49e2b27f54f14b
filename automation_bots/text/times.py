"""Durations and moments as people write and read them: one grammar for chat, files and docstrings. Pure.

Of our own, since libraries guess: pytimeparse2 reads `22:00` as 22 minutes, dateparser `30` as a day of the month and
an hour that the clocks skip as if they showed it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

DURATIONS = "30s, 90 min, 2 hours, 1d 12h or 1w"
MOMENTS = "18:00, tomorrow 08:00, Mon 08:00, 2026-12-24 18:00 or 2h"
_YEAR = timedelta(days=366)
_MOST_WORDS = 11  # `in 1 week 2 days 3 hours 4 min 5 s`

# Each unit once, the longest first; a capital M alone is a month to many, so it is none here.
_UNITS = {"weeks": "weeks?|w", "days": "days?|d", "hours": "hours?|hrs?|h", "minutes": "minutes?|mins?|(?-i:m)",
          "seconds": "seconds?|secs?|s"}  # fmt: skip
_NUMBER = r"\d{1,8}(?:\.\d{1,6})?"
_DURATION = re.compile(
    " ?".join(rf"(?:(?P<{name}>{_NUMBER}) ?(?:{unit}))?" for name, unit in _UNITS.items()), re.IGNORECASE | re.ASCII
)
_WRITTEN = (("d", 864_000), ("h", 36_000), ("min", 600))  # in tenths of a second
# The names of zones that clocks show. One that is not that of the zone here is refused, and not taken for a reason.
_CALLED = (
    "UTC|GMT|WES?T|CES?T|EES?T|BST|IST|MSK|SAST|[CEW]AT|A[KCEW]?[SD]T|[ECMPHN][SD]T|NZ[SD]T|[JKPH]KT|[JK]ST|SGT|WI[BT]"
)
# An hour stands alone only behind `at`: `tomorrow at 9`.
_CLOCK = (
    r"(?P<hour>\d\d?)(?:(?=:| ?[ap]m\b)|(?<=at \d)\b|(?<=at \d\d)\b)"
    r"(?::(?P<minute>\d\d)(?::(?P<second>\d\d))?)?(?: ?(?P<half>[ap]m)\b)?"
    r"|(?P<named>noon|midnight)\b"
)
_MOMENT = re.compile(
    r"(?:(?:on )?(?:(?P<date>2\d{3}-\d\d-\d\d)|(?P<day>(?!noon|midnight)[a-z]{3,9}))"
    r"(?:(?:[T ]| at )(?=\d|noon|midnight)|\Z))?(?:at (?=\d|noon|midnight))?"
    rf"(?:(?:{_CLOCK})"
    rf"(?: ?(?P<offset>Z|[+-]\d\d(?::?\d\d)?)| (?P<called>(?-i:{_CALLED}))"
    r"| (?P<zone>(?-i:[A-Z][a-z]+(?:/[A-Z]\w+)+)))?)?",
    re.IGNORECASE | re.ASCII,
)
_TIME_OF_DAY = re.compile(_CLOCK, re.IGNORECASE | re.ASCII)
_SPOKEN = {"an hour": "1 hour", "a minute": "1 minute", "a day": "1 day", "a week": "1 week", "half an hour": "30 min"}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UTC = {"UTC", "GMT"}
_NEAR = {"yesterday": -1, "today": 0, "tomorrow": 1}


# -- durations


def duration(text: str) -> timedelta:
    """Read `30s`, `90 min`, `2 hours`, `1d 12h` or `1w`, a day being 24 hours; a ValueError says what is wrong."""
    text = _tidy(text)
    found = _DURATION.fullmatch(text)
    length = timedelta(**{unit: float(number) for unit, number in found.groupdict("0").items()}) if found else None
    if not length:
        raise ValueError(f"{_quoted(text)} is no length of time; write {DURATIONS}")
    if length > _YEAR:
        raise ValueError(f"{text} is more than a year")
    return length


def limit_seconds(value: object) -> float:
    """Read a time limit of a file: a duration, or a number of seconds."""
    text = str(value).strip()
    return float(text) if re.fullmatch(_NUMBER, text, re.ASCII) else duration(text).total_seconds()


def duration_text(length: timedelta) -> str:
    """Write a duration that reads back as the same, to a tenth of a second: `90 s`, `1 h 30 min`, `1 d 12 h`."""
    left, parts = round(length.total_seconds() * 10), []
    for unit, tenths in _WRITTEN if left >= 1200 else ():
        count, left = divmod(left, tenths)
        parts += [f"{count} {unit}"] if count else []
    return " ".join([*parts, f"{left / 10:g} s"] if left or not parts else parts)


def elapsed(passed: float) -> str:
    """Write how many seconds something took, as exactly as people want it: `0.2 s`, `2 min 5 s`, `3 d 4 h`."""
    passed = max(0.0, passed)  # the clock may have been set back meanwhile
    if passed < 120:
        return duration_text(timedelta(seconds=round(passed, 1 if passed < 10 else 0)))
    step = 1 if passed < 3_600 else 60 if passed < 86_400 else 3_600
    return duration_text(timedelta(seconds=passed // step * step))


# -- moments


def moment(text: str, now: datetime, zone: str) -> datetime:
    """Return the moment that a text names, in UTC: the first one ahead; a ValueError says what is wrong."""
    text = _tidy(text)
    found = now + duration(length) if (length := _ahead(text)) else _nearest(text, now, ZoneInfo(zone), ahead=True)
    if found > now + _YEAR:
        raise ValueError(f"{text} is more than a year away")
    return found


def past(text: str, now: datetime, zone: str) -> datetime:
    """Return the moment that a text names, in UTC: the last one behind; `2h` is two hours ago."""
    text = _tidy(text)
    length = re.sub(" ago$", "", text, flags=re.IGNORECASE)
    return now - duration(length) if is_duration(length) else _nearest(text, now, ZoneInfo(zone), ahead=False)


def dated(text: str, zone: str) -> datetime | None:
    """Return the moment of a date, in UTC, a day being where it begins; None for a text without a date."""
    named = _named(_tidy(text))
    if named is None or named.day is None:
        return None
    here = named.zone or ZoneInfo(zone)
    wall = datetime.combine(named.day, time()) + named.clock
    found = instants(wall, here)
    if not found:
        raise ValueError(_skipped(wall, here))
    return named.called(found, here)[0]


def leading(words: Sequence[str], now: datetime, zone: str) -> tuple[datetime, Sequence[str]]:
    """Return the moment that some words begin with, and the words behind it."""
    taken, rest = split(words)
    return moment(taken or " ".join(words[:2]), now, zone), rest


def split(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Part words into the moment that they begin with, the longest there is or what stands in quotes, and the rest.

    The moment is empty where there is none. A rest that might be more of it is a ValueError: nothing is guessed.
    """
    if words and (closed := _quotes(words)):
        return " ".join(words[:closed])[1:-1], words[closed:]
    lengths = range(1, min(len(words), _MOST_WORDS) + 1)
    count = max((number for number in lengths if _is_time(" ".join(words[:number]))), default=0)
    taken, rest = " ".join(words[:count]), words[count:]
    for more in (" ".join(rest[:1]), " ".join(rest[:2])) if count else ():
        if _is_time(more):
            raise ValueError(f"is {more!r} part of the time, behind {taken}? Write {MOMENTS}, or the time in quotes")
    return taken, rest


def zone(name: str) -> str:
    """Return the name of a time zone as it is; a ValueError says that there is none."""
    try:
        return ZoneInfo(name).key
    except (ValueError, KeyError, OSError):  # the last one: a folder of zones
        raise ValueError(f"{_quoted(name)} is no time zone; write one such as Europe/Madrid or UTC") from None


def moment_text(at: datetime, zone: str, now: datetime | None = None) -> str:
    """Write a moment as people in that zone say it: the day in short where it is near to now, or now itself."""
    local = at.astimezone(ZoneInfo(zone))
    days = (local.date() - now.astimezone(ZoneInfo(zone)).date()).days if now else -1
    form = "%H:%M" if days == 0 else "%a %H:%M" if 0 < days < 7 else "%Y-%m-%d %H:%M"
    return f"{local:{form}} {local.tzname()}{_which(local)}"


def _which(local: datetime) -> str:
    """Which one it is, of a time that the clocks show twice that day."""
    if len(instants(local.replace(tzinfo=None), local.tzinfo or UTC)) < 2:
        return ""
    return f" (the {'second' if local.fold else 'first'} of two)"


@dataclass(frozen=True, slots=True)
class _Named:
    """What a moment was named by: a date or a word for a day, the time since it began, the zone or its name."""

    day: date | None
    word: str
    clock: timedelta
    zone: tzinfo | None
    name: str

    def days(self, today: date, *, ahead: bool) -> list[date]:
        """The days that may be meant, the nearest first."""
        if self.day:
            return [self.day]
        turn = 1 if ahead else -1
        if self.word in _NEAR:
            steps = [_NEAR[self.word]]
        elif self.word:
            step = (weekday(self.word) - today.weekday()) % 7
            steps = [step, step + 7 * turn]
        else:
            steps = [0, turn]
        return [today + timedelta(days=step) for step in steps]

    def called(self, found: list[datetime], zone: tzinfo) -> list[datetime]:
        """Those at which the clocks show the name that was written, as CET in winter and CEST in summer."""
        rest = [at for at in found if self.name in {"", at.astimezone(zone).tzname()}]
        if not rest:
            raise ValueError(f"{self.name} is not the zone of {zone} then; write 18:00 or 18:00+01:00")
        return rest


def _nearest(text: str, now: datetime, zone: ZoneInfo, *, ahead: bool) -> datetime:
    named = _named(text)
    if named is None:
        raise _no_moment(text)
    here = named.zone or zone
    for day in named.days(now.astimezone(here).date(), ahead=ahead):
        wall = datetime.combine(day, time()) + named.clock
        real = instants(wall, here)
        found = [at for at in real or [wall.replace(tzinfo=here).astimezone(UTC)] if (at > now) is ahead]
        if found and not real:
            raise ValueError(_skipped(wall, here))
        if found:
            return named.called(found, here)[0 if ahead else -1]
    raise ValueError(f"{text} is over" if ahead else f"{text} is still to come")


def instants(wall: datetime, zone: tzinfo) -> list[datetime]:
    """Return when the clocks show a time: once, twice where they go back over it, never where they go forward."""
    both = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(at for at in both if at.astimezone(zone).replace(tzinfo=None) == wall)


def _skipped(wall: datetime, zone: tzinfo) -> str:
    before, after = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC).astimezone(zone) for fold in (1, 0))
    day = "%Y-%m-%d %H:%M"
    return f"the clocks of {zone} skip {wall:{day}}; write {before:{day}} or {after:{day}}"


def _named(text: str) -> _Named | None:
    """Read the words of a moment; None where they have another form, a ValueError where there is no such time."""
    found = _MOMENT.fullmatch(text) if _is_named(text) else None
    if found is None:
        return None
    if (named := found["date"] or found["day"]) and (found["named"] or "").lower() == "midnight":
        raise ValueError(f"midnight at the begin or the end of that day? write {named} 00:00 or {named} 24:00")
    try:
        day = date.fromisoformat(found["date"]) if found["date"] else None
        name = found["called"] or ""
        return _Named(day, (found["day"] or "").lower(), _clock(found), _zone(found), "" if name in _UTC else name)
    except (ValueError, KeyError, OSError):  # the last two: no such zone
        raise _no_moment(text) from None


def _zone(found: re.Match[str]) -> tzinfo | None:
    if found["zone"]:
        return ZoneInfo(found["zone"])
    if offset := found["offset"]:
        return datetime.strptime(f"{offset.upper()}00" if len(offset) == 3 else offset.upper(), "%z").tzinfo
    return UTC if found["called"] in _UTC else None


def time_of_day(words: Sequence[str]) -> tuple[int, int, int] | None:
    """Read `06:30`, `6am`, `6:30 pm`, `noon`, `midnight` at the start of words: hour, minute, and how many words."""
    for count in (2, 1):
        found = _TIME_OF_DAY.fullmatch(" ".join(words[:count])) if len(words) >= count else None
        try:
            minutes = int(_clock(found).total_seconds()) // 60 if found else 1440
        except ValueError:
            continue
        if found and (minutes < 1440 or found["named"]):
            return minutes // 60 % 24, minutes % 60, count
    return None


def _clock(found: re.Match[str]) -> timedelta:
    if found["named"]:
        return timedelta(hours=12 if found["named"].lower() == "noon" else 24)
    if found["half"]:
        return _half_day(found)
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    if (hour, minute, second) == (24, 0, 0):
        return timedelta(days=1)
    at = time(hour, minute, second)
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)


def _half_day(found: re.Match[str]) -> timedelta:
    """`9am`, `12:30 pm`; a ValueError for hours that no such clock has."""
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    at = time(hour % 12 + 12 * (found["half"].lower() == "pm"), minute, second)
    if not 1 <= hour <= 12:
        raise ValueError(f"{hour} {found['half']}")
    return timedelta(hours=at.hour, minutes=at.minute, seconds=at.second)


def _is_time(text: str) -> bool:
    return bool(_ahead(text)) or _is_named(text)


def _ahead(text: str) -> str:
    """The duration of `2h`, `in 2h`, `in an hour` and `2h from now`; empty for anything else."""
    length = re.sub("^in | from now$", "", text, count=1, flags=re.IGNORECASE)
    if length != text:
        length = _SPOKEN.get(length.lower(), length)
    return length if is_duration(length) else ""


def is_duration(text: str) -> bool:
    """Whether a text has the form of a length of time."""
    return bool(text) and _DURATION.fullmatch(text) is not None


def _is_named(text: str) -> bool:
    found = _MOMENT.fullmatch(text)
    if not text or found is None:
        return False
    day = (found["day"] or "").lower()
    return not day or day in _NEAR or weekday(day) >= 0


def weekday(word: str) -> int:
    """Return the number of a weekday, written out or begun (`Mon`, `thurs`); -1 for another word."""
    return next((number for number, day in enumerate(_WEEKDAYS) if day.startswith(word)), -1)


def _quotes(words: Sequence[str]) -> int:
    """How many words stand in the quotes that the first one opens."""
    mark = words[0][:1] if words[0].startswith(('"', "'")) else ""
    ends = (number for number, word in enumerate(words, 1) if word.endswith(mark) and (number > 1 or len(word) > 1))
    return next(ends, 0) if mark else 0


def _no_moment(text: str) -> ValueError:
    return ValueError(f"{_quoted(text)} is no time; write {MOMENTS}")


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:39]}…")


def _tidy(text: str) -> str:
    return " ".join(text.split())
