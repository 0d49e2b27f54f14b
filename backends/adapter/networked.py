"""What all chat networks share on Errbot's side: `class Slack(Networked, ErrBot)` adds nothing but its client.

What a client hears goes through one thread: own messages, edits and bots end here, late ones by the away rule, the rest
passes the gate as everywhere. What is said goes through the outbox.
"""

from __future__ import annotations

import logging
import queue
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from errbot.backends.base import Message

from automation_bots.chat import forms, registry
from automation_bots.chat.attachments import text_of
from automation_bots.chat.client import ChatClient, Click, IncomingMessage, command_of
from automation_bots.chat.connection import Connection, Life
from automation_bots.chat.network_surface import NetworkSurface
from automation_bots.chat.outbox import Outbox
from automation_bots.errors import AutomationError
from automation_bots.jobs.request_context import Origin
from automation_bots.model import Answer, Caller, Place
from backends.adapter import answering, late, origin
from backends.adapter.clicks import Clicks
from backends.adapter.errbot_messages import ErrbotMessages
from backends.adapter.identities import ChatOccupant, ChatPerson, ChatRoom

log = logging.getLogger(__name__)
REVOKED_EXIT = 77  # the credentials are not accepted: starting again changes nothing
_TOUCH_SECONDS = 20.0
_CLOSE_SECONDS = 3.0
_REMEMBERED = 10_000  # messages; what is older is known by the store, as far as it was a command
_END = object()


