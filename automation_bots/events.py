"""What happens, told inside the bot: publish and subscribe. A slow listener loses events, and knows how many."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from automation_bots.model import NOTHING

KEPT = 1_000  # events that wait for one listener


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, and what is known of it; never shown whole, since it may hold secrets."""

    source: str
    tag: str
    data: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    at: float = field(default_factory=time.time)


class Subscription:
    """The events that one listener has not read yet; at most `size`, the newest are dropped and counted."""

    def __init__(self, pattern: str, size: int) -> None:
        self.pattern = pattern
        self.dropped = 0
        self._waiting: queue.Queue[Event] = queue.Queue(size)

    def offer(self, event: Event) -> None:
        """Take an event that fits, without ever waiting."""
        if not fnmatchcase(event.tag, self.pattern):
            return
        try:
            self._waiting.put_nowait(event)
        except queue.Full:
            self.dropped += 1

    def next(self, seconds: float) -> Event | None:
        """Wait for an event; None when none came."""
        try:
            return self._waiting.get(timeout=max(0.001, seconds))
        except queue.Empty:
            return None


class Bus:
    """Passes events on to whoever listens; publishing never waits."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: tuple[Subscription, ...] = ()

    def publish(self, event: Event) -> None:
        """Tell all that listen."""
        for listener in self._listeners:
            listener.offer(event)

    @contextmanager
    def listen(self, pattern: str = "*", size: int = KEPT) -> Iterator[Subscription]:
        """Listen to the events whose tag matches, for as long as the block lasts."""
        mine = Subscription(pattern, size)
        with self._lock:
            self._listeners = (*self._listeners, mine)
        try:
            yield mine
        finally:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not mine)
