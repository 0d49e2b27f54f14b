"""Moments as people write them: `22:00`, `tomorrow 06:30`, `Sat 22:00`, `2026-11-24 22:00`, `in 2h`. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from automation_bots.policy.approval_rule import span

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORM = re.compile(r"(?:(\d{4}-\d{2}-\d{2})[ T]|(today|tomorrow|[a-z]{3,9})\s+)?(\d{1,2}):(\d{2})", re.IGNORECASE)
_LONGEST = timedelta(days=366)
_HOW = "write 22:00, tomorrow 06:30, Sat 22:00, 2026-11-24 22:00 or in 2h"


def moment(text: str, zone: str, now: datetime) -> datetime:
    """Return the moment in UTC, the next one of a time without a day; a ValueError says what is wrong."""
    text = " ".join(text.split())
    found = _relative(text, now) or _named(text, ZoneInfo(zone), now)
    if found <= now:
        raise ValueError(f"{text} is over")
    if found > now + _LONGEST:
        raise ValueError(f"{text} is more than a year away")
    return found


def shown(at: datetime, zone: str, now: datetime) -> str:
    """Write a moment as a person in that zone says it, the day only where it is another one."""
    local, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    if local.date() == today:
        return f"{local:%H:%M} {local.tzname()}"
    near = timedelta(0) < local.date() - today < timedelta(days=7)
    return f"{local:%a %H:%M} {local.tzname()}" if near else f"{local:%Y-%m-%d %H:%M} {local.tzname()}"


def _relative(text: str, now: datetime) -> datetime | None:
    return now + timedelta(seconds=span(text[3:])) if text.lower().startswith("in ") else None


def _named(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    form, here = _FORM.fullmatch(text), now.astimezone(zone)
    if form is None:
        raise ValueError(f"{text!r} is no time; {_HOW}")
    try:
        at = time(int(form.group(3)), int(form.group(4)))
        if form.group(1):
            day = datetime.strptime(form.group(1), "%Y-%m-%d").date()  # noqa: DTZ007 - a day, the zone comes below
            return _real(datetime.combine(day, at, zone), text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no time ({error}); {_HOW}") from error
    step = _days(form.group(2), here, text)
    found = datetime.combine(here.date() + timedelta(days=step), at, zone)
    if found <= here and form.group(2) is None:
        found = datetime.combine(here.date() + timedelta(days=1), at, zone)
    if found <= here and step == 0 and (form.group(2) or "").lower() != "today" and form.group(2):
        found = datetime.combine(here.date() + timedelta(days=7), at, zone)
    return _real(found, text)


def _days(word: str | None, here: datetime, text: str) -> int:
    if word is None or word.lower() == "today":
        return 0
    if word.lower() == "tomorrow":
        return 1
    if word[:3].lower() not in _DAYS:
        raise ValueError(f"{text!r} is no time; {_HOW}")
    return (_DAYS.index(word[:3].lower()) - here.weekday()) % 7


def _real(local: datetime, text: str) -> datetime:
    """Refuse what the clocks skip in spring; what they show twice in autumn is the first time."""
    found = local.astimezone(UTC)
    if found.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise ValueError(f"{text} does not exist on that day: the clocks go forward over it")
    return found
