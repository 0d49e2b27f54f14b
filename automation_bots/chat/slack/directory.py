"""Who and what is in the workspace, from lists at the start and events after that: no message costs a call."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any

from automation_bots.chat.client import Away, Rejected
from automation_bots.chat.slack.web_api import Calls

log = logging.getLogger(__name__)
_PAGES, _PAGE = 20, 1000
KINDS = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}  # to the scope's word


@dataclass(slots=True)
class Directory:
    """Names and membership; a name is only shown and never a right."""

    names: dict[str, str] = field(default_factory=dict)
    robots: set[str] = field(default_factory=set)
    rooms: dict[str, str] = field(default_factory=dict)  # those that the bot is in, to their names
    direct: dict[str, str] = field(default_factory=dict)  # a person's id to the room of their direct messages
    complete: bool = False  # whether `rooms` can be trusted to hold all

    def load(self, calls: Calls) -> None:
        """Read both lists; without them the bot works all the same, with ids where names would stand."""
        try:
            for user in calls.pages("users_list", "members", _PAGES, limit=_PAGE):
                self.person(user)
        except (Away, Rejected) as error:
            log.warning("people are shown by their ids: %s", error)
        try:
            self.load_rooms(calls)
        except (Away, Rejected) as error:
            log.warning("rooms are shown by their ids: %s", error)

    def load_rooms(self, calls: Calls) -> None:
        """Read in which rooms the bot is."""
        types = ",".join(KINDS)
        for room in calls.pages("users_conversations", "channels", _PAGES, limit=_PAGE, types=types):
            self.room(room)
        self.complete = True

    def person(self, user: dict[str, Any]) -> None:
        """Take what Slack says of somebody."""
        profile = user.get("profile") or {}
        self.names[user["id"]] = profile.get("display_name") or user.get("name") or user["id"]
        if user.get("is_bot"):
            self.robots.add(user["id"])

    def room(self, room: dict[str, Any]) -> None:
        """Take what Slack says of a room that the bot is in."""
        self.rooms[room["id"]] = room.get("name") or ""
        if room.get("is_im") and room.get("user"):
            self.direct[room["user"]] = room["id"]

    def event(self, event: dict[str, Any], me: str) -> None:
        """Learn from an event."""
        kind, channel = event.get("type", ""), event.get("channel")
        if kind in {"user_change", "team_join", "user_profile_changed"} and isinstance(event.get("user"), dict):
            self.person(event["user"])
        elif kind in {"channel_rename", "group_rename"} and isinstance(channel, dict) and channel["id"] in self.rooms:
            self.rooms[channel["id"]] = channel.get("name", "")
        elif kind == "member_joined_channel" and event.get("user") == me:
            self.rooms.setdefault(str(channel), "")
        elif kind in {"channel_left", "group_left"}:
            self.rooms.pop(str(channel), None)

    def name(self, id: str) -> str:  # noqa: A002 - that is what it is
        """What a person or a room is called; its id where that is not known."""
        return self.names.get(id) or self.rooms.get(id) or id
