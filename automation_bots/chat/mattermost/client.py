"""The client of one Mattermost server: REST by mattermostautodriver, the event stream and the buttons by our own."""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from automation_bots.chat import calls
from automation_bots.chat.client import (
    SIGNS,
    Away,
    Click,
    IdempotencyKey,
    IncomingMessage,
    Listener,
    PlainClient,
    Rejected,
    choice_of,
    only,
)
from automation_bots.chat.mattermost import doctor as mattermost_doctor
from automation_bots.chat.mattermost import text as mattermost_text
from automation_bots.chat.mattermost.buttons import PROPERTY, Buttons
from automation_bots.chat.mattermost.history import History
from automation_bots.chat.mattermost.messages import Messages
from automation_bots.chat.mattermost.rest import Refused, Rest
from automation_bots.chat.mattermost.settings import MattermostSettings
from automation_bots.chat.mattermost.websocket import Loop, Socket
from automation_bots.errors import in_words
from automation_bots.model import File
from automation_bots.surface import PICTURE_SECONDS, Capabilities

log = logging.getLogger(__name__)
_KEY = "automation_bots_key"  # of a post: what makes all tries to say it one
_SKEW_MS = 5_000  # that the clocks may differ beside what is known
_ROOT_GONE = "api.post.create_post.root_id.app_error"


