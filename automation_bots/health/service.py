"""What systemd hears of the bot (sd_notify): when it is ready, how it is, and that it still works."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from automation_bots.model import one_line
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
_BETWEEN_SECONDS = 10.0
_PATIENCE_SECONDS = 60.0  # a machine that starts does not wait longer for a chat network that is away
_EXTENSION = 120_000_000  # microseconds: a slow start goes on as long as it says so


class Served(Protocol):
    """What systemd is told about."""

    @property
    def started(self) -> bool:
        """Whether it answers commands."""

    @property
    def stopping(self) -> bool:
        """Whether its end has begun."""

    @property
    def condition(self) -> str:
        """How it is, in a line."""

    def responds(self) -> bool:
        """Whether its queue still goes on."""


class Service:
    """Tells systemd, by the socket that it names in the environment; where there is none, nothing happens."""

    def __init__(
        self, bot: Served, environment: Mapping[str, str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bot, self._clock, self._begun, self._ready = bot, clock, clock(), False
        self._address = environment.get("NOTIFY_SOCKET", "").replace("@", "\0", 1)
        watchdog = environment.get("WATCHDOG_USEC", "")
        microseconds = int(watchdog) if watchdog.isdecimal() else 0
        self._seconds = min(_BETWEEN_SECONDS, microseconds / 4e6) if microseconds else _BETWEEN_SECONDS
        self._loop = Loop("service", self.turn)

    def begin(self) -> None:
        """Tell it from now on."""
        if self._address:
            self._loop.start()

    def stop(self) -> None:
        """Tell nothing more."""
        self._loop.stop()

    def turn(self) -> float:
        """Say how it is now; returns in how many seconds to say it again."""
        words = [f"STATUS={one_line(self._bot.condition, 200)}"]
        if self._bot.stopping:
            words.append("STOPPING=1")
        elif not self._ready:
            words.append(self._not_ready_before())
        if self._bot.responds():
            words.append("WATCHDOG=1")
        else:
            log.error("the queue does not go on; systemd is no longer told that the bot works")
        self._send("\n".join(words))
        return self._seconds if self._ready else min(1.0, self._seconds)

    def _not_ready_before(self) -> str:
        self._ready = self._bot.started or self._clock() - self._begun >= _PATIENCE_SECONDS
        return "READY=1" if self._ready else f"EXTEND_TIMEOUT_USEC={_EXTENSION}"

    def _send(self, text: str) -> None:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(1)
            sender.sendto(text.encode(), self._address)
