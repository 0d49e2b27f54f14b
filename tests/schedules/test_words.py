"""When, as people type it: what is read, and what to type instead of what is not."""

from datetime import UTC, datetime

import pytest

from automation_bots.schedules import words
from automation_bots.schedules.words import NotRead

MADRID = "Europe/Madrid"
NOW = datetime(2026, 3, 27, 12, tzinfo=UTC)  # a Friday, 13:00 in Madrid


@pytest.mark.parametrize(
    ("line", "text", "cron"),
    [
        ("15m", "every 15 min", ""),
        ("1 h 30 min", "every 1 h 30 min", ""),
        ("2 hours", "every 2 h", ""),
        ("hour", "every 1 h", ""),
        ("half an hour", "every 30 min", ""),
        ("hour at :15", "every hour at :15", "15 * * * *"),
        ("weekday 06:30", "weekdays 06:30", "30 6 * * 1-5"),
        ("weekdays at 6:30 am", "weekdays 06:30", "30 6 * * 1-5"),
        ("working day 8am", "weekdays 08:00", "0 8 * * 1-5"),
        ("weekend noon", "weekends 12:00", "0 12 * * 0,6"),
        ("day at 6", "every day 06:00", "0 6 * * *"),
        ("day at 6:05", "every day 06:05", "5 6 * * *"),
        ("daily 06:30", "every day 06:30", "30 6 * * *"),
        ("day 06:30,18:30", "every day 06:30,18:30", "30 6,18 * * *"),
        ("day at 6am and 6pm", "every day 06:00,18:00", "0 6,18 * * *"),
        ("mon,thu 06:30", "every mon,thu 06:30", "30 6 * * 1,4"),
        ("Mon, Thursday 06:30", "every mon,thursday 06:30", "30 6 * * 1,4"),
        ("tuesdays and fridays at 18:00", "every tuesdays,fridays 18:00", "0 18 * * 2,5"),
        ("mon to fri 6am", "every mon-fri 06:00", "0 6 * * 1,2,3,4,5"),
        ("fri-mon 06:30", "every fri-mon 06:30", "30 6 * * 1,5,6,0"),
        ("sunday 23:00", "every sunday 23:00", "0 23 * * 0"),
        ("1st of month 03:00", "every 1st of the month 03:00", "0 3 1 * *"),
        ("1st and 15th of the month at 3am", "every 1st and 15th of the month 03:00", "0 3 1,15 * *"),
        ("last day of the month 23:00", "every last of the month 23:00", "0 23 L * *"),
        ("month on the 1st at noon", "every 1st of the month 12:00", "0 12 1 * *"),
        ("2nd tuesday of the month 22:00", "every 2nd tuesday of the month 22:00", "0 22 * * 2#2"),
        ("last friday of each month 22:00", "every last friday of the month 22:00", "0 22 * * 5L"),
        ("@daily", "@daily", "0 0 * * *"),
        ("@every 90m", "every 1 h 30 min", ""),
    ],
)
def test_every_is_read_as_people_write_it(line, text, cron):
    found, left = words.every([*line.split(), "backup", "network"], NOW, MADRID)
    assert (found.text, found.cron, " ".join(left)) == (text, cron, "backup network")


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("15 show version", "every 15m show version"),
        ("weekday show version", "every weekday 06:30 show version"),
        ("daily backup", "every day 06:30 backup"),
        ("day 06.30 backup", "every day 06:30 backup"),
        ("day 25:00 backup", "every day 06:30 backup"),
        ("06:30 backup", "every day 06:30 backup"),
        ("6am backup", "every day 06:00 backup"),
        ("morning backup", "every day 08:00 backup"),
        ("week at 6am backup", "every monday 08:00 backup"),
        ("month 03:00 backup", "every 1st of the month 03:00 backup"),
        ("1st of the month backup", "every 1st of the month 06:30 backup"),
        ("other day 03:00 backup", "every 2d backup"),
        ("3rd day backup", "every 3d backup"),
        ("second tuesday 22:00 backup", "every second tuesday of the month 22:00 backup"),
        ("day 06:30 and 18:45 backup", "every day 06:30 backup"),
        ("day 06:30 UTC backup", "every day 06:30 --zone UTC backup"),
        ("15m on weekdays backup", 'cron "*/15 8-17 * * 1-5" <command>'),
        ("@reboot backup", "every day 06:30 backup"),
    ],
)
def test_what_is_meant_is_answered_with_the_line_to_type(line, instead):
    with pytest.raises(NotRead) as error:
        words.every(line.split(), NOW, MADRID)
    assert f"{error.value.instead} {' '.join(error.value.rest)}".strip() == instead
    if "<" not in instead:
        assert words.every(instead.replace("--zone UTC ", "").split()[1:], NOW, MADRID)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "how often"),
        ("often x", "write every 15m, every hour, every weekday 06:30"),
        ("0m x", "no length of time"),
        ("m,t 06:30 x", "is no interval"),
        ("5s for 30m x", "!monitor <what> every 5s for 30m"),
        ("32nd of month 03:00 x", "never comes"),
    ],
)
def test_what_cannot_be_guessed_is_answered_with_what_to_write(line, said):
    with pytest.raises(ValueError, match=r"write|how often|watches") as error:
        words.every(line.split(), NOW, MADRID)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("line", "fields", "rest"),
    [
        ('"0 2 * * 1-5" patch on web', "0 2 * * 1-5", "patch on web"),
        ("'0 2 * * 1-5' patch", "0 2 * * 1-5", "patch"),
        ("0 2 * * 1-5 patch on web", "0 2 * * 1-5", "patch on web"),
        ("0 2 1 jan mon show version", "0 2 1 JAN MON", "show version"),
        ("*/5 8-18 * * mon-fri ping core", "*/5 8-18 * * MON-FRI", "ping core"),
        ("0 0 L * * report", "0 0 L * *", "report"),
        ("0 2 ? * MON report", "0 2 * * MON", "report"),
        ("@daily backup on network", "0 0 * * *", "backup on network"),
    ],
)
def test_cron_is_read_with_quotes_and_without(line, fields, rest):
    found, left = words.cron(line.split(), NOW, MADRID)
    assert (found.cron, " ".join(left)) == (fields, rest)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('"* * * * * *" x', "6 fields: there are no seconds and no years here"),
        ("* * * * * * x", "6 fields"),
        ("0 2 * * x", "4 fields"),
        ("0 0 31 2 * x", "never comes: bad day-of-month"),
        ("0 0 30 2 * x", "never comes"),
        ("61 * * * * x", "bad minute"),
        ("0 2 * * 1-9 x", "bad day-of-week"),
        ('"0 2 * * * x', "a quote is not closed"),
    ],
)
def test_what_is_no_cron_expression_is_answered_with_what_to_write(line, said):
    with pytest.raises(ValueError, match="write five fields") as error:
        words.cron(line.split(), NOW, MADRID)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("line", "instead"),
    [("0 0 2 ? * MON-FRI * x", 'cron "0 2 * * MON-FRI"'), ("0 0 2 ? * 2-6 x", "")],  # there 1 is Sunday
)
def test_of_the_fields_of_quartz_those_that_mean_the_same_are_named(line, instead):
    with pytest.raises(NotRead) as error:
        words.cron(line.split(), NOW, MADRID)
    assert error.value.instead == instead


