"""The worker processes that sweep: started when one is needed, one kept for the next time."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator

from automation_bots.errors import DriverError, in_words
from automation_bots.model import one_line
from automation_bots.processes.group import PIPE, ProcessGroup, Program
from automation_bots.processes.own import ROOT
from automation_bots.sweep.plan import Plan, Row, rows_of

_START = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from automation_bots.sweep.worker import main; main()"
# A name server that is away must not cost half a minute a name.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "RES_OPTIONS": "timeout:1 attempts:2"}


class Worker:
    """One process; it ends by itself when this one does."""

    def __init__(self, through: tuple[str, ...] = ()) -> None:
        self._killed = False
        command = (*through, sys.executable, "-I", "-S", "-c", _START)
        try:
            self._group = ProcessGroup(Program(command=command, environment=_ENVIRONMENT), PIPE, PIPE, PIPE)
        except OSError as error:
            raise DriverError(f"the sweep could not be started: {in_words(error)}") from error

    @property
    def alive(self) -> bool:
        """Whether it can take another plan."""
        return not self._killed and not self._group.ended()

    def sweep(self, plan: Plan) -> Iterator[list[Row]]:
        """Begin with a plan; results come as they are read. It ends early when the process is killed."""
        self._group.send(plan.line())
        return self._results(plan)

    def _results(self, plan: Plan) -> Iterator[list[Row]]:
        for line in self._group.stdout:
            if not line.endswith(b"\n"):
                return
            if not (rows := rows_of(line, plan.hosts)):
                return
            yield rows

    def kill(self) -> None:
        """End it at once."""
        self._killed = True
        self._group.signal(signal.SIGKILL)

    def close(self) -> str:
        """Wait for its end, and return its last words."""
        self._group.end()
        lines = self._group.stderr.read().decode(errors="replace").strip().splitlines()
        self._group.close()
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
