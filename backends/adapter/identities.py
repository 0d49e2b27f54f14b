"""People and rooms as Errbot wants them: an immutable id, and a name that is only shown."""

from __future__ import annotations

from typing import Any

from errbot.backends.base import Person, Room, RoomOccupant


class ChatPerson(Person):
    """Somebody, or the bot itself."""

    def __init__(self, id_: str, name: str = "") -> None:
        self.id, self.name = id_, name

    @property
    def person(self) -> str:
        """The immutable id."""
        return self.id

    @property
    def client(self) -> str:
        """Nothing: networks do not say."""
        return ""

    @property
    def nick(self) -> str:
        """The name, shown only."""
        return self.name or self.id

    @property
    def aclattr(self) -> str:
        """The immutable id."""
        return self.id

    @property
    def fullname(self) -> str:
        """The name, shown only."""
        return self.nick

    def __str__(self) -> str:
        return f"@{self.nick}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChatPerson) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)


class ChatRoom(Room):
    """A room by its id; the bot neither makes nor leaves rooms by itself."""

    def __init__(self, id_: str) -> None:
        self.id = id_

    def __str__(self) -> str:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ChatRoom) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)

    @property
    def exists(self) -> bool:
        """It is known by a message."""
        return True

    @property
    def joined(self) -> bool:
        """The bot is where it hears."""
        return True

    @property
    def topic(self) -> str | None:
        """Not asked for."""
        return None

    @property
    def occupants(self) -> list[Any]:
        """Not asked for: a call of the network for each room."""
        return []


class ChatOccupant(ChatPerson, RoomOccupant):
    """Somebody in a room."""

    def __init__(self, id_: str, name: str, room: ChatRoom) -> None:
        super().__init__(id_, name)
        self._room = room

    @property
    def room(self) -> ChatRoom:
        """Where."""
        return self._room
