"""Posts of Mattermost as messages of all clients; names and kinds of channels are learned from events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from automation_bots.chat.client import Attached, IncomingMessage, Rejected
from automation_bots.chat.mattermost import text as mattermost_text
from automation_bots.chat.mattermost.rest import Rest

# What an integration says in the name of the person who set it up; never that person's own words.
_ADDED, _JOINED = {"system_add_to_channel", "system_add_to_team"}, {"system_join_channel", "system_join_team"}
_INTEGRATIONS = ("from_webhook", "from_plugin", "from_oauth_app")


class Messages:
    """What is known about channels and people, and what a post says."""

    def __init__(self, rest: Rest) -> None:
        self._rest = rest
        self._me = self._name = ""  # the bot
        self.types: dict[str, str] = {}  # channel → O, P, D, G
        self.names: dict[str, str] = {}
        self.rooms: dict[str, str] = {}  # their names
        self.robots: set[str] = set()

    def introduce(self, me: str, name: str) -> None:
        """Say who the bot is and what it is called."""
        self._me, self._name = me, name

    def lets_in(self, post: dict[str, Any]) -> bool:
        """Whether the bot came into the channel with this: what stands before was not for it."""
        who = post["props"].get("addedUserId") if post["type"] in _ADDED else post["user_id"]
        return post["type"] in _ADDED | _JOINED and who == self._me

    def heard(self, post: dict[str, Any], data: dict[str, Any], *, edited: bool = False) -> IncomingMessage | None:
        """Read a post; None for what the server itself says."""
        props, room, sender = post.get("props") or {}, post["channel_id"], post["user_id"]
        if post["type"].startswith("system_") or post.get("delete_at"):
            return None
        if data.get("channel_type"):
            self.channel(room, data["channel_type"], data["channel_name"])
        integration = any(props.get(key) for key in _INTEGRATIONS)
        if integration:
            sender = f"integration:{sender}"
        elif data.get("sender_name"):
            self.names[sender] = data["sender_name"].removeprefix("@")
        if props.get("from_bot") and not integration:
            self.robots.add(sender)
        text, mentioned = mattermost_text.without_mention(post["message"], self._name)
        return IncomingMessage(
            id=post["id"],
            sender=sender,
            room=room,
            text=text,
            at=self._rest.clock.here(datetime.fromtimestamp(post["create_at"] / 1000, UTC)),
            sender_name=self.names.get(sender, ""),
            thread=post["root_id"],
            direct=self.types.get(room) == "D",
            mentioned=mentioned,
            robot=integration or sender in self.robots or bool(post["type"] and post["type"] != "me"),
            edited=edited,
            files=tuple(self._attached(one) for one in (post.get("metadata") or {}).get("files") or ()),
        )

    def _attached(self, info: dict[str, Any]) -> Attached:
        id_ = info["id"]
        return Attached(str(info.get("name", "file")), int(info.get("size", 0)), lambda: self._rest.file(id_))

    def channel(self, room: str, kind: str, name: str) -> None:
        """Know a channel; only those of a team have names that people use."""
        self.types[room], self.rooms[room] = kind, name if kind in {"O", "P"} else ""

    def is_direct(self, room: str) -> bool:
        """Whether a channel has only the bot and one person."""
        return self.types.get(room) == "D"

    def name_of(self, person: str) -> str:
        """A name to show; asked for only once."""
        if person not in self.names:
            try:
                self.learn([person])
            except (OSError, Rejected):
                return ""
        return self.names.get(person, "")

    def names_now(self, people: list[str]) -> dict[str, str]:
        """Ask what people are called at this moment: a name may be another's by now. Without those who are gone."""
        found = self._rest.post("/users/ids", people) if people else ()
        return {account["id"]: account["username"] for account in found if not account.get("delete_at")}

    def learn(self, people: list[str]) -> None:
        """Ask for the names of those who are not known yet."""
        if unknown := [person for person in dict.fromkeys(people) if person not in self.names]:
            for account in self._rest.post("/users/ids", unknown):
                self.names[account["id"]] = account["username"]
                if account.get("is_bot"):
                    self.robots.add(account["id"])
