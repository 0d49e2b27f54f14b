"""The system's own tools, read line by line while they run, and stopped together."""

from __future__ import annotations

import os
import select
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from automation_bots.processes.group import NOTHING, PIPE, WITH_OUTPUT, ProcessGroup, Program

_LIMIT = 100_000  # bytes that are read of one tool; more is no answer any more
_ENVIRONMENT = {"LC_ALL": "C"}  # what is printed is read by us, so it has to be in English


def find_tool(name: str) -> str | None:
    """Return the path of a tool; a service's PATH often lacks the folders for administrators."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")


@dataclass(frozen=True, slots=True)
class Printed:
    """What a tool left behind."""

    code: int
    text: str


def _ignored(_line: str) -> None:
    """Stand in where nobody listens."""


class Tools:
    """The tools that run now."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._lock = threading.Lock()
        self._running: set[ProcessGroup] = set()
        self._stopped = False

    def stop(self) -> None:
        """Kill what runs, and let nothing more start."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.signal(signal.SIGKILL)

    def run(self, argv: list[str], heard: Callable[[str], None] = _ignored) -> Printed | None:
        """Run one tool to its end, telling each line as it comes; None when it was stopped, or the time is over."""
        process = self._start(argv)
        if process is None:
            return None
        lines = []
        try:
            with process:
                for line in self._lines(process):
                    lines.append(line)
                    heard(line)
                process.ended(self._deadline - time.monotonic())
        finally:
            with self._lock:
                self._running.discard(process)
        over = self._stopped or time.monotonic() >= self._deadline
        return None if over else Printed(process.end() or 0, "\n".join(lines))

    def _start(self, argv: list[str]) -> ProcessGroup | None:
        with self._lock:
            if self._stopped:
                return None
            process = ProcessGroup(Program(command=argv, environment=_ENVIRONMENT), NOTHING, PIPE, WITH_OUTPUT)
            self._running.add(process)
            return process

    def _lines(self, process: ProcessGroup) -> Iterator[str]:
        rest, total = b"", 0
        while total < _LIMIT and (chunk := self._chunk(process)):
            total += len(chunk)
            *whole, rest = (rest + chunk).split(b"\n")
            yield from (line.decode("utf-8", "replace") for line in whole)
        if total >= _LIMIT:
            process.signal(signal.SIGKILL)
        if rest:
            yield rest.decode("utf-8", "replace")

    def _chunk(self, process: ProcessGroup) -> bytes:
        """Return what came; nothing at the end of the tool, or of the time."""
        waiting = select.poll()
        waiting.register(process.stdout, select.POLLIN)
        left = max(0.0, self._deadline - time.monotonic())
        return os.read(process.stdout.fileno(), 65536) if waiting.poll(left * 1000) else b""
