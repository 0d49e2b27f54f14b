"""Clicks that come before it is known what they answer: looked at again, until it is known or nothing is asked."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)
_MOST = 200  # clicks that are kept at a time
_PAUSE_SECONDS = 0.2


class Early:
    """Does a few things again a moment later; one thread, while there is something to do."""

    def __init__(self) -> None:
        self._kept: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self._lives = False

    def keep(self, again: Callable[[], None]) -> bool:
        """Have it called once more, soon; False where too many wait already."""
        with self._lock:
            if len(self._kept) >= _MOST:
                return False
            self._kept.append(again)
            if not self._lives:
                self._lives = True
                threading.Thread(target=self._look, name="early", daemon=True).start()
        return True

    def _look(self) -> None:
        while kept := self._taken():
            for again in kept:
                try:
                    again()
                except ValueError:  # Errbot's pool is closed: the bot ends
                    log.info("a click came too late")

    def _taken(self) -> list[Callable[[], None]]:
        time.sleep(_PAUSE_SECONDS)
        with self._lock:
            kept, self._kept = self._kept, []
            self._lives = bool(kept)
        return kept
