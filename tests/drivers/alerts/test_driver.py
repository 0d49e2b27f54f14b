"""What one job about an alert does: the server first, then here; a time that counts from when it runs."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from automation_bots.drivers import Task
from automation_bots.drivers.alerts.back import SILENCE, Unsure
from automation_bots.drivers.alerts.driver import OPERATIONS, Alerts
from automation_bots.drivers.fake import Recorder
from automation_bots.errors import BadCommand, DriverError
from automation_bots.model import Alert, Caller, Job, Place, Risk, State, Status

NOW = datetime.now(UTC)


class Book:
    """One alert, and a server that answers as it is told."""

    def __init__(self, *, firing=True, does=frozenset(), error=None):
        ended = None if firing else NOW
        self.alert, self.does, self.error = (
            Alert(7, "zb", "zabbix", "1", NOW, "BGP", NOW, NOW, ended=ended),
            does,
            error,
        )
        self.told, self.kept = [], []

    def find(self, number):
        return self.alert if number == 7 else None

    def back(self, _source):
        return self

    def tell(self, _alert, deed):
        self.told.append(deed)
        if self.error:
            raise self.error
        return "done there"

    def keep(self, _alert, deed):
        self.kept.append(deed)

    def zone(self):
        return "UTC"


def run(book, name, created=NOW, **values):
    operation = next(one for one in OPERATIONS if one.name == name)
    job = Job(42, State.RUNNING, "ana", Caller("t", "1"), Place("t", "r"), name, {"alert": "A7", **values}, "", (),
              Risk.READ, ("alerts",), created=created)  # fmt: skip
    seen = Recorder()
    Alerts(lambda: book).run(Task(job, operation, (), Path(), time.monotonic() + 60), seen)
    return seen.outcomes[""]


def test_what_the_server_knows_is_told_there_and_then_counts_here():
    book = Book(does={SILENCE})
    assert run(book, "silence", time=("2h", "line", "card")).summary == "A7 BGP: done there"
    assert book.told == book.kept and (book.told[0].person, book.told[0].audit, book.told[0].note) == (
        "ana",
        42,
        "line card",
    )


def test_what_the_server_does_not_know_counts_here_alone():
    book = Book()
    assert run(book, "ack-alert", note=("on", "it")).status is Status.CHANGED
    assert (book.told, book.kept[0].note) == ([], "on it")


@pytest.mark.parametrize("error", [DriverError("no"), Unsure("who knows")])
def test_what_was_not_done_there_does_not_count_here(error):
    book = Book(does={"close"}, error=error)
    try:
        assert run(book, "close").status is Status.UNKNOWN
    except DriverError:
        assert not isinstance(error, Unsure)
    assert book.kept == []


@pytest.mark.parametrize(("name", "values"), [("silence", {"time": ("2h",)}), ("close", {})])
def test_what_is_over_is_not_silenced_or_closed(name, values):
    with pytest.raises(DriverError, match="A7 is over already"):
        run(Book(firing=False, does={SILENCE, "close"}), name, **values)


def test_what_cannot_be_closed_there_says_what_to_do():
    with pytest.raises(DriverError, match="!silence A7 2h"):
        run(Book(), "close")


def test_two_hours_count_from_when_it_runs_although_it_waited_for_approval():
    book = Book(does={SILENCE})
    run(book, "silence", created=datetime.now(UTC) - timedelta(hours=5), time=("2h",))
    assert abs(book.told[0].until - datetime.now(UTC) - timedelta(hours=2)) < timedelta(minutes=1)


def test_a_time_of_the_day_that_is_over_when_it_runs_silences_nothing():
    book, asked = Book(does={SILENCE}), datetime.now(UTC) - timedelta(hours=5)
    meant = (asked + timedelta(hours=1)).strftime("%H:%M")
    with pytest.raises(DriverError, match="is over"):
        run(book, "silence", created=asked, time=("until", meant))
    assert book.told == []


@pytest.mark.parametrize("words", [("yesterday",), ("90d",), ("soon",), ()])
def test_a_silence_without_a_sensible_end_is_refused_before_it_is_a_job(words):
    body = next(one for one in OPERATIONS if one.name == "silence").body
    with pytest.raises(BadCommand, match="!silence A812 2h"):
        body.refuse({"time": words})
