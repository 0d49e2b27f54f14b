"""Rocket.Chat: what is said comes over the realtime API, what the bot says goes by REST."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import string
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from automation_bots.chat import calls
from automation_bots.chat.client import (
    SIGNS,
    Away,
    IdempotencyKey,
    IncomingMessage,
    Listener,
    PlainClient,
    Rejected,
    only,
)
from automation_bots.chat.rocketchat import doctor as rocketchat_doctor
from automation_bots.chat.rocketchat import text as rocketchat_text
from automation_bots.chat.rocketchat.events import Reader
from automation_bots.chat.rocketchat.login import Credentials, logged_in
from automation_bots.chat.rocketchat.realtime import Realtime
from automation_bots.chat.rocketchat.settings import RocketChatSettings
from automation_bots.model import File, Mention
from automation_bots.surface import PICTURE_SECONDS, Capabilities

log = logging.getLogger(__name__)
_SETTINGS = (
    "Message_MaxAllowedSize", "Message_AllowEditing", "Message_AllowEditing_BlockEditInMinutes", "Threads_enabled",
    "Message_AllowDeleting", "FileUpload_Enabled", "FileUpload_MaxFileSize", "Katex_Enabled", "Katex_Dollar_Syntax",
)  # fmt: skip
_ALLOWED = {"Message_AllowEditing", "Message_AllowDeleting", "Threads_enabled", "FileUpload_Enabled"}
_FOR_PICTURES = {"Message_AllowDeleting", "Threads_enabled", "FileUpload_Enabled"}
_STREAMS = ("rooms-changed", "subscriptions-changed", "force_logout")
_AT_ONCE = 4  # rooms whose history is read at the same time
_ALPHABET, _ID_CHARACTERS = string.ascii_letters + string.digits, 17
_SKEW = timedelta(seconds=5)  # that the clocks may differ beside what is known
_REFRESH_SECONDS = 600.0  # of who is a bot: new accounts are not told


class RocketChatClient(PlainClient):
    """One account on one server."""

    def __init__(self, wanted: RocketChatSettings) -> None:
        self.capabilities = Capabilities(
            edits=True, reactions=True, threads=True, files=True, picture_seconds=PICTURE_SECONDS, message_size=4500
        )
        self.me = self.my_name = ""
        self._link = Realtime(wanted.url, wanted.trust, wanted.answer_seconds)
        self._credentials = Credentials(wanted.token, wanted.user, wanted.password)
        self._reader = Reader(self._link)
        self.settings: dict[str, Any] = {}  # the server's public ones that matter here
        self.account: dict[str, Any] = {}
        self._refresh: asyncio.Task[None] | None = None

    # -- the link

    def connect(self, sink: Listener) -> None:
        """Log in, learn what there is, and begin to receive."""
        self._link.run(self._connect(sink), 90)

    async def _connect(self, sink: Listener) -> None:
        link, reader = self._link, self._reader
        await self._log_in()
        reader.begin(sink, self.me, self.my_name)
        await link.subscribe("stream-notify-logged", "roles-change")
        for event in _STREAMS:
            await link.subscribe("stream-notify-user", f"{self.me}/{event}")
        await link.subscribe("stream-room-messages", "__my_messages__")
        await self._take_rooms()
        if self._refresh is not None:
            self._refresh.cancel()
        self._refresh = asyncio.create_task(self._stay_up_to_date())

    async def _log_in(self) -> None:
        """Everything but hearing: nothing is read before it is known who is who."""
        link = self._link
        self._reader.end()
        await link.dial(self._reader.event)
        link.user_id, link.token = await logged_in(link, self._credentials)
        self.account = await link.call("GET", "me")
        self.me, self.my_name = str(self.account["_id"]), str(self.account["username"])
        await self._learn()
        await self._take_rooms()

    async def _take_rooms(self) -> None:
        self._reader.take((await self._link.call("GET", "rooms.get")).get("update", []))

    async def _learn(self) -> None:
        """What the server allows, which rooms there are, and who is a bot."""
        found = await self._link.call("GET", "settings.public", params={"_id": ",".join(_SETTINGS), "count": "0"})
        self.settings = {str(entry.get("_id")): entry.get("value") for entry in found.get("settings", [])}
        size = int(self.settings.get("Message_MaxAllowedSize") or 5000)
        on = {name for name in _ALLOWED if self.settings.get(name) is not False}
        self.capabilities = Capabilities(
            edits="Message_AllowEditing" in on,
            reactions=True,
            threads="Threads_enabled" in on,
            files="FileUpload_Enabled" in on,
            picture_seconds=PICTURE_SECONDS if on >= _FOR_PICTURES else 0.0,
            message_size=max(100, size - size // 10),  # the server counts some characters twice
        )
        await self._learn_robots()

    async def _robots(self) -> set[str]:
        """Who has the role of a bot or an app."""
        found: set[str] = set()
        roles = [("roles[]", "bot"), ("roles[]", "app"), ("count", "100")]
        while True:
            page = await self._link.call("GET", "users.listByStatus", params=[*roles, ("offset", str(len(found)))])
            found |= {str(user["_id"]) for user in page.get("users", [])}
            if not page.get("users") or len(found) >= int(page.get("total") or 0):
                return found

    async def _learn_robots(self) -> None:
        try:
            self._reader.robots |= await self._robots()
        except Rejected as error:
            log.warning("who is a bot cannot be read (%s); messages of integrations are known all the same", error)

    async def _stay_up_to_date(self) -> None:
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            try:
                await self._learn_robots()
            except Away as error:
                log.info("who is a bot is read later: %s", error)

    def wait(self) -> None:
        """Return after `close`; raise when the link is cut."""
        self._link.cut.result()

    def close(self) -> None:
        """End the link; a session that was made with a password is logged out."""
        if self._credentials.session and self.me:
            try:
                self._link.run(self._link.call("POST", "logout"), 3)
            except (OSError, Rejected) as error:
                log.info("not logged out: %s", error)
        self._link.close()

    def missed(self, since: datetime) -> Iterable[IncomingMessage]:
        """Read what was said while the bot was away, oldest first in each room."""
        found: list[IncomingMessage] = self._link.run(self._missed(self._link.clock.there(since)), 300)
        return found

    async def _missed(self, since: datetime) -> list[IncomingMessage]:
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def read(room: str) -> list[IncomingMessage]:
            wanted = {"roomId": room, "lastUpdate": _stamp(since)}
            async with at_once:
                try:
                    answer = await self._link.call("GET", "chat.syncMessages", params=wanted)
                except Rejected as error:  # left meanwhile
                    log.warning("what was said in %s cannot be read: %s", room, error)
                    return []
            return self._reader.history(room, answer.get("result", {}).get("updated", []), since)

        return [heard for part in await asyncio.gather(*map(read, list(self._reader.rooms))) for heard in part]

    # -- what is said

    def escape(self, text: str) -> str:
        """Make a text show as it is."""
        return rocketchat_text.escape(text)

    def fence(self, text: str) -> str:
        """Make a block of fixed width."""
        return rocketchat_text.fence(text)

    def shown(self, text: str) -> str:
        """What a screen shows of a message as it is heard."""
        return rocketchat_text.shown(text)

    def post(
        self,
        room: str,
        text: str,
        thread: str = "",
        choices: tuple[str, ...] = (),  # noqa: ARG002 - a bot has no buttons here
        once: IdempotencyKey | None = None,
    ) -> str:
        """Say a text under an id of ours; the server takes no second message with it."""
        id_ = _id_of(once.key if once is not None else secrets.token_hex(16))
        message = {"_id": id_, "rid": room, "msg": self._with_calls(text)} | ({"tmid": thread} if thread else {})
        try:
            self._link.run(self._link.call("POST", "chat.sendMessage", json={"message": message, "previewUrls": []}))
        except Rejected:
            if once is None or once.since is None or not self._is_there(id_):
                raise
        return id_

    def _with_calls(self, text: str) -> str:
        """Call people by the names that they have now."""
        return calls.written(text, self._called)

    def _called(self, person: Mention) -> str:
        try:
            user = self._user(person.account)
        except Rejected:  # the server knows nobody with that id
            user = {}
        name = str(user.get("username") or "")
        there = name and user.get("active", True) and name not in calls.EVERYBODY
        return f"@{name}" if there else self.escape(person.name)

    def _user(self, person: str) -> dict[str, Any]:
        found: dict[str, Any] = self._link.run(self._link.call("GET", "users.info", params={"userId": person}))["user"]
        return found

    def _is_there(self, message: str) -> bool:
        """Whether the server has an own message with that id: it refuses the second one without saying why."""
        try:
            found = self._link.run(self._link.call("GET", "chat.getMessage", params={"msgId": message}))
        except Rejected:
            return False
        return bool(found["message"]["u"]["_id"] == self.me)

    def edit(self, room: str, message: str, text: str, choices: tuple[str, ...] = ()) -> None:  # noqa: ARG002 - as in post
        """Replace an own message."""
        body = {"roomId": room, "msgId": message, "text": self._with_calls(text), "previewUrls": []}
        self._link.run(self._link.call("POST", "chat.update", json=body))

    def react(self, room: str, message: str, name: str) -> None:  # noqa: ARG002 - the message is enough here
        """Put a reaction."""
        emoji = SIGNS[name][1] if name in SIGNS else name
        body = {"messageId": message, "emoji": emoji, "shouldReact": True}
        self._link.run(self._link.call("POST", "chat.react", json=body))

    def upload(self, room: str, file: File, thread: str = "", once: IdempotencyKey | None = None) -> str:
        """Send a file in the two steps of the server, unless it stands there since it was tried first."""
        if once is not None and once.since is not None and (found := self._arrived(room, file, thread, once.since)):
            return found
        answer = self._link.run(self._upload(room, file, thread), 300)
        return str((answer.get("message") or {}).get("_id", ""))

    def _arrived(self, room: str, file: File, thread: str, since: datetime) -> str:
        """Look for a file of that name; a message with a file gets its id from the server."""
        wanted = {"roomId": room, "lastUpdate": _stamp(self._link.clock.there(since) - _SKEW)}
        found = self._link.run(self._link.call("GET", "chat.syncMessages", params=wanted))["result"]["updated"]
        for message in found:
            names = [known.get("name") for known in message.get("files") or ()]
            if names == [file.name] and message.get("tmid", "") == thread and message["u"]["_id"] == self.me:
                return str(message["_id"])
        return ""

    async def _upload(self, room: str, file: File, thread: str) -> dict[str, Any]:
        form = aiohttp.FormData(quote_fields=False)
        kind = "text/plain; charset=utf-8" if file.text is not None else "application/octet-stream"
        form.add_field("file", file.content, filename=file.name, content_type=kind)
        media = await self._link.call("POST", f"rooms.media/{room}", data=form)
        body = {"tmid": thread} if thread else {}
        return await self._link.call("POST", f"rooms.mediaConfirm/{room}/{media['file']['_id']}", json=body)

    def delete(self, room: str, message: str) -> None:
        """Take an own message back."""
        self._link.run(self._link.call("POST", "chat.delete", json={"roomId": room, "msgId": message}))

    def direct_room(self, person: str) -> str:
        """Return the room for direct messages with a person, opened when there is none yet."""
        known = self._reader.direct.get(person)
        if known is None:
            known = self._reader.direct[person] = str(self._link.run(self._opened(person)))
        return known

    async def _opened(self, person: str) -> str:
        user = (await self._link.call("GET", "users.info", params={"userId": person}))["user"]
        room = (await self._link.call("POST", "im.create", json={"username": user["username"]}))["room"]
        return str(room.get("_id") or room["rid"])

    # -- for the doctor

    @property
    def rooms(self) -> list[dict[str, Any]]:
        """Where the bot is."""
        return list(self._reader.rooms.values())

    def examine(self) -> Iterable[tuple[str, str]]:
        """Say what works and what does not."""
        if not self.me:
            self._link.run(self._log_in(), 90)
        yield from rocketchat_doctor.examined(self, self._link.url)
        try:
            self._link.run(self._robots())
        except Rejected as error:
            yield rocketchat_doctor.no_robots(error)

    def examine_room(self, room: str) -> str:
        """What keeps the bot from reading and writing there; empty when nothing does."""
        known = self._reader.rooms.get(room)
        if known is None:
            return "the bot is not in it, or there is no such room; type  /invite  and its name there"
        return rocketchat_doctor.trouble_of(known)

    def room_name(self, room: str) -> str:
        """What people call a room."""
        known = self._reader.rooms.get(room, {})
        return str(known.get("fname") or known.get("name") or "") if known.get("t") in {"c", "p"} else ""

    def room_ids(self, names: Sequence[str]) -> Mapping[str, str]:
        """Look the names up among the rooms that the bot is in."""
        rooms = self._reader.rooms.items()
        return only(((str(room.get("name", "")), rid) for rid, room in rooms if room.get("t") in {"c", "p"}), names)

    def examine_person(self, person: str) -> str:
        """What is wrong with somebody's id; empty when nothing is."""
        user = self._user(person)
        return "" if user.get("active", True) else f"@{user.get('username')} is deactivated"

    def network_time(self) -> datetime:
        """The server's clock."""
        self._link.run(self._link.call("GET", "me"))
        return self._link.clock.now()


def _id_of(key: str) -> str:
    """An id as the server makes them."""
    number, found = int.from_bytes(hashlib.sha256(key.encode()).digest()), ""
    while len(found) < _ID_CHARACTERS:
        number, place = divmod(number, len(_ALPHABET))
        found += _ALPHABET[place]
    return found


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
