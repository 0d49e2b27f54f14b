"""What the homeserver sends, in the words of all clients: nothing twice left out, nothing from before the bot came."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import nio
from nio.exceptions import EncryptionError, LocalProtocolError

from automation_bots.chat.client import Attached, Click, IncomingMessage
from automation_bots.chat.matrix import events as content
from automation_bots.chat.matrix.nio_client import Client
from automation_bots.chat.matrix.rooms import Rooms

log = logging.getLogger(__name__)
_PAGE = 100
_BEFORE_JOIN = timedelta(minutes=2)  # a direct room is made with its first message, and then the bot is asked in
_KEPT_LOCKED = 500  # messages whose key has not come yet
Said = IncomingMessage | Click


@dataclass(frozen=True, slots=True)
class Locked:
    """A message that cannot be read (its key did not come with it) or not be believed (its device is not known)."""

    room: str
    event: Any
    since: datetime


class MatrixEvents:
    """Belongs to one client, and lives on its loop."""

    def __init__(self, client: Client, rooms: Rooms, fetch: Callable[[str, Any], bytes]) -> None:
        self._client, self._rooms, self._fetch = client, rooms, fetch
        self.locked: OrderedDict[str, Locked] = OrderedDict()
        self.in_clear: dict[str, tuple[str, Any]] = {}  # said in clear where all is encrypted
        self._latest: OrderedDict[str, str] = OrderedDict()  # the last message of each thread

    def latest(self, thread: str) -> str:
        """The last message of a thread, as far as it was seen."""
        return self._latest.get(thread, "")

    async def read(self, response: Any, since: str) -> list[Said]:
        """All that a sync brings, oldest first in each room, with what the server left out of it."""
        said: list[Said] = []
        for room_id, info in response.rooms.join.items():
            events = self._opened(room_id, info.timeline.events)  # nio opens nothing of what is sent again
            events, asked_in = _since_asked_in(events, self._client.user_id)
            if info.timeline.limited and since and not asked_in:
                events = [*await self.before(room_id, info.timeline.prev_batch, since), *events]
            said += self._said(room_id, events)
        return said

    async def before(self, room_id: str, start: str, until: str = "", since: datetime | None = None) -> list[Any]:
        """The events of a room between two moments, oldest first."""
        found: list[Any] = []
        while start:
            page = await self._client.room_messages(room_id, start, until or None, limit=_PAGE)
            found += page.chunk
            recent, asked_in = _since_asked_in(found[::-1], self._client.user_id)
            if asked_in or (since and found and _at(found[-1]) < since):
                return self._opened(room_id, [event for event in recent if since is None or _at(event) >= since])
            start = page.end if page.chunk or page.end != start else ""
        return self._opened(room_id, found[::-1])

    def words(self, room_id: str, events: Iterable[Any]) -> list[Said]:
        """The same for events that were read in another way."""
        return list(self._said(room_id, events))

    def _opened(self, room_id: str, events: list[Any]) -> list[Any]:
        return [self._open(room_id, event) or event for event in events]

    def _open(self, room_id: str, event: Any) -> Any | None:
        if not isinstance(event, nio.MegolmEvent) or not self._client.olm:
            return None
        event.room_id = room_id
        try:
            return self._client.decrypt_event(event)
        except EncryptionError:
            return None

    def _said(self, room_id: str, events: Iterable[Any]) -> Iterator[Said]:
        room = self._client.rooms.get(room_id)
        for event in events:
            if room is None or event.sender == self._client.user_id:
                self._follow(event)
                continue
            if isinstance(event, nio.MegolmEvent) or (event.decrypted and not self._client.believes(room_id, event)):
                self._keep_locked(room_id, event)
            elif said := self._word(room, event):
                yield said

    def _word(self, room: Any, event: Any) -> Said | None:
        kind = event.source.get("type")
        self._follow(event)
        around = self._around(room, event.sender)
        if kind == "m.reaction":
            return content.chosen(event.source, around)
        if kind != "m.room.message" or not isinstance(event.source.get("content"), dict):
            return None
        if room.encrypted and self._client.olm and not event.decrypted:
            self.in_clear[event.event_id] = (room.room_id, event)
            return None
        heard = content.heard(event.source, around, self._files(event.source["content"]))
        if heard and around.direct:
            self._rooms.spoke(heard.sender, heard.room)
        return heard

    def _around(self, room: Any, sender: str) -> content.Around:
        me = self._client.user_id
        names = tuple(name for name in (room.user_name(me), me.partition(":")[0][1:]) if name)
        direct = self._rooms.is_direct(room)
        return content.Around(me, names, room.room_id, room.user_name(sender) or sender, direct)

    def _files(self, said: dict[str, Any]) -> tuple[Attached, ...]:
        found = content.media(said)
        if not found:
            return ()
        name, size, url, keys = found
        return (Attached(name, size, lambda: self._fetch(url, keys)),)

    def _follow(self, event: Any) -> None:
        relation = (event.source.get("content") or {}).get("m.relates_to") or {}
        if relation.get("rel_type") == "m.thread":
            self._latest[relation.get("event_id", "")] = event.event_id
            while len(self._latest) > 2_000:
                self._latest.popitem(last=False)

    # -- keys that come later

    def _keep_locked(self, room_id: str, event: Any) -> None:
        if not self._client.olm:
            return
        log.warning("%s: a message of %s cannot be read or not be believed yet", room_id, event.sender)
        event.room_id = room_id
        self.locked.setdefault(event.event_id, Locked(room_id, event, datetime.now(UTC)))
        while len(self.locked) > _KEPT_LOCKED:
            self.locked.popitem(last=False)

    def unlocked(self) -> list[Said]:
        """What can be read by now, with the keys that came and the devices that were asked for."""
        said: list[Said] = []
        for id_, locked in list(self.locked.items()):
            event = self._open(locked.room, locked.event) or locked.event
            if not isinstance(event, nio.MegolmEvent) and self._client.believes(locked.room, event):
                del self.locked[id_]
                said += self._said(locked.room, [event])
        return said

    async def ask_for_keys(self) -> None:
        """Ask the sender's devices for keys that did not come."""
        for locked in self.locked.values():
            if not isinstance(locked.event, nio.MegolmEvent):
                continue
            try:
                await self._client.request_room_key(locked.event)
            except LocalProtocolError:  # asked for already
                continue

    async def complain(self, say: Callable[[str, str, str], Awaitable[Any]], after: timedelta) -> None:
        """Tell people what could not be read, so that nothing they said is lost without a word."""
        now = datetime.now(UTC)
        late = [locked for locked in self.locked.values() if now - locked.since >= after]
        for locked in late:
            del self.locked[locked.event.event_id]
            if now - _at(locked.event) < timedelta(hours=1):
                await say(locked.room, locked.event.event_id, _why(locked.event))
        clear, self.in_clear = self.in_clear, {}
        for room_id, event in clear.values():
            await say(room_id, event.event_id, _IN_CLEAR)


