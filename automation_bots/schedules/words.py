"""When, as people write it: `22:00`, `15m`, `weekday 06:30`, `1st of the month 3am`, cron's five fields. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from automation_bots.model import one_line
from automation_bots.schedules.recurrence import Recurrence
from automation_bots.text import times

Words = Sequence[str]
_DAYS = {
    "day": "*", "days": "*", "daily": "*", "weekday": "1-5", "weekdays": "1-5", "workday": "1-5", "workdays": "1-5",
    "weekend": "0,6", "weekends": "0,6",
}  # fmt: skip
_WORKING = {"working", "work", "business"}  # `every working day`
_SAID = {"1-5": "weekdays", "0,6": "weekends", "*": "every day"}
_JOINS = {"and": ",", "&": ",", "to": "-", "through": "-", "thru": "-", "-": "-"}
_MACROS = {
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
}  # fmt: skip
_ONES = {"minute": "1 minute", "hour": "1 hour", "hourly": "1 hour", "week": "1 week", "half": "30 min"}
_OTHER = {"minute": "2m", "hour": "2h", "day": "2d", "week": "2w"}  # `every other day`
_VAGUE = {
    "morning": "day 08:00", "evening": "day 18:00", "night": "day 02:00", "week": "monday 08:00",
    "weekly": "monday 08:00", "month": "1st of the month 03:00", "monthly": "1st of the month 03:00",
}  # fmt: skip
_ICAL = {"MO": "mon", "TU": "tue", "WE": "wed", "TH": "thu", "FR": "fri", "SA": "sat", "SU": "sun"}
_MOST_WORDS = 8  # of a length of time: `1 day 12 hours 30 min`
_NUMBERS = ("first", "second", "third", "fourth", "fifth")
_NTH = rf"(?:\d\d?(?:st|nd|rd|th)|{'|'.join(_NUMBERS)}|last)"
_NTHS = rf"(?P<nth>{_NTH}(?:(?:, ?|,? and | ?& ?)(?:the )?{_NTH})*)"
_MONTH = r"(?: of)?(?: the| each| every| a)? months?"
_OF_MONTH = re.compile(rf"(?:the )?{_NTHS}(?: day)?{_MONTH}(?= |\Z)")
_MONTH_ON = re.compile(rf"month,?(?: on)?(?: the)? {_NTHS}(?= |\Z)")
_NTH_WEEKDAY = re.compile(rf"(?:the )?(?P<nth>{_NTH}) (?P<day>[a-z]{{3,9}}){_MONTH}(?= |\Z)")
_NTH_OF_WHAT = re.compile(rf"(?:every )?(?P<nth>other|{_NTH}) (?P<what>[a-z]{{3,9}})(?= |\Z)")
_NO_CLOCK = re.compile(r"(\d\d?)[.h]?(\d\d)h?", re.IGNORECASE)  # `06.30`, `0630`, `6h30`
_PAST = re.compile(r":?([0-5]?\d)")  # `hour at :15`
_WITHIN = {"on", "from", "between", "during", "starting", "until", "except"}  # `15m on weekdays`
_FIELD = re.compile(
    r"[\d*?][\d*?,/\-]*|[\d*,/\-#LW]*[\d*][\d*,/\-#LW]*|(?:[A-Z]{3}|L|LW)(?:[,\-](?:[A-Z]{3}|\d))*", re.I
)
_FIELDS = ("minute", "hour", "day of the month", "month", "weekday")
_HOW_EVERY = "write every 15m, every hour, every weekday 06:30, every day 06:30 or every mon,thu 06:30"
_HOW_CRON = 'write five fields, minute hour day month weekday, as in "0 2 * * 1-5"'


class NotRead(ValueError):
    """Words that say no time; where one can be guessed, `instead` says it, and `rest` is the command behind it."""

    def __init__(self, why: str, instead: str = "", rest: Words = ()) -> None:
        super().__init__(why)
        self.instead, self.rest = instead, tuple(rest)


@dataclass(frozen=True, slots=True)
class _Days:
    """The days that some words begin with: as they are said, cron's two fields for them, and the words behind."""

    said: str
    rest: Words
    month_day: str = "*"
    weekday: str = "*"


