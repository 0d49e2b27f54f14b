"""One command of this machine: what it prints within limits, sudo answered, its whole process group ended in time."""

from __future__ import annotations

import contextlib
import os
import selectors
import time
from dataclasses import dataclass

from automation_bots.drivers import Task
from automation_bots.drivers.output import Capped
from automation_bots.drivers.stopped import is_over
from automation_bots.drivers.sudo import Becoming
from automation_bots.processes import marked, own
from automation_bots.processes.group import PIPE, ProcessGroup, Program

_CHUNK = 65_536
_LOOK_SECONDS = 0.05
_GRACE_SECONDS = 2.0  # between asking for the end and making it
_FLOOD = 4_000_000  # bytes beyond the limit between two rests, so that a flooding command leaves time for the bot
_REST = 0.05
_PROMPT_SECONDS = 10.0  # after which sudo is taken to want no password


@dataclass(slots=True)
class Ran:
    """How it ended; no code: nobody could end it, as where sudo made it another user's."""

    out: Capped
    err: Capped
    code: int | None = None
    stopped: bool = False
    asked: int = 0  # how often sudo wanted a password
    seconds: float = 0.0


def ran(program: Program, how: Becoming, task: Task, limit: int) -> Ran:
    """Run it until it ends or the task is over; OSError: it cannot be started."""
    began = time.monotonic()
    end = Ran(Capped(limit), Capped(limit))
    with ProcessGroup(program, PIPE, PIPE, PIPE) as group, contextlib.closing(_Talk(group, how, end)) as talk:
        end.stopped = not talk.until_over(task)
        end.code = group.end(_GRACE_SECONDS if end.stopped else 0)
        if end.stopped:
            marked.end_all(f"\0{own.RUN_FOLDER}={program.environment[own.RUN_FOLDER]}", grace_seconds=0)
            talk.rest()
    end.seconds = time.monotonic() - began
    return end


class _Talk:
    """Reads both streams of a command as they come, and gives sudo its password when it asks."""

    def __init__(self, group: ProcessGroup, how: Becoming, end: Ran) -> None:
        self._group, self._how, self._end = group, how, end
        self._prompt = how.prompt.encode()
        self._rested = 0
        self._silent_until = time.monotonic() + _PROMPT_SECONDS
        self._open = selectors.DefaultSelector()
        for stream, kept in ((group.stdout, end.out), (group.stderr, end.err)):
            os.set_blocking(stream.fileno(), False)
            self._open.register(stream.fileno(), selectors.EVENT_READ, kept)
        if not self._prompt:
            self._end_input()

    def until_over(self, task: Task) -> bool:
        """Read until the command has ended; False: the task was over before."""
        while not is_over(task):
            over = self._group.ended()  # before reading: what it printed last is read all the same
            if not self._read(0 if over else _LOOK_SECONDS) and over:
                return True  # who inherited a pipe keeps nobody waiting
            if self._prompt and time.monotonic() > self._silent_until:
                self._end_input()
        return False

    def rest(self) -> None:
        """Read what is there already; who inherited a pipe may print without end."""
        end = time.monotonic() + _LOOK_SECONDS
        while self._read(0) and time.monotonic() < end:
            pass

    def close(self) -> None:
        """Look at nothing any more."""
        self._open.close()

    def _read(self, seconds: float) -> bool:
        """Take what comes within the time; whether anything did. Without a pipe left, only wait for the end."""
        if not self._open.get_map():
            self._group.ended(seconds)
            return False
        found = False
        for key, _ in self._open.select(seconds):
            data = os.read(key.fd, _CHUNK)
            found = found or bool(data)
            if data:
                self._take(key.data, data)
            else:
                self._open.unregister(key.fd)
        return found

    def _take(self, kept: Capped, data: bytes) -> None:
        kept.add(data)
        if kept.total - kept.limit > self._rested + _FLOOD:
            self._rested = kept.total - kept.limit
            time.sleep(_REST)
        if not self._prompt:
            return
        if self._prompt in kept.head:
            kept.drop(self._prompt)
            self._end.asked += 1
            if self._end.asked == 1:
                self._group.send(self._how.password.encode() + b"\n")
            self._end_input()
        elif kept is self._end.out:  # the command itself runs, so sudo wants no password
            self._end_input()

    def _end_input(self) -> None:
        if not self._group.stdin.closed:
            with contextlib.suppress(OSError):
                self._group.stdin.close()
