"""People, rooms and messages of a Rocket.Chat workspace, and the rules by which the server changes them."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

_LETTERS = "23456789ABCDEFGHJKLMNPQRSTWXYZabcdefghijkmnopqrstuvwxyz"
_MENTION = re.compile(r"(^|\s|>)@([0-9a-zA-Z-_.]+)", re.MULTILINE)
_URL = re.compile(r"https?://[^\s<>]+")
EMOJI = frozenset(
    [
        "mag",
        "+1",
        "-1",
        "thumbsup",
        "thumbsdown",
        "white_check_mark",
        "heavy_check_mark",
        "x",
        "no_entry",
        "no_entry_sign",
        "negative_squared_cross_mark",
        "eyes",
        "hourglass",
        "hourglass_flowing_sand",
        "warning",
        "octagonal_sign",
        "tada",
        "rocket",
        "smile",
        "heart",
        "raised_hand",
        "question",
        "arrows_counterclockwise",
        "repeat",
        "clock1",
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "keycap_ten",
        "ballot_box_with_check",
        "regional_indicator_a",
        "regional_indicator_b",
        "regional_indicator_c",
        "regional_indicator_d",
    ]
)
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


class World:
    """All that a workspace holds. `tell` is called with every change: (kind, …)."""

    def __init__(self, tell: Callable[..., None]):
        self.tell = tell
        self.users: dict[str, dict] = {}
        self.rooms: dict[str, dict] = {}
        self.members: dict[str, set[str]] = {}
        self.messages: dict[str, dict] = {}
        self.uploads: dict[str, dict] = {}
        self.tokens: dict[str, tuple[str, datetime]] = {}  # hash of the token → whose, until when
        self.pinged: list[tuple[str, str]] = []  # (message, person), as the server would have notified
        self.settings = {
            "Message_MaxAllowedSize": 5000, "Message_AllowEditing": True, "Message_AllowEditing_BlockEditInMinutes": 0,
            "Message_AllowDeleting": True, "Threads_enabled": True, "FileUpload_Enabled": True, "FileUpload_MaxFileSize": 104857600,
            "Site_Url": "", "E2E_Enable": False, "Accounts_AllowAnonymousRead": False,
        }  # fmt: skip

    # people
    def person(
        self, username: str, *, password: str = "", roles: tuple[str, ...] = ("user",), kind: str = "user"
    ) -> dict:
        user = {"_id": new_id(), "username": username, "name": username.title(), "type": kind, "roles": list(roles),
                "active": True, "status": "online", "statusText": "", "utcOffset": 0, "emails": [], "password": hashed(password), "totp": False,
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
        return {"_id": new_id(), "rid": rid, "t": room["t"], "name": name, "fname": name, "open": True, "alert": False, "unread": 0,
                "ts": room["ts"], "ls": now(), "_updatedAt": now(), "u": {"_id": uid, "username": user["username"]}}  # fmt: skip

    def can_access(self, rid: str, uid: str) -> bool:
        room = self.rooms.get(rid)
        return room is not None and (uid in self.members[rid] or (room["t"] == "c" and uid in self.users))

    # messages
    def system(self, rid: str, kind: str, uid: str):
        """Somebody joined, a topic changed, …: messages with a type."""
        self._store({"_id": new_id(), "t": kind, "rid": rid, "ts": now(), "msg": self.users[uid]["username"],
                     "u": self.short(uid), "groupable": False})  # fmt: skip

    def send(self, uid: str, message: dict, *, preview: list | None = None) -> dict | None:
        if message.get("tshow") and not message.get("tmid"):
            raise MeteorError("invalid-params", "tshow provided but missing tmid")
        if message.get("tmid") and not self.settings["Threads_enabled"]:
            raise MeteorError("error-not-allowed", "not-allowed")
        if units(message.get("msg") or "") > self.settings["Message_MaxAllowedSize"]:
            raise MeteorError("error-message-size-exceeded", "Message size exceeds Message_MaxAllowedSize")
        message = dict(message)
        parent = self.messages.get(message.get("tmid") or "")
        if parent:
            message["tmid"], message["rid"] = parent.get("tmid") or parent["_id"], parent["rid"]
        if not message.get("rid"):
            raise PlainError("The 'rid' property on the message object is missing.")
        self._may_send(message["rid"], uid)
        if message.get("alias") or message.get("avatar"):
            raise PlainError("Not enough permission")
        if message.get("_id") in self.messages:
            return None
        return self._store(self._finished(uid, message, preview))

    def _may_send(self, rid: str, uid: str):
        room, user = self.rooms.get(rid), self.users[uid]
        if room is None:
            raise PlainError("error-invalid-room")
        if not self.can_access(rid, uid):
            raise PlainError("error-not-allowed")
        if room["ro"] and user["username"] not in room.get("unmuted", []):
            raise PlainError("You can't send messages because the room is readonly.")
        if user["username"] in room.get("muted", []):
            raise PlainError("You_have_been_muted")

    def _finished(self, uid: str, message: dict, preview: list | None) -> dict:
        text = message.get("msg") or ""
        done = {"_id": new_id(), "ts": now()} | message
        done |= {"msg": text, "u": self.short(uid), "urls": [_url(url, preview) for url in _URL.findall(text)],
                 "mentions": self._mentions(text), "channels": [],
                 "md": [{"type": "PARAGRAPH", "value": [{"type": "PLAIN_TEXT", "value": text}]}]}  # fmt: skip
        return done

    def short(self, uid: str) -> dict:
        return {key: self.users[uid][key] for key in ("_id", "username", "name")}

    def _mentions(self, text: str) -> list[dict]:
        found = []
        for _, name in _MENTION.findall(text):
            user = self.named(name) or self.named(name.rstrip("._-"))
            if name in {"all", "here"}:
                found.append({"_id": name, "username": name})
            elif user:
                found.append(self.short(user["_id"]) | {"type": "user"})
        return found

    def _store(self, message: dict) -> dict:
        message["_updatedAt"] = now()
        self.messages[message["_id"]] = message
        for mention in message.get("mentions", []):
            everybody = mention["_id"] in {"all", "here"}
            self.pinged += [
                (message["_id"], uid) for uid in (self.members[message["rid"]] if everybody else [mention["_id"]])
            ]
        room = self.rooms[message["rid"]]
        self.tell("message", message)
        if parent := self.messages.get(message.get("tmid") or ""):
            parent |= {"tcount": parent.get("tcount", 0) + 1, "tlm": message["ts"], "_updatedAt": now()}
            parent["replies"] = sorted({*parent.get("replies", []), parent["u"]["_id"], message["u"]["_id"]})
            self.tell("message", parent)
        else:
            room |= {"lastMessage": message, "lm": message["ts"]}
        room |= {"msgs": room["msgs"] + 1, "_updatedAt": now()}
        self.tell("room", message["rid"], "updated", room, "")
        return message

    def update(self, uid: str, mid: str, text: str) -> dict:
        message = self.messages[mid]
        if message["u"]["_id"] != uid or not self.settings["Message_AllowEditing"]:
            raise MeteorError("error-action-not-allowed", "Message editing not allowed", {"action": "Message_editing"})
        block = self.settings["Message_AllowEditing_BlockEditInMinutes"]
        if block and now() - message["ts"] >= timedelta(minutes=block):
            raise MeteorError("error-message-editing-blocked", "Message editing is blocked")
        self._may_send(message["rid"], uid)
        if units(text) > self.settings["Message_MaxAllowedSize"]:
            raise MeteorError("error-message-size-exceeded", "Message size exceeds Message_MaxAllowedSize")
        if text == message["msg"]:
            return message
        message |= {"msg": text, "editedAt": now(), "_updatedAt": now(), "mentions": self._mentions(text)}
        message["editedBy"] = {key: self.users[uid][key] for key in ("_id", "username")}
        self.tell("message", message)
        return message

    def react(self, uid: str, mid: str, emoji: str, should: bool | None):
        message, name = self.messages[mid], emoji.replace(":", "")
        if name not in EMOJI:
            raise MeteorError("error-not-allowed", "Invalid emoji provided.", {"method": "setReaction"})
        if not self.can_access(message["rid"], uid):
            raise MeteorError("not-authorized", "Not Authorized", {"method": "setReaction"})
        username, key = self.users[uid]["username"], f":{name}:"
        reactions = message.setdefault("reactions", {})
        there = username in reactions.get(key, {}).get("usernames", [])
        if should is there:
            return
        if there:
            reactions[key]["usernames"].remove(username)
            if not reactions[key]["usernames"]:
                del reactions[key]
        else:
            reactions.setdefault(key, {"usernames": []})["usernames"].append(username)
        if not reactions:
            del message["reactions"]
        message["_updatedAt"] = now()
        self.tell("message", message)

    def delete(self, uid: str, mid: str):
        message = self.messages[mid]
        if message["u"]["_id"] != uid and "admin" not in self.users[uid]["roles"]:
            raise MeteorError("error-action-not-allowed", "Not allowed", {"action": "Delete_message"})
        del self.messages[mid]
        self.tell("deleted", message["rid"], mid)

    def upload(self, uid: str, rid: str, name: str, kind: str, content: bytes) -> dict:
        """Take a file; it is shown to nobody before it is confirmed."""
        if len(content) > self.settings["FileUpload_MaxFileSize"]:
            raise MeteorError("error-file-too-large")
        upload = {"_id": new_id(), "name": name, "type": kind, "size": len(content), "rid": rid, "userId": uid}
        self.uploads[upload["_id"]] = upload | {"content": content, "confirmed": False}
        return upload

    def confirm(self, uid: str, fid: str, said: dict) -> dict | None:
        """Say that the file is there, with words."""
        upload = self.uploads.get(fid)
        if upload is None or upload["confirmed"]:
            raise MeteorError("invalid-file")
        link = f"/file-upload/{fid}/{quote(upload['name'])}"
        file = {key: upload[key] for key in ("_id", "name", "type", "size")} | {"format": ""}
        shown = {"title": upload["name"], "type": "file", "description": said.get("description", ""), "fileId": fid}
        shown |= {"title_link": link, "title_link_download": True, "size": upload["size"]}
        message = {"rid": upload["rid"], "msg": said.get("msg", ""), "groupable": False, "file": file, "files": [file]}
        tmid = {"tmid": said["tmid"]} if said.get("tmid") else {}
        sent = self.send(uid, message | tmid | {"attachments": [shown]})
        upload["confirmed"] = True
        return sent

    def share(self, uid: str, rid: str, name: str, kind: str, content: bytes, text: str) -> dict | None:
        """What the vendor's own clients do: both steps."""
        return self.confirm(uid, self.upload(uid, rid, name, kind, content)["_id"], {"msg": text})

    def history(self, rid: str) -> list[dict]:
        """Newest first."""
        found = [message for message in self.messages.values() if message["rid"] == rid]
        return sorted(found, key=lambda message: message["ts"], reverse=True)


def now() -> datetime:
    """To the millisecond, as MongoDB keeps it."""
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _url(url: str, preview: list | None) -> dict:
    return {"url": url, "meta": {}} | ({} if preview is None or url in preview else {"ignoreParse": True})
