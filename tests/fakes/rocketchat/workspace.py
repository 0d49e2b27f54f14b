"""Who and which rooms are in a Rocket.Chat workspace, and what the server says when it refuses."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz"
BYPASS = {"bot", "admin", "app"}  # roles with api-bypass-rate-limit and send-many-messages


class MeteorError(Exception):
    """What the server throws: `error` is the kind, `reason` the sentence."""

    def __init__(self, error: str | int, reason: str = "", details: object = None):
        self.error, self.reason, self.details = error, reason, details
        super().__init__(f"{reason} [{error}]" if reason else f"[{error}]")


class PlainError(Exception):
    """A JavaScript Error of the server: it has a sentence only."""


def new_id() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(17))


def hashed(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def units(text: str) -> int:
    """The length as JavaScript counts it."""
    return len(text.encode("utf-16-le")) // 2


def only(fields: dict, data: object, required: tuple[str, ...] = ()):
    """What ajv says of a body: nothing unknown, the right types, all that is required."""
    if not isinstance(data, dict):
        raise MeteorError("invalid-params", "must be object")
    for name in required:
        if name not in data:
            raise MeteorError("invalid-params", f"must have required property '{name}'")
    for name, value in data.items():
        if name not in fields:
            raise MeteorError("invalid-params", "must NOT have additional properties")
        if not isinstance(value, fields[name]) or (isinstance(value, bool) and fields[name] is not bool):
            kind = {str: "string", bool: "boolean", list: "array", dict: "object"}[fields[name]]
            raise MeteorError("invalid-params", f"must be {kind}")


class Workspace:
    """People and rooms. `tell` is called with every change: (kind, …)."""

    def __init__(self, tell: Callable[..., None]):
        self.tell = tell
        self.users: dict[str, dict] = {}
        self.rooms: dict[str, dict] = {}
        self.members: dict[str, set[str]] = {}
        self.messages: dict[str, dict] = {}
        self.uploads: dict[str, dict] = {}
        self.tokens: dict[str, tuple[str, datetime]] = {}  # hash of the token → whose, until when
        self.is_mute = False  # what the realtime API says gets lost, as behind a line that is dead and not cut
        self.pinged: list[tuple[str, str]] = []  # (message, person), as the server would have notified
        self.settings = {
            "Message_MaxAllowedSize": 5000, "Message_AllowEditing": True, "Message_AllowEditing_BlockEditInMinutes": 0,
            "Message_AllowDeleting": True, "Threads_enabled": True, "FileUpload_Enabled": True,
            "FileUpload_MaxFileSize": 104857600,
            "Site_Url": "", "E2E_Enable": False, "Accounts_AllowAnonymousRead": False,
        }  # fmt: skip

    # people
    def person(
        self, username: str, *, password: str = "", roles: tuple[str, ...] = ("user",), kind: str = "user"
    ) -> dict:
        user = {"_id": new_id(), "username": username, "name": username.title(), "type": kind, "roles": list(roles),
                "active": True, "status": "online", "statusText": "", "utcOffset": 0, "emails": [],
                "password": hashed(password), "totp": False,
                "_updatedAt": now(), "createdAt": now()}  # fmt: skip
        self.users[user["_id"]] = user
        return user

    def named(self, username: str) -> dict | None:
        return next((user for user in self.users.values() if user["username"] == username), None)

    def rename(self, uid: str, username: str):
        """A new name: on all messages too, but not in the reactions, as the server does it."""
        self.users[uid]["username"] = username
        for message in self.messages.values():
            if message["u"]["_id"] == uid:
                message["u"]["username"] = username

    def token(self, uid: str, days: float = 90) -> str:
        token = secrets.token_urlsafe(32)
        self.tokens[hashed(token)] = (uid, now() + timedelta(days=days))
        return token

    def owner(self, token: str) -> dict | None:
        uid, until = self.tokens.get(hashed(token), ("", now()))
        user = self.users.get(uid)
        return user if user and user["active"] and until > now() else None

    # rooms
    def room(self, kind: str, name: str, *members: str, **more) -> dict:
        rid = "".join(sorted(members)) if kind == "d" and len(members) == 2 else new_id()
        room = {"_id": rid, "t": kind, "msgs": 0, "usersCount": len(members), "ts": now(), "_updatedAt": now(),
                "ro": False, "sysMes": True, "default": False} | more  # fmt: skip
        if kind == "d":
            room |= {"uids": list(members), "usernames": [self.users[uid]["username"] for uid in members]}
        else:
            room |= {"name": name, "fname": name}
        self.rooms[rid], self.members[rid] = room, set()
        for uid in members:
            self.join(rid, uid, quiet=True)
        return room

    def join(self, rid: str, uid: str, *, quiet: bool = False):
        self.members[rid].add(uid)
        room = self.rooms[rid]
        room["usersCount"] = len(self.members[rid])
        self.tell("subscription", uid, "inserted", self.subscription(rid, uid))
        self.tell("room", rid, "inserted", room, uid)
        if not quiet:
            self.system(rid, "uj", uid)

    def leave(self, rid: str, uid: str):
        self.members[rid].discard(uid)
        self.tell("subscription", uid, "removed", {"_id": new_id(), "rid": rid, "u": {"_id": uid}})
        self.tell("room", rid, "removed", self.rooms[rid], uid)

    def subscription(self, rid: str, uid: str) -> dict:
        room, user = self.rooms[rid], self.users[uid]
        name = room.get("name") or next((n for n in room["usernames"] if n != user["username"]), user["username"])
        return {"_id": new_id(), "rid": rid, "t": room["t"], "name": name, "fname": name, "open": True, "alert": False,
                "unread": 0, "ts": room["ts"], "ls": now(), "_updatedAt": now(),
                "u": {"_id": uid, "username": user["username"]}}  # fmt: skip

    def can_access(self, rid: str, uid: str) -> bool:
        room = self.rooms.get(rid)
        return room is not None and (uid in self.members[rid] or (room["t"] == "c" and uid in self.users))


class Clock:
    """What a server's clock shows, which may be wrong."""

    ahead_seconds = 0.0


CLOCK = Clock()


def now() -> datetime:
    """To the millisecond, as MongoDB keeps it."""
    at = datetime.now(UTC) + timedelta(seconds=CLOCK.ahead_seconds)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
