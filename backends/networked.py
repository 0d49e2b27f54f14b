"""What all chat networks share on Errbot's side: `class Slack(Networked, ErrBot)` adds nothing but its wire.

What a wire hears goes through one thread: own messages, edits and bots end here, late ones by the away rule, the rest
passes the gate as everywhere. What is said goes through the outbox.
"""

from __future__ import annotations

import logging
import queue
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from errbot.backends.base import ONLINE, Message

from automation_bots import settings
from automation_bots.errors import BadCommand, ConfigError
from automation_bots.model import Caller, Place
from automation_bots.surface import MessageRef
from backends import guard, late
from backends.chat_settings import taken
from backends.identities import ChatOccupant, ChatPerson, ChatRoom
from backends.link import Link
from backends.network_surface import NetworkSurface
from backends.outbox import Outbox
from backends.wire import Attached, Chosen, Heard, Rejected, Wire

log = logging.getLogger(__name__)
REVOKED_EXIT = 77  # the credentials are not accepted: starting again changes nothing
_LATE_SECONDS = 20.0  # what is older was said while nobody listened, whichever way it came
_TOUCH_SECONDS = 20.0
_CLOSE_SECONDS = 3.0
_FILE_BYTES = 200_000  # of an attached file; more is no text that somebody typed
_END = object()


