"""When schedules come due, by the clocks of the world and by what people type."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise, takewhile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from automation_bots.schedules import recurrence, words
from automation_bots.schedules.recurrence import Recurrence

MADRID = "Europe/Madrid"
NOW = datetime(2026, 3, 27, 12, tzinfo=UTC)
SPRING, AUTUMN = datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 23, tzinfo=UTC)


def by_hand():
    """(zone, cron) → every moment of the year."""
    found = defaultdict(list)
    for line in Path(__file__).with_name("year_2026.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        zone, cron, first, last, clock, shift = (part.strip() for part in line.split("|"))
        day, end = (date.fromisoformat(f"2026-{text}") for text in (first, last))
        while day <= end:
            at = datetime.combine(day + timedelta(days=int(shift)), time.fromisoformat(clock), UTC)
            found[zone, cron].append(at)
            day += timedelta(days=1)
    return dict(found)


BY_HAND = by_hand()


@pytest.mark.parametrize(("zone", "cron"), BY_HAND)
def test_a_year_of_times_is_the_one_that_was_written_by_hand(zone, cron):
    begin = datetime(2025, 12, 31, 23, 59, 59, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    end = datetime(2027, 1, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    times = Recurrence("", zone, cron=cron).after(begin)
    assert [due.at for due in takewhile(lambda due: due.at < end, times)] == BY_HAND[zone, cron]
    assert len(BY_HAND[zone, cron]) == 365


def after(cron, moment, many=4, zone=MADRID):
    shown = (due.at.astimezone(ZoneInfo(zone)) for due in Recurrence("", zone, cron=cron).after(moment))
    return [f"{at:%d %H:%M %Z}" for at in islice(shown, many)]


@pytest.mark.parametrize(
    ("cron", "moment", "expected"),
    [
        ("30 2 * * *", SPRING, ["29 03:00 CEST", "30 02:30 CEST"]),
        ("*/20 2 * * *", SPRING, ["29 03:00 CEST", "30 02:00 CEST", "30 02:20 CEST"]),
        ("0 2,3 * * *", SPRING, ["29 03:00 CEST", "30 02:00 CEST"]),
        ("0 */2 * * *", SPRING, ["29 03:00 CEST", "29 04:00 CEST"]),
        ("30 * * * *", SPRING, ["29 00:30 CET", "29 01:30 CET", "29 03:30 CEST"]),
        ("30 2 * * *", AUTUMN, ["25 02:30 CEST", "26 02:30 CET"]),
        ("*/30 2 * * *", AUTUMN, ["25 02:00 CEST", "25 02:30 CEST", "26 02:00 CET"]),
        ("30 * * * *", AUTUMN, ["25 01:30 CEST", "25 02:30 CEST", "25 02:30 CET", "25 03:30 CET"]),
        ("15,45 * * * *", AUTUMN, ["25 01:15 CEST", "25 01:45 CEST", "25 02:15 CEST", "25 02:45 CEST", "25 02:15 CET"]),
    ],
)
def test_what_the_clocks_skip_comes_once_and_what_they_repeat_comes_once(cron, moment, expected):
    assert after(cron, moment, len(expected)) == expected


def test_what_the_clocks_do_is_said():
    notes = [next(Recurrence("", MADRID, cron="30 2 * * *").after(moment)).note for moment in (SPRING, AUTUMN)]
    assert notes == ["the clocks skip 02:30", "the clocks show it twice: it comes once"]


@pytest.mark.parametrize("zone", [MADRID, "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "UTC"])
@pytest.mark.parametrize("cron", ["*/7 * * * *", "*/7 */3 * * *", "59 1,2 * * *"])
def test_no_moment_comes_twice_or_before_an_earlier_one(zone, cron):
    found = [due.at for due in islice(Recurrence("", zone, cron=cron).after(datetime(2026, 3, 1, tzinfo=UTC)), 6_000)]
    assert all(one < two for one, two in pairwise(found))


def by_the_minute(zone, minutes, hours, begin, end):
    """The same, by looking at a clock each minute: what it shows the first time, and after a gap what lay in it."""
    found, before, at = [], None, begin
    while (at := at + timedelta(minutes=1)) < end:
        local = at.astimezone(ZoneInfo(zone))
        shown = [local.replace(tzinfo=None)]
        while before and "*" not in hours and shown[0] - before > timedelta(minutes=1):  # the clock went forward
            shown.insert(0, shown[0] - timedelta(minutes=1))
        before = local.replace(tzinfo=None)
        comes = any(wall.minute in minutes and ("*" in hours or wall.hour in hours) for wall in shown)
        if comes and ("*" in hours or not local.fold):
            found.append(at)
    return found


@pytest.mark.parametrize("zone", [MADRID, "America/New_York", "Australia/Lord_Howe"])
@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_one_finds_who_looks_at_the_clock_each_minute(zone, seed):
    chance = random.Random(seed)
    minutes, hours = chance.sample(range(60), 3), ["*"] if seed == 2 else chance.sample(range(5), 3)
    cron = f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * *"
    for day in ((3, 7), (3, 28), (4, 4), (10, 3), (10, 24), (10, 31)):  # each is the one before a clock's change
        begin = datetime(2026, *day, 1, tzinfo=UTC)
        end = begin + timedelta(days=2)
        times = (due.at for due in Recurrence("", zone, cron=cron).after(begin))
        assert list(takewhile(end.__gt__, times)) == by_the_minute(zone, minutes, hours, begin, end)


@pytest.mark.parametrize("cron", ["*/10 * * * *", "30 2 * * *", "0 6 * * 1-5"])
def test_wherever_one_begins_to_look_the_next_is_the_same(cron):
    whole = Recurrence("", MADRID, cron=cron)
    found = [due.at for due in islice(whole.after(AUTUMN - timedelta(days=2)), 300)]
    assert [whole.next(at) for at in found[:-1]] == found[1:]


def test_an_interval_never_drifts():
    quarter, _ = words.every(["15m"], NOW, MADRID)
    late = NOW + timedelta(days=40, minutes=7, seconds=3)
    assert quarter.next(late) == NOW + timedelta(days=40, minutes=15)
    assert quarter.next(NOW - timedelta(days=3)) == NOW + timedelta(minutes=15)


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("0 2 1 * 1", "one of them is enough: day of the month 1 or weekday 1"),
        ("0 2 */2 * 1", "both have to fit"),
        ("0 2 1 * *", ""),
        ("0 2 31 * *", "a month without a day 31 is left out; the last day of each is L"),
        ("0 2 1,30 * *", "a month without a day 30"),
        ("0 2 * * 1", ""),
    ],
)
def test_a_day_and_a_weekday_together_are_explained(cron, said):
    explained = recurrence.explained(Recurrence("", MADRID, cron=cron))
    assert explained.startswith(said)
    assert bool(explained) is bool(said)


SEVEN = timedelta(minutes=7)
FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("found", "first", "many", "last"),
    [
        (Recurrence("", MADRID, cron="* * * * *"), FIRST, 2_000, datetime(2026, 3, 31, 12, 1, tzinfo=UTC)),
        (Recurrence("", MADRID, cron="0 13 * * *"), FIRST, 31, datetime(2026, 3, 31, 11, tzinfo=UTC)),
        (Recurrence("", MADRID, every=SEVEN, anchor=FIRST), FIRST + SEVEN, 6_171, FIRST + 6_171 * SEVEN),
        (Recurrence("", MADRID, once=FIRST), FIRST, 1, FIRST),
    ],
)
def test_what_went_by_in_thirty_days_is_counted_up_to_a_limit_and_its_last_time_known(found, first, many, last):
    assert found.span(first, datetime(2026, 3, 31, 12, 1, tzinfo=UTC)) == (many, last)


@pytest.mark.parametrize(
    ("found", "shortest"),
    [
        (Recurrence("", MADRID, cron="* * * * *"), 1),
        (Recurrence("", MADRID, cron="0,1 2 1 * *"), 1),
        (Recurrence("", MADRID, cron="0 6 * * 1-5"), 24 * 60),
        (Recurrence("", MADRID, every=timedelta(minutes=15)), 15),
    ],
)
def test_the_shortest_time_between_two_is_known(found, shortest):
    assert found.shortest == timedelta(minutes=shortest)
