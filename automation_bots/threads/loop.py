"""A thread that does one thing again and again: after a time, or as soon as it is told; no failure ends it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)
_AGAIN_SECONDS = (1.0, 2.0, 5.0)  # after failures, whoever wakes it: what is away would be asked with every event


class Loop:
    """Takes turns; `work` returns how long to wait for the next one, and `wake` ends the wait.

    `last`: one more turn before the end. Tests take turns without the thread, or give it a `wait` that is over at once.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], float],
        first_seconds: float = 0.0,
        *,
        last: bool = False,
        wait: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:
        self._name, self._work, self._seconds, self._last, self._wait = name, work, first_seconds, last, wait
        self._failures = 0
        self._logged: set[type[Exception]] = set()  # the kinds of failures since a turn went well
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; the first turn comes after the first seconds."""
        self._thread.start()

    def wake(self) -> None:
        """Let the next turn come now."""
        self._woken.set()

    def stop(self, seconds: float = 5.0) -> None:
        """Begin no other turn, and wait so long for the one that goes on now."""
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(seconds)

    def turn(self) -> bool:
        """Do the work once, in the thread that calls; whether it went well."""
        try:
            self._seconds = self._work()
        except Exception as error:  # noqa: BLE001 - whatever the work meets, what depends on this thread has to go on
            self._failed(error)
            return False
        if self._failures:
            log.warning("%s: goes on", self._name)
        self._failures, self._logged = 0, set()
        return True

    def _failed(self, error: Exception) -> None:
        level = logging.DEBUG if type(error) in self._logged else logging.ERROR
        log.log(level, "%s: failed, and is tried again: %s", self._name, error, exc_info=error)
        self._failures, self._logged = self._failures + 1, self._logged | {type(error)}

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._rest()
            self._woken.clear()
            if not self._stopping.is_set():
                self.turn()
        if self._last:
            self.turn()

    def _rest(self) -> None:
        if self._failures:
            self._wait(self._stopping, _AGAIN_SECONDS[min(self._failures, len(_AGAIN_SECONDS)) - 1])
        else:
            self._wait(self._woken, self._seconds)