class Networked:
    """Stands before ErrBot; a network gives `make_wire`."""

    @staticmethod
    def make_wire(chat: Mapping[str, Any], data: Path) -> Wire:
        """Return the network's client; `chat` is [chat] of bot.toml with its references resolved.

        A wrong setting is a ConfigError, a ValueError, or pydantic's; nothing is connected yet.
        """
        raise NotImplementedError

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        ours = config.AUTOMATION
        try:
            self.chat_settings, rest = taken(ours.home.chat_identity())
            self.wire = self.make_wire(rest, ours.data)
        except ConfigError as error:
            sys.exit(f"The bot cannot start.\n{error}")
        except ValueError as error:
            sys.exit(f"The bot cannot start.\n{settings.wrong(ours.folder, *_explained(error))}")
        self.bot_identifier = ChatPerson("", ours.settings.name)
        self._incoming: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._over = threading.Event()
        self.link = Link(self.wire, self, ours.data / "chat-alive", self._connected)
        self.outbox = Outbox(self.wire.capabilities.edit_seconds)
        self.automation_surface = NetworkSurface(self.wire, self.outbox, lambda: self.link.trouble)
        self._intake = threading.Thread(target=self._take_all, name="intake", daemon=True)

    # -- life

    def serve_forever(self) -> None:
        """Stay until the end is asked for, or the credentials are no longer accepted."""
        self.link.start()
        try:
            while not self.link.first.wait(_TOUCH_SECONDS):
                pass
            if not self.link.revoked:
                self.connect_callback()
                self._intake.start()
                self._stay()
        except KeyboardInterrupt:
            log.info("asked to end")
        finally:
            self._end()
        if self.link.revoked:
            sys.stderr.write(f"The bot ends: {self.link.revoked}\n")
            raise SystemExit(REVOKED_EXIT)

    def _stay(self) -> None:
        while not self._over.wait(_TOUCH_SECONDS) and not self.link.revoked:
            self.link.touch()

    def leave(self) -> None:
        """End `serve_forever`, from any thread."""
        self._over.set()

    def _end(self) -> None:
        self._incoming.put(_END)
        if guard.automation(self).started:
            self.disconnect_callback()
        self.shutdown()
        self.outbox.close(_CLOSE_SECONDS)
        self.link.close()

    def _connected(self) -> None:
        self.bot_identifier = ChatPerson(self.wire.me, self.wire.my_name)
        self.outbox.hurry()

    # -- what comes in; the wire's threads only put it down

    def heard(self, message: Heard) -> None:
        """Take a message (the wire's sink)."""
        if message.sender != self.wire.me and not message.edited:
            self._incoming.put(message)

    def chosen(self, choice: Chosen) -> None:
        """Take a click, a reaction or a form (the wire's sink)."""
        if choice.sender != self.wire.me:
            self._incoming.put(choice)

    def _take_all(self) -> None:
        while (event := self._incoming.get()) is not _END:
            try:
                if isinstance(event, Heard):
                    self._hear(event)
                else:
                    self._choose(event)
            except Exception:  # one strange message must not make the bot deaf
                log.exception("a message could not be taken")

    def _hear(self, heard: Heard) -> None:
        msg = self._message(heard)
        if heard.robot and not self._is_named(msg.automation_caller):
            return
        if heard.mentioned:
            self.callback_mention(msg, [self.bot_identifier])
        self.callback_message(msg)

    def process_message(self, msg: Any) -> bool:
        """Find the command of a message, unless it was said while the bot was away."""
        age = _age(msg, self.link.began)
        if age is not None:
            return late.process(self, msg, age, self.chat_settings.away_seconds)
        return bool(super().process_message(msg))  # type: ignore[misc]  # ErrBot's

    def _is_named(self, caller: Caller) -> bool:
        """Whether the policy knows this robot as one; all other robots are not even answered."""
        person = guard.automation(self).pipeline.person(caller)
        return person is not None and person.robot

    def _choose(self, chosen: Chosen) -> None:
        msg = self._frame(chosen, "")
        if chosen.robot and not self._is_named(msg.automation_caller):
            return
        place = self.automation_surface.place_of(msg.automation_place, chosen.message)
        msg.automation_place = place
        msg.extras["message_id"] = f"click:{chosen.room}:{chosen.id}"
        pipeline = guard.automation(self).pipeline
        ref = MessageRef(place, chosen.message)
        guard.later(self, msg, lambda: pipeline.chosen(msg.automation_caller, ref, chosen.choice))

    # -- Errbot's messages

    def _message(self, heard: Heard) -> Message:
        prefix = guard.automation(self).settings.prefix
        called = heard.mentioned and heard.text.strip() and not heard.text.lstrip().startswith(prefix)
        msg = self._frame(heard, f"{prefix}{heard.text.strip()}" if called else heard.text)
        msg.extras["message_id"] = f"{heard.room}:{heard.id}"
        msg.extras["lane"] = self._lane(heard)
        if heard.files:
            msg.extras["attached"] = lambda: _text_of(heard.files)
        msg.automation_at = heard.at
        return msg

    def _frame(self, event: Heard | Chosen, body: str) -> Message:
        network = guard.automation(self).settings.network
        msg = Message(body, extras={"url": ""})
        person = ChatPerson(event.sender, event.sender_name)
        msg.frm, msg.to = person, self.bot_identifier
        if not event.direct:
            msg.to = ChatRoom(event.room)
            msg.frm = ChatOccupant(event.sender, event.sender_name, msg.to)
        msg.automation_caller = Caller(network, event.sender, event.sender_name or event.sender, event.robot)
        room = event.sender if event.direct else event.room
        msg.automation_place = Place(network, room, self._thread(event), event.direct)
        return msg

    def _thread(self, event: Heard | Chosen) -> str:
        if not self.wire.capabilities.threads:
            return ""
        opened = isinstance(event, Heard) and not event.direct and self.chat_settings.threads == "command"
        return event.thread or (event.id if opened else "")

    def _lane(self, heard: Heard) -> str:
        """What is answered in its order: a thread, or what one person says outside of any."""
        return f"{heard.room}:{heard.thread}" if heard.thread else f"{heard.room}:{heard.sender}"

    def automation_caller(self, msg: Any) -> Caller:
        """Who said it, by the network's immutable id."""
        known = getattr(msg, "automation_caller", None)
        return known or Caller(guard.automation(self).settings.network, msg.frm.aclattr, msg.frm.nick)

    def automation_place(self, msg: Any) -> Place:
        """Where it was said, thread included."""
        known = getattr(msg, "automation_place", None)
        return known or self._place_of(msg.to if msg.is_group else msg.frm)

    def _place_of(self, identifier: Any) -> Place:
        network = guard.automation(self).settings.network
        if isinstance(identifier, ChatRoom):
            return Place(network, identifier.id)
        return Place(network, identifier.aclattr, direct=True)

    # -- what Errbot and its plugins say by themselves

    def split_and_send_message(self, msg: Any) -> None:
        """Say it; the surface splits where Errbot would cut."""
        self.send_message(msg)

    def send_message(self, msg: Any) -> None:
        """Say what a plugin from elsewhere or Errbot itself says, in the thread of what it answers."""
        super().send_message(msg)  # type: ignore[misc]  # ErrBot's: tells the plugins
        place, asked = self._place_of(msg.to), getattr(msg.parent, "automation_place", None)
        if asked is not None and (asked.room, asked.direct) == (place.room, place.direct):
            place = asked
        try:
            self.automation_surface.say_markdown(place, str(msg.body))
        except OSError as error:
            log.warning("not said yet: %s", error)

    def build_reply(self, msg: Any, text: str | None = None, private: bool = False, threaded: bool = False) -> Message:  # noqa: ARG002, FBT001, FBT002 - Errbot's signature; replies are always in the thread
        """Answer where it was asked, or to the person alone."""
        reply = self.build_message(text)  # type: ignore[attr-defined]  # ErrBot's
        reply.frm, reply.parent = self.bot_identifier, msg
        reply.to = msg.to if msg.is_group and not private else ChatPerson(msg.frm.aclattr, msg.frm.nick)
        return reply  # type: ignore[no-any-return]

    def build_identifier(self, text_representation: str) -> Any:
        """A person of the policy by id, else a room by its id or its name in [places]."""
        ours = guard.automation(self)
        name = text_representation.strip()
        if ours.pipeline.person(Caller(ours.settings.network, name)) or name == self.wire.me:
            return ChatPerson(name)
        return ChatRoom(ours.home.room(name).room)

    def query_room(self, room: str) -> ChatRoom:
        """A room by its id or name."""
        return ChatRoom(guard.automation(self).home.room(room).room)

    def rooms(self) -> list[ChatRoom]:
        """Not kept: the bot is where people invite it."""
        return []

    def change_presence(self, status: str = ONLINE, message: str = "") -> None:
        """Nothing: whether the bot is there is said by the network itself."""

    def prefix_groupchat_reply(self, message: Any, identifier: Any) -> None:
        """Nothing: an answer stands in the thread of its question, and pings nobody."""

    def is_from_self(self, msg: Any) -> bool:
        """Whether the bot said it."""
        return bool(msg.frm.aclattr == self.wire.me)

    @property
    def mode(self) -> str:
        """The network's name."""
        return str(guard.automation(self).settings.network)


