"""The worker processes that sweep: started when one is needed, one kept for the next time."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from automation_bots.errors import DriverError
from automation_bots.model import one_line
from automation_bots.sweep.plan import Plan, Row, rows_of

_ROOT = str(Path(__file__).resolve().parents[3])
_START = f"import sys; sys.path.insert(0, {_ROOT!r}); from automation_bots.sweep.worker import main; main()"
# A name server that is away must not cost half a minute a name.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "RES_OPTIONS": "timeout:1 attempts:2"}


class Worker:
    """One process; it ends by itself when this one does."""

    def __init__(self, through: tuple[str, ...] = ()) -> None:
        self._killed = False
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and program
                [*through, sys.executable, "-I", "-S", "-c", _START],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=_ENVIRONMENT,
                start_new_session=True,  # a Ctrl-C in the bot's terminal is the bot's matter
            )
        except OSError as error:
            raise DriverError(f"the sweep could not be started: {error.strerror or error}") from error

    @property
    def alive(self) -> bool:
        """Whether it can take another plan."""
        return not self._killed and self._process.poll() is None

    def sweep(self, plan: Plan) -> Iterator[list[Row]]:
        """Run a plan; yield results as they come. It ends early when the process is killed."""
        assert self._process.stdin is not None  # noqa: S101 - pipes were asked for
        assert self._process.stdout is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(plan.line())
            self._process.stdin.flush()
        for line in self._process.stdout:
            if not line.endswith(b"\n"):
                return
            if not (rows := rows_of(line)):
                return
            yield rows

    def kill(self) -> None:
        """End it at once."""
        self._killed = True
        self._process.kill()

    def close(self) -> str:
        """Wait for its end, and return its last words."""
        self._process.kill()
        _, errors = self._process.communicate()
        lines = errors.decode(errors="replace").strip().splitlines()
        return one_line(lines[-1]) if lines else ""


class Workers:
    """Lends workers out; the one that is kept spares the next sweep a start."""

    def __init__(self, through: tuple[str, ...] = ()) -> None:
        self._through = through
        self._lock = threading.Lock()
        self._kept: Worker | None = None

    @contextlib.contextmanager
    def one(self) -> Iterator[Worker]:
        """Lend one out. After an exception, or when it was killed, it does not come back."""
        worker, fine = self._take(), False
        try:
            yield worker
            fine = True
        finally:
            if not (fine and self._keep(worker)):
                worker.close()

    def _take(self) -> Worker:
        with self._lock:
            kept, self._kept = self._kept, None
        if kept is not None and kept.alive:
            return kept
        if kept is not None:
            kept.close()
        return Worker(self._through)

    def _keep(self, worker: Worker) -> bool:
        with self._lock:
            if self._kept is not None or not worker.alive:
                return False
            self._kept = worker
            return True