# -- once


def at(words: Words, now: datetime, zone: str) -> tuple[Recurrence, Words]:
    """Read `22:00 …`, `Mon 08:00 …`, `2h …`; a ValueError says what is wrong."""
    first = words[0].lower() if words else ""
    if first == "next" and len(words) > 1 and times.weekday(words[1].lower()) >= 0:
        raise NotRead("next is this week's to some and the one after to others", f"at {words[1]}", words[2:])
    if first in {"every", "daily", *_DAYS} or first.startswith("@"):
        raise NotRead("that is more than once", " ".join(["every", *words[first == "every" :]]))
    if re.fullmatch(r"\d\d?", first) and int(first) < 24 and not times.split(words)[0]:
        raise NotRead(f"{first} is no time", f"at {int(first):02}:00", words[1:])
    moment, rest = times.leading(words, now, zone)
    return Recurrence(f"at {moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}", zone, once=moment), rest


# -- again and again


def every(words: Words, now: datetime, zone: str) -> tuple[Recurrence, Words]:
    """Read `15m …`, `hour …`, `weekday 06:30 …`, `mon,thu 06:30 …`, `1st of the month 3am …`."""
    if not words:
        raise NotRead(f"how often? {_HOW_EVERY}")
    if words[0].startswith("@"):
        return _macro(words, now, zone)
    _no_calendar(words)
    if days := _monthly(words) or _weekly(words):
        found, rest = _at_times(days, zone)
    else:
        found, rest = _interval(words, now, zone)
    if rest and _is_zone(rest[0]):
        raise NotRead("a zone is a flag", f"{_typed(words, rest)} --zone {rest[0]}", rest[1:])
    return found, rest


def _typed(words: Words, rest: Words) -> str:
    return " ".join(["every", *words[: len(words) - len(rest)]])


def _is_zone(word: str) -> bool:
    try:
        return ("/" in word or word in {"UTC", "GMT", "CET", "CEST", "EST"}) and bool(times.zone(word))
    except ValueError:
        return False


def _macro(words: Words, now: datetime, zone: str) -> tuple[Recurrence, Words]:
    name = words[0].lower()
    if name == "@every":  # as Go's cron has it
        return every(words[1:], now, zone)
    if name not in _MACROS:
        known = ", ".join(_MACROS)
        raise NotRead(f"{one_line(words[0], 40)} is none of {known}", "every day 06:30", words[1:])
    return Recurrence(name, zone, cron=_MACROS[name]), words[1:]


def _weekly(words: Words) -> _Days | None:
    first = words[0].lower()
    if first in _WORKING and len(words) > 1 and words[1].lower() in {"day", "days"}:
        return _Days(_SAID["1-5"], words[2:], weekday="1-5")
    if first in _DAYS:
        return _Days(_SAID[_DAYS[first]], words[1:], weekday=_DAYS[first])
    said, count = _named_days(words)
    if not count:
        return None
    parts = [[_weekday(day) for day in part.split("-")] for part in said.split(",")]
    days = sorted({day for part in parts for day in _span(part[0], part[-1])})
    return _Days(f"every {said}", words[count:], weekday=",".join(str((day + 1) % 7) for day in days))


def _named_days(words: Words) -> tuple[str, int]:
    """Read `mon,thu`, `Mon, Thursday`, `tuesdays and fridays`, `mon to fri`: as one word, and how many there were."""
    said, whole, count = "", "", 0
    for number, word in enumerate(words, 1):
        part = word.lower()
        joins = _JOINS.get(part, "")
        if (bool(joins) is not bool(said and said[-1] not in ",-")) or not (joins or _are_days(part.strip(","))):
            break
        said += joins or part
        if not joins:
            whole, count = said.strip(","), number
    return whole, count


def _are_days(text: str) -> bool:
    parts = [part.split("-") for part in text.split(",")]
    return all(len(part) <= 2 and all(_weekday(day) >= 0 for day in part) for part in parts)


def _weekday(word: str) -> int:
    return times.weekday(word) if len(word) > 2 and times.weekday(word) >= 0 else _plural(word)


