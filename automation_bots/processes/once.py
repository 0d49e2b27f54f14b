"""Run one program to its end: what it is given, what it prints, how long it may take and how much it may print."""

from __future__ import annotations

import math
import os
import selectors
import signal
import time
from dataclasses import dataclass
from typing import IO

from automation_bots.processes.group import NOTHING, PIPE, WITH_OUTPUT, ProcessGroup, Program

_CHUNK = 65_536
_LOOK_SECONDS = 0.1


class TooMuchPrinted(OSError):
    """A program printed more than it may."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: its exit code, negative for a signal, and all that it printed."""

    code: int
    out: bytes
    err: bytes

    @property
    def last_line(self) -> str:
        """The last line of its complaints, which mostly says why."""
        lines = self.err.decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit status {self.code}"


def run(
    program: Program, given: bytes = b"", *, seconds: float = math.inf, most: float = math.inf, joined: bool = False
) -> Ended:
    """Run it and end whatever it started; OSError: it cannot be started, took too long (TimeoutError), or `most`.

    With `joined`, complaints stand in the output where they came.
    """
    with ProcessGroup(program, PIPE if given else NOTHING, PIPE, WITH_OUTPUT if joined else PIPE) as group:
        exchange = _Exchange(group, given, most, (group.stdout,) if joined else (group.stdout, group.stderr))
        exchange.until(time.monotonic() + seconds)
        if not group.ended(seconds):
            raise TimeoutError("it took too long")
        code = group.end()
        return Ended(-1 if code is None else code, *exchange.printed())


class _Exchange:
    """Writes what a child is given and keeps what it prints, both at once, so that neither waits for the other."""

    def __init__(self, group: ProcessGroup, given: bytes, most: float, outputs: tuple[IO[bytes], ...]) -> None:
        self._group, self._given, self._most = group, memoryview(given), most
        self._kept = {output.fileno(): bytearray() for output in outputs}
        self._open = selectors.DefaultSelector()
        for fd in self._kept:
            os.set_blocking(fd, False)
            self._open.register(fd, selectors.EVENT_READ)
        if given:
            os.set_blocking(group.stdin.fileno(), False)
            self._open.register(group.stdin.fileno(), selectors.EVENT_WRITE)

    def until(self, end: float) -> None:
        """Go on until all pipes are closed, or the child has ended: who inherited a pipe keeps nobody waiting."""
        with self._open:
            while self._open.get_map() and not self._step():
                if time.monotonic() >= end:
                    raise TimeoutError("it took too long")

    def _step(self) -> bool:
        if over := self._group.ended():  # before reading: what it printed last is read all the same
            self._group.signal(signal.SIGKILL)
        ready = self._open.select(0 if over else _LOOK_SECONDS)
        for key, events in ready:
            self._write(key.fd) if events & selectors.EVENT_WRITE else self._read(key.fd)
        return over and not ready

    def _write(self, fd: int) -> None:
        try:
            self._given = self._given[os.write(fd, self._given) :]
        except BrokenPipeError:
            self._given = self._given[:0]
        if not self._given:
            self._open.unregister(fd)
            self._group.stdin.close()

    def _read(self, fd: int) -> None:
        data = os.read(fd, _CHUNK)
        self._kept[fd] += data
        if not data:
            self._open.unregister(fd)
        if len(self._kept[fd]) > self._most:
            raise TooMuchPrinted("it printed too much")

    def printed(self) -> tuple[bytes, bytes]:
        """Return the output and the complaints."""
        out, *err = map(bytes, self._kept.values())
        return out, b"".join(err)
