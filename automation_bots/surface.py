"""What every chat network can do for the bot; backends implement it, the core only speaks to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from automation_bots.model import Answer, File, Place

COLUMNS = 130  # characters in a line; what is broken over two makes a table unreadable
CHOICES = ("Approve", "Deny", "Details")  # of a question whether something may be done


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a network can show. `edit_seconds` is the least time between two edits of one message."""

    edits: bool = False
    edit_seconds: float = 1.0
    reactions: bool = False
    buttons: bool = False
    threads: bool = False
    files: bool = False
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


class Surface(Protocol):
    """One chat network. Every method may raise OSError when the network is away; the caller tries again.

    `Waiting` is one that says that the network will get it.
    """

    capabilities: Capabilities

    def say(self, place: Place, answer: Answer) -> MessageRef | None:
        """Say something; return its reference where the network gives one."""

    def edit(self, message: MessageRef, answer: Answer) -> None:
        """Replace what was said; only called where `capabilities.edits`.

        Surfaces with buttons take `choices` as a third argument: those that the message keeps.
        A surface may have `progress`, which never waits: a state that a later one may replace unseen; and `room_name`,
        what people call a room (its id), from what is known without asking the network; empty where nothing is.
        """

    def react(self, message: MessageRef, name: str) -> None:
        """Put a reaction on a message; only called where `capabilities.reactions`."""

    def upload(self, place: Place, file: File) -> None:
        """Send a file; only called where `capabilities.files`."""

    def ask(self, place: Place, question: Answer, choices: tuple[str, ...]) -> MessageRef | None:
        """Ask with buttons, reactions or words; the answer comes back as a message of the person."""