CALENDARS = {
    "DTSTART:20191219T130551Z RRULE:FREQ=MINUTELY;INTERVAL=15 x": "every 15m x",
    '"DTSTART:20250101T010000Z RRULE:FREQ=DAILY;INTERVAL=1" x': "every day 01:00 --zone UTC x",
    "DTSTART;TZID=Europe/Madrid:20250101T213000 RRULE:FREQ=WEEKLY;BYDAY=MO,FR x":
        "every mon,fri 21:30 --zone Europe/Madrid x",
    "DTSTART:20250101T030000Z RRULE:FREQ=MONTHLY;BYMONTHDAY=1 x": 'cron "0 3 1 * *" --zone UTC x',
    "RRULE:FREQ=DAILY;INTERVAL=1;COUNT=1 x": " x",  # no line is the same
}  # fmt: skip


@pytest.mark.parametrize("rule", CALENDARS)
@pytest.mark.parametrize("read", [words.every, words.cron])
def test_rules_of_calendars_are_answered_with_the_line_that_is_the_same(read, rule):
    with pytest.raises(NotRead) as error:
        read(rule.split(), NOW, MADRID)
    assert f"{error.value.instead} {' '.join(error.value.rest)}" == CALENDARS[rule]


CRONTABS = [  # lines of Debian's and NetBSD's /etc/crontab, of debsources and of dynamo, as they are, tabs and all
    "17 *\t* * *", "25 6\t* * *", "47 6\t* * 7", "52 6\t1 * *", "0\t2\t*\t*\t*", "30\t3\t*\t*\t6", "30\t5\t1\t*\t*",
    "1   0,6,12,18 *   *   *  ", "00 01 * * *", "*/5 * * * *", "*/1 * * * *", "30 02,08 * * *", "15 */2 * * *",
]  # fmt: skip


@pytest.mark.parametrize("line", CRONTABS)
def test_lines_of_real_crontabs_are_read(line):
    found, rest = words.cron([*line.split(), "backup", "network"], NOW, MADRID)
    assert found.next(NOW)
    assert rest == ["backup", "network"]


def test_once_is_once():
    once, rest = words.at(["tomorrow", "06:30", "backup", "network"], NOW, MADRID)
    assert (once.text, list(rest)) == ("at 2026-03-28 06:30", ["backup", "network"])
    assert once.next(NOW) == datetime(2026, 3, 28, 5, 30, tzinfo=UTC)
    assert once.next(datetime(2026, 3, 28, 5, 30, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("line", "instead"),
    [
        ("6 backup", "at 06:00 backup"),
        ("next friday 18:00 backup", "at friday 18:00 backup"),
        ("every day 06:30 backup", "every day 06:30 backup"),
        ("@daily backup", "every @daily backup"),
        ("weekdays 06:30 backup", "every weekdays 06:30 backup"),
    ],
)
def test_what_is_not_once_or_no_moment_is_answered_with_the_line_to_type(line, instead):
    with pytest.raises(NotRead) as error:
        words.at(line.split(), NOW, MADRID)
    assert " ".join([error.value.instead, *error.value.rest]) == instead


def test_a_time_that_the_clocks_skip_is_not_taken():
    with pytest.raises(ValueError, match=r"skip 2026-03-29 02:30; write 2026-03-29 01:30 or 2026-03-29 03:30"):
        words.at(["2026-03-29", "02:30", "x"], NOW, MADRID)