def _plural(word: str) -> int:
    return times.weekday(word[:-1]) if len(word) > 6 and word.endswith("days") else -1


def _span(first: int, last: int) -> list[int]:
    """Weekdays from one to another, over the end of the week too."""
    return [(first + step) % 7 for step in range((last - first) % 7 + 1)]


def _monthly(words: Words) -> _Days | None:
    text = " ".join(words[:_MOST_WORDS]).lower()
    if found := _OF_MONTH.match(text) or _MONTH_ON.match(text):
        numbers = re.findall(_NTH, found["nth"])
        said = f"every {' and '.join(numbers)} of the month"
        return _Days(said, _behind(words, found), month_day=",".join(_nth(number) for number in numbers))
    if found := _NTH_WEEKDAY.match(text):
        if (day := _weekday(found["day"])) < 0:
            return None
        field, number = (day + 1) % 7, _nth(found["nth"])
        weekday = f"{field}L" if number == "L" else f"{field}#{number}"
        return _Days(f"every {found['nth']} {found['day']} of the month", _behind(words, found), weekday=weekday)
    return None


def _behind(words: Words, found: re.Match[str]) -> Words:
    return words[len(found[0].split()) :]


def _nth(word: str) -> str:
    if word == "last":
        return "L"
    return str(_NUMBERS.index(word) + 1) if word in _NUMBERS else word[:-2]


def _at_times(days: _Days, zone: str) -> tuple[Recurrence, Words]:
    """Join days and the times of the day behind them."""
    clocks, rest = _clocks(days.rest)
    asked = days.said if days.said.startswith("every") else f"every {days.said[:-1]}"
    if not clocks:
        if rest and (near := _NO_CLOCK.fullmatch(rest[0])) and int(near[1]) < 24 and int(near[2]) < 60:
            raise NotRead(f"{rest[0]} is no time", f"{asked} {int(near[1]):02}:{near[2]}", rest[1:])
        rest = rest[1:] if rest and rest[0].lower() == "at" else rest
        rest = rest[1:] if rest and rest[0][:1].isdigit() else rest
        raise NotRead("at what time?", f"{asked} 06:30", rest)
    if len({minute for _, minute in clocks}) > 1:
        hour, minute = clocks[0]
        raise NotRead("one schedule has one minute of the hour: set two", f"{asked} {hour:02}:{minute:02}", rest)
    said = ",".join(f"{hour:02}:{minute:02}" for hour, minute in clocks)
    hours = ",".join(str(hour) for hour in sorted({hour for hour, _ in clocks}))
    text = f"{clocks[0][1]} {hours} {days.month_day} * {days.weekday}"
    _first(text)
    return Recurrence(f"{days.said} {said}", zone, cron=text), rest


def _clocks(words: Words) -> tuple[list[tuple[int, int]], Words]:
    """Read `06:30`, `at 6`, `6 am`, `noon`, `06:30,18:30`, `6am and 6pm`."""
    found: list[tuple[int, int]] = []
    rest = words[1:] if words and words[0].lower() == "at" else words
    more = rest
    while more and (taken := _clock(more)):
        found += taken[0]
        rest = more = more[taken[1] :]
        joined = words[len(words) - len(rest) - 1].endswith(",")
        if rest and rest[0].lower() in {"and", "&"}:
            more = rest[1:]
        elif not joined:
            break
    return (found, rest) if found else ([], words)


def _clock(words: Words) -> tuple[list[tuple[int, int]], int] | None:
    if found := times.time_of_day([word.rstrip(",") for word in words[:2]]):
        return [(found[0], found[1])], found[2]
    read = [times.time_of_day([part]) or _hour(part) for part in words[0].rstrip(",").split(",")]
    clocks = [(one[0], one[1]) for one in read if one]
    return (clocks, 1) if len(clocks) == len(read) else None


def _hour(word: str) -> tuple[int, int] | None:
    return (int(word), 0) if re.fullmatch(r"\d\d?", word) and int(word) < 24 else None


