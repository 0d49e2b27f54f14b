"""The Web API's methods: which arguments and scopes each takes, what it does, and what it answers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fakes.slack import blocks as kit
from tests.fakes.slack.workspace import Refused, Stored, Workspace, invalid_arguments

Arguments = Mapping[str, Any]
Told = Callable[[dict[str, Any]], None]  # an event for the app
EMOJI = frozenset(
    [
        "+1",
        "-1",
        "white_check_mark",
        "heavy_check_mark",
        "x",
        "no_entry",
        "no_entry_sign",
        "eyes",
        "warning",
        "hourglass",
        "hourglass_flowing_sand",
        "stopwatch",
        "question",
        "grey_question",
        "exclamation",
        "thumbsup",
        "thumbsdown",
        "tada",
        "rocket",
        "lock",
        "unlock",
        "arrows_counterclockwise",
        "repeat",
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
        "red_circle",
        "large_green_circle",
        "stop_sign",
        "wave",
        "raised_hand",
        "octagonal_sign",
        "ballot_box_with_check",
        "negative_squared_cross_mark",
        "page_facing_up",
        "memo",
        "mag",
        "bell",
    ]
)
_POST_CHARACTERS, _UPDATE_CHARACTERS = 40_000, 4_000


@dataclass(frozen=True)
class Method:
    """One method: its argument types by name ("!" after a required one's), and the scopes of which one is needed."""

    do: Callable[[Api, Arguments], dict[str, Any]]
    arguments: Mapping[str, str]
    scopes: tuple[str, ...] = ()
    form_only: bool = False
    app_level: bool = False


class Api:
    """The methods on one workspace; `tell` sends the app what it would hear of it, `host` is where files lie."""

    def __init__(self, space: Workspace, tell: Told, host: Callable[[], str]) -> None:
        self.space, self.tell, self.host = space, tell, host

    # -- chat

    def post(self, given: Arguments) -> dict[str, Any]:
        """chat.postMessage."""
        channel = self.space.writable(given["channel"])
        message = self._message(given, _POST_CHARACTERS)
        self.space.store(channel, message, given.get("thread_ts", ""))
        self.said(channel.id, message)
        return {"channel": channel.id, "ts": message["ts"], "message": message}

    def said(self, channel: str, message: dict[str, Any], **more: Any) -> None:
        """Tell the app of a new message; one's own come back too."""
        kind = self.space.channels[channel].kind
        self.tell({**message, "channel": channel, "channel_type": kind, "event_ts": message["ts"], **more})

    def _message(self, given: Arguments, characters: int) -> dict[str, Any]:
        text, blocks = given.get("text", ""), given.get("blocks") or []
        if not text and not blocks:
            raise Refused("no_text")
        if len(text) > characters:
            raise Refused("msg_too_long")
        kit.check_message(blocks)
        if not self.space.users.keys() >= set(re.findall(r'"type": "user", "user_id": "(\w+)"', json.dumps(blocks))):
            raise Refused("invalid_blocks")
        base = {"type": "message", "user": self.space.me, "bot_id": self.space.bot, "app_id": self.space.app}
        named = [{"block_id": self.space.id("b"), **block} for block in blocks]
        return {**base, "team": self.space.team, "ts": self.space.ts(), "text": text, "blocks": named}

    def update(self, given: Arguments) -> dict[str, Any]:
        """chat.update."""
        channel = self.space.visible(given["channel"])
        message = self.space.message(channel, given["ts"])
        if message.get("bot_id") != self.space.bot:
            raise Refused("cant_update_message")
        fresh = self._message(given, _UPDATE_CHARACTERS)
        before = dict(message)
        message.update(text=fresh["text"], blocks=fresh["blocks"])
        message["edited"] = {"user": self.space.me, "ts": fresh["ts"]}
        self.changed(channel.id, message, before)
        return {"channel": channel.id, "ts": given["ts"], "text": message["text"], "message": message}

    def changed(self, channel: str, message: dict[str, Any], before: dict[str, Any]) -> None:
        """Tell the app of an edit."""
        now = {"ts": self.space.ts(), "channel": channel, "channel_type": self.space.channels[channel].kind}
        event = {"type": "message", "subtype": "message_changed", "hidden": True, "event_ts": now["ts"]}
        self.tell({**event, **now, "message": dict(message), "previous_message": before})

    def delete(self, given: Arguments) -> dict[str, Any]:
        """chat.delete."""
        channel = self.space.visible(given["channel"])
        if self.space.message(channel, given["ts"]).get("bot_id") != self.space.bot:
            raise Refused("cant_delete_message")
        self.gone(channel.id, given["ts"])
        return {"channel": channel.id, "ts": given["ts"]}

    def gone(self, channel: str, ts: str) -> None:
        """Take a message away, and tell."""
        before = self.space.channels[channel].messages.pop(ts)
        event = {"type": "message", "subtype": "message_deleted", "hidden": True, "deleted_ts": ts}
        more = {"channel": channel, "channel_type": self.space.channels[channel].kind, "previous_message": before}
        self.tell({**event, **more, "ts": self.space.ts(), "event_ts": ts})

    def ephemeral(self, given: Arguments) -> dict[str, Any]:
        """chat.postEphemeral."""
        channel = self.space.writable(given["channel"])
        if given["user"] not in channel.members:
            raise Refused("user_not_in_channel")
        message = self._message(given, _POST_CHARACTERS)
        message.update(ephemeral_for=given["user"])
        channel.messages[message["ts"]] = message
        return {"message_ts": message["ts"]}

    # -- reactions

    def react(self, given: Arguments) -> dict[str, Any]:
        """reactions.add."""
        channel = self.space.visible(given["channel"])
        message = self.space.message(channel, given["timestamp"])
        self.reacted(channel.id, message, given["name"], self.space.me)
        return {}

    def reactions(self, given: Arguments) -> dict[str, Any]:
        """reactions.get; nobody's time is in it."""
        channel = self.space.visible(given["channel"])
        message = self.space.message(channel, given["timestamp"])
        return {"type": "message", "channel": channel.id, "message": message}

    def reacted(self, channel: str, message: dict[str, Any], name: str, user: str) -> None:
        """Put somebody's reaction."""
        if name not in EMOJI:
            raise Refused("invalid_name")
        found = message.setdefault("reactions", [])
        entry = next((one for one in found if one["name"] == name), None)
        if entry is None:
            found.append(entry := {"name": name, "users": [], "count": 0})
        if user in entry["users"]:
            raise Refused("already_reacted")
        entry["users"].append(user)
        entry["count"] += 1
        item = {"type": "message", "channel": channel, "ts": message["ts"]}
        event = {"type": "reaction_added", "user": user, "reaction": name, "item": item}
        self.tell({**event, "item_user": message.get("user", ""), "event_ts": self.space.ts()})

    # -- files

    def upload_url(self, given: Arguments) -> dict[str, Any]:
        """files.getUploadURLExternal."""
        if given["length"] <= 0:
            raise invalid_arguments("length must be greater than 0 [json-pointer:/length]")
        stored = Stored(self.space.id("F"), given["filename"], given["length"], self.space.me)
        self.space.files[stored.id] = stored
        return {"upload_url": f"{self.host()}/upload/v1/{stored.id}", "file_id": stored.id}

    def complete(self, given: Arguments) -> dict[str, Any]:
        """files.completeUploadExternal."""
        entries = given["files"]
        if not entries or not all(isinstance(entry, dict) and "id" in entry for entry in entries):
            raise invalid_arguments("missing required field: id [json-pointer:/files/0]")
        if not all(entry["id"] in self.space.files for entry in entries):
            raise Refused("file_not_found")
        stored = [self.space.files[entry["id"]] for entry in entries]
        if any(file.content is None or file.shared for file in stored):
            raise Refused("file_not_found")
        for file, entry in zip(stored, entries, strict=True):
            file.title, file.shared = entry.get("title") or file.name, True
        if "channel_id" in given:
            self._share(stored, given)
        return {"files": [{"id": file.id, "title": file.title} for file in stored]}

    def _share(self, stored: list[Stored], given: Arguments) -> None:
        channel = self.space.writable(given["channel_id"])
        base = {"type": "message", "user": self.space.me, "bot_id": self.space.bot, "app_id": self.space.app}
        text = given.get("initial_comment", "")
        files = [self.shown(file) for file in stored]
        message = {**base, "ts": self.space.ts(), "text": text, "blocks": [], "files": files}
        self.space.store(channel, message, given.get("thread_ts", ""))
        self.said(channel.id, message, subtype="file_share")

    def shown(self, file: Stored) -> dict[str, Any]:
        """A file as events and files.info have it."""
        link = f"{self.host()}/files-pri/{self.space.team}-{file.id}/{file.name}"
        common = {"id": file.id, "name": file.name, "title": file.title or file.name, "mode": "hosted"}
        return {**common, "size": file.length, "user": file.owner, "url_private": link, "url_private_download": link}

    def file(self, given: Arguments) -> dict[str, Any]:
        """files.info."""
        if given["file"] not in self.space.files:
            raise Refused("file_not_found")
        return {"file": self.shown(self.space.files[given["file"]])}

    def drop_file(self, given: Arguments) -> dict[str, Any]:
        """files.delete; the messages that showed it go as well."""
        if given["file"] not in self.space.files:
            raise Refused("file_not_found")
        if self.space.files[given["file"]].owner != self.space.me:
            raise Refused("cant_delete_file")
        del self.space.files[given["file"]]
        for channel in self.space.channels.values():
            for ts, message in list(channel.messages.items()):
                if given["file"] in [file["id"] for file in message.get("files", ())]:
                    self.gone(channel.id, ts)
        return {}

    # -- views and the rest

    def open_view(self, given: Arguments) -> dict[str, Any]:
        """views.open."""
        until = self.space.triggers.pop(given["trigger_id"], None)
        if until is None:
            raise Refused("invalid_trigger_id")
        if until < time.monotonic():
            raise Refused("expired_trigger_id")
        if wrong := kit.check_view(given["view"]):
            raise invalid_arguments(*wrong)
        base = {
            "id": self.space.id("V"),
            "team_id": self.space.team,
            "app_id": self.space.app,
            "bot_id": self.space.bot,
        }
        view = {**base, "hash": "1.lab", "private_metadata": "", "callback_id": "", "state": {"values": {}}}
        self.space.views[base["id"]] = shown = {**view, **given["view"]}
        return {"view": shown}

    def auth(self, _given: Arguments) -> dict[str, Any]:
        """auth.test."""
        name = self.space.users[self.space.me].name
        ids = {"team_id": self.space.team, "user_id": self.space.me, "bot_id": self.space.bot}
        return {"url": f"{self.host()}/", "team": "Lab", "user": name, **ids, "is_enterprise_install": False}


def as_type(kind: str, value: Any, name: str) -> Any:
    """A value of a form or of JSON in the argument's type."""
    try:
        if kind == "json":
            return json.loads(value) if isinstance(value, str) else value
        if kind == "int":
            return int(value)
        if kind == "bool":
            return str(value).lower() in {"true", "1"}
    except ValueError:
        raise invalid_arguments(f"must be a valid {kind} [json-pointer:/{name}]") from None
    if not isinstance(value, str):
        raise invalid_arguments(f"must be a string [json-pointer:/{name}]")
    return value
