"""A person on Matrix for tests: a matrix-nio client of its own, with encryption, that says and sees."""

from __future__ import annotations

import html
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import nio
from nio.crypto.attachments import decrypt_attachment
from nio.store import SqliteStore

from automation_bots.chat.matrix.nio_client import OneAtATime

_FILTER = {
    "presence": {"types": []},
    "room": {"timeline": {"limit": 5000}, "ephemeral": {"types": []}, "account_data": {"types": []}},
}
_FRESH_SECONDS = 0.1
_ENCRYPTED = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}


class _Store(SqliteStore):
    def _create_database(self):
        return OneAtATime(":memory:", pragmas={"foreign_keys": 1})


@dataclass
class Shown:
    """A message as the screen shows it."""

    id: str
    author: str
    content: dict[str, Any]
    encrypted: bool
    thread: str = ""
    edited: bool = False
    reactions: list[tuple[str, str]] = field(default_factory=list)  # (who, sign)


class Person:
    """Every method is a coroutine of one loop."""

    def __init__(self, url: str, id_: str, password: str, device: str = "") -> None:
        self.id, self._password = id_, password
        config = nio.AsyncClientConfig(store=_Store, max_limit_exceeded=5, max_timeouts=2)
        self.client = nio.AsyncClient(url, id_, device or None, ":memory:", config)
        self.direct: dict[str, str] = {}  # rooms for two, by the other one
        self._shown: dict[str, dict[str, Shown]] = {}
        self._later: list[tuple[str, Any]] = []
        self._files: dict[str, bytes] = {}
        self._synced = 0.0

    async def enter(self) -> None:
        """Log in, and publish keys."""
        await self.client.login(self._password, "a person")
        await self.refresh()

    async def leave(self) -> None:
        """Close the client."""
        await self.client.close()
        self.client.store.database.close()

    async def refresh(self, *, force: bool = False) -> None:
        """Take what is new."""
        if not force and time.monotonic() - self._synced < _FRESH_SECONDS:
            return
        client = self.client
        response = await client.sync(0, _FILTER, full_state=not client.next_batch)
        assert isinstance(response, nio.SyncResponse), response
        for room_id, info in response.rooms.join.items():
            for event in info.timeline.events:
                self._take(room_id, event)
        later, self._later = self._later, []
        for room_id, event in later:
            self._take(room_id, event)
        await self._accept(response.rooms.invite)
        await self._keys()
        self._synced = time.monotonic()

    async def _accept(self, invitations: dict[str, Any]) -> None:
        for room_id, info in invitations.items():
            for event in info.invite_state:
                if isinstance(event, nio.InviteMemberEvent) and event.state_key == self.id:
                    await self.client.join(room_id)
                    if event.content.get("is_direct"):
                        self.direct.setdefault(event.sender, room_id)
                    self._synced = 0.0

    async def _keys(self) -> None:
        client = self.client
        await client.send_to_device_messages()
        if client.should_upload_keys:
            await client.keys_upload()
        if client.should_query_keys:
            await client.keys_query()
        if client.should_claim_keys:
            await client.keys_claim(client.get_users_for_key_claiming())

    # -- doing

    async def distrust(self, other: str) -> None:
        """Keep the keys of what is said from now on from every device of somebody."""
        client = self.client
        if client.should_query_keys:
            await client.keys_query()
        devices = list(client.device_store.active_user_devices(other))
        assert devices, f"{other} has no device that is known"
        for device in devices:
            client.blacklist_device(device)

    async def make_room(self, people: list[str], *, direct: bool = False, encrypted: bool = False) -> str:
        """Make a room and invite people."""
        made = await self.client.room_create(
            is_direct=direct,
            invite=people,
            preset=nio.RoomPreset.trusted_private_chat if direct else nio.RoomPreset.private_chat,
            initial_state=[_ENCRYPTED] if encrypted else [],
        )
        if direct:
            self.direct[people[0]] = made.room_id
        await self.refresh(force=True)
        return str(made.room_id)

    async def members(self, room: str) -> list[str]:
        """Who is in a room now."""
        return [member.user_id for member in (await self.client.joined_members(room)).members]

    async def say(self, room: str, content: dict[str, Any], kind: str = "m.room.message") -> str:
        """Send an event as it is."""
        if room not in self.client.rooms or (self.client.rooms[room].encrypted and kind == "m.room.message"):
            await self.refresh()
        sent = await self.client.room_send(room, kind, content, ignore_unverified_devices=True)
        assert isinstance(sent, nio.RoomSendResponse), sent
        return str(sent.event_id)

    async def attach(self, room: str, words: str, name: str, data: bytes) -> str:
        """Send a file with words."""
        await self.refresh()
        locked = self.client.rooms[room].encrypted
        sent, keys = await self.client.upload(
            lambda *_: data, "application/octet-stream", name, encrypt=locked, filesize=len(data)
        )
        where = {"file": {**keys, "url": sent.content_uri}} if locked else {"url": sent.content_uri}
        info = {"size": len(data)}
        return await self.say(room, {"msgtype": "m.file", "body": words, "filename": name, "info": info, **where})

    async def rename(self, name: str) -> None:
        """Take another display name."""
        await self.client.set_displayname(name)

    # -- seeing

    async def seen(self, room: str) -> list[Shown]:
        """All messages of a room."""
        await self.refresh()
        return list(self._shown.get(room, {}).values())

    async def file(self, content: dict[str, Any]) -> bytes:
        """Download a file, and unlock it."""
        keys = content.get("file")
        url = keys["url"] if keys else content["url"]
        if url not in self._files:
            body = (await self.client.download(url)).body
            self._files[url] = (
                decrypt_attachment(body, keys["key"]["k"], keys["hashes"]["sha256"], keys["iv"]) if keys else body
            )
        return self._files[url]

    def _take(self, room_id: str, event: Any) -> None:
        shown = self._shown.setdefault(room_id, {})
        if isinstance(event, nio.MegolmEvent):
            try:
                event.room_id = room_id
                event = self.client.decrypt_event(event)
            except nio.EncryptionError:
                self._later.append((room_id, event))
                return
        content, kind = event.source.get("content") or {}, event.source.get("type")
        relation = content.get("m.relates_to") or {}
        about = shown.get(relation.get("event_id", ""))
        if kind == "m.reaction" and about:
            about.reactions.append((event.sender, relation["key"]))
        elif kind == "m.room.redaction":
            shown.pop(event.source.get("redacts") or content.get("redacts", ""), None)
        elif kind == "m.room.message" and relation.get("rel_type") == "m.replace":
            if about and about.author == event.sender:
                about.content, about.edited = content["m.new_content"], True
        elif kind == "m.room.message" and "body" in content:
            thread = relation["event_id"] if relation.get("rel_type") == "m.thread" else ""
            shown[event.event_id] = Shown(event.event_id, event.sender, content, event.decrypted, thread)


