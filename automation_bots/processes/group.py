"""A child that leads a session and process group of its own, and the certain end of that whole group."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self, cast

_LOOK_SECONDS = 0.05
_STUCK_SECONDS = 5.0

File = IO[bytes] | int | None
PIPE, NOTHING, WITH_OUTPUT = subprocess.PIPE, subprocess.DEVNULL, subprocess.STDOUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to start, always as an argument list: no shell reads it."""

    command: Sequence[str]
    environment: Mapping[str, str]  # all of it: the bot's own holds tokens
    folder: Path | None = None
    umask: int = -1
    handed: Sequence[int] = ()  # files beside the first three that stay open in the child, under the same numbers


class ProcessGroup:
    """A running child with whatever it starts; leaving the `with` block leaves nothing of it behind.

    The session of its own keeps a Ctrl-C at the bot's terminal from it, and it finds no terminal to ask on.
    """

    def __init__(self, program: Program, stdin: File = NOTHING, stdout: File = NOTHING, stderr: File = NOTHING) -> None:
        self._lock = threading.Lock()
        self._process = subprocess.Popen(  # noqa: S603 - an argument list; who calls says what may stand in it
            [*program.command],
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=dict(program.environment),
            cwd=program.folder,
            umask=program.umask,
            pass_fds=program.handed,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._pipes = (self._process.stdin, self._process.stdout, self._process.stderr)
        # where a pipe was asked for; whoever did not has no business with it
        self.stdin, self.stdout, self.stderr = (cast("IO[bytes]", pipe) for pipe in self._pipes)

    def send(self, data: bytes) -> None:
        """Write to the child; that it died meanwhile is noticed when reading."""
        with contextlib.suppress(BrokenPipeError):
            self.stdin.write(data)
            self.stdin.flush()

    def ended(self, seconds: float = 0.0) -> bool:
        """Whether the child has ended, at most so long from now; its number is not given away before `end`."""
        end, pause = time.monotonic() + seconds, 0.0005
        while not (over := self._is_over()) and time.monotonic() < end:
            time.sleep(pause)
            pause = min(2 * pause, _LOOK_SECONDS)
        return over

    def _is_over(self) -> bool:
        with self._lock:
            if self._process.returncode is not None:
                return True
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the whole group."""
        with self._lock:
            if self._process.returncode is None:  # not reaped: the number is still this child's
                with contextlib.suppress(ProcessLookupError, PermissionError):  # gone, or sudo's
                    os.killpg(self.pid, number)

    def end(self, grace_seconds: float = 0.0) -> int | None:
        """End the group, asking first where there is grace; return the child's exit code, negative for a signal."""
        if grace_seconds:
            self.signal(signal.SIGTERM)
            self.ended(grace_seconds)
        self.signal(signal.SIGKILL)
        if not self.ended(_STUCK_SECONDS):  # stuck in the kernel: nobody can end it sooner
            return None
        with self._lock:
            return self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> int | None:
        """End the group and close the pipes; return the exit code."""
        code = self.end()
        for pipe in filter(None, self._pipes):
            with contextlib.suppress(OSError):
                pipe.close()
        return code