def _interval(words: Words, now: datetime, zone: str) -> tuple[Recurrence, Words]:
    """Read `15m`, `2 hours`, `hour`, `half hour`, `hour at :15`."""
    first = words[0].lower()
    counts = range(1, min(len(words), _MOST_WORDS) + 1)
    count = max((n for n in counts if times.is_duration(" ".join(words[:n]))), default=0)
    length, rest = (" ".join(words[:count]), words[count:]) if count else (_ONES.get(first, ""), words[1:])
    if first == "half" and (found := re.match(r"half(?: an)? hour\b", " ".join(words[:3]).lower())):
        rest = words[len(found[0].split()) :]
    if not length or (first == "week" and _clocks(rest)[0]):
        raise _no_interval(words)
    if rest and rest[0].lower() == "at" and first in {"hour", "hourly"} and (past := _past(rest)):
        return Recurrence(f"every hour at :{int(past):02}", zone, cron=f"{int(past)} * * * *"), rest[2:]
    _round_the_clock(words, rest)
    span = times.duration(length)
    text = f"every {times.duration_text(span)}"
    return Recurrence(text, zone, every=span, anchor=now.replace(microsecond=0)), rest


def _past(rest: Words) -> str:
    found = _PAST.fullmatch(rest[1]) if len(rest) > 1 else None
    return found[1] if found else ""


def _round_the_clock(words: Words, rest: Words) -> None:
    """Refuse what is said behind an interval: it goes round the clock, and day in, day out."""
    then = rest[0].lower() if rest else ""
    if then == "for" and len(rest) > 1 and times.is_duration(rest[1]):
        raise NotRead(
            f"it goes on until it is removed; for a time one watches: !monitor <what> {_typed(words, rest)} for 30m"
        )
    if then in _WITHIN or (then == "at" and len(rest) > 1 and _clocks(rest)[0]) or _clocks(rest[:1])[0]:
        why = "an interval goes round the clock; for hours or days of your own write cron's fields, of which these are"
        raise NotRead(f"{why} each 15 minutes of the working day", 'cron "*/15 8-17 * * 1-5" <command>')


def _no_interval(words: Words) -> NotRead:
    """What was meant, where that can be guessed."""
    first, text = words[0].lower(), " ".join(words[:3]).lower()
    clocks, rest = _clocks(words)
    if clocks and (":" in first or first == "at" or not first[-1].isdigit()):
        return NotRead("on which days?", f"every day {clocks[0][0]:02}:{clocks[0][1]:02}", rest)
    if (found := _NTH_OF_WHAT.match(text)) and (_OTHER.get(found["what"]) or _weekday(found["what"]) >= 0):
        return _no_nth(found["nth"], found["what"], words[2:])
    if instead := _VAGUE.get(first):
        asked = "at what time?" if instead.startswith("day") else "on which day?"
        return NotRead(asked, f"every {instead}", _clocks(words[1:])[1])
    if first.isdigit() and int(first):
        return NotRead(f"'{one_line(first, 40)}' is no interval", f"every {one_line(first, 10)}m", words[1:])
    return NotRead(f"{one_line(words[0], 40)!r} is no interval; {_HOW_EVERY}")


def _no_nth(nth: str, what: str, rest: Words) -> NotRead:
    if what in _OTHER:
        count = "2" if nth == "other" else _nth(nth)
        often = _OTHER[what].replace("2", count)
        return NotRead("what comes each so many days is counted from now on", f"every {often}", _clocks(rest)[1])
    clocks, rest = _clocks(rest)
    hour, minute = clocks[0] if clocks else (6, 30)
    which = f"{'first' if nth == 'other' else nth} {what} of the month {hour:02}:{minute:02}"
    return NotRead(f"which {what}s? Those of a place in the month can be said", f"every {which}", rest)


# -- as others write it


def _no_calendar(words: Words) -> None:
    """Answer a rule of iCalendar, as AWX has them, with what is the same here."""
    count = next((n for n, word in enumerate(words, 1) if "RRULE:" in word.upper()), 0)
    if not count:
        return
    text = " ".join(words[:count]).upper().strip("\"'")
    rule = dict(part.split("=", 1) for part in text.partition("RRULE:")[2].split(";") if "=" in part)
    found = re.search(r"T(\d\d)(\d\d)\d\d(Z?)", text)
    clock = f"{found[1]}:{found[2]}" if found else "06:30"
    zone = re.search(r"TZID=([\w/+-]+)", " ".join(words[:count]))
    flag = f" --zone {zone[1]}" if zone else " --zone UTC" if found and found[3] else ""
    raise NotRead("rules of calendars are not read", _of_calendar(rule, clock, flag), words[count:])


