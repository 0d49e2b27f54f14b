"""Says what was composed, part by part: a second try goes on where the first one ended, also in another life."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol
from uuid import uuid4

from automation_bots.chat.client import Busy, Down, IdempotencyKey
from automation_bots.chat.splitting import Composed
from automation_bots.chat.unsent import Unsent
from automation_bots.model import File, Place
from automation_bots.surface import Capabilities, MessageRef


class Posts(Protocol):
    """What says one part; each raises what the network's client raises."""

    @property
    def capabilities(self) -> Capabilities:
        """What the network can do."""

    def post(self, place: Place, text: str, choices: tuple[str, ...], once: IdempotencyKey) -> str:
        """Say one message; return its id."""

    def react_now(self, place: Place, message: str, name: str) -> None:
        """Put a reaction at once; without it the words still do."""

    def upload_once(self, place: Place, file: File, about: str, once: IdempotencyKey) -> None:
        """Send a file, unless it stands below that message already."""

    def upload_new(self, place: Place, file: File, once: IdempotencyKey) -> str:
        """Send a file; return what stands for it."""

    def replace_file(self, place: Place, before: str, file: File) -> bool:
        """Let a file stand in place of another; whether the network can."""

    def take_back(self, place: Place, message: str) -> None:
        """Delete an own message or file."""

    def post_once(self, below: MessageRef, text: str, once: IdempotencyKey) -> None:
        """Say what did not fit into an edited message, unless it stands below it already."""

    def replace_text(self, message: MessageRef, text: str, choices: tuple[str, ...], once: IdempotencyKey) -> None:
        """Edit a message; one that can be edited no more is said anew, and is that from now on."""


class Delivery:
    """Names the parts of what is said, so that each stands there once although nobody knows whether a try arrived."""

    def __init__(self, key: str = "", since: datetime | None = None) -> None:
        self.key, self.since = key or uuid4().hex, since

    def __call__(self, part: int, say: Callable[[IdempotencyKey], Any]) -> Any:
        """Say a part, once more perhaps."""
        began = datetime.now(UTC)
        try:
            return say(IdempotencyKey(f"{self.key}{part:03}", self.since))
        except OSError as error:
            if not isinstance(error, Busy) or isinstance(error, Down):  # a 429 was not done
                self.since = self.since or began
            raise


class PostDelivery:
    """Messages and files in their order; a second try goes on where the first one ended."""

    def __init__(
        self, surface: Posts, place: Place, what: Composed, choices: tuple[str, ...],
        tries: Delivery | None = None, part: int = 0,
    ) -> None:  # fmt: skip
        self._surface, self._place, self._choices = surface, place, choices
        self._left, self._files = list(what.messages), list(what.files)
        self._tries, self._parts = tries or Delivery(), part + len(what.messages) + len(what.files)
        self._signs: list[str] | None = None
        self._id = ""

    def owed(self) -> Unsent:
        """What is not said yet."""
        files = tuple(self._files)  # before the messages, as they are sent after them by another thread
        left = Composed(tuple(self._left), files)
        part = self._parts - len(left.messages) - len(left.files)
        return Unsent(self._place, left, self._tries.key, part, self._tries.since or datetime.now(UTC))

    def _try(self, say: Callable[[IdempotencyKey], Any]) -> Any:
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


class PictureDelivery:
    """A picture below a message; the one that stood there before is replaced, or taken back once the new one stands."""

    def __init__(self, surface: Posts, message: MessageRef, picture: File, before: Callable[[], str]) -> None:
        self._surface, self._picture, self._before = surface, picture, before  # asked when it is sent
        place = message.place
        self._place = place if place.thread else replace(place, thread=message.id)
        self._tries, self._id = Delivery(), ""

    def __call__(self) -> str:
        """Send what is not sent yet; return what stands for the picture."""
        surface, before = self._surface, self._before()
        if before and not self._id and surface.replace_file(self._place, before, self._picture):
            return before
        if not self._id:
            self._id = str(self._tries(0, partial(surface.upload_new, self._place, self._picture)))
        if before:
            surface.take_back(self._place, before)
        return self._id


class EditDelivery:
    """One message edited; what does not fit into it follows in its thread."""

    def __init__(self, surface: Posts, message: MessageRef, what: Composed, choices: tuple[str, ...]) -> None:
        self._surface, self._message, self._choices = surface, message, choices
        self._first: str | None = what.messages[0] if what.messages else None
        self._rest, self._files = list(what.messages[1:]), list(what.files)
        self._tries = Delivery()

    def _try(self, say: Callable[[IdempotencyKey], Any]) -> None:
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
