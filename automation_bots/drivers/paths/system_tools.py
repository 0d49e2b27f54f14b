"""The system's own tools, read line by line while they run, and stopped together."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def stop(self) -> None:
        """Kill what runs, and let nothing more start."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.kill()

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
        finally:
            with self._lock:
                self._running.discard(process)
        over = self._stopped or time.monotonic() >= self._deadline
        return None if over else Printed(process.returncode, "\n".join(lines))

    def _start(self, argv: list[str]) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopped:
                return None
            process = subprocess.Popen(  # noqa: S603 - an argument list, with the address after `--`
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=_ENVIRONMENT,
            )
            self._running.add(process)
            return process

    def _lines(self, process: subprocess.Popen[bytes]) -> Iterator[str]:
        rest, total = b"", 0
        try:
            while (chunk := self._chunk(process)) and total < _LIMIT:
                total += len(chunk)
                *whole, rest = (rest + chunk).split(b"\n")
                yield from (line.decode("utf-8", "replace") for line in whole)
        finally:
            if process.poll() is None and (total >= _LIMIT or time.monotonic() >= self._deadline):
                process.kill()
        if rest:
            yield rest.decode("utf-8", "replace")

    def _chunk(self, process: subprocess.Popen[bytes]) -> bytes:
        """Return what came; nothing at the end of the tool, or of the time."""
        if process.stdout is None:
            return b""
        waiting = select.poll()
        waiting.register(process.stdout, select.POLLIN)
        left = max(0.0, self._deadline - time.monotonic())
        return os.read(process.stdout.fileno(), 65536) if waiting.poll(left * 1000) else b""
