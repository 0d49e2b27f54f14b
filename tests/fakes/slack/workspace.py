"""What a Slack workspace holds: people, conversations, messages, files, tokens; no network in here."""

from __future__ import annotations

import copy
import itertools
import re
import time
from dataclasses import dataclass, field
from typing import Any

_ENTITY = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_LINK = re.compile(r"\bhttps?://[^\s<>]+|\b(?:[a-z0-9-]+\.)+(?:com|net|org|example|io|de)\b(?:/\S*)?", re.IGNORECASE)
_MAIL = re.compile(r"\b[\w.+-]+@(?:[\w-]+\.)+\w+\b")
ALL_SCOPES = [
    "app_mentions:read",
    "channels:history",
    "channels:join",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "reactions:read",
    "reactions:write",
    "users:read",
]


class Refused(Exception):
    """An answer with "ok": false."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.body = {"ok": False, "error": error, **more}


def invalid_arguments(*messages: str) -> Refused:
    """Make the error for arguments that are missing or malformed."""
    return Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {text}" for text in messages]})


@dataclass
class User:
    """A member of the workspace."""

    id: str
    name: str
    is_bot: bool = False
    deleted: bool = False

    def shown(self, team: str) -> dict[str, Any]:
        """As users.info has it."""
        profile = {"real_name": self.name.title(), "display_name": self.name, "team": team}
        return {
            "id": self.id,
            "team_id": team,
            "name": self.name,
            "deleted": self.deleted,
            "real_name": self.name.title(),
            "profile": profile,
            "is_bot": self.is_bot,
            "is_app_user": False,
        }


@dataclass
class Channel:
    """A conversation of any kind."""

    id: str
    name: str
    kind: str  # channel, group, mpim, im
    members: set[str]
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)  # by ts
    archived: bool = False

    def shown(self, me: str) -> dict[str, Any]:
        """As conversations.info has it."""
        common = {"id": self.id, "created": 1700000000, "is_archived": self.archived, "is_im": self.kind == "im"}
        if self.kind == "im":
            return {**common, "user": next(iter(self.members - {me}), me)}
        return {
            **common,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "group",
            "is_mpim": self.kind == "mpim",
            "is_private": self.kind != "channel",
            "is_member": me in self.members,
            "num_members": len(self.members),
        }

    @property
    def history_scope(self) -> str:
        """Which scope reads this conversation."""
        return {"channel": "channels", "group": "groups"}.get(self.kind, self.kind) + ":history"


@dataclass
class Stored:
    """A file on its way or arrived."""

    id: str
    name: str
    length: int
    owner: str
    content: bytes | None = None
    shared: bool = False
    title: str = ""


class Workspace:
    """Everything that the server knows; used from the server's loop only."""

    team = "T0LABTEAM"
    app = "A0LABAPP1"
    bot = "B0LABBOT1"
    bot_token, app_token = "xoxb-lab-1-bot", "xapp-1-lab-app"

    def __init__(self, scopes: list[str] | None = None) -> None:
        self.scopes = list(ALL_SCOPES if scopes is None else scopes)
        self.app_scopes = ["connections:write"]
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.files: dict[str, Stored] = {}
        self.views: dict[str, dict[str, Any]] = {}
        self.triggers: dict[str, float] = {}  # until when
        self.revoked = ""  # the error that every call gets from then on
        self.socket_mode, self.ahead_seconds = True, 0
        self._numbers = itertools.count(1)
        self._last_ts = [0.0]  # one for all apps
        self.me = self.person("netbot", is_bot=True)

    def other_app(self, name: str) -> Workspace:
        """The same workspace as another app sees it, which is installed now."""
        other, number = copy.copy(self), next(self._numbers)
        other.app, other.bot = f"A0LABAPP{number}", f"B0LABBOT{number}"
        other.bot_token, other.app_token = f"xoxb-lab-{number}-bot", f"xapp-{number}-lab-app"
        other.scopes, other.app_scopes = list(self.scopes), list(self.app_scopes)
        other.me = self.person(name, is_bot=True)
        return other

    def id(self, kind: str) -> str:
        """Make a new id, as Slack's: a letter and capitals."""
        return f"{kind}0LAB{next(self._numbers):05d}"

    def now(self) -> float:
        """What Slack's clock shows."""
        return time.time() + self.ahead_seconds

    def ts(self) -> str:
        """The time of a message, its id within the channel."""
        self._last_ts[0] = max(self.now(), self._last_ts[0] + 0.000001)
        return f"{self._last_ts[0]:.6f}"

    def person(self, name: str, *, is_bot: bool = False) -> str:
        """Add a member."""
        user = User(self.id("U"), name, is_bot)
        self.users[user.id] = user
        return user.id

    def room(self, name: str, members: set[str], kind: str = "channel") -> str:
        """Add a conversation."""
        letter = {"channel": "C", "group": "G", "mpim": "G", "im": "D"}[kind]
        channel = Channel(self.id(letter), name, kind, set(members))
        self.channels[channel.id] = channel
        return channel.id

    def direct(self, user: str) -> str:
        """The conversation of the bot with somebody, made where it is not there."""
        for channel in self.channels.values():
            if channel.kind == "im" and channel.members == {user, self.me}:
                return channel.id
        return self.room("", {user, self.me}, "im")

    def trigger(self) -> str:
        """A trigger id: good for one view, three seconds long."""
        trigger = f"{next(self._numbers)}.{self.team}.lab"
        self.triggers[trigger] = time.monotonic() + 3
        return trigger

    def visible(self, channel_id: str) -> Channel:
        """A channel that the bot may know of."""
        channel = self.channels.get(channel_id)
        if channel is None and channel_id.startswith("#"):
            channel = next((c for c in self.channels.values() if c.name == channel_id[1:] and c.kind != "im"), None)
        if channel is None or (channel.kind != "channel" and self.me not in channel.members):
            raise Refused("channel_not_found")
        return channel

    def writable(self, channel_id: str) -> Channel:
        """A channel that the bot may post to; a member's id means the direct messages with them."""
        if channel_id in self.users:
            channel_id = self.direct(channel_id)
        channel = self.visible(channel_id)
        if channel.archived:
            raise Refused("is_archived")
        if self.me not in channel.members:
            raise Refused("not_in_channel")
        return channel

    def message(self, channel: Channel, ts: str) -> dict[str, Any]:
        """A message that is there."""
        if ts not in channel.messages:
            raise Refused("message_not_found")
        return channel.messages[ts]

    def store(self, channel: Channel, message: dict[str, Any], thread: str = "") -> dict[str, Any]:
        """Keep a message; an answer counts at its parent."""
        if thread:
            parent = channel.messages.get(thread)
            if parent is None:
                raise Refused("thread_not_found")
            message["thread_ts"] = parent["thread_ts"] = parent.get("thread_ts", thread)
            parent["reply_count"] = parent.get("reply_count", 0) + 1
            parent["latest_reply"] = message["ts"]
        channel.messages[message["ts"]] = message
        return message


def as_typed(text: str) -> str:
    """What Slack makes of typed words: entities, and links of all that looks like an address."""
    parts, last = [], 0
    for found in _LINK.finditer(text):
        if found.start() and text[found.start() - 1] in "@<|":
            continue
        parts += [text[last : found.start()].translate(_ENTITY), _linked(found.group())]
        last = found.end()
    rest = text[last:]
    return "".join(parts) + (rest if re.match(r"<[@#!]", rest) else _with_mentions(rest))


def _linked(word: str) -> str:
    address = word.translate(_ENTITY)
    return f"<{address}>" if "://" in word else f"<http://{address}|{address}>"


def _with_mentions(text: str) -> str:
    """Mentions are chosen from a list in Slack's clients; here they are typed as Slack writes them: <@U…>."""
    parts = re.split(r"(<[@#!][^<>\s]*>)", text)
    return "".join(part if number % 2 else _mailed(part) for number, part in enumerate(parts))


def _mailed(text: str) -> str:
    return _MAIL.sub(lambda found: f"<mailto:{found.group()}|{found.group()}>", text.translate(_ENTITY))
