"""One child process of the Python driver: its messages, what it prints, and the end of its whole process group."""

from __future__ import annotations

import json
import os
import selectors
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from automation_bots.errors import DriverError, in_words
from automation_bots.processes.group import PIPE, WITH_OUTPUT, ProcessGroup, Program

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
    """A child that sends messages on a pipe of its own; leaving the `with` block leaves nothing of it behind."""

    def __init__(self, command: Sequence[str], *, folder: Path, environment: Mapping[str, str], limit: int) -> None:
        self.printed = Printed(limit)
        self._limit = 12 * limit + _CHUNK  # a character takes at most 12 bytes of JSON
        self._pending = bytearray()
        self._reports, theirs = os.pipe()
        program = Program(command=command, environment=environment, folder=folder, handed=(theirs,))
        try:
            self._group = ProcessGroup(program, PIPE, PIPE, WITH_OUTPUT)
        except OSError as error:
            os.close(self._reports)
            raise DriverError(f"Python could not be started: {in_words(error)}") from error
        finally:
            os.close(theirs)
        self.report_fd = theirs  # the same number inside the child
        self._output = self._group.stdout.fileno()
        self.send, self.ended = self._group.send, self._group.ended
        self._selector = selectors.DefaultSelector()
        for fd in (self._reports, self._output):
            os.set_blocking(fd, False)
            self._selector.register(fd, selectors.EVENT_READ)

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

    def silent(self) -> bool:
        """Return whether nobody, grandchildren included, can print any more."""
        return self._output not in self._selector.get_map()

    def terminate(self) -> None:
        """Ask the whole group to end."""
        self._group.signal(signal.SIGTERM)

    def close(self) -> int | None:
        """Kill what is left of the group and return the child's exit code, negative for a signal."""
        code = self._group.end()
        self._read_output()
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._selector.close()
        os.close(self._reports)
        self._group.close()
