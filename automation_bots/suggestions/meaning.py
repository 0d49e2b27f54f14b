"""Sentences compared by meaning, in a child that starts with the first question and ends when nobody asks any more."""

from __future__ import annotations

import json
import logging
import os
import select
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from automation_bots.processes import own
from automation_bots.processes.group import NOTHING, PIPE, ProcessGroup, Program

log = logging.getLogger(__name__)
_START_SECONDS = 20.0  # for the model, on a busy machine
_ANSWER_SECONDS = 3.0
_IDLE_SECONDS = 900.0
_CHILD = Path(__file__).with_name("meaning_child.py")
_LONGEST = 1_000_000  # bytes of an answer


class Meaning:
    """One child for all who ask, one question at a time; without it nobody waits, and nothing is suggested."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._group: ProcessGroup | None = None
        self._known: Mapping[str, Sequence[str]] = {}
        self._timer: threading.Timer | None = None

    def nearest(self, question: str, entries: Mapping[str, Sequence[str]]) -> list[tuple[str, float]]:
        """Return (command, how near one of its texts is, at most 1), the nearest first; none: I cannot say."""
        with self._lock:
            try:
                return self._asked(question, entries)
            except (OSError, ValueError) as error:
                log.warning("a question could not be compared by meaning: %s", error)
                self._end()
                return []

    @property
    def megabytes(self) -> float:
        """How much memory the child takes; 0 while there is none."""
        with self._lock:
            if self._group is None or self._group.ended():
                return 0.0
            status = Path(f"/proc/{self._group.pid}/status").read_text()
        return next(int(line.split()[1]) / 1_000 for line in status.splitlines() if line.startswith("VmRSS"))

    def stop(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _asked(self, question: str, entries: Mapping[str, Sequence[str]]) -> list[tuple[str, float]]:
        seconds = _ANSWER_SECONDS
        if self._group is None or self._group.ended():
            self._end()
            self._group, seconds = _started(), _START_SECONDS
        message: dict[str, object] = {"question": question}
        if entries != self._known:
            message["entries"] = {name: list(texts) for name, texts in entries.items()}
        self._group.send(json.dumps(message).encode() + b"\n")
        found = json.loads(_line(self._group, seconds))
        self._known = entries
        self._later()
        return [(str(name), float(fit)) for name, fit in found]

    def _later(self) -> None:
        """End it when nobody has asked for a while."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(_IDLE_SECONDS, self.stop)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._group is not None:
            self._group.end()
            self._group, self._known = None, {}


def _started() -> ProcessGroup:
    wanted = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "HOME") if name in os.environ}
    environment = {**wanted, **own.python_path(), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return ProcessGroup(Program(command=[sys.executable, str(_CHILD)], environment=environment), PIPE, PIPE, NOTHING)


def _line(group: ProcessGroup, seconds: float) -> bytes:
    """Read one line, within so long."""
    end, found, source = time.monotonic() + seconds, bytearray(), group.stdout.fileno()
    while not found.endswith(b"\n"):
        if not select.select([source], [], [], max(0.0, end - time.monotonic()))[0]:
            raise TimeoutError("it took too long")
        part = os.read(source, 65_536)
        if not part or len(found) > _LONGEST:
            raise OSError("the process that compares has ended")
        found += part
    return bytes(found)
