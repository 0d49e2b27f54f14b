"""What the word of the SSH process means for a device: its outcome."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automation_bots.drivers import Task, sudo
from automation_bots.drivers.output import first_line, joined, last_line
from automation_bots.drivers.ssh.access import Access
from automation_bots.drivers.ssh.frames import Frame
from automation_bots.drivers.stopped import is_over, stopped
from automation_bots.model import POSIX, Device, Outcome, Risk, Status, one_line

_CLI_ERROR = re.compile(r"^% ?(?:Invalid|Incomplete|Ambiguous|Unknown|Unrecognized).*", re.MULTILINE)
_LOOKED_AT = 1 << 16


@dataclass(slots=True)
class Asked:
    """What was asked of one device."""

    device: Device
    access: Access
    text: str
    spill: Path
    becomes: bool
    begun: bool = False


@dataclass(frozen=True, slots=True)
class _Stream:
    """What was kept of a stream."""

    head: bytes
    total: int


@dataclass(frozen=True, slots=True)
class _Ran:
    """How it ended; no exit code: it was stopped, killed, or the connection broke."""

    exit_code: int | None
    accepted: bool
    stopped: bool
    connected: bool
    asked: int
    output: str
    out_head: str
    tail: str


def outcome(task: Task, asked: Asked, frame: Frame, limit: int) -> Outcome:
    """Judge one device."""
    head, name = frame.head, asked.device.name
    seconds = float(head["seconds"])
    if head.get("stopped"):
        return stopped(task, name, started=False)
    if "problem" in head:
        if is_over(task):
            return stopped(task, name, started=False)
        return Outcome(name, Status(head["status"]), one_line(head["problem"], 500), seconds=seconds)
    ran = _read(asked, frame, limit)
    if ran.stopped or (not ran.connected and is_over(task)):
        met = stopped(task, name, started=True, seconds=seconds, output=ran.output)
        return replace(met, summary=f"{met.summary}: {one_line(asked.text, 100)}")
    status, summary = _ending(task, asked.device, ran)
    if status is Status.FAILED and asked.becomes:
        refused = ran.asked > 1
        summary = sudo.problem(asked.access, ran.tail.encode(), password_refused=refused) or summary
    return Outcome(name, status, summary, ran.output, seconds, exit_code=ran.exit_code)


def streams(spill: Path, frame: Frame) -> tuple[_Stream, _Stream]:
    """Return what was kept of standard output and standard error."""
    out_kept, out_spilled, out_total = frame.head["out"]
    _, err_spilled, err_total = frame.head["err"]
    out = _Stream(_spilled(spill, ".out", out_spilled) + frame.body[:out_kept], out_total)
    return out, _Stream(_spilled(spill, ".err", err_spilled) + frame.body[out_kept:], err_total)


def _read(asked: Asked, frame: Frame, limit: int) -> _Ran:
    out, err = streams(asked.spill, frame)
    said: dict[str, Any] = frame.head["ran"]
    start = out.head[:_LOOKED_AT].decode("utf-8", "replace")
    return _Ran(**said, output=joined(out, err, limit), out_head=start, tail=frame.head["tail"])


def _spilled(path: Path, kind: str, size: int) -> bytes:
    if not size:
        return b""
    file = path.with_name(path.name + kind)
    data = file.read_bytes()
    file.unlink()  # five hundred of them would fill a disk before the job is over
    return data


def _ending(task: Task, device: Device, ran: _Ran) -> tuple[Status, str]:
    change = task.job.risk is Risk.CHANGE
    if not ran.connected:
        if change:
            return Status.UNKNOWN, "the connection broke half-way; it may still be running there"
        return Status.FAILED, "the connection broke half-way"
    if not ran.accepted:
        return Status.FAILED, "the device takes the login but no command this way (SSH exec)"
    if device.platform not in POSIX:
        return _cli_ending(ran, change=change)
    if ran.exit_code is None:
        return Status.FAILED, "ended without an exit code: killed by a signal"
    if ran.exit_code:
        return Status.FAILED, last_line(ran.tail.encode()) or f"exit code {ran.exit_code}"
    return _good(change=change), first_line(ran.out_head) or first_line(ran.output)


def _good(*, change: bool) -> Status:
    return Status.CHANGED if change else Status.OK


def _cli_ending(ran: _Ran, *, change: bool) -> tuple[Status, str]:
    """Judge by the text too: many network CLIs know no exit codes, or always say 0."""
    if error := _CLI_ERROR.search(ran.out_head):
        return Status.FAILED, one_line(error.group())
    if ran.exit_code:
        return Status.FAILED, last_line(ran.tail.encode()) or f"exit code {ran.exit_code}"
    return _good(change=change), first_line(ran.out_head) or first_line(ran.output)
