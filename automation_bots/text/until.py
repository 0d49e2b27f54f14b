"""A time as people say it: `18:00`, `tomorrow 08:00`, `Mon 08:00`, `2026-03-02 18:00`, `2h`. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from automation_bots.errors import BadCommand
from automation_bots.model import one_line

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_SPAN = re.compile(r"(\d{1,4})\s*(m|min|h|d)")
_MINUTES = {"m": 1, "min": 1, "h": 60, "d": 1440}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def time_ahead(words: Sequence[str], now: datetime, zone: str) -> tuple[datetime, int]:
    """Read the moment that some words begin with: it lies ahead; returns it and how many words it took."""
    if words and (span := _SPAN.fullmatch(words[0])):
        return now + timedelta(minutes=int(span.group(1)) * _MINUTES[span.group(2)]), 1
    local = now.astimezone(ZoneInfo(zone))
    day = _day(words[0], local) if words else None
    clock = _clock(words[1] if day else words[0]) if len(words) > (1 if day else 0) else None
    if day is None and clock is None:
        said = one_line(" ".join(words[:2]), 30)
        raise BadCommand(f"{said!r} is no time; write 18:00, tomorrow 08:00, Mon 08:00, 2026-03-02 18:00 or 2h.")
    moment = datetime.combine((day or local).date(), clock or time(0), ZoneInfo(zone))
    if day is None and moment <= local:
        moment += timedelta(days=1)
    if moment <= now:
        raise BadCommand(f"{moment:%Y-%m-%d %H:%M} {zone} is over.")
    return moment, (day is not None) + (clock is not None)


def _day(word: str, local: datetime) -> datetime | None:
    word = word.lower()
    if word in {"today", "tomorrow"}:
        return local + timedelta(days=word == "tomorrow")
    if len(word) > 2 and (named := next((day for day in _DAYS if day.startswith(word)), "")):
        return local + timedelta(days=(_DAYS.index(named) - local.weekday()) % 7 or 7)
    if found := _DATE.fullmatch(word):
        try:
            year, month, day = map(int, found.groups())
            return datetime(year, month, day, tzinfo=local.tzinfo)
        except ValueError:
            return None
    return None


def _clock(word: str) -> time | None:
    found = _CLOCK.fullmatch(word)
    return time(int(found.group(1)), int(found.group(2))) if found else None
