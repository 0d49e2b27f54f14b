"""What has to be done once a day: forgetting the details of old jobs."""

from __future__ import annotations

import logging
import threading

from automation_bots.errors import StoreError
from automation_bots.store import Store

log = logging.getLogger(__name__)
_FIRST_SECONDS = 600.0  # not while everybody waits for the start
_DAY_SECONDS = 86_400.0


class Chores:
    """One thread that sleeps most of the time."""

    def __init__(self, store: Store, keep_days: int) -> None:
        self._store, self._keep_days = store, keep_days
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="chores", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()

    def _loop(self) -> None:
        wait = _FIRST_SECONDS
        while not self._stopping.wait(wait):
            wait = _DAY_SECONDS
            try:
                log.info("old jobs forgotten: %s", self._store.prune(self._keep_days))
            except StoreError:
                log.exception("old jobs could not be forgotten; next try in a day")