_UNREADABLE = "I cannot read this message: its key did not reach me. Please say it again."
_STRANGE = (
    "This came from a session whose keys I do not know or that have changed, so I did nothing. "
    "Please say it in another session, or log out of this one and in again."
)
_IN_CLEAR = (
    "This came in clear into an encrypted room, so I did nothing. Please say it again in a client that encrypts."
)


def _why(event: Any) -> str:
    return _UNREADABLE if isinstance(event, nio.MegolmEvent) else _STRANGE


def _since_asked_in(events: list[Any], me: str) -> tuple[list[Any], bool]:
    """Leave out what was said before the bot was asked in, if that stands here."""
    for index in reversed(range(len(events))):
        event = events[index]
        if isinstance(event, nio.RoomMemberEvent) and event.state_key == me and event.membership == "join":
            if event.prev_membership == "join":  # a new name
                continue
            asked = (at for at in range(index) if _invites(events[at], me))
            first = next(asked, index)
            fresh = datetime.now(UTC) - _BEFORE_JOIN
            return [*(one for one in events[first:index] if _at(one) >= fresh), *events[index:]], True
    return events, False


def _invites(event: Any, me: str) -> bool:
    return isinstance(event, nio.RoomMemberEvent) and event.state_key == me and event.membership == "invite"


def _at(event: Any) -> datetime:
    return datetime.fromtimestamp(event.server_timestamp / 1000, UTC)
