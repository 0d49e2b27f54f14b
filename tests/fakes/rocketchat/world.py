"""The messages of a Rocket.Chat workspace, and the rules by which the server changes them."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote

from tests.fakes.rocketchat.workspace import MeteorError, PlainError, Workspace, new_id, now, units

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


class World(Workspace):
    """All that a workspace holds."""

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


def _url(url: str, preview: list | None) -> dict:
    return {"url": url, "meta": {}} | ({} if preview is None or url in preview else {"ignoreParse": True})
