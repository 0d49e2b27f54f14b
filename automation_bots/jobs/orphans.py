"""What a killed bot left on this machine: processes are ended and folders removed before anything new starts."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

_GRACE_SECONDS = 3.0
# Each process of a run or an installation has one of these in its environment, with a path inside its folder.
_NAMES = ("TMPDIR", "AUTOMATION_BOTS_DEVICES")


def clear(folder: Path) -> int:
    """Empty the folder of runs; returns how many processes had outlived their bot. Only for who has the data folder."""
    ended = end(folder)
    for run in folder.iterdir():
        shutil.rmtree(run, ignore_errors=True)
    return ended


def end(folder: Path) -> int:
    """End the processes that work inside a folder; returns how many there were."""
    return _end_all(tuple(f"{name}={folder}/".encode() for name in _NAMES))


def _end_all(marks: tuple[bytes, ...]) -> int:
    asked: set[int] = set()
    deadline = time.monotonic() + _GRACE_SECONDS
    while left := set(_processes(marks)):
        late = time.monotonic() > deadline
        for pid in left if late else left - asked:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        asked |= left
        if time.monotonic() > deadline + _GRACE_SECONDS:
            break  # beyond our rights, or stuck in the kernel
        time.sleep(0.02)
    return len(asked)


def _processes(marks: tuple[bytes, ...]) -> Iterator[int]:
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # somebody else's, or gone while we look
            if any(pair.startswith(marks) for pair in (entry / "environ").read_bytes().split(b"\0")):
                yield int(entry.name)
