"""One session with the homeserver from its login to its end: the sync, its token, and what has to be done between."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from nio.crypto.attachments import decrypt_attachment
from nio.exceptions import EncryptionError, LocalProtocolError

from automation_bots.chat.client import Away, Busy, IncomingMessage, Listener, Rejected
from automation_bots.chat.matrix import events as content
from automation_bots.chat.matrix import login as matrix_session
from automation_bots.chat.matrix.intake import MatrixEvents, Said
from automation_bots.chat.matrix.nio_client import Client, write
from automation_bots.chat.matrix.rooms import Rooms
from automation_bots.chat.matrix.settings import MatrixSettings

log = logging.getLogger(__name__)
_POLL_SECONDS = 30
_SOON_SECONDS = 5  # while something waits that the server will not wake the bot for
_UNREADABLE_AFTER = timedelta(seconds=10)
_FILTER: dict[str, Any] = {
    "presence": {"types": []},
    "account_data": {"types": []},
    "room": {
        "timeline": {"limit": 100, "lazy_load_members": True},
        "state": {"lazy_load_members": True},
        "ephemeral": {"types": []},
        "account_data": {"types": []},
    },
}


class MatrixLink:
    """Everything of it runs on the loop."""

    def __init__(self, settings: MatrixSettings, folder: Path) -> None:
        self._settings, self._folder = settings, folder
        self.client = Client(settings, folder)
        self.rooms = Rooms(self.client, settings)
        self.intake = MatrixEvents(self.client, self.rooms, self.download)
        self._since = ""  # up to there all was handed over
        self._gap: list[Said] = []  # what was said before this connect, and after the last
        self._fresh = True
        self.name = ""
        self.poll_seconds = _POLL_SECONDS
        self._loop = asyncio.get_running_loop()

    async def open(self) -> None:
        """Log in, and catch up with what was said meanwhile."""
        if not self.client.user_id:
            await matrix_session.enter(self.client, self._settings, self._folder)
            await self.rooms.load()
            self.name = await self._own_name()
            self._since = self._stored()
        if self._since:
            self._fresh = False
        said = await self._turn(0)
        if not self._fresh:
            self._gap += said

    async def live(self, sink: Listener) -> None:
        """Hand over what is said from now on, until the link is cut."""
        while True:
            kept = self._since
            for one in await self._turn(self._patience() * 1000):
                if isinstance(one, IncomingMessage):
                    sink.heard(one)
                else:
                    sink.chosen(one)
            if not self._gap:
                # One turn behind: what was handed over may still be on its way into the record.
                self._store(kept)

    async def missed(self, since: datetime) -> list[Said]:
        """What was said while the bot was away."""
        if not self._fresh:
            gap, self._gap = self._gap, []
            return [one for one in gap if one.at >= since]
        said: list[Said] = []
        await self.rooms.count(list(self.client.rooms))
        for room_id in list(self.client.rooms):
            said += self.intake.words(room_id, await self.intake.before(room_id, self._since, "", since))
        self._fresh = False
        return said

    async def say(self, room: str, kind: str, body: dict[str, Any], transaction: str) -> str:
        """Send an event; return its id."""
        await self.rooms.entered(room)
        try:
            id_ = await self.client.say(room, kind, body, transaction)
        except (LocalProtocolError, EncryptionError) as error:
            raise Away(f"the message could not be encrypted: {error}") from error
        return id_

    async def redact(self, room: str, message: str) -> None:
        """Take a message back."""
        await self.client.room_redact(room, message)

    async def upload(self, room_id: str, name: str, data: bytes, kind: str, thread: str) -> dict[str, Any]:
        """Put a file on the server, locked where the room is; return the content of its message."""
        await self.rooms.entered(room_id)
        room = self.client.rooms.get(room_id)
        if room is None:
            raise Rejected(f"the bot is not in {room_id}")
        locked = room.encrypted and self._settings.encryption
        sent, keys = await self.client.upload(
            lambda *_: data,
            "application/octet-stream" if locked else kind,
            None if locked else name,
            encrypt=locked,
            filesize=len(data),
        )
        where = {"file": {**keys, "url": sent.content_uri}} if locked else {"url": sent.content_uri}
        return content.attachment(name, kind, len(data), where, thread, self.intake.latest(thread))

    async def fetch(self, url: str, keys: Any) -> bytes:
        """Get a file, and unlock it."""
        body = bytes((await self.client.download(url)).body)
        if not keys:
            return body
        try:
            return bytes(decrypt_attachment(body, keys["key"]["k"], keys["hashes"]["sha256"], keys["iv"]))
        except (EncryptionError, KeyError, TypeError) as error:
            raise Rejected(f"the file cannot be unlocked: {error}") from error

    def download(self, url: str, keys: Any) -> bytes:
        """Get a file from any other thread."""
        return asyncio.run_coroutine_threadsafe(self.fetch(url, keys), self._loop).result(60)

    async def end(self) -> None:
        """Close everything of it."""
        await self.client.close()
        self.client.end()

    async def _own_name(self) -> str:
        me = self.client.user_id
        try:
            shown = (await self.client.ask("GET", f"profile/{quote(me)}/displayname")).get("displayname")
        except Rejected:  # none was given
            shown = ""
        return str(shown or me.partition(":")[0][1:])

    # -- one turn

    def _patience(self) -> int:
        return _SOON_SECONDS if self.intake.locked or self.rooms.unsettled else self.poll_seconds

    async def _turn(self, wait_ms: int) -> list[Said]:
        whole = not self.client.next_batch
        response = await self.client.sync(wait_ms, _FILTER, since=self._since or None, full_state=whole)
        await self.rooms.count(room_id for room_id, info in response.rooms.join.items() if info.timeline.events)
        said = await self.intake.read(response, self._since)
        self.rooms.invited(response.rooms.invite)
        for room_id in response.rooms.leave:
            self.client.rooms.pop(room_id, None)
        await self._tried(self.rooms.settle())
        if self.client.olm:
            await self._tried(self._keys())
            said += self.intake.unlocked()
            await self._tried(self.intake.complain(self._answer, _UNREADABLE_AFTER))
        await self.rooms.changed()
        self._since = response.next_batch  # not before: what a cut on the way here kept back comes again
        return said

    async def _tried(self, work: Coroutine[Any, Any, None]) -> None:
        """Do what encryption and invitations need; what is refused now comes up again the next time."""
        try:
            await work
        except (Busy, Rejected) as error:
            log.warning("the homeserver refuses for now: %s", error)

    async def _keys(self) -> None:
        client = self.client
        await client.send_to_device_messages()
        if client.should_upload_keys:
            await client.keys_upload()
        if client.should_query_keys:
            await client.keys_query()
        if client.should_claim_keys:
            await client.keys_claim(client.get_users_for_key_claiming())
        await self.intake.ask_for_keys()

    async def _answer(self, room: str, message: str, words: str) -> None:
        body = content.message(content.escape(words), notice=True)
        body["m.relates_to"] = {"m.in_reply_to": {"event_id": message}}
        await self.say(room, "m.room.message", body, str(uuid4()))

    # -- the token

    def _stored(self) -> str:
        try:
            kept = json.loads((self._folder / "since").read_text())
        except (OSError, ValueError):
            return ""
        mine = kept.get("server") == self._settings.server and kept.get("user") == self.client.user_id
        return str(kept.get("since", "")) if mine else ""

    def _store(self, since: str) -> None:
        if since and since != self._stored():
            kept = {"server": self._settings.server, "user": self.client.user_id, "since": since}
            try:
                write(self._folder / "since", json.dumps(kept))
            except OSError as error:  # a full disk is told elsewhere; what comes again runs no second time
                log.warning("up to where all was heard cannot be noted: %s", error)
