"""What every chat network can do for the bot; backends implement it, the core only speaks to it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from automation_bots.errors import in_words
from automation_bots.model import Answer, File, Place

COLUMNS = 130  # characters in a line; what is broken over two makes a table unreadable
PICTURE_SECONDS = 60.0  # where the picture before can be taken back
CHOICES = ("Approve", "Deny", "Details")  # of a question whether something may be done


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a network can show. `edit_seconds` is the least time between two edits of one message."""

    edits: bool = False
    edit_seconds: float = 1.0
    reactions: bool = False
    buttons: bool = False
    forms: bool = False
    threads: bool = False
    files: bool = False
    picture_seconds: float = 0.0  # least time between two pictures below a message; 0: none can be renewed
    once: bool = False  # what has a mark stands there once, also when another life of the program says it again
    message_size: int = 10_000  # characters
    columns: int = COLUMNS  # a wider table loses columns, and says which
    screen_lines: int = 40  # more than this becomes a file, or is cut with a hint where files are not to be had


@dataclass(frozen=True, slots=True)
class MessageRef:
    """One message that the bot has said: enough to edit it after a restart."""

    place: Place
    id: str


class Waiting(OSError):
    """It is in the queue and will be said, but not yet; asking for the same again finds it there."""


class Refusal(Exception):
    """The network will never take this there: no such room, no right, too long; trying again is pointless."""


def log_unsaid(log: logging.Logger, error: Exception, text: str, *about: object) -> None:
    """Log why something was not said: of a network that is slow, away or refuses one line, of anything else all."""
    if isinstance(error, OSError | Refusal):
        log.warning("%s: %s", text % about, in_words(error))
    else:
        log.error(text, *about, exc_info=error)


class Surface(Protocol):
    """One chat network. Every method may raise OSError when the network is away; the caller tries again.

    `Waiting` is one that says that the network will get it; what it will never get raises `Refusal`.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What the network can do."""

    @property
    def link(self) -> str:
        """What is wrong with the connection to the network; empty when nothing is."""

    @property
    def undelivered(self) -> tuple[int, int, str]:
        """Posts that wait for the network, posts that were never said, and why the last of them was not."""

    def say(self, place: Place, answer: Answer) -> MessageRef | None:
        """Say something; return its reference where the network gives one."""

    def edit(self, message: MessageRef, answer: Answer, choices: tuple[str, ...] = ()) -> None:
        """Replace what was said, but for the buttons of `choices`; only called where `capabilities.edits`."""

    def react(self, message: MessageRef, name: str) -> None:
        """Put a reaction on a message; only called where `capabilities.reactions`."""

    def upload(self, place: Place, file: File) -> None:
        """Send a file; only called where `capabilities.files`."""

    def ask(self, place: Place, question: Answer, choices: tuple[str, ...]) -> MessageRef | None:
        """Ask with buttons, reactions or words; the answer comes back as a message of the person."""

    def progress(self, message: MessageRef, answer: Answer) -> None:
        """Show a state that a later one may replace unseen; never waits; only called where `capabilities.edits`."""

    def show_picture(self, message: MessageRef, picture: File, before: str = "") -> str:
        """Let a picture stand below a message in place of `before`; return what stands for it.

        Only called where `capabilities.picture_seconds`.
        """

    def room_name(self, room: str) -> str:
        """What people call a room (its id), without asking the network; empty where that is not known."""

    def room_ids(self, names: Sequence[str]) -> Mapping[str, str] | None:
        """The ids of the bot's rooms that people call so, asked of the network; None where a name is the id."""


class PlainWays:
    """What a surface inherits that has nothing better."""

    link = ""
    undelivered = (0, 0, "")

    def progress(self: Surface, message: MessageRef, answer: Answer) -> None:
        """Edit."""
        self.edit(message, answer)

    def show_picture(self, message: MessageRef, picture: File, before: str = "") -> str:  # noqa: ARG002
        """There is no room for one."""
        return ""

    def room_name(self, room: str) -> str:  # noqa: ARG002
        """Nobody told."""
        return ""

    def room_ids(self, names: Sequence[str]) -> Mapping[str, str] | None:  # noqa: ARG002
        """They are the names."""
        return None
