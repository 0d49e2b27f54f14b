"""The chat surface as the rest of the bot speaks by it: commands in what it says bear the bot's own prefix."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from automation_bots.model import Answer, File, Place
from automation_bots.surface import Capabilities, MessageRef, Surface


class SpelledSurface:
    """A surface that changes nothing but this."""

    def __init__(self, surface: Surface, spelled: Callable[[Answer], Answer]) -> None:
        self._surface, self._spelled = surface, spelled

    @property
    def capabilities(self) -> Capabilities:
        """What the network can do."""
        return self._surface.capabilities

    @property
    def link(self) -> str:
        """What is wrong with the connection."""
        return self._surface.link

    @property
    def undelivered(self) -> tuple[int, int, str]:
        """Posts that wait, posts that were never said, and why."""
        return self._surface.undelivered

    def say(self, place: Place, answer: Answer) -> MessageRef | None:
        """Say something."""
        return self._surface.say(place, self._spelled(answer))

    def edit(self, message: MessageRef, answer: Answer, choices: tuple[str, ...] = ()) -> None:
        """Replace what was said."""
        self._surface.edit(message, self._spelled(answer), choices)

    def progress(self, message: MessageRef, answer: Answer) -> None:
        """Show a state."""
        self._surface.progress(message, self._spelled(answer))

    def ask(self, place: Place, question: Answer, choices: tuple[str, ...]) -> MessageRef | None:
        """Ask with buttons, reactions or words."""
        return self._surface.ask(place, self._spelled(question), choices)

    def react(self, message: MessageRef, name: str) -> None:
        """Put a reaction on a message."""
        self._surface.react(message, name)

    def upload(self, place: Place, file: File) -> None:
        """Send a file."""
        self._surface.upload(place, file)

    def show_picture(self, message: MessageRef, picture: File, before: str = "") -> str:
        """Let a picture stand below a message."""
        return self._surface.show_picture(message, picture, before)

    def room_name(self, room: str) -> str:
        """What people call a room."""
        return self._surface.room_name(room)

    def room_ids(self, names: Sequence[str]) -> Mapping[str, str] | None:
        """The ids of rooms by what people call them."""
        return self._surface.room_ids(names)
