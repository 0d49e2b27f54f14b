"""The Python driver: runs a bot's own function in a process of its own, never inside the bot."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automation_bots.drivers import Report, Task, defaults
from automation_bots.drivers.child_process import Child, Message, cut_mark
from automation_bots.errors import DriverError
from automation_bots.model import NOTHING, Device, Outcome, Risk, Status, one_line
from automation_bots.operations.functions import Function
from automation_bots.processes.own import ROOT, inherited, isolated

GRACE_SECONDS = 3.0
_CHILD = Path(__file__).with_name("child.py")
_TICK_SECONDS = 0.1  # how soon a cancel or a crash is seen; messages are seen at once


class Python:
    """Runs functions; a crash, a flood of output or a hang in one harms only its own job."""

    name = "python"

    def __init__(
        self,
        *,
        environment: Mapping[str, str] = NOTHING,
        output_limit: int = defaults.OUTPUT_LIMIT,
        memory_limit: int | None = None,
    ) -> None:
        # the bot's own environment may hold tokens of chat networks, so only these words of it are passed on
        kept = inherited("HOME|LANG")
        self._environment = {"PATH": os.defpath, **kept, **environment}
        self._output_limit = output_limit
        self._memory_limit = memory_limit

    def run(self, task: Task, report: Report) -> None:
        """Run the function once for all devices of the task."""
        if not task.devices and task.operation.devices == "required":
            return
        function = _function(task)
        results = _Results(task, report, function.path.name)
        if task.cancel.is_set():
            results.stopped(task)
            return
        with self._started(task) as child:
            child.send(json.dumps(self._request(task, function, child.report_fd), default=str).encode() + b"\n")
            stopped = _follow(task, child, results)
            code = child.close()
            if stopped:
                results.stopped(task, child.printed.take(), started=True)
            else:
                results.ended(code, child.printed.take())

    def _started(self, task: Task) -> Child:
        environment = {"TMPDIR": str(task.workdir), **self._environment}
        return Child(isolated(_CHILD), folder=task.workdir, environment=environment, limit=self._output_limit)

    def _request(self, task: Task, function: Function, report_fd: int) -> dict[str, Any]:
        path = function.path.resolve()
        objects = "objects" in function.wants
        return {
            "parent": os.getpid(),
            "fd": report_fd,
            "path": str(path),
            "folder": str(path.parent),
            "ours": str(ROOT),
            "approved": {str(file.resolve()): content for file, content in task.covered.files.items()},
            "places": list(map(str, task.covered.places)),
            "function": function.name,
            "arguments": _arguments(task),
            "devices": [_described(device) if objects else device.name for device in task.devices],
            "wants": function.wants,
            "check": task.check,
            "statuses": [status.value for status in Status],
            "memory": self._memory_limit,
            "limit": self._output_limit,
            "mark": cut_mark(self._output_limit),
        }


def _function(task: Task) -> Function:
    function = task.operation.body
    if not isinstance(function, Function):
        raise DriverError(f"{task.operation.name} is no Python command")
    if not function.path.is_file():
        raise DriverError(f"{function.path.name} is not there any more; restart the bot or put the file back")
    if task.check and "check" not in function.wants:
        raise DriverError(f"{function.name} cannot show what would change; it takes no  check: bool")
    return function


def _arguments(task: Task) -> dict[str, Any]:
    optional = {p.name: p.default for p in task.operation.parameters if not p.required}
    return {p.name: task.parameters.get(p.name, optional.get(p.name)) for p in task.operation.parameters}


def _described(device: Device) -> dict[str, Any]:
    return {"name": device.name, "groups": sorted(device.groups), "variables": dict(device.variables)}


def _follow(task: Task, child: Child, results: _Results) -> bool:
    """Take messages until the end; return whether the task was stopped from outside."""
    while not child.ended():
        if task.cancel.is_set() or not task.seconds_left:
            _stop(child, results)
            return True
        if _take(child, results, min(_TICK_SECONDS, task.seconds_left)):
            return False
    _take(child, results, 0)
    return False


def _stop(child: Child, results: _Results) -> None:
    """Give the group time to clean up; devices that finish meanwhile still count."""
    child.terminate()
    until = time.monotonic() + GRACE_SECONDS
    while time.monotonic() < until and not (child.ended() and child.silent()):
        _take(child, results, _TICK_SECONDS)


def _take(child: Child, results: _Results, seconds: float) -> bool:
    message = child.message(seconds)
    if message is None:
        return False
    results.take(message, child)
    child.send(b"\n")
    return message.get("kind") in {"end", "failed"}


class _Results:
    """Turns the child's messages into outcomes; knows which devices still lack one."""

    def __init__(self, task: Task, report: Report, file: str) -> None:
        self._report = report
        self._file = file
        self._started = time.monotonic()
        self._names = [device.name for device in task.devices] or [""]
        self._missing = dict.fromkeys(self._names)
        self._good = Status.CHANGED if task.job.risk is Risk.CHANGE and not task.check else Status.OK
        self._given = False
        self._last: Message = {}

    def take(self, message: Message, child: Child) -> None:
        """Report what can be reported now; the last message waits until the process has ended."""
        kind, text = message.get("kind"), str(message.get("text", ""))
        if kind == "progress":
            self._report.progress(one_line(text))
        elif kind == "outcome":
            self._outcome(str(message.get("device")), message.get("status"), text, child)
        else:
            self._last = message

    def _outcome(self, device: str, status: str | None, text: str, child: Child) -> None:
        if device not in self._missing:
            why = "had one already" if device in self._names else "is not in this job"
            self._report.progress(one_line(f"{self._file}: ignored a result for {device}, which {why}"))
            return
        self._given = True
        self._tell(
            device, Status(status) if status else self._good, text, output=_joined(child.printed.take(last=False), text)
        )

    def ended(self, code: int | None, printed: str) -> None:
        """Report the devices that are left once the process has ended by itself."""
        text = str(self._last.get("text", ""))
        match self._last.get("kind"):
            case "end" if self._given:
                self._rest(Status.UNKNOWN, f"{self._file} gave no result for this device", _joined(printed, text))
            case "end":
                output = _joined(printed, text)
                self._rest(self._good, text or printed or "done", output)
            case "failed":
                output = _joined(printed, str(self._last.get("output", "")))
                self._rest(Status.FAILED, text, output, self._last.get("code"))
            case _:
                self._rest(Status.FAILED, _end_of(self._file, code), printed, code)

    def stopped(self, task: Task, printed: str = "", *, started: bool = False) -> None:
        """Report the devices that are left after a cancel or the time limit; a change begun is never called undone."""
        seconds = time.monotonic() - self._started
        why = task.cancel.why
        if not task.cancel.is_set():
            why = f"{self._file} was stopped at the time limit, after {seconds:.3g} s"
        if started and task.job.risk is Risk.CHANGE and not task.check:
            self._rest(Status.UNKNOWN, f"{why}, in the middle of the work", printed)
        else:
            self._rest(Status.CANCELLED if task.cancel.is_set() else Status.FAILED, why, printed)

    def _rest(self, status: Status, summary: str, output: str, code: int | None = None) -> None:
        for device in list(self._missing):
            self._tell(device, status, summary, output=output, code=code)

    def _tell(self, device: str, status: Status, text: str, *, output: str, code: int | None = None) -> None:
        del self._missing[device]
        seconds = round(time.monotonic() - self._started, 3)
        summary = one_line(next((line for line in text.splitlines() if line.strip()), ""))
        self._report.outcome(Outcome(device, status, summary, output, seconds, code))


def _joined(printed: str, text: str) -> str:
    return "\n".join(part.rstrip("\n") for part in (printed, text) if part)


def _end_of(file: str, code: int | None) -> str:
    if code is None:
        return f"{file} does not end, although it was killed; look at the machine that the bot runs on"
    if code >= 0:
        return f"{file} ended without a result, with exit code {code} (os._exit?)"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    hints = {"SIGKILL": "; perhaps the machine ran out of memory", "SIGSEGV": ": it crashed in compiled code"}
    return f"{file} was killed by {name}{hints.get(name, '')}"
