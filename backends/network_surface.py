"""The chat surface of a network: answers become letters of the outbox, questions get buttons or reactions."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

from automation_bots.model import Answer, File, Place
from automation_bots.store.letters import Letters
from automation_bots.surface import Capabilities, MessageRef
from backends.keeping import Note, Owed, read
from backends.letters import Work
from backends.outbox import Outbox
from backends.splitting import Composed, Style, compose, pieces_of, split
from backends.wire import SIGNS, Busy, Once, Rejected, Wire

log = logging.getLogger(__name__)
_WAIT_SECONDS = 5.0  # that a caller waits; what it wanted to say stays in the queue
_REMEMBERED = 2_000  # messages of which the thread is known, and files that are not sent twice


class NetworkSurface:
    """Say, edit, ask and so on, in order per room. What takes too long raises OSError and is said all the same."""

    def __init__(
        self,
        wire: Wire,
        outbox: Outbox,
        link: Callable[[], str],
        letters: Letters,
        wait_seconds: float = _WAIT_SECONDS,
    ) -> None:
        self._wire, self._outbox, self._link, self._wait_seconds = wire, outbox, link, wait_seconds
        self._letters = letters
        self._style = Style(wire.escape, wire.fence)
        self._places = _Recent()
        self._sent = _Recent()

    @property
    def capabilities(self) -> Capabilities:
        """What the network can do."""
        return self._wire.capabilities

    @property
    def link(self) -> str:
        """What is wrong with the link; empty when nothing is."""
        return self._link()

    @property
    def undelivered(self) -> tuple[int, int, str]:
        """Posts that wait, posts that were never said, and why the last of them was not."""
        return self._outbox.waiting, self._outbox.failed, self._outbox.problem

    def say(self, place: Place, answer: Answer) -> MessageRef | None:
        """Say something."""
        return self._say(place, answer, ())

    def answer(self, place: Place, answer: Answer) -> None:
        """Say what nobody will say again: kept over the end of the program while it waits, unless it is a secret."""
        secret = answer.entrusted or any(file.passing for file in answer.files)
        work = _Saying(self, place, self._composed(answer), ())
        self._put(place, _key(place, answer, ()), work, note=None if secret else Note(self._letters, work.owed))

    def take_up(self, network: str) -> None:
        """Say what the program that ran before could not say."""
        for kept in self._letters.waiting(network):
            owed = read(kept)
            work = _Saying(self, owed.place, owed.what, (), _Tries(owed.key, owed.since), owed.part)
            note = Note(self._letters, work.owed, kept.number)
            self._outbox.put_back(_lane(owed.place), ("kept", kept.number), work, note, kept.age_seconds)

    def ask(self, place: Place, question: Answer, choices: tuple[str, ...]) -> MessageRef | None:
        """Ask with buttons, else reactions; the words to type stand in the question itself."""
        can = self.capabilities
        if choices and not can.buttons and can.reactions:
            signs = " · ".join(f"{SIGNS[choice][0]} {choice}" for choice in choices if choice in SIGNS)
            question = replace(question, hint="\n".join(part for part in (signs, question.hint) if part))
        return self._say(place, question, choices)

    def edit(self, message: MessageRef, answer: Answer, choices: tuple[str, ...] = ()) -> None:
        """Replace what was said; of several states that wait, only the newest is shown."""
        if not message.id or not self.capabilities.edits:
            self.say(message.place, answer)
            return
        work = _Editing(self, message, self._composed(answer), choices if self.capabilities.buttons else ())
        self._put(message.place, ("edit", message.id), work, replace=True)

    def progress(self, message: MessageRef, answer: Answer) -> None:
        """Show how far something is when there is time for it; never waits."""
        if message.id and self.capabilities.edits:
            text = self._composed(answer).messages[0]
            room = message.place
            self._outbox.pass_by(
                _lane(room), ("edit", message.id), lambda: self._wire.edit(self.room(room), message.id, text)
            )

    def react(self, message: MessageRef, name: str) -> None:
        """Put a reaction; never waits."""
        room = message.place
        self._outbox.put(
            _lane(room), ("react", message.id, name), lambda: self._wire.react(self.room(room), message.id, name)
        )

    def upload(self, place: Place, file: File) -> None:
        """Send a file, or its text where the network takes none."""
        self._say(place, Answer("", files=(file,)), ())

    def say_markdown(self, place: Place, text: str) -> None:
        """Say what a plugin from elsewhere wrote: its fences are kept, all else is shown as it is."""
        messages = tuple(split(pieces_of(text), self.capabilities.message_size, self._style))
        work = _Saying(self, place, Composed(messages, ()), ())
        self._put(place, ("text", place, text), work, note=Note(self._letters, work.owed))

    def room_name(self, room: str) -> str:
        """What people call a room, as far as the network has told by itself."""
        named = getattr(self._wire, "room_name", None)
        return str(named(room)) if named else ""

    def place_of(self, room: Place, message: str) -> Place:
        """The room with the thread in which the bot said that, where it still knows."""
        known = self._places.get((room.room, message))
        return known if isinstance(known, Place) else room

    # -- for what is sent

    def room(self, place: Place) -> str:
        """The network's id of the room; of a direct message, the one that is opened with the person."""
        return self._wire.direct_room(place.room) if place.direct else place.room

    def post(self, place: Place, text: str, choices: tuple[str, ...], once: Once) -> str:
        """Say one message; return its id."""
        room, can = self.room(place), self.capabilities
        buttons = choices if can.buttons else ()
        id_ = self._wire.post(room, text, place.thread if can.threads else "", buttons, once)
        self._places.put((place.room, id_), place)
        return id_

    def react_now(self, place: Place, message: str, name: str) -> None:
        """Put a reaction at once; without it the words still do."""
        try:
            self._wire.react(self.room(place), message, name)
        except Rejected as error:
            log.warning("%s: a reaction was refused: %s", place.room, error)

    def upload_once(self, place: Place, file: File, about: str, once: Once) -> None:
        """Send a file, unless it stands below that message already."""
        key = (about, file.name, hashlib.sha256(file.content).hexdigest())
        if not about or self._sent.get(key) is None:
            self._wire.upload(self.room(place), file, place.thread if self.capabilities.threads else "", once)
            self._sent.put(key, value=True)

    def post_once(self, below: MessageRef, text: str, once: Once) -> None:
        """Say what did not fit into an edited message, unless it stands below it already."""
        if self._sent.get((below.id, text)) is None:
            self.post(below.place, text, (), once)
            self._sent.put((below.id, text), value=True)

    def replace_text(self, message: MessageRef, text: str, choices: tuple[str, ...], once: Once) -> None:
        """Edit a message; one that can be edited no more is said anew."""
        try:
            self._wire.edit(self.room(message.place), message.id, text, choices)
        except Rejected as error:
            log.warning("%s: a message cannot be edited (%s); said anew", message.place.room, error)
            self.post(message.place, text, choices, once)

    def _composed(self, answer: Answer) -> Composed:
        return compose(answer, self.capabilities, self._style)

    def _say(self, place: Place, answer: Answer, choices: tuple[str, ...]) -> MessageRef | None:
        key = _key(place, answer, choices)
        work = _Saying(self, place, self._composed(answer), choices)
        return MessageRef(place, str(self._put(place, key, work) or ""))

    def _put(self, place: Place, key: Hashable, work: Work, *, replace: bool = False, note: Note | None = None) -> Any:
        """Queue it and wait a while for what comes of it."""
        lane = _lane(place)
        return self._outbox.wait(
            lane, self._outbox.put(lane, key, work, replace=replace, note=note), self._wait_seconds
        )


