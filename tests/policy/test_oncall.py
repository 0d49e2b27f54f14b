"""Who is on call: always the same, in turns, by a calendar; and what is said where nobody is."""

from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.errors import ConfigError
from tests.support.world import policy_of

POLICY = """
timezone: Europe/Madrid
people:
  ana: {{slack: U1, mail: ana.lopez@corp.example, groups: [leads]}}
  joe: {{slack: U2}}
  kim: {{slack: U3, groups: [leads]}}
oncall:
  net: {}
rules: []
"""
CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//
{}END:VCALENDAR
"""
EVENT = """BEGIN:VEVENT
UID:{uid}
DTSTART;TZID=Europe/Madrid:{begin}
DTEND;TZID=Europe/Madrid:{end}
SUMMARY:{title}
{more}END:VEVENT
"""


def planned(tmp_path, said, moment):
    policy = policy_of(tmp_path, POLICY.format(said))
    turn = policy.oncall["net"].planned(moment, policy.people)
    return turn.people or turn.why


def calendar(tmp_path, *events):
    parts = [EVENT.format(uid=number, **{"more": "", **event}) for number, event in enumerate(events)]
    (tmp_path / "net.ics").write_text(CALENDAR.format("".join(parts)).replace("\n", "\r\n"))
    return "ical:net.ics"


def now(**later):
    """A Wednesday noon in winter that calendars reach."""
    today = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    return today + timedelta(**later)


def local(moment):
    return f"{moment:%Y%m%dT%H%M%S}"


@pytest.mark.parametrize(
    ("said", "who"), [("joe", ("joe",)), ("leads", ("ana", "kim")), ("max", "max is nobody of the policy")]
)
def test_a_person_or_a_group_always_has_it(tmp_path, said, who):
    assert planned(tmp_path, said, now()) == who


TURNS = "{turns: [ana, joe, kim], since: 2026-03-23, change: Mon 09:00}"


@pytest.mark.parametrize(
    ("moment", "who"),
    [
        (datetime(2026, 3, 23, 7, 59, tzinfo=UTC), "kim"),  # before the first one
        (datetime(2026, 3, 23, 8, tzinfo=UTC), "ana"),  # 09:00 in winter
        (datetime(2026, 3, 30, 6, 59, tzinfo=UTC), "ana"),
        (datetime(2026, 3, 30, 7, tzinfo=UTC), "joe"),  # 09:00 in summer
        (datetime(2026, 4, 6, 7, tzinfo=UTC), "kim"),
        (datetime(2026, 4, 13, 7, tzinfo=UTC), "ana"),
    ],
)
def test_turns_change_on_their_day_whatever_the_clocks_do(tmp_path, moment, who):
    assert planned(tmp_path, TURNS, moment) == (who,)


@pytest.mark.parametrize(
    ("title", "who"),
    [
        ("ana", ("ana",)),
        ("On call: Joe (network)", ("joe",)),
        ("ana.lopez@corp.example", ("ana",)),
        ("Joe / Kim", ("joe", "kim")),
        ("Joanna", "the calendar says “Joanna”, which names nobody of the policy"),
    ],
)
def test_a_calendar_says_who_is_on_call(tmp_path, title, who):
    said = calendar(tmp_path, {"begin": local(now(hours=-2)), "end": local(now(hours=6)), "title": title})
    assert planned(tmp_path, said, now()) == who


def test_a_rota_that_repeats_is_read_and_a_gap_is_nobody(tmp_path):
    weekly = {
        "begin": local(now(days=-14)),
        "end": local(now(days=-13)),
        "title": "kim",
        "more": "RRULE:FREQ=WEEKLY\n",
    }
    said = calendar(tmp_path, weekly)
    assert planned(tmp_path, said, now(hours=2)) == ("kim",)
    assert planned(tmp_path, said, now(days=2)) == "the calendar has nothing for now"


def test_a_cancelled_turn_is_none(tmp_path):
    said = calendar(tmp_path, {"begin": local(now(hours=-2)), "end": local(now(hours=6)), "title": "kim",
                               "more": "STATUS:CANCELLED\n"})  # fmt: skip
    assert planned(tmp_path, said, now()) == "the calendar has nothing for now"


def test_a_calendar_that_is_gone_closes_nothing_else(tmp_path):
    assert "net.ics cannot be read" in planned(tmp_path, "ical:net.ics", now())


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("{turns: [ana], since: soon}", "'soon' is no date"),
        ("{turns: [ana], since: 2026-03-23, change: Tue 09:00}", "since 2026-03-23 is no Tue"),
        ("{turns: [ana], since: 2026-03-23, change: noon}", "'noon' is no time of a week"),
        ("{turns: [], since: 2026-03-23}", "at least 1 item"),
    ],
)
def test_what_is_no_rota_is_named_with_its_line(tmp_path, said, why):
    with pytest.raises(ConfigError, match=rf"line \d+: .*{why}"):
        policy_of(tmp_path, POLICY.format(said))


def test_what_rules_run_is_never_done_as_a_human(tmp_path):
    with pytest.raises(ConfigError, match="`rule` goes with `robot: true`"):
        policy_of(tmp_path, "people: {ana: {rule: looker}}\nrules: []\n")
