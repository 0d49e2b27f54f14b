"""Processes known by what stands in their environment or command line, wherever they went (Linux: /proc).

A program's workers may lead sessions of their own, and those of a killed bot have another parent: then neither process
groups nor parents tell what belongs together, and a mark that each inherits does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator

GRACE_SECONDS = 5.0


def end_all(*marks: str, grace_seconds: float = GRACE_SECONDS) -> int:
    """Ask all that bear a mark to end, kill those that have not after the grace; returns how many there were."""
    deadline = time.monotonic() + grace_seconds
    asked: set[int] = set()
    while left := set(find(*marks)):
        late = time.monotonic() > deadline
        for pid in left if late else left - asked:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL if late else signal.SIGTERM)
        asked |= left
        if time.monotonic() > deadline + grace_seconds:
            break  # beyond our rights, or stuck in the kernel
        time.sleep(0.02)
    return len(asked)


def find(*marks: str) -> Iterator[int]:
    """Yield the processes that bear a mark; one that begins with a NUL is a whole variable's beginning."""
    wanted = tuple(os.fsencode(mark) for mark in marks)
    for entry in os.scandir("/proc"):
        if entry.name.isdigit() and (
            _holds(f"{entry.path}/environ", wanted) or _holds(f"{entry.path}/cmdline", wanted)
        ):
            yield int(entry.name)


def _holds(path: str, wanted: tuple[bytes, ...]) -> bool:
    try:
        with open(path, "rb") as stream:  # noqa: PTH123 - 3 times faster than Path
            words = b"\0" + stream.read()
    except OSError:  # somebody else's, or gone while we look
        return False
    return any(mark in words for mark in wanted)