class _Tries:
    """Names the parts of what is said, so that each stands there once although nobody knows whether a try arrived."""

    def __init__(self, key: str = "", since: datetime | None = None) -> None:
        self.key, self.since = key or uuid4().hex, since

    def __call__(self, part: int, say: Callable[[Once], Any]) -> Any:
        began = datetime.now(UTC)
        try:
            return say(Once(f"{self.key}{part:03}", self.since))
        except Busy:
            raise
        except OSError:
            self.since = self.since or began
            raise


class _Saying:
    """Messages and files in their order; a second try goes on where the first one ended."""

    def __init__(
        self, surface: NetworkSurface, place: Place, what: Composed, choices: tuple[str, ...],
        tries: _Tries | None = None, part: int = 0,
    ) -> None:  # fmt: skip
        self._surface, self._place, self._choices = surface, place, choices
        self._left, self._files = list(what.messages), list(what.files)
        self._tries, self._parts = tries or _Tries(), part + len(what.messages) + len(what.files)
        self._signs: list[str] | None = None
        self._id = ""

    def owed(self) -> Owed:
        """What is not said yet."""
        left = Composed(tuple(self._left), tuple(self._files))
        part = self._parts - len(left.messages) - len(left.files)
        return Owed(self._place, left, self._tries.key, part, self._tries.since or datetime.now(UTC))

    def _try(self, say: Callable[[Once], Any]) -> Any:
        return self._tries(self._parts - len(self._left) - len(self._files), say)

    def __call__(self) -> str:
        """Send what is left; return the id of the first message."""
        surface, place = self._surface, self._place
        while self._left:
            text, choices = self._left[0], self._choices if not self._id else ()
            id_ = str(self._try(partial(surface.post, place, text, choices)))
            self._id = self._id or id_
            self._left.pop(0)
        if self._signs is None:
            can = surface.capabilities
            self._signs = list(self._choices) if can.reactions and not can.buttons else []
        while self._signs:
            surface.react_now(place, self._id, self._signs[0])
            self._signs.pop(0)
        while self._files:
            self._try(partial(surface.upload_once, place, self._files[0], ""))
            self._files.pop(0)
        return self._id


class _Editing:
    """One message edited; what does not fit into it follows in its thread."""

    def __init__(self, surface: NetworkSurface, message: MessageRef, what: Composed, choices: tuple[str, ...]) -> None:
        self._surface, self._message, self._choices = surface, message, choices
        self._first: str | None = what.messages[0] if what.messages else None
        self._rest, self._files = list(what.messages[1:]), list(what.files)
        self._tries = _Tries()

    def _try(self, say: Callable[[Once], Any]) -> None:
        self._tries(len(self._rest) + len(self._files) + (self._first is not None), say)

    def __call__(self) -> None:
        """Edit, then say the rest."""
        if self._first is not None:
            self._try(partial(self._surface.replace_text, self._message, self._first, self._choices))
            self._first = None
        while self._rest:
            self._try(partial(self._surface.post_once, self._message, self._rest[0]))
            self._rest.pop(0)
        while self._files:
            self._try(partial(self._surface.upload_once, self._message.place, self._files[0], self._message.id))
            self._files.pop(0)


class _Recent:
    """The last few of many things."""

    def __init__(self) -> None:
        self._known: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, key: Any, value: Any) -> None:
        """Remember; the oldest is forgotten."""
        with self._lock:
            self._known[key] = value
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)

    def get(self, key: Any) -> Any:
        """What is known, or None."""
        with self._lock:
            return self._known.get(key)


def _key(place: Place, answer: Answer, choices: tuple[str, ...]) -> Hashable:
    return "say", place, str(answer), tuple(file.name for file in answer.files), choices


def _lane(place: Place) -> str:
    """What is kept in order together: a room, or the direct messages with a person."""
    return f"@{place.room}" if place.direct else place.room
