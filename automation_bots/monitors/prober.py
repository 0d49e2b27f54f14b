"""The process that probes for all monitors: begun with the first probe, again when it dies; its lateness is known."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from automation_bots.errors import DriverError, in_words
from automation_bots.model import one_line
from automation_bots.processes.group import PIPE, ProcessGroup, Program
from automation_bots.processes.own import ROOT, inherited
from automation_bots.sweep.probes import Look, Probe, looks_of, order

log = logging.getLogger(__name__)
_START = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from automation_bots.sweep.steady import main; main()"
# A name server that is away must not cost half a minute a name.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "RES_OPTIONS": "timeout:1 attempts:2"}
_INHERITED = "SSL_CERT_.*"
_KEPT = 20_000  # of how many of the last probes the lateness is kept
_JOIN_SECONDS = 5.0
_SPREAD_PER_SECOND = 500.0  # many that are new begin one after the other


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late the last probes left, in milliseconds: a prober that cannot keep up tells nothing true."""

    probes: int = 0
    median: float = 0.0
    p99: float = 0.0
    worst: float = 0.0


class Prober:
    """Hands looks to `told`, which is called in a thread of its own and must not wait."""

    def __init__(self, told: Callable[[Sequence[Look]], None], through: tuple[str, ...] = ()) -> None:
        self._told, self._through = told, through
        self._probes: dict[int, Probe] = {}
        self._lock = threading.Lock()
        self._group: ProcessGroup | None = None
        self._reader: threading.Thread | None = None
        self._late: deque[float] = deque(maxlen=_KEPT)
        self.starts = 0

    def watch(self, probes: Collection[Probe]) -> None:
        """Begin with these; many at once begin one after the other, spread over their interval."""
        with self._lock:
            fresh = [replace(probe, begin=begin) for probe, begin in _spread(probes)]
            self._probes.update({probe.number: probe for probe in fresh})
            self._send(fresh, ())

    def leave(self, numbers: Collection[int]) -> None:
        """End these."""
        with self._lock:
            known = [number for number in numbers if self._probes.pop(number, None)]
            if known and self._group is not None:
                self._send((), known)
            if not self._probes:
                self._end()

    def look_after(self) -> str:
        """Begin the process again when it died; return what it said last, or nothing when all is well."""
        with self._lock:
            if self._group is None or not self._group.ended():
                return ""
            words = self._end()
            log.error("the prober ended: %s", words or "no reason given")
            self._send([replace(probe, begin=begin) for probe, begin in _spread(self._probes.values())], ())
            return words or "it ended"

    @property
    def lateness(self) -> Lateness:
        """How late the last probes left."""
        late = sorted(self._late.copy())
        if not late:
            return Lateness()
        return Lateness(len(late), late[len(late) // 2], late[int(len(late) * 0.99)], late[-1])

    @property
    def pid(self) -> int:
        """The process; 0 while there is none."""
        return self._group.pid if self._group else 0

    @property
    def count(self) -> int:
        """How many targets are probed."""
        return len(self._probes)

    def stop(self) -> None:
        """End the process."""
        with self._lock:
            self._probes.clear()
            self._end()

    def _send(self, add: Collection[Probe], drop: Collection[int]) -> None:
        if self._group is None:
            if not add:
                return
            self._begin()
        try:
            self._group.send(order(add, drop))  # type: ignore[union-attr]
        except OSError as error:  # it died: it is begun again with all of them
            log.warning("the prober does not listen: %s", error)

    def _begin(self) -> None:
        command = (*self._through, sys.executable, "-I", "-S", "-c", _START)
        environment: Mapping[str, str] = {**inherited(_INHERITED), **_ENVIRONMENT}
        try:
            self._group = group = ProcessGroup(Program(command=command, environment=environment), PIPE, PIPE, PIPE)
        except OSError as error:
            raise DriverError(f"the prober could not be started: {in_words(error)}") from error
        self.starts += 1
        self._reader = threading.Thread(target=self._read, args=(group,), name="prober", daemon=True)
        self._reader.start()

    def _read(self, group: ProcessGroup) -> None:
        for line in group.stdout:
            if not line.endswith(b"\n"):
                return
            looks = looks_of(line)
            self._late.extend(look[2] for look in looks)
            self._told(looks)

    def _end(self) -> str:
        group, self._group = self._group, None
        if group is None:
            return ""
        group.signal(signal.SIGKILL)
        group.end()
        if self._reader is not None:
            self._reader.join(_JOIN_SECONDS)
        lines = group.stderr.read().decode(errors="replace").strip().splitlines()
        group.close()
        return one_line(lines[-1]) if lines else ""


def _spread(probes: Collection[Probe]) -> list[tuple[Probe, float]]:
    """When each begins: a few at once, many over as much of their interval as it takes."""
    count = max(1, len(probes))
    return [
        (probe, number / count * min(probe.interval, count / _SPREAD_PER_SECOND)) for number, probe in enumerate(probes)
    ]
