"""What people do about alerts, as operations: judged like changes of the device, told to the server, then kept here.

Nothing is changed on the device itself, so that no freeze and no other work on it stands in the way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from automation_bots.drivers import Report, Task
from automation_bots.drivers.alerts.back import (
    ACKNOWLEDGE,
    CLOSE,
    COMMENT,
    SILENCE,
    UNACKNOWLEDGE,
    UNSILENCE,
    Back,
    Deed,
    Unsure,
)
from automation_bots.errors import BadCommand, DriverError
from automation_bots.model import Alert, Operation, Outcome, Parameter, Risk, Status, one_line
from automation_bots.text import times

_LONGEST = timedelta(days=31)  # of a silence
_NOTE = 500
_ALERT = Parameter("alert", match=r"[Aa]?\d{1,15}", help="its number, such as A812")


@dataclass(frozen=True, slots=True)
class Body:
    """What is done about the alert."""

    deed: str

    def looks(self, _parameters: Mapping[str, Any]) -> bool:
        """The device stays as it is, although rules have to allow this as a change."""
        return True

    def refuse(self, parameters: Mapping[str, Any]) -> None:
        """Refuse a silence without an end."""
        if self.deed == SILENCE:
            silenced_until(parameters.get("time") or (), datetime.now(UTC), "UTC")


def silenced_until(words: Sequence[str], now: datetime, zone: str) -> tuple[datetime, str]:
    """Read `2h maintenance`: until when, and why."""
    usage = "→ !silence A812 2h maintenance · !silence A812 until 18:00"
    said = tuple(words)[1:] if words and words[0].lower() == "until" else tuple(words)
    try:
        until, rest = times.leading(said, now, zone)
    except ValueError as error:
        raise BadCommand(f"{error}. {usage}") from error
    if until - now > _LONGEST:
        raise BadCommand(f"A silence lasts {_LONGEST.days} days at most. {usage}")
    return until, " ".join(rest)


def _until(words: Sequence[str], asked: datetime | None, zone: str) -> tuple[datetime, str]:
    """`2h` counts from now, although it waited for approval; `until 18:00` means that of the day when it was asked."""
    now = datetime.now(UTC)
    asked = asked or now
    (then, note), (meant, _) = silenced_until(words, now, zone), silenced_until(words, asked, zone)
    if then - now == meant - asked:
        return then, note
    if meant <= now:
        raise DriverError("the time until when it was to be silenced is over")
    return meant, note


def _operation(name: str, deed: str, text: str, *parameters: Parameter, examples: tuple[str, ...]) -> Operation:
    return Operation(
        name=name,
        help=text,
        risk=Risk.CHANGE,
        driver="alerts",
        devices="alert",
        parameters=(_ALERT, *parameters),
        examples=examples,
        group="Alerts",
        body=Body(deed),
        time_limit=120,
    )


def _note(*, required: bool = False) -> Parameter:
    return Parameter("note", rest=True, required=required, help="what you say with it")


_TIME = Parameter("time", rest=True, help="for how long, or until when, and why: 2h maintenance")
OPERATIONS = (
    _operation("ack-alert", ACKNOWLEDGE, "Say that you look after an alert, here and at the server that told of it",
               _note(), examples=("ack-alert A812 on it",)),
    _operation("unack-alert", UNACKNOWLEDGE, "Take that back", _note(), examples=("unack-alert A812",)),
    _operation("comment", COMMENT, "Say something with an alert, here and at the server that told of it",
               _note(required=True), examples=("comment A812 the provider has been called",)),
    _operation("silence", SILENCE, "Hear nothing of an alert for a time; Alertmanager tells nobody of it then",
               _TIME, examples=("silence A812 2h maintenance", "silence A812 until 18:00")),
    _operation("unsilence", UNSILENCE, "End the silence of an alert", _note(), examples=("unsilence A812",)),
    _operation("close", CLOSE, "Close a problem at the server that told of it", _note(), examples=("close A812",)),
)  # fmt: skip


def operations() -> tuple[Operation, ...]:
    """Return what this driver offers."""
    return OPERATIONS


def number_of(written: str) -> int:
    """The number that A812 stands for."""
    return int(written.lstrip("Aa"))


class AlertBook(Protocol):
    """The alerts of one bot."""

    def find(self, number: int) -> Alert | None:
        """Return one; None when it is forgotten, or never was."""

    def back(self, source: str) -> Back | None:
        """The server that told of it, where it can be told something."""

    def keep(self, alert: Alert, deed: Deed) -> None:
        """Let it count here: the message shows it, rules hear of it."""

    def zone(self) -> str:
        """By whose clock `until 18:00` is read."""


class Alerts:
    """Does one thing about one alert."""

    name = "alerts"

    def __init__(self, book: Callable[[], AlertBook]) -> None:
        self._book = book

    def run(self, task: Task, report: Report) -> None:
        """Tell the server first: what it refuses does not count here either."""
        device = task.devices[0].name if task.devices else ""
        try:
            report.outcome(Outcome(device, Status.CHANGED, self._done(task)))
        except Unsure as error:
            report.outcome(Outcome(device, Status.UNKNOWN, str(error)))
        except BadCommand as error:
            raise DriverError(str(error)) from error

    def _done(self, task: Task) -> str:
        book, body = self._book(), task.operation.body
        written = str(task.parameters["alert"])
        alert = book.find(number_of(written))
        if alert is None or not isinstance(body, Body):
            raise DriverError(f"there is no alert {written} any more")
        deed = self._deed(task, body.deed, book.zone())
        if not alert.firing and deed.what in {SILENCE, CLOSE}:
            raise DriverError(f"A{alert.number} is over already")
        said = _told(book.back(alert.source), alert, deed)
        book.keep(alert, deed)
        return f"A{alert.number} {one_line(alert.what, 60)}: {said}"

    @staticmethod
    def _deed(task: Task, what: str, zone: str) -> Deed:
        job, words = task.job, task.parameters.get("time") or task.parameters.get("note") or ()
        until, note = None, " ".join(map(str, words))
        if what == SILENCE:
            until, note = _until(words, job.created, zone)
        return Deed(what, job.person, one_line(note, _NOTE), until, job.number)


def _told(back: Back | None, alert: Alert, deed: Deed) -> str:
    """What came of it at the server; what it does not know counts here alone."""
    if back is not None and deed.what in back.does:
        return back.tell(alert, deed)
    if deed.what == CLOSE:
        raise DriverError(
            f"{one_line(alert.source, 40)} cannot be told to close A{alert.number}. → !silence A{alert.number} 2h"
        )
    return _HERE[deed.what]


_HERE = {
    ACKNOWLEDGE: "acknowledged here",
    UNACKNOWLEDGE: "no longer acknowledged here",
    COMMENT: "commented here",
    SILENCE: "muted here",
    UNSILENCE: "no longer muted here",
}
