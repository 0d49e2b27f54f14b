"""A thread that follows the record: copies of it are made beside the bot, never in its way."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from automation_bots.store.audit import AuditRow
from automation_bots.threads.loop import Loop

RETRY_SECONDS = 5.0  # also how soon rows are copied that another process wrote


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
        self._loop: Loop | None = None

    def catch_up(self, source: AuditSource) -> int:
        """Copy the rows that the copy lacks; return the number of the last one in it."""
        raise NotImplementedError

    def forget(self) -> None:
        """Drop what a failure may have made untrue."""
        raise NotImplementedError

    def follow(self, source: AuditSource) -> None:
        """Copy what is missing, then every new row, until `close`."""
        self._loop = Loop(self.copies, partial(self._copy, source), last=True)
        source.on_commit(self._loop.wake)
        self._loop.start()

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Copy what is there, then end; before the store is closed."""
        if self._loop is not None:
            self._loop.stop(timeout_seconds)

    def _copy(self, source: AuditSource) -> float:
        try:
            self.catch_up(source)
        except Exception:
            self.forget()
            raise
        return RETRY_SECONDS