class MattermostClient(PlainClient):
    """See `automation_bots.chat.client.ChatClient`."""

    def __init__(self, settings: MattermostSettings) -> None:
        self.settings = settings
        self.capabilities = Capabilities(
            edits=True,
            reactions=True,
            buttons=bool(settings.callback),
            threads=True,
            files=True,
            picture_seconds=PICTURE_SECONDS,
            message_size=16383,
        )
        self.me = self.my_name = ""
        self.rest = Rest(settings)
        self.messages = Messages(self.rest)
        self.socket = Socket(settings, self._event)
        self.buttons = Buttons(settings, self._clicked) if settings.callback else None
        self._sink: Listener | None = None
        self._loop: Loop | None = None
        self._closed = threading.Event()
        self._resumed = False
        self._heard_until = 0  # of the server's clock, in milliseconds
        self._direct: dict[str, str] = {}

    # -- the link

    def connect(self, sink: Listener) -> None:
        """Say who one is, listen for clicks, open the stream."""
        self._sink = sink
        self._introduce()
        if self._loop is None:
            self._loop = Loop()
        if self.buttons is not None:
            try:
                self._loop.run(self.buttons.listen(), self.settings.timeout_seconds)
            except Away:
                raise
            except OSError as error:
                where = "{}:{}".format(*self.settings.listen)
                raise Away(
                    f"clicks cannot be listened for at {where} ({in_words(error)}); see callback_listen"
                ) from error
        self._resumed = self._loop.run(self.socket.open(), self.settings.timeout_seconds)
        self._learn_rooms()

    def _learn_rooms(self) -> None:
        """Know what channels are called before somebody speaks there; events tell the rest."""
        if self.messages.rooms:
            return
        try:
            History(self.rest, self.messages).channels()
        except Rejected as error:
            log.warning("channels are shown by their ids: %s", error)

    def _introduce(self) -> None:
        account = self.rest.get("/users/me")
        self.me, self.my_name = account["id"], account["username"]
        self.messages.introduce(self.me, self.my_name)

    def wait(self) -> None:
        """Stay; a revoked token leaves the stream open and silent, so the server is asked now and then."""
        while not self._closed.is_set():
            if self.socket.ended.wait(self.settings.probe_seconds):
                if self._closed.is_set():
                    return
                raise Away(self.socket.why)
            try:
                self._introduce()
            except Away as error:
                log.info("the server could not be asked whether the token holds: %s", error)

    def close(self) -> None:
        """End everything."""
        self._closed.set()
        if self._loop is not None:
            try:
                self._loop.run(self._end(), 5)
            except Away:
                log.warning("the link did not end in time")
            self._loop.close()
            self._loop = None
        self.socket.ended.set()
        self.rest.close()

    async def _end(self) -> None:
        await self.socket.close()
        if self.buttons is not None:
            await self.buttons.close()

    def missed(self, since: datetime) -> Iterable[IncomingMessage]:
        """Read it channel by channel; nothing where the stream itself went on."""
        return iter(()) if self._resumed else History(self.rest, self.messages).since(since, self._heard_until)

    # -- what comes in

    def _event(self, kind: str, data: dict[str, Any]) -> None:
        if self._sink is None:
            return
        if kind in {"posted", "post_edited"}:
            post = json.loads(data["post"])
            self._heard_until = max(self._heard_until, post["create_at"])
            heard = self.messages.heard(post, data, edited=kind == "post_edited")
            if heard is not None:
                self._sink.heard(heard)
        elif kind == "reaction_added":
            self._reacted(json.loads(data["reaction"]))
        elif kind == "user_updated" and data["user"]["id"] == self.me:
            self.my_name = data["user"]["username"]
            self.messages.introduce(self.me, self.my_name)

    def _reacted(self, reaction: dict[str, Any]) -> None:
        if self._sink is not None and (chosen := self._chosen(reaction["channel_id"], reaction)) is not None:
            self._sink.chosen(chosen)

    def standing(self, room: str, message: str, since: datetime) -> Iterable[Click]:  # noqa: ARG002 - all have a time
        """Read the reactions at an own post; those who gave them are named as events name them."""
        given = list(self.rest.get(f"/posts/{message}/reactions") or ())
        self.messages.learn([reaction["user_id"] for reaction in given])
        return [chosen for reaction in given if (chosen := self._chosen(room, reaction)) is not None]

    def _chosen(self, room: str, reaction: dict[str, Any]) -> Click | None:
        choice, who = choice_of(reaction["emoji_name"]), reaction["user_id"]
        if not choice or who == self.me:
            return None
        return Click(
            id="{post_id}:{user_id}:{emoji_name}:{create_at}".format(**reaction),
            sender=who,
            room=room,
            message=reaction["post_id"],
            choice=choice,
            at=self.rest.clock.here(datetime.fromtimestamp(reaction["create_at"] / 1000, UTC)),
            sender_name=self.messages.names.get(who, ""),
            direct=self.messages.is_direct(room),
            robot=who in self.messages.robots,
        )

    def _clicked(self, call: dict[str, Any]) -> bool:
        """Take a click on a button of ours, if its question still has that button."""
        question, choice = call["context"]["question"], call["context"]["choice"]
        try:
            post = self.rest.get(f"/posts/{mattermost_text.id_of(call.get('post_id'))}")
        except Refused:
            return False
        if (post["user_id"], post["channel_id"]) != (self.me, call["channel_id"]) or self._sink is None:
            return False
        if post["props"].get(PROPERTY) != question:
            return False
        who = mattermost_text.id_of(call.get("user_id"))
        room, trigger = post["channel_id"], str(call.get("trigger_id", ""))
        taken = self._sink.chosen(
            Click(
                id=f"{post['id']}:{who}:{choice}:{uuid.uuid5(uuid.NAMESPACE_OID, trigger)}",
                sender=who,
                room=room,
                message=post["id"],
                choice=choice,
                at=datetime.now(UTC),
                sender_name=self.messages.name_of(who),
                thread=post["root_id"],
                direct=self.messages.is_direct(room),
                robot=who in self.messages.robots,
                trigger=trigger,
            )
        )
        if not taken:
            raise Away("the bot is stopping")
        return True

    # -- what goes out

    escape = staticmethod(mattermost_text.escape)
    fence = staticmethod(mattermost_text.fence)

    def post(
        self, room: str, text: str, thread: str = "", choices: tuple[str, ...] = (), once: IdempotencyKey | None = None
    ) -> str:
        """Say it; a thread whose first message was deleted is none any more, so the room gets it."""
        body: dict[str, Any] = {"channel_id": room, "message": self._with_calls(text), "root_id": thread}
        if choices and self.buttons is not None:
            body["props"] = self.buttons.properties(room, choices)
        return self._post(body, once)

    def _with_calls(self, text: str) -> str:
        """Call people by the names that they have now; one whom the server does not know stands there as text."""
        accounts = dict.fromkeys(mattermost_text.id_of(person.account) for person in calls.people(text))
        names = self.messages.names_now([account for account in accounts if account != mattermost_text.NO_ID])
        return calls.written(text, lambda person: mattermost_text.called(person, names))

    def _post(self, body: dict[str, Any], once: IdempotencyKey | None) -> str:
        """Post; the server knows the number of a post for half a minute, its properties for ever."""
        if once is not None:
            if once.since is not None and (found := self._arrived(body["channel_id"], once)):
                return found
            body |= {"pending_post_id": f"{self.me}:{once.key}", "props": {**body.get("props", {}), _KEY: once.key}}
        try:
            return str(self.rest.post("/posts", body)["id"])
        except Refused as refusal:
            if refusal.id != _ROOT_GONE or not body["root_id"]:
                raise
            return self._post({**body, "root_id": ""}, once)

    def _arrived(self, room: str, once: IdempotencyKey) -> str:
        """Look for it among what was posted since it was tried first."""
        assert once.since is not None  # noqa: S101 - the caller has looked
        since = int(self.rest.clock.there(once.since).timestamp() * 1000) - _SKEW_MS
        for post in History(self.rest, self.messages).posts(room, since):
            if (post["user_id"], post["props"].get(_KEY)) == (self.me, once.key):
                return str(post["id"])
        return ""

    def edit(self, room: str, message: str, text: str, choices: tuple[str, ...] = ()) -> None:
        """Replace it, and its buttons."""
        body: dict[str, Any] = {"message": self._with_calls(text)}
        if self.buttons is not None:
            body["props"] = {"from_bot": "true", **(self.buttons.properties(room, choices) if choices else {})}
        self.rest.put(f"/posts/{message}/patch", body)

    def react(self, room: str, message: str, name: str) -> None:  # noqa: ARG002 - a message has one id everywhere
        """Put a reaction."""
        emoji = SIGNS[name][1] if name in SIGNS else name.strip(":")
        self.rest.post("/reactions", {"user_id": self.me, "post_id": message, "emoji_name": emoji})

    def upload(self, room: str, file: File, thread: str = "", once: IdempotencyKey | None = None) -> str:
        """Send a file as a message of its own."""
        id_ = self.rest.send_file(room, file.name, file.content)
        body = {"channel_id": room, "message": "", "root_id": thread, "file_ids": [id_]}
        return self._post(body, once)

    def delete(self, room: str, message: str) -> None:  # noqa: ARG002
        """Take an own message back."""
        self.rest.delete(f"/posts/{message}")

    def direct_room(self, person: str) -> str:
        """Return the channel of the two."""
        if person not in self._direct:
            self._direct[person] = self.rest.post("/channels/direct", [self.me, person])["id"]
            self.messages.types[self._direct[person]] = "D"
        return self._direct[person]

    def room_name(self, room: str) -> str:
        """What people call a channel."""
        return self.messages.rooms.get(room, "")

    def room_ids(self, names: Sequence[str]) -> Mapping[str, str]:
        """Look the names up among the channels that the bot is in, of all its teams."""
        channels = History(self.rest, self.messages).channels()
        return only(((one["name"], one["id"]) for one in channels if one["type"] in {"O", "P"}), names)

    def examine(self) -> Iterable[tuple[str, str]]:
        """Say what works."""
        return mattermost_doctor.examine(self.settings, self.rest)

    def examine_room(self, room: str) -> str:
        """Say what keeps the bot from reading and writing there."""
        return mattermost_doctor.room_trouble(self.rest, room)

    def examine_person(self, person: str) -> str:
        """Say what is wrong with somebody's id."""
        return mattermost_doctor.person_trouble(self.rest, person)

    def network_time(self) -> datetime:
        """The server's clock."""
        self.rest.get("/users/me")
        return self.rest.clock.now()
