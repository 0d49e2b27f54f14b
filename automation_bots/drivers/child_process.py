"""One child process of the Python driver: its messages, what it prints, and the end of its whole process group."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from automation_bots.errors import DriverError

_CHUNK = 65_536
_CHUNKS = 16  # as much as a pipe can hold; a command that prints without end must not keep us reading without end

Message = dict[str, Any]


def cut_mark(limit: int) -> str:
    """Return the line that stands where output was cut."""
    for unit, factor in (("MB", 1_000_000), ("kB", 1_000)):
        if limit >= factor:
            return f"\n[output cut at {limit / factor:.3g} {unit}]"
    return f"\n[output cut at {limit} bytes]"


class Printed:
    """What the child prints, bounded: the rest is read and thrown away, so that the child never blocks."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._cut = False
        self._torn = False  # what comes next belongs to a line whose beginning was thrown away

    def add(self, data: bytes) -> None:
        """Keep as much as the limit allows."""
        if self._torn and not self._cut:
            _, end, data = data.partition(b"\n")
            self._torn = not end
        room = self._limit - len(self._kept)
        self._kept += data[:room]
        self._cut = self._cut or len(data) > room
        if self._cut and data:
            self._torn = not data.endswith(b"\n")

    def take(self, *, last: bool = True) -> str:
        """Return what was printed since the last call, with a mark where it was cut.

        What is not the last ends with a whole line: half of one could be half of a secret, which nobody would know.
        """
        size = len(self._kept) if last or self._cut else self._kept.rfind(b"\n") + 1
        text = self._kept[:size].decode(errors="replace")
        mark = cut_mark(self._limit) if self._cut else ""
        self._kept, self._cut = self._kept[size:], False
        return text + mark


class Child:
    """A running child in a process group of its own; leaving the `with` block leaves nothing of it behind."""

    def __init__(self, command: Sequence[str], *, folder: Path, environment: Mapping[str, str], limit: int) -> None:
        self.printed = Printed(limit)
        self._limit = 12 * limit + _CHUNK  # a character takes at most 12 bytes of JSON
        self._pending = bytearray()
        self._reports, theirs = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
                [*command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=dict(environment),
                pass_fds=(theirs,),
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._reports)
            raise DriverError(f"Python could not be started: {error.strerror or error}") from error
        finally:
            os.close(theirs)
        self.report_fd = theirs  # the same number inside the child
        self._selector = selectors.DefaultSelector()
        for fd in (self._reports, self._output):
            os.set_blocking(fd, False)
            self._selector.register(fd, selectors.EVENT_READ)

    @property
    def _output(self) -> int:
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        return self._process.stdout.fileno()

    def send(self, data: bytes) -> None:
        """Write to the child; one that died meanwhile is noticed elsewhere."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe was asked for
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def message(self, seconds: float) -> Message | None:
        """Wait at most so long for the next message, keeping what is printed before it."""
        ready = {key.fd for key, _ in self._selector.select(max(0.0, seconds))}
        found = self._read_message() if self._reports in ready else None
        self._read_output()
        return found

    def _read_message(self) -> Message | None:
        data = self._read(self._reports)
        self._pending += data
        if len(self._pending) > self._limit:
            raise DriverError("the command's messages are too long; did it write to a pipe that is not its own?")
        if not data.endswith(b"\n"):
            return None
        line, self._pending = bytes(self._pending), bytearray()
        try:
            message = json.loads(line)
        except ValueError:
            return None
        return message if isinstance(message, dict) else None

    def _read_output(self) -> None:
        for _ in range(_CHUNKS):
            data = self._read(self._output) if self._output in self._selector.get_map() else b""
            if not data:
                return
            self.printed.add(data)

    def _read(self, fd: int) -> bytes:
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return b""
        if not data:
            self._selector.unregister(fd)
        return data

    def ended(self) -> bool:
        """Return whether the child has ended; it stays a zombie, so that its number is not given away yet."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def silent(self) -> bool:
        """Return whether nobody, grandchildren included, can print any more."""
        return self._output not in self._selector.get_map()

    def terminate(self) -> None:
        """Ask the whole group to end."""
        self._signal(signal.SIGTERM)

    def close(self) -> int | None:
        """Kill what is left of the group and return the child's exit code, negative for a signal."""
        self._signal(signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):  # stuck in the kernel: nobody can end it sooner
            self._process.wait(timeout=5)
        self._read_output()
        return self._process.returncode

    def _signal(self, number: signal.Signals) -> None:
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or sudo's
                os.killpg(self._process.pid, number)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
        self._selector.close()
        os.close(self._reports)
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()