def _of_calendar(rule: Mapping[str, str], clock: str, zone: str) -> str:
    """The line for a rule; empty where no line is the same."""
    often, count = rule.get("FREQ", ""), rule.get("INTERVAL", "1")
    if rule.keys() - {"FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "WKST"} or not count.isdigit():
        return ""
    if often in {"MINUTELY", "HOURLY"} and not rule.keys() & {"BYDAY", "BYMONTHDAY"}:
        return f"every {count}{often[0].lower()}"
    days = [_ICAL.get(day, "") for day in rule.get("BYDAY", "").split(",") if day]
    if count != "1" or "" in days:
        return ""
    if often == "WEEKLY" and days:
        return f"every {','.join(days)} {clock}{zone}"
    if often == "MONTHLY" and rule.get("BYMONTHDAY", "").isdigit() and not days:
        hour, minute = clock.split(":")
        return f'cron "{int(minute)} {int(hour)} {rule["BYMONTHDAY"]} * *"{zone}'
    return f"every day {clock}{zone}" if often == "DAILY" and not rule.keys() & {"BYDAY", "BYMONTHDAY"} else ""


# -- cron


def cron(words: Words, now: datetime, zone: str) -> tuple[Recurrence, Words]:
    """Read `"0 2 * * 1-5" …`, with quotes or without them, and `@daily …`."""
    _no_calendar(words)
    fields, rest = _fields(words)
    if fields and fields[0].startswith("@"):
        return _macro(words, now, zone)
    if len(fields) > len(_FIELDS):
        raise NotRead(
            f"{len(fields)} fields: there are no seconds and no years here; {_HOW_CRON}", *_shorter(fields, rest)
        )
    if len(fields) != len(_FIELDS):
        raise NotRead(f"{len(fields)} fields; {_HOW_CRON}")
    text = " ".join(fields).upper().replace("?", "*")
    _first(text)
    return Recurrence(f'cron "{text}"', zone, cron=text), rest


def _first(text: str) -> datetime:
    """The first time of an expression, as a clock shows it."""
    try:
        first = next(CronSim(text, datetime(2024, 1, 1)), None)  # noqa: DTZ001
    except (CronSimError, AssertionError) as error:
        wrong = one_line(str(error), 40).lower() or "what it says"
        raise NotRead(f'"{one_line(text, 60)}" never comes: {wrong}; {_HOW_CRON}') from error
    if first is None:
        raise NotRead(f'"{one_line(text, 60)}" never comes; {_HOW_CRON}')
    return first


def _shorter(fields: Words, rest: Words) -> tuple[str, Words]:
    """The five of Quartz's six or seven: seconds come first there, and weekdays that are numbers begin with Sunday."""
    five = [field.upper() for field in fields[1:6]]
    if fields[0] != "0" or re.search(r"\d", five[4]):
        return "", ()
    return f'cron "{" ".join(five).replace("?", "*")}"', rest


def _fields(words: Words) -> tuple[list[str], Words]:
    if words and words[0][0] in "\"'":
        end = next((n for n, word in enumerate(words, 1) if word.endswith(words[0][0]) and (n > 1 or len(word) > 1)), 0)
        if not end:
            raise NotRead(f"a quote is not closed; {_HOW_CRON}")
        return " ".join(words[:end])[1:-1].split(), words[end:]
    if words and words[0].startswith("@"):
        return [words[0]], words[1:]
    count = next((n for n, word in enumerate(words) if not _FIELD.fullmatch(word)), len(words))
    # A word such as `mon` may begin the command: only what no command is called makes a sixth field.
    if count > len(_FIELDS) and not ("?" in words[:count] or re.fullmatch(r"[\d*][\d*,/\-]*", words[len(_FIELDS)])):
        count = len(_FIELDS)
    return list(words[:count]), words[count:]