def _age(msg: Any, began: datetime) -> float | None:
    """How many seconds ago something was said while the bot was away; None for what it heard in time."""
    at = getattr(msg, "automation_at", None)
    if at is None:
        return None
    age = (datetime.now(UTC) - at).total_seconds()
    return max(0.0, age) if at < began or age > _LATE_SECONDS else None


def _text_of(files: tuple[Attached, ...]) -> str:
    """The one small text file that came with a command."""
    if len(files) > 1:
        raise BadCommand(f"You sent {len(files)} files; send one.")
    file = files[0]
    if file.size > _FILE_BYTES:
        raise BadCommand(f"{file.name} has {file.size} bytes; I read at most {_FILE_BYTES} of a file.")
    try:
        content = file.fetch()
        if len(content) > _FILE_BYTES or b"\0" in content:
            raise BadCommand(f"{file.name} is too long or no text.")
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadCommand(f"{file.name} is no text in UTF-8.") from None
    except (OSError, Rejected) as error:
        raise BadCommand(f"{file.name} cannot be fetched now ({error}); nothing was done. Try again.") from error


def _explained(error: ValueError) -> tuple[tuple[str, ...], str]:
    """Where in bot.toml and why, of a wrong setting."""
    errors = getattr(error, "errors", None)
    if errors is None:
        return ("chat",), str(error)
    first = errors()[0]
    where, said = [str(part) for part in first["loc"]], str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "missing":
        said = "is missing"
    if first["type"] == "extra_forbidden":
        said = "this key is not known"
    return ("chat", *where), said
