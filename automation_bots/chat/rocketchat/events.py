"""What Rocket.Chat's realtime API tells, read: messages, reactions to questions, rooms, and who is a bot."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from automation_bots.chat.client import Attached, Away, Click, IncomingMessage, Listener, Rejected, Revoked, choice_of
from automation_bots.chat.rocketchat.realtime import Realtime

log = logging.getLogger(__name__)
_BEFORE = timedelta(
    seconds=60
)  # what is older when the link begins is an old message that changed; `missed` reads the rest
_REMEMBERED = 2_000  # messages whose reactions are known
_FILE_BYTES = 200 * 1024 * 1024


class Reader:
    """`event` is called on the link's thread; it asks nothing of the server but who reacted to a question."""

    def __init__(self, link: Realtime) -> None:
        self._link = link
        self._sink: Listener | None = None
        self.robots: set[str] = set()
        self.rooms: dict[str, dict[str, Any]] = {}
        self.direct: dict[str, str] = {}  # person → the room of direct messages
        self._me, self._names = "", set[str]()  # whoever was renamed is still called by the old name in old messages
        self._began = datetime.now(UTC)
        self._signs: OrderedDict[str, frozenset[tuple[str, str]]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def end(self) -> None:
        """Tell nobody any more."""
        self._sink = None

    def begin(self, sink: Listener, me: str, name: str) -> None:
        """Hand in what comes from now on."""
        self._sink, self._me = sink, me
        self._names.add(name)
        self._began = datetime.now(UTC) - _BEFORE

    def take(self, rooms: list[dict[str, Any]]) -> None:
        """Know these rooms and no others."""
        self.rooms = {str(room["_id"]): room for room in rooms}

    def event(self, stream: str, name: str, args: list[Any]) -> None:
        """Take what the server tells."""
        if stream == "stream-room-messages" and args:
            self._message(args[0], args[1] if len(args) > 1 else {})
        elif stream == "stream-notify-user" and name.endswith("/rooms-changed") and len(args) > 1:
            self._room(str(args[0]), args[1])
        elif stream == "stream-notify-user" and name.endswith("/subscriptions-changed") and len(args) > 1:
            if args[0] == "removed":
                self.rooms.pop(str(args[1].get("rid")), None)
        elif stream == "stream-notify-user" and name.endswith("/force_logout"):
            self._spawn(self._link.hang_up())
        elif stream == "stream-notify-logged" and name == "roles-change" and args:
            self._role(args[0])

    def _room(self, what: str, room: dict[str, Any]) -> None:
        rid = str(room.get("_id"))
        if what == "removed":
            self.rooms.pop(rid, None)
        else:
            self.rooms[rid] = self.rooms.get(rid, {}) | room

    def _role(self, change: Mapping[str, Any]) -> None:
        who = str((change.get("u") or {}).get("_id", ""))
        if change.get("_id") in {"bot", "app"} and who and not change.get("scope"):
            (self.robots.discard if change.get("type") == "removed" else self.robots.add)(who)

    def _message(self, raw: dict[str, Any], about: Mapping[str, Any]) -> None:
        if self._sink is None or about.get("roomParticipant") is False:  # it is told of all public rooms
            return
        if _id_of(raw) == self._me:
            self._reactions(raw, str(about.get("roomType", "")))
            return
        heard = self.heard(raw, str(about.get("roomType", "")))
        if heard is not None and heard.at >= self._began:
            self._sink.heard(heard)

    def history(self, room: str, found: list[dict[str, Any]], since: datetime) -> list[IncomingMessage]:
        """Read what changed in a room: new messages, and reactions to older questions."""
        kind = str(self.rooms.get(room, {}).get("t", ""))
        came = max((_at(raw.get("ts")) for raw in found if self._lets_in(raw)), default=since)
        for raw in found:
            if _id_of(raw) == self._me:
                self._reactions(raw, kind)
        new = [raw for raw in found if (at := _at(raw.get("ts"))) > since and at >= came and _id_of(raw) != self._me]
        said = [self.heard(raw, kind) for raw in new]
        return sorted((heard for heard in said if heard is not None), key=lambda heard: heard.at)

    def _lets_in(self, raw: Mapping[str, Any]) -> bool:
        """Whether the bot came into the room with this: what stands before was not for it."""
        joined = raw.get("t") == "uj" and _id_of(raw) == self._me
        return joined or (raw.get("t") == "au" and raw.get("msg") in self._names)

    def heard(self, raw: dict[str, Any], kind: str) -> IncomingMessage | None:
        """Read one message; None for what nobody has typed (somebody joined …) or nobody can read (encrypted)."""
        sender, room = _id_of(raw), str(raw.get("rid", ""))
        if raw.get("t") or raw.get("_hidden") or not sender or not room:
            return None
        direct = self._is_direct(room, kind)
        if direct:
            self.direct[sender] = room
        called = [entry for entry in raw.get("mentions") or () if entry.get("_id") == self._me]
        self._names |= {str(entry["username"]) for entry in called if entry.get("username")}
        text = str(raw.get("msg") or "") or _described(raw)
        return IncomingMessage(
            id=str(raw["_id"]),
            sender=sender,
            room=room,
            text=self._unmentioned(text) if called else text,
            at=self._link.clock.here(_at(raw.get("ts"))),
            sender_name=str(raw["u"].get("username") or ""),
            thread=str(raw.get("tmid") or ""),
            direct=direct,
            mentioned=bool(called),
            robot=bool(raw.get("bot") or raw.get("alias")) or sender in self.robots,
            edited=bool(raw.get("editedAt")),
            files=tuple(self._files(raw)),
        )

    def _is_direct(self, room: str, kind: str) -> bool:
        """Two people's conversation; one of more is a room like any other."""
        known = self.rooms.get(room, {})
        if (kind or known.get("t")) != "d":
            return False
        people = known.get("uids") or known.get("usernames") or []
        return len(people) <= 2 if people else self._me in room

    def _unmentioned(self, text: str) -> str:
        plain = text.lstrip()
        for name in sorted(self._names, key=len, reverse=True):
            rest = plain[len(name) + 1 :]
            if plain.lower().startswith(f"@{name}".lower()) and (not rest or rest[0] in " \n\t,:\u00a0"):
                return rest.lstrip(" ,:\u00a0\t")
        return text

    def _files(self, raw: dict[str, Any]) -> list[Attached]:
        sizes = {file.get("_id"): int(file.get("size") or 0) for file in raw.get("files") or []}
        found = []
        for entry in raw.get("attachments") or []:
            link = str(entry.get("title_link") or "")
            if entry.get("type") == "file" and link.startswith("/"):
                size = int(entry.get("size") or sizes.get(entry.get("fileId")) or 0)
                found.append(Attached(str(entry.get("title") or "file"), size, lambda link=link: self._fetched(link)))  # type: ignore[misc]
        return found

    def _fetched(self, path: str) -> bytes:
        return bytes(self._link.run(self._link.fetch(path, _FILE_BYTES)))

    # -- reactions to what the bot asked

    def _reactions(self, raw: dict[str, Any], kind: str) -> None:
        """Only signs that the bot itself has put there are answers; who gave them is told by name only."""
        given = {emoji: signs.get("usernames", []) for emoji, signs in (raw.get("reactions") or {}).items()}
        asked = [emoji for emoji, names in given.items() if choice_of(emoji) and not self._names.isdisjoint(names)]
        mid = str(raw["_id"])
        if not asked and mid not in self._signs:
            return
        now = frozenset((emoji, str(name)) for emoji in asked for name in given[emoji] if name not in self._names)
        before = self._signs.pop(mid, None)
        self._signs[mid] = now
        while len(self._signs) > _REMEMBERED:
            self._signs.popitem(last=False)
        for emoji, name in sorted(now - (before or frozenset())):
            self._spawn(self._clicked(raw, kind, (emoji, name), is_read=before is None))

    async def _clicked(self, raw: dict[str, Any], kind: str, given: tuple[str, str], *, is_read: bool) -> None:
        """Hand one in; of a message that was not seen before nobody knows when it was given."""
        emoji, name = given
        try:
            user = (await self._link.call("GET", "users.info", params={"username": name}))["user"]
        except (Away, Rejected, Revoked) as error:
            self._signs.pop(str(raw["_id"]), None)  # counted when the message changes again
            log.warning("who reacted to %s cannot be read: %s", raw["_id"], error)
            return
        sender, room, stands = str(user["_id"]), str(raw["rid"]), f"{raw['_id']}:{emoji}:{user['_id']}"
        at = self._link.clock.here(_at(raw.get("_updatedAt")))
        chosen = Click(
            id=stands if is_read else f"{stands}:{at.timestamp()}",
            sender=sender,
            room=room,
            message=str(raw["_id"]),
            choice=choice_of(emoji),
            at=at,
            sender_name=name,
            thread=str(raw.get("tmid") or ""),
            direct=self._is_direct(room, kind),
            robot=sender in self.robots or user.get("type") in {"bot", "app"},
            stands=stands,
            is_read=is_read,
        )
        if self._sink is not None:
            self._sink.chosen(chosen)

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _id_of(raw: Mapping[str, Any]) -> str:
    return str((raw.get("u") or {}).get("_id") or "")


def _described(raw: Mapping[str, Any]) -> str:
    """What was typed with a file; older servers keep it at the file."""
    return next((str(entry["description"]) for entry in raw.get("attachments") or [] if entry.get("description")), "")


def _at(value: Any) -> datetime:
    """A moment as the realtime API or REST writes it."""
    if isinstance(value, dict):
        return datetime.fromtimestamp(float(value.get("$date", 0)) / 1000, UTC)
    try:
        return datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return datetime.fromtimestamp(0, UTC)
