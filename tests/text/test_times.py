"""Durations and moments: the same forms with the same meaning wherever one is typed or written."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation_bots import render
from automation_bots.audit import export
from automation_bots.config.settings import ApprovalSettings
from automation_bots.model import Operation, Parameter
from automation_bots.operations import docstrings, playbooks, verbs
from automation_bots.pipeline import parser
from automation_bots.policy.approval_rule import ApprovalFile, escalation
from automation_bots.policy.reauth import ReauthFile
from automation_bots.policy.schema import rate
from automation_bots.text import times
from automation_bots.text.times import duration, duration_text, elapsed, leading, moment, moment_text, past

MADRID = "Europe/Madrid"
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday, 13:00 in Madrid
SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)  # the clocks go from 02:00 to 03:00 in the night that follows
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)  # the clocks show 02:00 to 03:00 twice in the night that follows
ZONES = (MADRID, "UTC", "Europe/London", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe")
MINUTES = st.integers(0, 38_000_000).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))

FORMS = {
    "30s": 30, "90 min": 5400, "45m": 2700, "2 hours": 7200, "8h": 28_800, "1.5h": 5400, "1h 30min": 5400,
    "1h30m": 5400, "2H": 7200, "1 hour 1 second": 3601, "1d": 86_400, "1d 12h": 129_600, "1d12h": 129_600,
    "1w": 604_800, "2 weeks 1 day": 1_296_000,
}  # fmt: skip


def ahead(text):
    return (moment(text, NOW, MADRID) - NOW).total_seconds()


def until(text):
    at, reason = leading([*text.split(), "new", "switch"], NOW, MADRID)
    assert list(reason) == ["new", "switch"]
    return (at - NOW).total_seconds()


def when(line):
    operation = Operation("service", "", parameters=(Parameter("name"),))
    typed = parser.parse(operation, f"nginx {line} on web")
    assert (typed.values, typed.pattern) == ({"name": "nginx"}, "web")
    return ahead(typed.when)


def when_of_free_words(text):
    operation = Operation("ssh", "", parameters=(Parameter("words", rest=True),))
    typed = parser.parse(operation, f"--when {text} uptime -p on web")
    assert typed.pattern == "web"
    return ahead(typed.when)


def of_playbook(text, folder):
    file = folder / "some.yml"
    file.write_text(f"# bot:\n#   time_limit: {text}\n- hosts: all\n")
    return playbooks.load(file).time_limit


def of_verb(text, folder):
    file = folder / "some.yml"
    file.write_text(f"help: Look\nrisk: read\nlinux: [ls]\ntime_limit: {text}\n")
    return verbs.load(file).time_limit


PLACES = {
    "approval within": lambda text, _: ApprovalFile(by=["leads"], within=text).need("rule").within,
    "escalate after": lambda text, _: escalation(f"leads after {text}")[1],
    "rate": lambda text, _: rate(f"1/{text}")[1],
    "[approvals] within": lambda text, _: ApprovalSettings(within=text).asking().seconds,
    "[approvals] late": lambda text, _: ApprovalSettings(late=text).asking().late_seconds,
    "docstring": lambda text, _: docstrings.read(f"Look.\n\nTime limit: {text}.").time_limit,
    "playbook": of_playbook,
    "verb": of_verb,
    "until": lambda text, _: until(text),
    "until in": lambda text, _: until(f"in {text}"),
    "until in quotes": lambda text, _: until(f'"{text}"'),
    "--when": lambda text, _: when(f"--when {text}"),
    "--when=": lambda text, _: when(f"--when={text}"),
    "--when in": lambda text, _: when(f"--when in {text}"),
    "--when in quotes": lambda text, _: when(f'--when "{text}"'),
    "when=": lambda text, _: when(f"when={text}"),
    "when= in quotes": lambda text, _: when(f'when="in {text}"'),
    "--when before free words": lambda text, _: when_of_free_words(text),
    "since": lambda text, _: (NOW - past(text, NOW, MADRID)).total_seconds(),
    "since ago": lambda text, _: (NOW - past(f"{text} ago", NOW, MADRID)).total_seconds(),
}


@pytest.mark.parametrize("place", PLACES)
def test_each_form_of_a_duration_means_the_same_in_each_place(place, tmp_path):
    assert {text: PLACES[place](text, tmp_path) for text in FORMS} == FORMS


def test_a_proof_is_as_old_as_any_duration_says_up_to_a_day():
    day = {text: seconds for text, seconds in FORMS.items() if seconds <= 86_400}
    assert {text: ReauthFile(within=text).value().within.total_seconds() for text in day} == day
    for text in FORMS.keys() - day.keys():
        with pytest.raises(ValueError, match="at most 1 d"):
            ReauthFile(within=text)


@pytest.mark.parametrize("text", ["", "90", "h", "0s", "-2h", "12h 1d", "2h 2h", "1M", "1,5h", "soon", "٢h"])
def test_what_is_no_duration_is_refused_with_the_forms_there_are(text):
    with pytest.raises(ValueError, match="no length of time; write 30s, 90 min, 2 hours, 1d 12h or 1w"):
        duration(text)


@pytest.mark.parametrize("value", [90, "90", 0.5, 0, True, -5, float("inf"), None, [30]])
def test_a_file_says_its_time_limit_also_as_a_number_of_seconds(value):
    if value in (90, "90", 0.5, 0) and value is not True:
        assert times.limit_seconds(value) == float(value)
    else:
        with pytest.raises(ValueError, match="no length of time"):
            times.limit_seconds(value)


def test_a_number_without_a_unit_is_a_mistake_of_the_policy_that_says_what_to_write():
    with pytest.raises(ValueError, match="'90' is no length of time; write 30s"):
        ApprovalFile.model_validate({"by": "leads", "within": 90})


# -- written and read


@given(st.integers(1, 366 * 864_000))
def test_a_duration_that_is_written_reads_back_as_the_same(tenths):
    length = timedelta(seconds=tenths) / 10
    assert duration(duration_text(length)) == length


@given(st.floats(0.1, 31_000_000))
def test_an_age_is_rounded_once_and_not_again(seconds):
    written = elapsed(seconds)
    assert elapsed(duration(written).total_seconds()) == written == render.duration(seconds)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"), (-3, "0 s"), (0.25, "0.2 s"), (9, "9 s"), (59.6, "60 s"), (119, "119 s"), (125, "2 min 5 s"),
        (600, "10 min"), (7300, "2 h 1 min"), (7200, "2 h"), (277_500, "3 d 5 h"), (86_400, "1 d"),
    ],
)  # fmt: skip
def test_ages_as_people_say_them(seconds, words):
    assert elapsed(seconds) == words


@given(MINUTES, st.sampled_from(ZONES), st.timedeltas(timedelta(minutes=1), timedelta(days=300)))
def test_a_moment_that_is_written_reads_back_as_the_same(at, zone, before):
    for said in (moment_text(at, zone), moment_text(at, zone, at - before)):
        assert moment(said.partition(" (")[0], at - before, zone) == at


# -- moments


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("22:00", "2026-03-02 21:00"), ("12:30", "2026-03-03 11:30"), ("8:00", "2026-03-03 07:00"),
        ("24:00", "2026-03-02 23:00"), ("today 18:00", "2026-03-02 17:00"), ("tomorrow 06:30", "2026-03-03 05:30"),
        ("tomorrow", "2026-03-02 23:00"), ("Sat 22:00", "2026-03-07 21:00"), ("Friday 8:30", "2026-03-06 07:30"),
        ("Mon 23:00", "2026-03-02 22:00"), ("mon 9:00", "2026-03-09 08:00"), ("Mon", "2026-03-08 23:00"),
        ("2026-11-24 22:00", "2026-11-24 21:00"), ("2026-11-24T22:00:30", "2026-11-24 21:00"),
        ("2026-04-01", "2026-03-31 22:00"), ("18:00 UTC", "2026-03-02 18:00"), ("18:00 CET", "2026-03-02 17:00"),
        ("2026-11-24T22:00Z", "2026-11-24 22:00"), ("2026-11-24 22:00+05:30", "2026-11-24 16:30"),
        ("Mon 18:00 America/New_York", "2026-03-02 23:00"),
        ("9am", "2026-03-03 08:00"), ("9:30 pm", "2026-03-02 20:30"), ("12am", "2026-03-02 23:00"),
        ("noon", "2026-03-03 11:00"), ("midnight", "2026-03-02 23:00"), ("on friday at noon", "2026-03-06 11:00"),
        ("tomorrow at 9", "2026-03-03 08:00"), ("tomorrow 9am", "2026-03-03 08:00"), ("5 pm UTC", "2026-03-02 17:00"),
        ("in an hour", "2026-03-02 13:00"), ("2h from now", "2026-03-02 14:00"),
        ("2026-12-24 at 6pm", "2026-12-24 17:00"),
    ],
)  # fmt: skip
def test_moments_are_read_in_the_zone_of_the_policy_wherever_they_stand(words, found):
    line = words.split()
    read = (
        moment(words, NOW, MADRID),
        leading([*line, "new", "switch"], NOW, MADRID)[0],
        leading([f'"{line[0]}', *line[1:-1], f'{line[-1]}"'] if line[1:] else [f'"{words}"'], NOW, MADRID)[0],
        NOW + timedelta(seconds=when(f"--when {words}")),
        NOW + timedelta(seconds=when(f'when="{words}"')),
    )
    assert {f"{at:%Y-%m-%d %H:%M}" for at in read} == {found}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("today 09:00", "is over"), ("yesterday", "is over"), ("2020-01-01 10:00", "is over"),
        ("2031-01-01 10:00", "more than a year away"), ("99999w", "more than a year"),
        ("2026-03-29 02:30", "skip 2026-03-29 02:30; write 2026-03-29 01:30 or 2026-03-29 03:30"),
        ("friday midnight", "write friday 00:00 or friday 24:00"),
        ("18:00 CEST", "CEST is not the zone of Europe/Madrid then"), ("18:00 Mars/Base", "is no time"),
        *((text, "is no time; write 18:00, tomorrow 08:00, Mon 08:00, 2026-12-24 18:00 or 2h")
          for text in ("25:00", "18:60", "13pm", "0am", "18:00pm", "noonish", "at 25", "a day", "in 5",
                        "5", "foo 10:00", "monument 08:00", "2026-02-30 10:00", "")),
    ],
)  # fmt: skip
def test_a_moment_that_is_none_says_why_wherever_it_stands(words, why):
    for read in (moment, lambda words, *now: leading(words.split(), *now)):
        with pytest.raises(ValueError, match=why):
            read(words, NOW, MADRID)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("18:00 tomorrow audit", "tomorrow"), ("18:00 Friday rollout", "Friday"), ("12h 1d new switch", "1d"),
        ("2h 30 min 5 min", "5 min"), ("tomorrow 2h audit", "2h"), ("Mon 18:00 20:00", "20:00"),
    ],
)  # fmt: skip
def test_a_reason_that_may_be_more_of_the_time_is_asked_about(words, why):
    with pytest.raises(ValueError, match=f"is '{why}' part of the time"):
        leading(words.split(), NOW, MADRID)
    with pytest.raises(parser.BadParameter, match=f"is '{why}' part of the time"):
        when(f"--when {words}")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('"18:00" Friday rollout', "Friday rollout"), ("'2h' 30 min each", "30 min each"),
        ("30 min 5 racks", "5 racks"),
        ("18:00 BGP work", "BGP work"), ('2h "Mon" is monitoring', '"Mon" is monitoring'), ("2h", ""),
    ],
)  # fmt: skip
def test_what_follows_a_time_stays_the_reason(line, reason):
    assert " ".join(leading(line.split(), NOW, MADRID)[1]) == reason


@given(st.text(max_size=30))
def test_no_text_breaks_the_readers(text):
    for read in (moment, past, lambda text, *now: leading(text.split(" "), *now)):
        try:
            read(text, NOW, MADRID)
        except ValueError as error:
            assert str(error)


@given(
    st.lists(
        st.sampled_from(
            [
                "Mon",
                "today",
                "2026-10-25",
                "02:30",
                "24:00",
                "1d",
                "12",
                "h",
                "30min",
                "in",
                "ago",
                "CET",
                "Z",
                "+01:00",
                "x",
            ]
        )
    )
)
def test_no_words_break_the_readers_and_none_is_lost(words):
    try:
        at, rest = leading(words, NOW, MADRID)
    except ValueError:
        return
    assert NOW < at <= NOW + timedelta(days=366)
    assert list(rest) == words[len(words) - len(rest) :]


# -- the hours that the clocks skip or show twice


def clock(at, now=None):
    return moment_text(at, MADRID, now)


@pytest.mark.parametrize("text", ["02:30", "tomorrow 02:30", "Sun 02:30", "2026-03-29 02:30"])
def test_an_hour_that_the_clocks_skip_is_refused_with_what_to_write(text):
    with pytest.raises(ValueError, match="skip 2026-03-29 02:30; write 2026-03-29 01:30 or 2026-03-29 03:30"):
        moment(text, SPRING, MADRID)


def test_an_hour_that_was_skipped_is_over_and_the_next_one_is_meant():
    assert clock(moment("02:30", SPRING + timedelta(days=1), MADRID)) == "2026-03-30 02:30 CEST"


@pytest.mark.parametrize("text", ["02:30", "tomorrow 02:30", "Sun 02:30", "2026-10-25 02:30", "2026-10-25 02:30 CEST"])
def test_of_an_hour_that_comes_twice_the_first_is_meant_and_that_is_said(text):
    assert clock(moment(text, AUTUMN, MADRID)) == "2026-10-25 02:30 CEST (the first of two)"


@pytest.mark.parametrize("text", ["2026-10-25 02:30 CET", "2026-10-25 02:30+01:00", "2026-10-25T01:30Z", "01:30 UTC"])
def test_the_second_of_them_can_be_named(text):
    assert clock(moment(text, AUTUMN, MADRID)) == "2026-10-25 02:30 CET (the second of two)"


def test_between_the_two_the_second_is_the_next():
    between = datetime(2026, 10, 25, 0, 45, tzinfo=UTC)
    assert clock(moment("02:30", between, MADRID), between) == "02:30 CET (the second of two)"
    assert clock(past("02:30", between, MADRID), between) == "02:30 CEST (the first of two)"


def test_a_day_is_24_hours_whatever_the_clocks_do():
    assert clock(moment("1d", SPRING, MADRID)) == "2026-03-29 14:00 CEST"


def test_a_day_that_begins_later_is_not_guessed_either():
    with pytest.raises(ValueError, match="skip 2026-09-06 00:00; write 2026-09-05 23:00 or 2026-09-06 01:00"):
        moment("2026-09-06", NOW, "America/Santiago")


# -- what lies behind


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2h", "2026-03-02 11:00"), ("08:00", "2026-03-02 08:00"), ("18:00", "2026-03-01 18:00"),
        ("today", "2026-03-02 00:00"), ("yesterday 18:00", "2026-03-01 18:00"), ("Mon", "2026-03-02 00:00"),
        ("Mon 18:00", "2026-02-23 18:00"), ("Tue 08:00", "2026-02-24 08:00"), ("2020-01-01", "2020-01-01 00:00"),
    ],
)  # fmt: skip
def test_since_names_what_lies_behind(text, found):
    assert f"{past(text, NOW, MADRID).astimezone(ZoneInfo(MADRID)):%Y-%m-%d %H:%M}" == found


def test_what_is_still_to_come_is_no_since():
    with pytest.raises(ValueError, match="still to come"):
        past("2026-03-05", NOW, MADRID)


def test_the_days_of_an_export_are_read_as_everywhere_in_utc_and_both_included():
    assert export.period(["from", "2026-11-01", "to", "2026-11-30"], NOW) == (
        datetime(2026, 11, 1, tzinfo=UTC),
        datetime(2026, 12, 1, tzinfo=UTC),
    )


def test_moments_are_written_as_people_say_them():
    near, far = NOW + timedelta(days=1), NOW + timedelta(days=30)
    assert [clock(at, NOW) for at in (NOW, near, far)] == ["13:00 CET", "Tue 13:00 CET", "2026-04-01 14:00 CEST"]
    assert clock(NOW) == "2026-03-02 13:00 CET"
