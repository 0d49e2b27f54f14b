"""What Errbot and plugins from elsewhere say by themselves on a network, and how they name people and rooms."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from errbot.backends.base import ONLINE, Message

from automation_bots.chat.client import ChatClient
from automation_bots.model import Caller, Place
from backends.adapter import answering, origin
from backends.adapter.identities import ChatPerson, ChatRoom

if TYPE_CHECKING:
    from backends.adapter.host import Host
else:
    Host = object  # ErrBot itself stands behind it

log = logging.getLogger(__name__)


class ErrbotMessages(Host):
    """Part of `Networked`: Errbot's own interface on top of the surface."""

    client: ChatClient

    def split_and_send_message(self, msg: Any) -> None:
        """Say it; the surface splits where Errbot would cut."""
        self.send_message(msg)

    def send_message(self, msg: Any) -> None:
        """Say what a plugin from elsewhere or Errbot itself says, in the thread of what it answers."""
        super().send_message(msg)  # tells the plugins
        place, asked = self._place_of(msg.to), origin.known(msg.parent)
        if asked is not None and (asked.place.room, asked.place.direct) == (place.room, place.direct):
            place = asked.place
        try:
            self.automation_surface.say_markdown(place, str(msg.body))
        except OSError as error:
            log.warning("not said yet: %s", error)

    def build_reply(self, msg: Any, text: str | None = None, private: bool = False, threaded: bool = False) -> Message:  # noqa: ARG002, FBT001, FBT002 - Errbot's signature; replies are always in the thread
        """Answer where it was asked, or to the person alone."""
        reply = self.build_message(text)
        reply.frm, reply.parent = self.bot_identifier, msg
        reply.to = msg.to if msg.is_group and not private else ChatPerson(msg.frm.aclattr, msg.frm.nick)
        return reply

    def build_identifier(self, text_representation: str) -> Any:
        """A person of the policy by id, else a room by its id or its name in [places]."""
        ours = answering.automation(self)
        name = text_representation.strip()
        if ours.pipeline.lookup.person(Caller(ours.settings.network, name)) or name == self.client.me:
            return ChatPerson(name)
        return ChatRoom(ours.bot_folder.room(name).room)

    def query_room(self, room: str) -> ChatRoom:
        """A room by its id or name."""
        return ChatRoom(answering.automation(self).bot_folder.room(room).room)

    def rooms(self) -> list[ChatRoom]:
        """Not kept: the bot is where people invite it."""
        return []

    def change_presence(self, status: str = ONLINE, message: str = "") -> None:
        """Nothing: whether the bot is there is said by the network itself."""

    def prefix_groupchat_reply(self, message: Any, identifier: Any) -> None:
        """Nothing: an answer stands in the thread of its question, and pings nobody."""

    def is_from_self(self, msg: Any) -> bool:
        """Whether the bot said it."""
        return bool(msg.frm.aclattr == self.client.me)

    @property
    def mode(self) -> str:
        """The network's name."""
        return str(answering.automation(self).settings.network)

    def _place_of(self, identifier: Any) -> Place:
        network = answering.automation(self).settings.network
        if isinstance(identifier, ChatRoom):
            return Place(network, identifier.id)
        return Place(network, identifier.aclattr, direct=True)
