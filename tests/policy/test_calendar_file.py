"""Calendar files as windows."""

from datetime import UTC, datetime

import pytest

from automation_bots.app.bot import Bot
from automation_bots.errors import ConfigError
from automation_bots.policy import calendar_file, policy
from automation_bots.policy.time_window import calendar
from tests.support.chatbot import write_folder

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\n"
EVENT = "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\n{lines}\r\nEND:VEVENT\r\n"
WEEKLY = "DTSTART;TZID=Europe/Madrid:20260302T220000\r\nDTEND;TZID=Europe/Madrid:20260303T010000\r\nRRULE:FREQ=WEEKLY"


def text(*events):
    return HEAD + "".join(EVENT.format(uid=n, lines=lines) for n, lines in enumerate(events)) + "END:VCALENDAR\r\n"


def at(tmp_path, moment, *events):
    (tmp_path / "c.ics").write_text(text(*events))
    found = calendar_file.read(tmp_path / "c.ics", "ical:c.ics", "Europe/Madrid", NOW)
    return found.contains(datetime.fromisoformat(moment))


@pytest.mark.parametrize(
    ("lines", "moment", "inside"),
    [
        (WEEKLY, "2026-03-02T22:00+01:00", True),
        (WEEKLY, "2026-03-03T01:00+01:00", False),
        (WEEKLY, "2026-03-30T22:30+02:00", True),  # summer time
        (WEEKLY + "\r\nEXDATE;TZID=Europe/Madrid:20260309T220000", "2026-03-09T22:30+01:00", False),
        (WEEKLY + "\r\nSTATUS:CANCELLED", "2026-03-02T22:30+01:00", False),
        ("DTSTART:20260302T220000\r\nDTEND:20260302T230000", "2026-03-02T22:30+01:00", True),  # no zone: the policy's
        ("DTSTART;VALUE=DATE:20260315", "2026-03-15T00:00+01:00", True),
        ("DTSTART;VALUE=DATE:20260315", "2026-03-16T00:00+01:00", False),
    ],
)
def test_a_moment_is_in_an_event_or_not(tmp_path, lines, moment, inside):
    assert at(tmp_path, moment, lines) is inside


def test_overlapping_events_are_one_span():
    day = [datetime(2026, 3, 2, hour, tzinfo=UTC) for hour in range(6)]
    joined = calendar("c", [(day[0], day[4]), (day[1], day[2]), (day[3], day[5])])
    assert joined.spans == ((day[0], day[5]),)


RULES = """
people: {ana: {test: ana, groups: [admins]}}
rules:
  - {name: a, who: admins, may: [reads], when: "ical:c.ics"}
"""


@pytest.mark.parametrize("content", [None, "nonsense", text("DTSTART:20260302T000000Z\r\nRRULE:FREQ=MINUTELY")])
def test_a_calendar_that_cannot_be_read_makes_the_policy_wrong(tmp_path, content):
    if content is not None:
        (tmp_path / "c.ics").write_text(content)
    (tmp_path / "policy.yml").write_text(RULES)
    with pytest.raises(ConfigError, match=r"c\.ics"):
        policy.load(tmp_path / "policy.yml")


def test_a_changed_calendar_is_read_again(tmp_path):
    folder = write_folder(tmp_path, policy=RULES, files={"c.ics": text(WEEKLY)})
    live = Bot(folder, {}, read_only=True).live
    before = live.policy.rules[0].when[0]
    assert live.look() == []
    (folder / "c.ics").write_text(text("DTSTART;VALUE=DATE:20260315"))
    assert [change.what for change in live.look()] == ["policy"]
    assert live.policy.rules[0].when[0] != before


def test_a_calendar_that_broke_and_was_mended_counts_again(tmp_path):
    folder = write_folder(tmp_path, policy=RULES, files={"c.ics": text(WEEKLY)})
    live = Bot(folder, {}, read_only=True).live
    (folder / "c.ics").write_text("nonsense")
    assert "c.ics" in live.look()[0].problems[0]
    (folder / "c.ics").write_text(text(WEEKLY))
    assert live.look()[0].problems == () and not live.policy_problem
