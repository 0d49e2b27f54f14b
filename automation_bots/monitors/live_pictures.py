"""A picture below each live message, where the network can renew one: drawn one at a time, and nothing waits for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from automation_bots.errors import DriverError, in_words
from automation_bots.model import File, Place
from automation_bots.surface import MessageRef, Refusal, Surface, Waiting
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
_SHARE = 0.05  # of the time in which pictures may be drawn, however many are wanted
_IDLE_SECONDS = 60.0
_LEAST_REST_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Wanted:
    message: MessageRef
    draw: Callable[[], File]


class LivePictures:
    """`kept` hears what stands for the picture of a live message, so that a later life of the bot renews it."""

    def __init__(self, surface: Callable[[Place], Surface], kept: Callable[[str, MessageRef, str], None]) -> None:
        self._surface, self._kept = surface, kept
        self._wanted: dict[str, _Wanted] = {}  # by the key of the live message, the oldest first
        self._standing: dict[str, str] = {}
        self._given_up: set[str] = set()
        self._not_before = 0.0
        self._problem = ""  # why nothing can be drawn on this machine
        self._lock = threading.Lock()
        self._loop = Loop("monitor pictures", self.round, _IDLE_SECONDS)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def stop(self) -> None:
        """End; what was wanted is not drawn."""
        self._loop.stop()

    def know(self, key: str, picture: str) -> None:
        """The picture of an earlier life of the bot, to be renewed."""
        self._standing[key] = picture

    def forget(self, key: str) -> None:
        """Its monitor has ended; the last picture stays."""
        with self._lock:
            self._wanted.pop(key, None)
        self._standing.pop(key, None)
        self._given_up.discard(key)

    def seconds(self, key: str, place: Place) -> float:
        """The least time between two pictures there; 0: none."""
        if self._problem or key in self._given_up:
            return 0.0
        try:
            return self._surface(place).capabilities.picture_seconds
        except OSError:
            return 0.0

    def want(self, key: str, message: MessageRef, draw: Callable[[], File]) -> None:
        """Renew the picture of a live message when there is time."""
        with self._lock:
            self._wanted.setdefault(key, _Wanted(message, draw))
        self._loop.wake()

    def round(self) -> float:
        """Draw the one that was wanted first; return how long to rest."""
        now = time.monotonic()
        with self._lock:
            if not self._wanted:
                return _IDLE_SECONDS
            if now < self._not_before:
                return self._not_before - now
            key = next(iter(self._wanted))
            wanted = self._wanted.pop(key)
        self._renew(key, wanted)
        took = time.monotonic() - now
        rest = max(_LEAST_REST_SECONDS, took / _SHARE - took)
        self._not_before = now + took + rest
        return rest

    def _renew(self, key: str, wanted: _Wanted) -> None:
        try:
            picture = wanted.draw()
        except DriverError as error:  # the live message says all of it in words
            log.warning("live messages get no pictures until the bot is started again: %s", error)
            self._problem = str(error)
            return
        try:
            id_ = self._surface(wanted.message.place).show_picture(wanted.message, picture, self._standing.get(key, ""))
        except Waiting:
            return  # the network has it; which one stands there then, the surface knows
        except Refusal as error:  # somebody took it away, or it may not be sent there: it is not wanted
            log.warning("%s gets no more pictures: %s", key, in_words(error))
            self._given_up.add(key)
            return
        except Exception:  # whatever a network raises, the next one may be shown
            log.exception("the picture of %s could not be shown", key)
            return
        if id_ and id_ != self._standing.get(key):
            self._standing[key] = id_
            self._kept(key, wanted.message, id_)
