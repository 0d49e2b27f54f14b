"""`!events follow`, `!salt events`: follow what the bot hears of elsewhere, for a while, in a live message."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from automation_bots.drivers import Report, Task
from automation_bots.drivers.stopped import is_over
from automation_bots.events import Bus, Event
from automation_bots.model import Operation, Outcome, Parameter, Risk, Status, one_line

_SHOWN = 15  # events in the live message
_KEPT = 200  # events in the output
_STEP = 0.2
_TOLD = ("id", "minion", "fun", "success", "retcode", "act", "state", "person", "operation")  # never values or returns
_PARAMETERS = (
    Parameter(
        "filter", required=False, default="*", max_length=100, help="part of a tag, or a pattern such as salt/job/*"
    ),
    Parameter("seconds", "float", required=False, default=60, minimum=1, maximum=600, help="for how long"),
    Parameter("count", "int", required=False, default=_KEPT, minimum=1, maximum=_KEPT, help="end after so many"),
)
EVENTS = Operation(
    name="events-follow",
    help="Follow what happens, as Salt and the bot itself tell it, for a while",
    risk=Risk.READ,
    driver="events",
    devices="none",
    parameters=_PARAMETERS,
    examples=("events follow", "events follow filter=bot/job/*", "events follow filter=minion --seconds 300"),
    group="Events",
    time_limit=660,
)
SALT_EVENTS = Operation(
    name="salt-events",
    help="Follow Salt's event stream for a while",
    risk=Risk.READ,
    driver="events",
    devices="none",
    parameters=_PARAMETERS,
    examples=("salt events", "salt events salt/job/*/ret/web1", "salt events salt/auth --seconds 30"),
    group="Salt",
    time_limit=660,
)


def operations() -> tuple[Operation, ...]:
    """Return what this driver offers."""
    return EVENTS, SALT_EVENTS


class Events:
    """Listens to the bus on behalf of a person; tags and a few harmless fields are shown, never what came back."""

    name = "events"

    def __init__(
        self,
        bus: Bus,
        *,
        salt: Callable[[], str] = lambda: "",
        sees: Callable[[str, str], bool] = lambda _person, _device: True,
    ) -> None:
        self._bus = bus
        self._salt = salt  # what is wrong with Salt's event stream; empty: nothing; DriverError: nothing will ever come
        self._sees = sees

    def run(self, task: Task, report: Report) -> None:
        """Show events as they come; ended by time, count, cancel or the time limit."""
        values = task.parameters
        end = time.monotonic() + min(float(values.get("seconds") or 60), max(0.0, task.seconds_left - 1))
        wanted, only_salt = int(values.get("count") or _KEPT), task.operation.name == SALT_EVENTS.name
        if only_salt and (problem := self._salt()):
            report.progress(problem)
        lines: deque[str] = deque(maxlen=_KEPT)
        with self._bus.listen(_pattern(str(values.get("filter") or "*"))) as events:
            while time.monotonic() < end and len(lines) < wanted and not is_over(task):
                event = events.next(min(_STEP, end - time.monotonic()))
                if event is not None and self._is_for(task.job.person, event, only_salt=only_salt):
                    lines.append(_line(event))
                    report.progress(f"{len(lines)} events", list(lines)[-_SHOWN:])
        report.outcome(self._outcome(lines, events.dropped, only_salt=only_salt))

    def _is_for(self, person: str, event: Event, *, only_salt: bool) -> bool:
        if only_salt and event.source != "salt":
            return False
        about = [str(event.data[key]) for key in ("id", "minion") if event.data.get(key)]
        about += [str(name) for name in event.data.get("devices") or ()]
        return all(self._sees(person, name) for name in about)

    def _outcome(self, lines: deque[str], dropped: int, *, only_salt: bool) -> Outcome:
        summary = f"{len(lines)} events" + (f", {dropped} more were lost: too many at once" if dropped else "")
        problem = self._salt() if only_salt else ""
        if problem and not lines:
            return Outcome("", Status.FAILED, problem)
        return Outcome("", Status.OK, summary, "\n".join([*lines, summary]))


def _pattern(text: str) -> str:
    return text if any(char in text for char in "*?[") else f"*{text}*"


def _line(event: Event) -> str:
    at = datetime.fromtimestamp(event.at, UTC).strftime("%H:%M:%S")
    return one_line(f"{at}  {event.tag}  {_told(event.data)}", 160)


def _told(data: Mapping[str, Any]) -> str:
    """The fields that say what happened; a value that is not short and plain stays out."""
    plain = ((key, data.get(key)) for key in _TOLD)
    return " ".join(
        f"{key}={value}" for key, value in plain if isinstance(value, str | int | bool) and len(str(value)) < 60
    )
