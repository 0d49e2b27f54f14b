"""One account of a trial on a real network: what it said, what it heard, and how it takes back all that it said."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from automation_bots.chat.client import Away, Busy, ChatClient, Click, IncomingMessage, Rejected, Revoked
from automation_bots.errors import in_words
from automation_bots.model import File

_PATIENCE = 60.0  # seconds in which a network that asks to wait must take one thing
_HEARS = 15.0  # seconds in which a message must arrive
_CALLS = 5  # of one thing, while the network is away for a moment


@dataclass(frozen=True, slots=True)
class Gone:
    """What became of messages that were to be deleted."""

    deleted: int = 0
    left: tuple[str, ...] = ()
    why: str = ""

    def __add__(self, other: Gone) -> Gone:
        return Gone(self.deleted + other.deleted, self.left + other.left, self.why or other.why)


class Ears:
    """Keeps what arrives, so that a part can wait for what it means."""

    def __init__(self) -> None:
        self._new = threading.Condition()
        self.messages: list[IncomingMessage] = []
        self.choices: list[Click] = []

    def heard(self, message: IncomingMessage) -> bool:
        """Keep it."""
        with self._new:
            self.messages.append(message)
            self._new.notify_all()
        return True

    def chosen(self, choice: Click) -> bool:
        """Keep it."""
        with self._new:
            self.choices.append(choice)
            self._new.notify_all()
        return True

    def wait_for(self, found: Callable[[], Any], seconds: float) -> Any:
        """Return what is found, once it is; else None."""
        with self._new:
            self._new.wait_for(lambda: found() is not None, seconds)
            return found()


@dataclass(slots=True, eq=False)
class Party:
    """The bot's account or another one, in the room of the trial."""

    make: Callable[[], ChatClient]
    room: str
    what: str
    hears_seconds: float = _HEARS
    ears: Ears = field(default_factory=Ears)
    waits: int = 0  # how often the network asked to wait
    is_guest: bool = False  # its data are thrown away afterwards: no session of it may stay
    client: ChatClient = field(init=False)
    _said: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client = self.make()

    def connect(self) -> None:
        """Begin to hear; a room that is named as people call it has its id from now on."""
        self.client.connect(self.ears)
        if self.room.startswith("#"):
            name = self.room.removeprefix("#")
            self.room = (self.client.room_ids([name]) or {}).get(name, self.room)

    def leave(self) -> None:
        """Go away, as for a restart."""
        self.client.close()

    def end(self) -> str:
        """Close the link; say what could not be ended."""
        try:
            if self.is_guest:
                self.client.log_out()
        except (OSError, Rejected, Revoked) as error:
            return f"the session of {self.what} is still open: {in_words(error)}"
        finally:
            self.client.close()
        return ""

    def come_back(self) -> None:
        """Begin to hear again, as a new process would."""
        self.client, self.ears = self.make(), Ears()
        self.connect()

    def post(self, text: str, thread: str = "", *, choices: tuple[str, ...] = (), room: str = "") -> str:
        """Say something that will be taken back."""
        where = room or self.room
        id_: str = self.sent(lambda: self.client.post(where, text, thread, choices))
        self._said.append((where, id_))
        return id_

    def upload(self, file: File) -> str:
        """Send a file that will be taken back."""
        id_: str = self.sent(lambda: self.client.upload(self.room, file))
        if id_:
            self._said.append((self.room, id_))
        return id_

    def edit(self, message: str, text: str, choices: tuple[str, ...] = ()) -> None:
        """Change what was said."""
        self.sent(lambda: self.client.edit(self.room, message, text, choices))

    def react(self, message: str, name: str) -> None:
        """Put a reaction."""
        self.sent(lambda: self.client.react(self.room, message, name))

    def sent(self, call: Callable[[], Any]) -> Any:
        """Do it, waiting as the network asks; Away when it took too long."""
        until = time.monotonic() + _PATIENCE
        for pause in range(_CALLS * 20):
            try:
                return call()
            except Busy as error:
                self.waits += 1
                if time.monotonic() + error.seconds > until:
                    raise
                time.sleep(error.seconds)
            except OSError:
                if pause >= _CALLS or time.monotonic() > until:
                    raise
                time.sleep(0.2 * 2**pause)
        raise Away(f"the network still asks to wait after {_PATIENCE:g} s")

    def hears(self, words: str, *, edited: bool = False) -> IncomingMessage | None:
        """Wait for a message with these words."""

        def found() -> IncomingMessage | None:
            ways = (heard for heard in self.ears.messages if words in heard.text and heard.edited is edited)
            return next(ways, None)

        message: IncomingMessage | None = self.ears.wait_for(found, self.hears_seconds)
        return message

    def hears_choice(self, message: str) -> Click | None:
        """Wait for an answer to a question."""

        def found() -> Click | None:
            of_others = (choice for choice in self.ears.choices if choice.sender != self.client.me)
            return next((choice for choice in of_others if choice.message == message), None)

        choice: Click | None = self.ears.wait_for(found, self.hears_seconds)
        return choice

    def clean(self) -> Gone:
        """Delete all that was said, the newest first."""
        gone = Gone()
        while self._said:
            room, message = self._said.pop()
            try:
                self.sent(functools.partial(self.client.delete, room, message))
                gone += Gone(1)
            except (OSError, Rejected, Revoked) as error:
                gone += Gone(left=(message,), why=in_words(error))
        return gone
