"""What is said about schedules: how they stand, what came of their times, what did not run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from automation_bots import render
from automation_bots.model import Answer, Schedule, ScheduleState, Tells, one_line
from automation_bots.operations.own_commands import OWN
from automation_bots.schedules import recurrence
from automation_bots.schedules.recurrence import Due, Recurrence
from automation_bots.store.occurrences import Result, Taken
from automation_bots.text.times import moment_text

TELLS = {Tells.ALWAYS: "each answer", Tells.CHANGE: "what changed or failed", Tells.FAILURE: "what fails"}
_LINES_SHOWN = 20
_NEAR = timedelta(days=180)  # beyond it the year is said
_UNKNOWN = "I was killed at that moment, and cannot say whether it was done"
_NOT_RUN = {Result.MISSED: "missed", Result.LOST: "not begun: I was killed at that moment"}


def next_times(times: Recurrence, now: datetime, many: int) -> str:
    """The next times by the clocks of its zone, which is named where clocks change between them."""
    shown = [due.at.astimezone(ZoneInfo(times.zone)) for due in islice(times.after(now), many)]
    names = {at.tzname() for at in shown}
    return ", ".join(_short(at, now) + (f" {at.tzname()}" if len(names) > 1 else "") for at in shown)


def _short(at: datetime, now: datetime) -> str:
    """`Tue 1 Dec 06:30`, `14:15` of today."""
    if at.date() == now.astimezone(at.tzinfo).date():
        return f"{at:%H:%M}"
    return f"{at:%a} {at.day} {at:%b %H:%M}" if abs(at - now) < _NEAR else f"{at:%a} {at.day} {at:%b %Y %H:%M}"


def made(schedule: Schedule, now: datetime, notes: Sequence[str]) -> Answer:
    """What its maker reads."""
    times = recurrence.read(schedule.times)
    text = f"S{schedule.number} {schedule.title}, {times.text} {times.zone}, as {schedule.person}"
    said = recurrence.explained(times)
    lines = [
        f"{text}; next {next_times(times, now, 3)}.",
        *([f"Of {times.text}: {said}."] if said else []),
        *[clock_line(due, times) for due in recurrence.clocks(times, now)],
        *notes,
        f"Tells here {TELLS[schedule.tells]}.",
    ]
    return Answer("\n".join(lines), hint=f"→ !schedule {schedule.number}")


def clock_line(due: Due, times: Recurrence) -> str:
    """What the clocks do to a time of the next year."""
    return f"{moment_text(due.at, times.zone)}: {due.note}."


def row(schedule: Schedule, now: datetime, zone: str, last: str) -> tuple[str, ...]:
    """One line of `!schedules`."""
    times = recurrence.read(schedule.times)
    at = next_of(schedule, now)
    due = f"next {moment_text(at, zone, now)}" if at else schedule.state.value
    return (f"S{schedule.number}", one_line(schedule.title, 50), times.text, due, schedule.person, last)


def next_of(schedule: Schedule, now: datetime) -> datetime | None:
    """When it runs next; of one time that was asked for beforehand, that time."""
    once = recurrence.read(schedule.times).once
    waits = once is not None and once > now and schedule.state is ScheduleState.OVER
    return once if waits else schedule.due


def state(schedule: Schedule, now: datetime) -> str:
    """How it stands, with the reason."""
    if schedule.state is ScheduleState.PAUSED:
        return one_line(f"paused: {schedule.why}" if schedule.why else "paused", 120)
    return "asked for, waits for its time" if not schedule.due and next_of(schedule, now) else schedule.state.value


def came_to(taken: Taken, *, whole: bool = True) -> str:
    """What came of a time, in a few words."""
    earlier = f" and {taken.missed:,} before it" if taken.missed else ""
    if taken.job is not None:
        return f"#{taken.job} {taken.result or 'goes on'}" + (f" · {taken.text}" if taken.text and whole else "")
    if taken.result == Result.OPEN:
        return "is being started"
    first = taken.text.partition("\n")[0]
    return one_line(f"{taken.result}{earlier}" + (f": {first}" if first else ""), 200)


def history(found: Iterable[Taken], zone: str, now: datetime) -> str:
    """The last times, newest first."""
    return render.table([(moment_text(taken.occurrence.at, zone, now), came_to(taken)) for taken in found])


def not_run(found: Sequence[tuple[Schedule, Taken]]) -> Answer:
    """One message for all that did not run while nobody was there to run it."""
    rows = [(f"S{schedule.number} {one_line(schedule.title, 50)}", _when(schedule, taken)) for schedule, taken in found]
    many = sum(taken.missed + 1 for _, taken in found)
    head = f"{many:,} times of {render.many(len(found), 'schedule')}" if many > 1 else "One time of a schedule"
    verb = "were" if many > 1 else "was"
    text = f"{head} {verb} missed, and no change is made up for:"
    number = found[0][0].number
    return Answer(text, render.table(rows, limit=_LINES_SHOWN, all_of_it="!schedules"), f"→ !schedule {number} run")


def _when(schedule: Schedule, taken: Taken) -> str:
    at = moment_text(taken.occurrence.at, recurrence.read(schedule.times).zone)
    if taken.result == Result.LOST:
        return f"{at}: {_UNKNOWN if schedule.operation in OWN else _NOT_RUN[Result.LOST]}"
    return f"{taken.missed + 1:,} times, {taken.text} to {at}" if taken.missed else at


def answered(schedule: Schedule, taken: Taken) -> Answer:
    """What a command of the bot itself answered, as the record has it."""
    first, _, block = taken.text.partition("\n")
    return Answer(f"S{schedule.number} {schedule.title}: {first}", block, f"→ !schedule {schedule.number}")


def refused(schedule: Schedule, taken: Taken) -> Answer:
    """Why a time came to nothing, or why it goes on no longer."""
    at = moment_text(taken.occurrence.at, recurrence.read(schedule.times).zone)
    number = schedule.number
    hint = f"→ !schedule {number}"
    if schedule.state is ScheduleState.PAUSED:
        hint = f"→ !schedule {number} resume · !schedule {number} remove"
    if taken.result == Result.ORPHANED:
        hint = f"→ an admin: !schedule {number} owner <person> · !schedule {number} remove"
    if taken.job is not None:
        return Answer(f"S{number} {schedule.title}: #{taken.job} {taken.result} · {taken.text}.", hint=hint)
    return Answer(f"S{number} {schedule.title} did not run at {at}: {taken.text}", hint=hint)
