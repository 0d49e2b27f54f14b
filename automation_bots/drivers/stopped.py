"""The outcome of a device whose task was cancelled or ran out of time: the same words from every driver."""

from __future__ import annotations

from automation_bots.drivers import Task
from automation_bots.model import Outcome, Risk, Status

TIME_OVER = "the time limit is over"


def is_over(task: Task) -> bool:
    """Return whether the task must stop: cancelled, or out of time."""
    return task.cancel.is_set() or task.seconds_left <= 0


def why_over(task: Task) -> str:
    """Say why the task stops."""
    return (task.cancel.why or "cancelled") if task.cancel.is_set() else TIME_OVER


def stopped(task: Task, device: str, *, started: bool, seconds: float = 0.0, output: str = "") -> Outcome:
    """Return the outcome of a device that the stop met before it ended; a change begun is never called undone."""
    why = why_over(task)
    if not started:
        return Outcome(device, Status.CANCELLED, f"not started: {why}", output, seconds)
    if task.job.risk is Risk.CHANGE:
        text = f"stopped after {seconds:.0f} s: {why}; it may still be running there"
        return Outcome(device, Status.UNKNOWN, text, output, seconds)
    status = Status.CANCELLED if task.cancel.is_set() else Status.FAILED
    return Outcome(device, status, f"stopped after {seconds:.0f} s: {why}", output, seconds)
