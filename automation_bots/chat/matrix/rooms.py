"""Which rooms the bot is in: invitations from those who may, and the rooms for direct messages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

import nio

from automation_bots.chat.client import Away, Busy, Rejected
from automation_bots.chat.matrix.nio_client import Client
from automation_bots.chat.matrix.settings import MatrixSettings

log = logging.getLogger(__name__)
_APPEAR_SECONDS = 15.0  # a room that was made must show up in what the server sends
_TRIES = 5  # to join: a room of another server may take some time


class Rooms:
    """Belongs to one client, and lives on its loop."""

    def __init__(self, client: Client, settings: MatrixSettings) -> None:
        self._client, self._settings = client, settings
        self._direct: dict[str, list[str]] = {}  # by person, as the account's own data says it
        self._last: dict[str, str] = {}  # where a person spoke last
        self._pending: dict[str, tuple[str, bool, int]] = {}
        self._entered: set[str] = set()  # joined by now; the server sends them with its next answer
        self._opening: dict[str, asyncio.Lock] = {}
        self._changed = asyncio.Condition()

    async def load(self) -> None:
        """Read which rooms are for direct messages."""
        try:
            found = await self._client.ask("GET", self._account_data)
        except Rejected:  # there are none yet
            found = {}
        self._direct = {person: list(rooms) for person, rooms in found.items() if isinstance(rooms, list)}

    @property
    def _account_data(self) -> str:
        return f"user/{quote(self._client.user_id)}/account_data/m.direct"

    def is_direct(self, room: Any) -> bool:
        """Whether a room was begun as one for two, and nobody else is in it now."""
        return self._begun(room.room_id) and _is_counted(room) and room.joined_count + room.invited_count <= 2

    def _begun(self, room_id: str) -> bool:
        return any(room_id in rooms for rooms in self._direct.values())

    async def count(self, room_ids: Iterable[str]) -> None:
        """Ask who is in a room for two: after a restart the server says it again only when somebody comes or goes."""
        for room_id in room_ids:
            room = self._client.rooms.get(room_id)
            if room is None or not self._begun(room_id) or _is_counted(room):
                continue
            try:
                said = await self._client.ask("GET", f"rooms/{quote(room_id)}/members?not_membership=leave")
            except Rejected as error:  # out of it again; what is not counted is no room for two
                log.info("who is in %s cannot be read: %s", room_id, error)
                continue
            there = [event["content"].get("membership") for event in said["chunk"]]
            room.update_summary(nio.RoomSummary(there.count("invite"), there.count("join"), []))

    def spoke(self, person: str, room_id: str) -> None:
        """Answer this person here from now on."""
        self._last[person] = room_id

    async def changed(self) -> None:
        """Wake those who wait for a room: the server has sent something."""
        async with self._changed:
            self._changed.notify_all()

    # -- invitations

    def invited(self, invitations: dict[str, Any]) -> None:
        """Note who invites where; `settle` decides."""
        for room_id, info in invitations.items():
            for event in info.invite_state:
                ours = isinstance(event, nio.InviteMemberEvent) and event.state_key == self._client.user_id
                if ours and event.membership == "invite":
                    self._pending[room_id] = (event.sender, bool(event.content.get("is_direct")), 0)

    @property
    def unsettled(self) -> bool:
        """Whether an invitation has to be tried again."""
        return bool(self._pending)

    async def settle(self) -> None:
        """Take the invitations of those who may invite, and decline all others."""
        for room_id, (person, direct, tries) in list(self._pending.items()):
            try:
                if self._settings.may_invite(person):
                    await self._client.join(room_id)
                    self._entered.add(room_id)
                    log.info("joined %s: invited by %s", room_id, person)
                    if direct:
                        await self._note(person, room_id)
                else:
                    log.warning("declined %s: %s is not in invites of [chat]", room_id, person)
                    await self._client.room_leave(room_id)
            except Busy:  # the server has only asked to wait
                raise
            except (Away, Rejected) as error:
                log.warning("the invitation of %s to %s: %s", person, room_id, error)
                if tries + 1 < _TRIES:
                    self._pending[room_id] = (person, direct, tries + 1)
                    continue
            self._pending.pop(room_id, None)

    # -- direct messages

    async def direct_room(self, person: str) -> str:
        """The room for two; opened where there is none."""
        async with self._opening.setdefault(person, asyncio.Lock()):
            candidates = [self._last.get(person, ""), *reversed(self._direct.get(person, []))]
            for room_id in candidates:
                if await self._is_ours_alone(room_id, person):
                    return room_id
            return await self._open(person)

    async def _is_ours_alone(self, room_id: str, person: str) -> bool:
        await self.count([room_id])
        room = self._client.rooms.get(room_id)
        if room is None or not self.is_direct(room) or not self._holds_two(room_id):
            return False
        if not room.members_synced:
            await self._client.joined_members(room_id)
        return not set(room.users) - {self._client.user_id, person}

    def _holds_two(self, room_id: str) -> bool:
        room = self._client.rooms.get(room_id)
        return room is not None and room.joined_count + room.invited_count == 2

    async def _open(self, person: str) -> str:
        body: dict[str, Any] = {"is_direct": True, "invite": [person], "preset": "trusted_private_chat"}
        if self._settings.encryption:
            how = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}
            body["initial_state"] = [how]
        room_id = str((await self._client.ask("POST", "createRoom", body))["room_id"])
        await self._note(person, room_id)
        await self._appears(room_id, lambda: self._holds_two(room_id))  # the invitation is sent after the room
        return room_id

    async def entered(self, room_id: str) -> None:
        """Wait for a room that was just joined, so that something can be said there."""
        if room_id in self._entered:
            await self._appears(room_id, lambda: room_id in self._client.rooms)
            self._entered.discard(room_id)

    async def _appears(self, room_id: str, is_there: Callable[[], bool]) -> None:
        async with self._changed:
            try:
                await asyncio.wait_for(self._changed.wait_for(is_there), _APPEAR_SECONDS)
            except TimeoutError as error:
                raise Away(f"the room {room_id} does not appear") from error

    async def _note(self, person: str, room_id: str) -> None:
        self._direct.setdefault(person, []).append(room_id)
        await self._client.ask("PUT", self._account_data, self._direct)


def _is_counted(room: Any) -> bool:
    known = room.summary
    return known is not None and None not in (known.joined_member_count, known.invited_member_count)