def on_screen(content: dict[str, Any]) -> str:
    """What a client shows of a message."""
    if content.get("format") != "org.matrix.custom.html":
        return str(content["body"])
    text = re.sub(r"<br ?/?>", "\n", content["formatted_body"])
    text = re.sub(r"(?<=.)<pre><code>", "\n", text.replace("\n</code></pre>", "\n").rstrip("\n"), flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", "", text)).replace("\u00a0", " ")


def pinged(content: dict[str, Any]) -> tuple[str, ...]:
    """Whom a message calls, by the rules that clients follow."""
    said = content.get("m.mentions")
    if said is not None:
        return (*said.get("user_ids", ()), *(("@room",) if said.get("room") else ()))
    return tuple(re.findall(r"@room\b|@[\w.-]+:[\w.-]+", content["body"]))


def typed(text: str, *, thread: str = "", mention: str = "", robot: bool = False) -> dict[str, Any]:
    """What a client makes of words that somebody types."""
    content: dict[str, Any] = {"msgtype": "m.notice" if robot else "m.text", "body": text, "m.mentions": {}}
    if mention:
        name = mention.partition(":")[0][1:]
        content["body"] = f"{name}: {text}"
        content["format"] = "org.matrix.custom.html"
        content["formatted_body"] = f'<a href="https://matrix.to/#/{quote(mention)}">{name}</a>: {html.escape(text)}'
        content["m.mentions"] = {"user_ids": [mention]}
    if thread:
        content["m.relates_to"] = {"rel_type": "m.thread", "event_id": thread}
    return content


def replaced(text: str, message: str) -> dict[str, Any]:
    """What a client makes of an edit."""
    relation = {"rel_type": "m.replace", "event_id": message}
    new = {"msgtype": "m.text", "body": text}
    return {"msgtype": "m.text", "body": f"* {text}", "m.new_content": new, "m.relates_to": relation}


def new_name(name: str) -> str:
    """A user name that nobody has yet."""
    return f"{name}-{uuid4().hex[:6]}"
