"""The words of `!monitor`, in any order."""

from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.commands import monitor_words
from automation_bots.errors import BadCommand

NOW = datetime(2026, 12, 1, 14, 0, tzinfo=UTC)


def read(line):
    return monitor_words.read(line, NOW, "UTC")


@pytest.mark.parametrize(
    "line",
    ["ping core* every 5s for 30m", "ping core* for 30m every 5s", "ping core* until 14:30 every 5 s"],
)
def test_how_often_and_how_long_stand_in_any_order(line):
    wanted = read(line)
    assert (wanted.what, wanted.every, wanted.until) == (
        "ping core*", timedelta(seconds=5), NOW + timedelta(minutes=30),
    )  # fmt: skip


def test_a_condition_stands_before_or_without_them():
    assert read("disk on web* where used > 90 every 5m").condition == "used > 90"
    assert read("disk on web* where used > 90 and type = ext4").what == "disk on web*"


@pytest.mark.parametrize(
    "line",
    ["disk on web where used > 90 every 5m for 2h", "disk on web every 5m where used > 90 for 2h",
     "disk on web every 5m for 2h where used > 90", "disk on web for 2h WHERE used > 90 every 5m"],
)  # fmt: skip
def test_a_condition_may_stand_among_the_times(line):
    wanted = read(line)
    assert (wanted.what, wanted.condition, wanted.every) == ("disk on web", "used > 90", timedelta(minutes=5))
    assert wanted.until == NOW + timedelta(hours=2)


def test_a_text_of_a_web_address_may_hold_blanks():
    wanted = read('http https://www.corp.example text="all is fine" every 1m')
    assert (wanted.what, wanted.web) == ("http https://www.corp.example", {"text": "all is fine"})


def test_words_that_are_no_time_belong_to_what_is_watched():
    assert read("logs on web1 until the-end").what == "logs on web1 until the-end"


@pytest.mark.parametrize("line", ["ping core every 5x", "ping core for 0s", "ping core for 5m until 15:00"])
def test_a_wrong_time_is_said(line):
    with pytest.raises(BadCommand):
        read(line)


@pytest.mark.parametrize(("word", "number"), [("3", 3), ("M3", 3), ("m12", 12), ("core3", None), ("#3", None)])
def test_a_monitor_is_named_by_its_number(word, number):
    assert monitor_words.number(word) == number


def test_what_a_web_address_has_to_answer_stands_anywhere_behind_it():
    wanted = read('http https://x.example status=2xx,401 text="all fine" days=30 within=1.5s every 1m')
    assert (wanted.what, wanted.web) == (
        "http https://x.example", {"status": "2xx,401", "text": "all fine", "days": 30, "within": 1500.0}
    )  # fmt: skip


@pytest.mark.parametrize(
    "words", ["status=600", "status=ok", "status=200,", "days=soon", "days=-1", "within=5", "within=0s", "within=soon"]
)
def test_a_status_or_days_that_are_none_are_told(words):
    with pytest.raises(BadCommand):
        read(f"http https://x.example {words}")


def test_such_words_of_another_operation_are_its_own():
    assert read("logs text=oops on web").what == "logs text=oops on web"
