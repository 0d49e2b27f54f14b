"""Calendar files (RFC 5545): the events of a file as moments. Read here, never in the gate."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from automation_bots.errors import in_words
from automation_bots.policy.oncall import Entry
from automation_bots.policy.time_window import Calendar, calendar

# The file is read again every month, and what was asked for last month is judged again by `policy diff`.
_BEFORE, _AFTER = timedelta(days=62), timedelta(days=400)
_MOST_BYTES = 5_000_000
_MOST_EVENTS = 20_000


def read(path: Path, text: str, zone: str, now: datetime | None = None) -> Calendar:
    """Read a file; a ValueError says what is wrong. Times without a zone are in `zone`."""
    found = _events(_content(path), path.name, ZoneInfo(zone), now or datetime.now(UTC))
    return calendar(text, ((begin, end) for begin, end, _title in found))


def entries(path: Path, zone: str, now: datetime | None = None) -> tuple[Entry, ...]:
    """Read who is on call from the titles of a file's events; a ValueError says what is wrong."""
    found = _events(_content(path), path.name, ZoneInfo(zone), now or datetime.now(UTC))
    return tuple(sorted((Entry(*one) for one in found), key=lambda entry: entry.begin))


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"{path.name} is bigger than {_MOST_BYTES // 1_000_000} MB")
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read ({in_words(error)}); it stands beside policy.yml") from error


def _events(content: bytes, name: str, zone: ZoneInfo, now: datetime) -> list[tuple[datetime, datetime, str]]:
    import icalendar  # together a third of a second, and only some policies have a calendar
    import recurring_ical_events

    try:
        found = icalendar.Calendar.from_ical(content)
        often = any(_too_often(part) for part in found.walk("VEVENT"))
        events = [] if often else recurring_ical_events.of(found).between(now - _BEFORE, now + _AFTER)
        some = list(islice(events, _MOST_EVENTS + 1))
        spans = [
            (_moment(event.start, zone), _moment(event.end, zone), str(event.get("SUMMARY") or ""))
            for event in some
            if _counts(event)
        ]
    except Exception as error:
        raise ValueError(f"{name} is no calendar that can be read: {in_words(error)}") from error
    if often or len(some) > _MOST_EVENTS:
        raise ValueError(
            f"{name} has more than {_MOST_EVENTS} events a year; write Mon-Fri 08:00-18:00 for a long window"
        )
    return spans


def _too_often(event: Any) -> bool:
    """Such events are half a million a year, and take minutes to find."""
    rules = event.get("RRULE") or []
    every = rules if isinstance(rules, list) else [rules]
    return any({"MINUTELY", "SECONDLY"} & {str(freq).upper() for freq in rule.get("FREQ", [])} for rule in every)


def _counts(event: object) -> bool:
    """A cancelled event is kept in calendars, and opens nothing."""
    get = getattr(event, "get", lambda _name: "")
    return str(get("STATUS")).upper() != "CANCELLED"


def _moment(value: date, zone: ZoneInfo) -> datetime:
    if not isinstance(value, datetime):
        value = datetime.combine(value, time(0), zone)
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
