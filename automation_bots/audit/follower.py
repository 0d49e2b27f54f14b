"""A thread that follows the record: copies of it are made beside the bot, never in its way."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from automation_bots.store.audit import AuditRow

log = logging.getLogger(__name__)
RETRY_SECONDS = 5.0  # also how soon rows are copied that another process wrote
_PAUSE_SECONDS = 1.0  # after a failure, else every commit would try the full disk again


class AuditSource(Protocol):
    """Where the rows come from: the store."""

    def audit_after(self, seq: int, limit: int = 500) -> list[AuditRow]:
        """Return the rows that follow one, oldest first."""

    def audit_head(self) -> tuple[int, str]:
        """Return number and hash of the newest row."""

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call this after every write."""


class Follower:
    """Copies new rows until `close`; a copy says what `catch_up` does and `forget` takes back after a failure."""

    copies = "a copy of the record"  # what the log calls it

    def __init__(self) -> None:
        self._wake, self._stop = threading.Event(), threading.Event()
        self._failing = False
        self._thread: threading.Thread | None = None

    def catch_up(self, source: AuditSource) -> int:
        """Copy the rows that the copy lacks; return the number of the last one in it."""
        raise NotImplementedError

    def forget(self) -> None:
        """Drop what a failure may have made untrue."""
        raise NotImplementedError

    def follow(self, source: AuditSource) -> None:
        """Copy what is missing, then every new row, until `close`."""
        source.on_commit(self._wake.set)
        self._wake.set()
        self._thread = threading.Thread(target=self._run, args=(source,), name="copy", daemon=True)
        self._thread.start()

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Copy what is there, then end; before the store is closed."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds)

    def _run(self, source: AuditSource) -> None:
        while not self._stop.is_set():
            self._wake.wait(RETRY_SECONDS)
            self._wake.clear()
            self._try(source)
            if self._failing:
                self._stop.wait(_PAUSE_SECONDS)
        self._try(source)

    def _try(self, source: AuditSource) -> None:
        try:
            self.catch_up(source)
        except Exception as error:  # noqa: BLE001  # a copy must never end or disturb the bot, whatever happens to it
            self.forget()
            if not self._failing:
                log.warning("%s waits, the record itself goes on: %s", self.copies, error)
            self._failing = True
        else:
            if self._failing:
                log.warning("%s is complete again", self.copies)
            self._failing = False
