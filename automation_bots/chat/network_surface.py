"""The chat surface of a network: answers become posts of the outbox, questions get buttons or reactions."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from automation_bots.chat.client import SIGNS, ChatClient, CommandChoice, IdempotencyKey, Rejected
from automation_bots.chat.delivery import Delivery, EditDelivery, PictureDelivery, PostDelivery
from automation_bots.chat.outbox import Outbox
from automation_bots.chat.queue import Work
from automation_bots.chat.splitting import Composed, Style, compose, compose_markdown
from automation_bots.chat.unsent import UnsentCopy, read
from automation_bots.model import Answer, File, Mark, Place
from automation_bots.store.unsent import UnsentPosts
from automation_bots.surface import Capabilities, MessageRef

log = logging.getLogger(__name__)
_WAIT_SECONDS = 5.0  # that a caller waits; what it wanted to say stays in the queue
_KEY_LENGTH = 32
_REMEMBERED = 2_000  # messages of which the thread is known, and files that are not sent twice


class NetworkSurface:
    """Say, edit, ask and so on, in order per room. What takes too long raises OSError and is said all the same."""

    def __init__(
        self,
        client: ChatClient,
        outbox: Outbox,
        link: Callable[[], str],
        posts: UnsentPosts,
        wait_seconds: float = _WAIT_SECONDS,
        found: Callable[[MessageRef], None] = lambda _: None,  # told what may have stood there before this life
    ) -> None:
        self._client, self._outbox, self._link, self._wait_seconds = client, outbox, link, wait_seconds
        self._posts = posts
        self._style = Style(client.escape, client.fence)
        self._places = _Recent()
        self._sent, self._below = _Recent(), _Recent()  # the latter: what stands for the picture below a message
        self._now, self._once = (
            _Recent(),
            _Recent(),
        )  # messages that were said anew: their new ids, and their first ones
        self._began, self._marked = datetime.now(UTC), _Recent()
        self._found = found

    @property
    def capabilities(self) -> Capabilities:
        """What the network can do."""
        return replace(self._client.capabilities, once=True)

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
        return self._say(place, answer, self._offered(answer))

    def answer(self, place: Place, answer: Answer) -> None:
        """Say what nobody will say again: kept over the end of the program while it waits, unless it is a secret."""
        secret = answer.entrusted or any(file.passing for file in answer.files)
        choices = self._offered(answer)
        work = PostDelivery(self, place, self._composed(answer), choices)
        self._put(
            place, _key(place, answer, choices), work, note=None if secret else UnsentCopy(self._posts, work.owed)
        )

    def take_up(self, network: str) -> None:
        """Say what the program that ran before could not say."""
        for kept in self._posts.waiting(network):
            owed = read(kept)
            work = PostDelivery(self, owed.place, owed.what, (), Delivery(owed.key, owed.since), owed.part)
            note = UnsentCopy(self._posts, work.owed, kept.number)
            self._outbox.put_back(_lane(owed.place), ("kept", kept.number), work, note, kept.age_seconds)

    def ask(self, place: Place, question: Answer, choices: tuple[str, ...]) -> MessageRef | None:
        """Ask with buttons, else reactions; the words to type stand in the question itself."""
        can = self.capabilities
        if choices and not can.buttons and can.reactions:
            signs = " · ".join(f"{SIGNS[choice][0]} {choice}" for choice in choices if choice in SIGNS)
            question = replace(question, hint="\n".join(part for part in (signs, question.hint) if part))
        said = self._say(place, question, choices)
        if said is not None and question.mark is not None and question.mark.at and question.mark.at < self._began:
            self._found(said)
        return said

    def edit(self, message: MessageRef, answer: Answer, choices: tuple[str, ...] = ()) -> None:
        """Replace what was said; of several states that wait, only the newest is shown."""
        if not message.id or not self.capabilities.edits:
            self.say(message.place, answer)
            return
        kept = (*choices, *self._offered(answer)) if self.capabilities.buttons else ()
        work = EditDelivery(self, message, self._composed(answer), kept)
        self._put(message.place, ("edit", message.id), work, replace=True)

    def progress(self, message: MessageRef, answer: Answer) -> None:
        """Show how far something is when there is time for it; never waits."""
        if message.id and self.capabilities.edits:
            text, choices = self._composed(answer).messages[0], self._offered(answer)
            room = message.place
            self._outbox.pass_by(
                _lane(room),
                ("edit", message.id),
                lambda: self._client.edit(self.room(room), self._last_id(message), text, choices),
            )

    def react(self, message: MessageRef, name: str) -> None:
        """Put a reaction; never waits."""
        room = message.place
        self._outbox.put(
            _lane(room), ("react", message.id, name), lambda: self._client.react(self.room(room), message.id, name)
        )

    def upload(self, place: Place, file: File) -> None:
        """Send a file, or its text where the network takes none."""
        self._say(place, Answer("", files=(file,)), ())

    def show_picture(self, message: MessageRef, picture: File, before: str = "") -> str:
        """Show it below the message; of several that wait, only the newest is shown."""
        key = (message.place.room, message.id)
        send = PictureDelivery(self, message, picture, lambda: str(self._below.get(key) or before))

        def show() -> str:
            standing = send()
            self._below.put(key, standing)
            return standing

        return str(self._put(message.place, ("picture", message.id), show, replace=True) or "")

    def say_markdown(self, place: Place, text: str) -> None:
        """Say what a plugin from elsewhere wrote."""
        work = PostDelivery(self, place, compose_markdown(text, self.capabilities, self._style), ())
        self._put(place, ("text", place, text), work, note=UnsentCopy(self._posts, work.owed))

    def room_name(self, room: str) -> str:
        """What people call a room, as far as the network has told by itself."""
        return self._client.room_name(room)

    def room_ids(self, names: Sequence[str]) -> Mapping[str, str] | None:
        """The ids of the bot's rooms that people call so."""
        return self._client.room_ids(names)

    def place_of(self, room: Place, message: str) -> Place:
        """The room with the thread in which the bot said that, where it still knows."""
        known = self._places.get((room.room, message))
        return known if isinstance(known, Place) else room

    def first_id(self, room: Place, message: str) -> str:
        """The id by which the rest knows a message, also where it had to be said anew."""
        return str(self._once.get((room.room, message)) or message)

    # -- for what is sent

    def room(self, place: Place) -> str:
        """The network's id of the room; of a direct message, the one that is opened with the person."""
        return self._client.direct_room(place.room) if place.direct else place.room

    def post(self, place: Place, text: str, choices: tuple[str, ...], once: IdempotencyKey) -> str:
        """Say one message; return its id."""
        room, can = self.room(place), self.capabilities
        buttons = choices if can.buttons else ()
        id_ = self._client.post(room, text, place.thread if can.threads else "", buttons, once)
        self._places.put((place.room, id_), place)
        return id_

    def react_now(self, place: Place, message: str, name: str) -> None:
        """Put a reaction at once; without it the words still do."""
        try:
            self._client.react(self.room(place), message, name)
        except Rejected as error:
            log.warning("%s: a reaction was refused: %s", place.room, error)

    def upload_once(self, place: Place, file: File, about: str, once: IdempotencyKey) -> None:
        """Send a file, unless it stands below that message already."""
        key = (about, file.name, hashlib.sha256(file.content).hexdigest())
        if not about or self._sent.get(key) is None:
            self._client.upload(self.room(place), file, place.thread if self.capabilities.threads else "", once)
            self._sent.put(key, value=True)

    def upload_new(self, place: Place, file: File, once: IdempotencyKey) -> str:
        """Send a file, also one that stands there already."""
        return self._client.upload(self.room(place), file, place.thread if self.capabilities.threads else "", once)

    def replace_file(self, place: Place, before: str, file: File) -> bool:
        """Let a file stand in place of another."""
        return self._client.replace_file(self.room(place), before, file)

    def take_back(self, place: Place, message: str) -> None:
        """Delete an own message or file."""
        self._client.delete(self.room(place), message)

    def post_once(self, below: MessageRef, text: str, once: IdempotencyKey) -> None:
        """Say what did not fit into an edited message, unless it stands below it already."""
        if self._sent.get((below.id, text)) is None:
            self.post(below.place, text, (), once)
            self._sent.put((below.id, text), value=True)

    def replace_text(self, message: MessageRef, text: str, choices: tuple[str, ...], once: IdempotencyKey) -> None:
        """Edit a message; one that can be edited no more is said anew, and is that from now on."""
        place = message.place
        try:
            self._client.edit(self.room(place), self._last_id(message), text, choices)
        except Rejected as error:
            log.warning("%s: a message cannot be edited (%s); said anew", place.room, error)
            id_ = self.post(place, text, choices, once)
            self._now.put((place.room, message.id), id_)
            self._once.put((place.room, id_), message.id)

    def _last_id(self, message: MessageRef) -> str:
        return str(self._now.get((message.place.room, message.id)) or message.id)

    def _offered(self, answer: Answer) -> tuple[str, ...]:
        """The commands that are one click away."""
        return tuple(map(CommandChoice, answer.buttons)) if self.capabilities.buttons else ()

    def _composed(self, answer: Answer) -> Composed:
        return compose(answer, self.capabilities, self._style)

    def _say(self, place: Place, answer: Answer, choices: tuple[str, ...]) -> MessageRef | None:
        key = _key(place, answer, choices)
        work = PostDelivery(self, place, self._composed(answer), choices, self._tries(place, answer.mark))
        return MessageRef(place, str(self._put(place, key, work) or ""))

    def _tries(self, place: Place, mark: Mark | None) -> Delivery | None:
        """Name what has a mark by it, and say since when it may stand there: it is looked for only where it may."""
        if mark is None:
            return None
        key = hashlib.sha256(f"{self._client.me} {place} {mark.name}".encode()).hexdigest()[:_KEY_LENGTH]
        again = self._marked.get(key) is not None or mark.at is None or mark.at < self._began
        self._marked.put(key, value=True)
        return Delivery(key, (mark.at or datetime.fromtimestamp(0, UTC)) if again else None)

    def _put(
        self, place: Place, key: Hashable, work: Work, *, replace: bool = False, note: UnsentCopy | None = None
    ) -> Any:
        """Queue it and wait a while for what comes of it."""
        lane = _lane(place)
        return self._outbox.wait(
            lane, self._outbox.put(lane, key, work, replace=replace, note=note), self._wait_seconds
        )


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
    if answer.mark is not None:
        return "mark", place, answer.mark.name
    return "say", place, str(answer), tuple(file.name for file in answer.files), choices


def _lane(place: Place) -> str:
    """What is kept in order together: a room, or the direct messages with a person."""
    return f"@{place.room}" if place.direct else place.room
