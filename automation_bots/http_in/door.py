"""Who may have a connection: so many at once, and so many each; what holds one open and says nothing costs one too."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import cast

log = logging.getLogger(__name__)
_BUSY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 10\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_SECONDS = 60.0  # between two lines of the log about the same


class Door:
    """Counts connections; those that are too many are answered with one line, and closed."""

    def __init__(
        self, inside: Callable[[], asyncio.Protocol], most: int, each: int, free: Callable[[str], bool]
    ) -> None:
        self._inside, self._most, self._each, self._free = inside, most, each, free
        self._open: Counter[str] = Counter()

    def __call__(self) -> asyncio.Protocol:
        """Make the protocol of one connection."""
        return _Guest(self)

    def enter(self, address: str) -> bool:
        """Take a place; whoever is free of limits (a proxy of ours) takes one of all, but of no share."""
        full = self._open.total() >= self._most or (self._open[address] >= self._each and not self._free(address))
        if not full:
            self._open[address] += 1
        return not full

    def leave(self, address: str) -> None:
        """Give the place back."""
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]

    def protocol(self) -> asyncio.Protocol:
        """What answers calls."""
        return self._inside()


class _Guest(asyncio.Protocol):
    """One connection: handed on to what answers calls, or sent away."""

    def __init__(self, door: Door) -> None:
        self._door, self._within, self._address = door, cast(asyncio.Protocol | None, None), ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        made = cast(asyncio.Transport, transport)
        address = str((made.get_extra_info("peername") or ("",))[0])
        if not self._door.enter(address):
            made.write(_BUSY)
            made.close()
            return
        self._address, self._within = address, self._door.protocol()
        self._within.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._within is not None:
            self._door.leave(self._address)
            self._within.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._within is not None:
            self._within.data_received(data)

    def eof_received(self) -> bool | None:
        return self._within.eof_received() if self._within is not None else None

    def pause_writing(self) -> None:
        if self._within is not None:
            self._within.pause_writing()

    def resume_writing(self) -> None:
        if self._within is not None:
            self._within.resume_writing()


class Seldom(logging.Filter):
    """Of what strangers send that is no HTTP, one line a minute with its count, and never what they sent."""

    def __init__(self) -> None:
        super().__init__()
        self._count, self._told = 0, float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        """Count it; say so now and then."""
        if record.levelno < logging.WARNING:
            return False
        self._count += 1
        if time.monotonic() - self._told < _SECONDS:
            return False
        record.msg, record.args, record.exc_info = "http: %d calls were no HTTP, and were refused", (self._count,), None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        self._count, self._told = 0, time.monotonic()
        return True
