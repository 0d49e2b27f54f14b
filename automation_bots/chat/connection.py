"""The life of the link: connected again after every cut, with growing pauses; what was said meanwhile is read."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from automation_bots.chat.client import Away, Busy, ChatClient, Listener, Rejected, Revoked

log = logging.getLogger(__name__)
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
_STEADY_SECONDS = 30.0  # a link that lived so long begins again with the first pause
_OVERLAP = timedelta(minutes=2)  # a cut is noticed late; what was heard already runs no second time
_LOOK_BACK = timedelta(days=1)
_TRIES = 5  # to read what was missed, when the network asks to wait


@dataclass(frozen=True, slots=True)
class Life:
    """Who hears how the link fares; called from its thread."""

    connected: Callable[[], None]
    caught_up: Callable[[datetime], None]  # what was said since then is handed in; may raise what the network raises
    over: Callable[[], None]  # it will never work again


class Connection:
    """One thread that connects and waits; `note` is a file whose age says until when the bot was there."""

    def __init__(self, client: ChatClient, sink: Listener, note: Path, life: Life) -> None:
        self._client, self._sink, self._note, self._life = client, sink, note, life
        self._closing = threading.Event()
        self.first = threading.Event()  # connected once, or never going to be
        self.up_since: datetime | None = None  # when the link that is up was begun
        self._is_caught_up = False  # what was said before it is read: until then the note says since when to read
        self.away_since = datetime.now(UTC)  # when it was there last, before that
        self.began = datetime.now(UTC)  # when the last connect was begun: what is older was said while away
        self.revoked = ""
        self._why = "not connected yet"
        self._asked = 0.0  # seconds that the network wants to be left alone
        self._thread = threading.Thread(target=self._run, name="link", daemon=True)

    @property
    def trouble(self) -> str:
        """What is wrong; empty while connected."""
        return "" if self.up_since else self._why

    def start(self) -> None:
        """Connect, and stay connected."""
        self._thread.start()

    def close(self) -> None:
        """End the link for good."""
        self._closing.set()
        self._client.close()
        if self._thread.is_alive():
            self._thread.join(10)

    def touch(self) -> None:
        """Note that the bot is there."""
        if self.up_since and self._is_caught_up:
            try:
                self._note.touch(mode=0o600)
            except OSError as error:  # a full disk is told elsewhere, and must not end the link
                log.warning("when the bot was there last cannot be noted: %s", error)

    def _run(self) -> None:
        since, pause = self._last_seen(), _FIRST_PAUSE
        while not self._closing.is_set():
            up = time.monotonic()
            try:
                self._live(since)
            except Revoked as error:
                self._end(f"the credentials are not accepted: {error}")
                return
            except Exception as error:  # noqa: BLE001 - logged in _cut; a client's own mistake must not end the bot for good
                self._cut(error)
            if self._closing.is_set():
                return
            if time.monotonic() - up > _STEADY_SECONDS:
                pause = _FIRST_PAUSE
            since = self._last_seen() or since
            self._rest(pause)
            pause = min(_LONGEST_PAUSE, pause * 2)
            self._closing.wait(self._asked)

    def _live(self, since: datetime | None) -> None:
        self.began = datetime.now(UTC)
        self.away_since, self._is_caught_up = since or self.began, False
        self._client.connect(self._sink)
        self.up_since, self._why = datetime.now(UTC), ""
        log.info("connected as %s (%s)", self._client.my_name, self._client.me)
        try:
            self._life.connected()
            self.first.set()
            if since is not None:
                self._read_missed(since)
            self._is_caught_up = True
            self.touch()
            self._client.wait()
        finally:
            self.touch()
            self.up_since = None

    def _read_missed(self, since: datetime) -> None:
        """Hand in what was said while the bot was away; dedupe and the away rule come later."""
        start = max(since - _OVERLAP, datetime.now(UTC) - _LOOK_BACK)
        for _ in range(_TRIES):
            try:
                for message in self._client.missed(start):
                    self._sink.heard(message)
                self._life.caught_up(since)
            except Busy as error:
                if self._closing.wait(error.seconds):
                    return
            except Rejected as error:
                log.warning("what was said while the bot was away cannot be read: %s", error)
                return
            else:
                return
        raise Away("what was said while the bot was away cannot be read")

    def _cut(self, error: Exception) -> None:
        self._asked = error.seconds if isinstance(error, Busy) else 0.0
        self._why = f"cut off: {error}"
        if isinstance(error, OSError):
            log.warning("the link is cut: %s", error)
        else:
            log.error("the link ended by an error", exc_info=error)

    def _rest(self, pause: float) -> None:
        seconds = random.uniform(pause / 2, pause)  # noqa: S311 - so that many bots do not come back at once
        log.info("connecting again in %.1f s", seconds)
        self._closing.wait(seconds)

    def _end(self, why: str) -> None:
        self.revoked = self._why = why
        log.critical("%s", why)
        self.first.set()
        self._closing.set()
        self._life.over()

    def _last_seen(self) -> datetime | None:
        try:
            return datetime.fromtimestamp(self._note.stat().st_mtime, UTC)
        except OSError:
            return None