class Networked(ErrbotMessages):
    """Stands before ErrBot; the name of the class says which network it is."""

    @classmethod
    def make_client(cls, chat: Mapping[str, Any], data: Path) -> ChatClient:
        """Return the network's client (see `registry.Maker`)."""
        return registry.NETWORKS[cls.__name__](chat, data)

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        ours = answering.automation(self)
        try:
            self.chat_settings, self.client = registry.made(self.make_client, ours.bot_folder, ours.data)
        except AutomationError as error:
            sys.exit(f"The bot cannot start.\n{error}")
        self.bot_identifier = ChatPerson("", ours.settings.name)
        self._incoming: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._over, self._closing = threading.Event(), threading.Lock()
        self._closed = False
        self._heard: OrderedDict[tuple[str, str], None] = OrderedDict()  # the last messages, each taken once
        self._clicks = Clicks(self)
        self.link = Connection(
            self.client, self, ours.data / "chat-alive", Life(self._connected, self._clicks.read_back, self.leave)
        )
        self.outbox = Outbox(self.client.capabilities.edit_seconds)
        self.automation_surface = NetworkSurface(
            self.client,
            self.outbox,
            lambda: self.link.trouble,
            ours.store.posts,
            found=lambda question: self._clicks.read_one(question, self.link.away_since),
        )
        self._made_forms: forms.Forms | None = None
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
        while not self._over.wait(_TOUCH_SECONDS):
            self.link.touch()

    def leave(self) -> None:
        """End `serve_forever`, from any thread."""
        self._over.set()

    def _end(self) -> None:
        with self._closing:
            self._closed = True
            self._incoming.put(_END)
        if answering.automation(self).started:
            self.disconnect_callback()
        self.outbox.lay_aside()
        self.shutdown()
        self.outbox.close(_CLOSE_SECONDS)
        self.link.close()

    def _connected(self) -> None:
        self.bot_identifier = ChatPerson(self.client.me, self.client.my_name)
        if not self.link.first.is_set():
            self.automation_surface.take_up(answering.automation(self).settings.network)
        self.outbox.hurry()

    # -- what comes in; the client's threads only put it down

    def heard(self, message: IncomingMessage) -> bool:
        """Take a message (the client's sink)."""
        return message.sender == self.client.me or message.edited or self._put(message)

    def chosen(self, choice: Click) -> bool:
        """Take a click, a reaction or a form (the client's sink)."""
        return choice.sender == self.client.me or self._put(choice)

    def _put(self, event: IncomingMessage | Click) -> bool:
        with self._closing:
            if not self._closed:
                self._incoming.put(event)
            return not self._closed

    def _take_all(self) -> None:
        while (event := self._incoming.get()) is not _END:
            try:
                if isinstance(event, IncomingMessage):
                    self._hear(event)
                else:
                    self._choose(event)
            except Exception:  # one strange message must not make the bot deaf
                log.exception("a message could not be taken")

    def _hear(self, heard: IncomingMessage) -> None:
        if (heard.room, heard.id) in self._heard:
            return
        self._heard[heard.room, heard.id] = None
        if len(self._heard) > _REMEMBERED:
            self._heard.popitem(last=False)
        msg = self._message(heard)
        if heard.robot and not self._is_named(self.automation_origin(msg).caller):
            return
        if heard.mentioned:
            self.callback_mention(msg, [self.bot_identifier])
        self.callback_message(msg)

    def process_message(self, msg: Any) -> bool:
        """Find the command of a message, unless it was said while the bot was away."""
        at = msg.extras.get("at")
        age = None if at is None else late.age(at, self.link.began)
        if age is not None:
            return late.process(self, msg, age, self.chat_settings.away_seconds)
        return super().process_message(msg)

    def _is_named(self, caller: Caller) -> bool:
        """Whether the policy knows this robot as one; all other robots are not even answered."""
        person = answering.automation(self).pipeline.lookup.person(caller)
        return person is not None and person.robot

    def _choose(self, chosen: Click) -> None:
        msg = self._frame(chosen, "", f"click:{chosen.room}:{chosen.id}")
        if chosen.robot and not self._is_named(self.automation_origin(msg).caller):
            return
        if (line := command_of(chosen.choice)) is not None:
            self._type(chosen, line)
            return
        if not chosen.values and chosen.choice != forms.BUTTON:
            self._clicks.take(msg, chosen)
            return
        origin.at_question(msg, self.automation_surface, chosen.message)
        answering.later(self, msg, lambda: self._fill(msg, chosen))

    def _type(self, chosen: Click, line: str) -> None:
        """A button that is a command is the same as to type it there."""
        prefix = answering.automation(self).settings.prefix
        msg = self._frame(chosen, f"{prefix}{line}", f"click:{chosen.room}:{chosen.id}")
        origin.at_question(msg, self.automation_surface, chosen.message)
        msg.extras.update(lane=f"click:{chosen.room}:{chosen.sender}", at=chosen.at)
        self.callback_message(msg)

    # -- forms

    @property
    def _forms(self) -> forms.Forms:
        if self._made_forms is None:
            self._made_forms = forms.Forms(self.client, answering.automation(self).pipeline)
        return self._made_forms

    def automation_answer(self, msg: Any, question: Answer) -> None:
        """Ask for what is missing by a form, or with a button for one; say all else so that it outlives the program."""
        opened, asked = self._forms, self.automation_origin(msg)
        caller, place = asked.caller, asked.place
        if not opened.is_there or answering.automation(self).pipeline.conversation.wanted(caller, place) is None:
            self.automation_surface.answer(place, question)
        elif not opened.open(caller, place, str(msg.extras.get("trigger", ""))):
            self.automation_surface.ask(place, question, (forms.BUTTON,))

    def _fill(self, msg: Any, chosen: Click) -> Answer | None:
        opened, clicked = self._forms, self.automation_origin(msg)
        if not chosen.values:
            there = opened.open(clicked.caller, clicked.place, chosen.trigger)
            return None if there else Answer("Nothing is asked of you here; type the command again.")
        place = opened.place(chosen)
        if place is None:
            return Answer("That form has run out, and nothing was done; type the command again.")
        origin.keep(msg, replace(clicked, place=place))
        return opened.filled(clicked.caller, place, chosen)

    # -- Errbot's messages

    def _message(self, heard: IncomingMessage) -> Message:
        prefix = answering.automation(self).settings.prefix
        called = heard.mentioned and heard.text.strip() and not heard.text.lstrip().startswith(prefix)
        body, attached = heard.text, (lambda: text_of(heard.files)) if heard.files else str
        msg = self._frame(heard, f"{prefix}{body.strip()}" if called else body, f"{heard.room}:{heard.id}", attached)
        msg.extras.update(lane=self._lane(heard), at=heard.at)
        return msg

    def _frame(
        self, event: IncomingMessage | Click, body: str, message_id: str, attached: Callable[[], str] = str
    ) -> Message:
        msg = Message(body, extras={"trigger": event.trigger})
        person = ChatPerson(event.sender, event.sender_name)
        msg.frm, msg.to = person, self.bot_identifier
        if not event.direct:
            msg.to = ChatRoom(event.room)
            msg.frm = ChatOccupant(event.sender, event.sender_name, msg.to)
        network, room = answering.automation(self).settings.network, event.sender if event.direct else event.room
        caller = Caller(network, event.sender, event.sender_name or event.sender, event.robot)
        place = Place(network, room, self._thread(event), event.direct)
        origin.keep(msg, Origin(caller, place, message_id, attached, opened=place.thread != event.thread))
        return msg

    def _thread(self, event: IncomingMessage | Click) -> str:
        if not self.client.capabilities.threads:
            return ""
        opened = isinstance(event, IncomingMessage) and not event.direct and self.chat_settings.threads == "command"
        return event.thread or (event.id if opened else "")

    def _lane(self, heard: IncomingMessage) -> str:
        """What is answered in its order: a thread, or what one person says outside of any."""
        return f"{heard.room}:{heard.thread}" if heard.thread else f"{heard.room}:{heard.sender}"

    def automation_caller(self, msg: Any) -> Caller:
        """Who said what no client told of, by the network's immutable id."""
        return Caller(answering.automation(self).settings.network, msg.frm.aclattr, msg.frm.nick)

    def automation_place(self, msg: Any) -> Place:
        """Where what no client told of was said."""
        return self._place_of(msg.to if msg.is_group else msg.frm)
