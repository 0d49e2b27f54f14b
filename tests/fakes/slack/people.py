"""What people do in the workspace: they type, edit, react, click, send files, fill in forms; and what they see."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from tests.fakes.slack import blocks as kit
from tests.fakes.slack.links import Delivery, Links
from tests.fakes.slack.methods import Api
from tests.fakes.slack.workspace import Channel, Stored, Workspace, as_typed


class People:
    """The human side; mixed into the server."""

    space: Workspace
    api: Api
    links: Links

    def do(self, work: Any) -> Any:
        """Run in the server's loop."""
        raise NotImplementedError

    # -- who and where

    def person(self, name: str, *, is_bot: bool = False) -> str:
        """Add somebody."""

        def joined() -> str:
            user = self.space.person(name, is_bot=is_bot)
            self.links.event({"type": "team_join", "user": self.space.users[user].shown(self.space.team)})
            return user

        return str(self.do(joined))

    def room(self, name: str, *people: str, kind: str = "channel", with_bot: bool = True) -> str:
        """Add a room."""
        members = {*people, *([self.space.me] if with_bot else [])}
        return str(self.do(lambda: self.space.room(name, members, kind)))

    def direct(self, user: str) -> str:
        """The direct messages of somebody with the bot."""
        return str(self.do(lambda: self.space.direct(user)))

    def rename(self, user: str, name: str) -> None:
        """Give somebody another name."""

        def renamed() -> None:
            self.space.users[user].name = name
            self.links.event({"type": "user_change", "user": self.space.users[user].shown(self.space.team)})

        self.do(renamed)

    # -- what they do

    def say(self, user: str, room: str, text: str, thread: str = "", **more: Any) -> str:
        """Type a message; return its ts."""
        raw = {"type": "message", "user": user, "team": self.space.team, "client_msg_id": f"lab-{time.monotonic_ns()}"}

        def said() -> str:
            by_app = {"bot_id": f"B{user[1:]}"} if self.space.users[user].is_bot else {}
            message = {**raw, "text": as_typed(text), "blocks": [], "ts": self.space.ts(), **by_app, **more}
            self._told_of(room, message, thread)
            return str(message["ts"])

        return str(self.do(said))

    def robot_says(self, room: str, text: str, thread: str = "") -> str:
        """Let another integration say something."""

        def said() -> str:
            message = {"type": "message", "subtype": "bot_message", "bot_id": "B0OTHERBOT", "username": "ci"}
            message |= {"text": text, "ts": self.space.ts()}
            self._told_of(room, message, thread)
            return message["ts"]

        return str(self.do(said))

    def _told_of(self, room: str, message: dict[str, Any], thread: str) -> None:
        self.space.store(self.space.channels[room], message, thread)
        self.api.said(room, message)

    def edit(self, room: str, ts: str, text: str) -> None:
        """Change what was typed."""

        def edited() -> None:
            message = self.space.channels[room].messages[ts]
            before = dict(message)
            message.update(text=as_typed(text), edited={"user": message["user"], "ts": self.space.ts()})
            self.api.changed(room, message, before)

        self.do(edited)

    def remove(self, room: str, ts: str) -> None:
        """Take back what was typed."""
        self.do(lambda: self.api.gone(room, ts))

    def react(self, user: str, room: str, ts: str, name: str) -> None:
        """Put a reaction."""
        self.do(lambda: self.api.reacted(room, self.space.channels[room].messages[ts], name, user))

    def send_file(self, user: str, room: str, name: str, content: bytes, text: str = "", thread: str = "") -> str:
        """Send a file with some words."""

        def sent() -> dict[str, Any]:
            file = Stored(self.space.id("F"), name, len(content), user, content, shared=True)
            self.space.files[file.id] = file
            return self.api.shown(file)

        return self.say(user, room, text, thread, files=[self.do(sent)], subtype="file_share", upload=False)

    def click(self, user: str, room: str, ts: str, label: str) -> Delivery:
        """Press the button with this label."""

        def clicked() -> Delivery:
            message = self.space.channels[room].messages[ts]
            button, block = _button(message, label)
            action = {**button, "block_id": block, "action_ts": self.space.ts()}
            container = {"type": "message", "message_ts": ts, "channel_id": room, "is_ephemeral": False}
            if "thread_ts" in message:
                container["thread_ts"] = message["thread_ts"]
            payload = {**self._acting(user, room), "type": "block_actions", "container": container}
            payload |= {"message": message, "state": {"values": {}}, "actions": [action]}
            delivery = Delivery("interactive", payload)
            self.links.send(delivery)
            return delivery

        return self.do(clicked)

    def slash(self, user: str, room: str, text: str, command: str = "/bot") -> Delivery:
        """Type a slash command."""
        channel = self.space.channels[room]
        name = {"im": "directmessage", "group": "privategroup"}.get(channel.kind, channel.name)

        def typed() -> Delivery:
            who = {"user_id": user, "user_name": self.space.users[user].name, "team_id": self.space.team}
            payload = {
                **who,
                "token": "lab-verification",
                "team_domain": "lab",
                "channel_id": room,
                "channel_name": name,
            }
            payload |= {"command": command, "text": as_typed(text), "api_app_id": self.space.app}
            payload |= {"response_url": f"{self.api.host()}/response/1", "trigger_id": self.space.trigger()}
            delivery = Delivery("slash_commands", payload, replies=True)
            self.links.send(delivery)
            return delivery

        return self.do(typed)

    def fill_in(self, user: str, view_id: str, values: dict[str, Any]) -> Delivery:
        """Fill in and send a form: values by block id."""

        def sent() -> Delivery:
            view = self.space.views[view_id]
            state = {b["block_id"]: _state(b["element"], values[b["block_id"]]) for b in _asked(view, values)}
            payload = {**self._acting(user, ""), "type": "view_submission", "response_urls": []}
            payload["view"] = {**view, "state": {"values": state}}
            delivery = Delivery("interactive", payload, replies=True)
            self.links.send(delivery)
            return delivery

        return self.do(sent)

    def _acting(self, user: str, room: str) -> dict[str, Any]:
        name = self.space.users[user].name
        who = {"id": user, "username": name, "name": name, "team_id": self.space.team}
        common = {"user": who, "api_app_id": self.space.app, "token": "lab-verification"}
        common |= {"team": {"id": self.space.team, "domain": "lab"}, "trigger_id": self.space.trigger()}
        if room:
            channel = {"id": room, "name": self.space.channels[room].name}
            common |= {"channel": channel, "response_url": f"{self.api.host()}/response/1"}
        return common

    # -- what they see

    def messages(self, room: str) -> list[dict[str, Any]]:
        """Every message of a room, in order."""
        channel: Channel = self.space.channels[room]
        return sorted(channel.messages.values(), key=lambda message: message["ts"])

    def seen(self, room: str) -> list[str]:
        """What is to be read of each of the bot's messages."""
        return [shown(message) for message in self.messages(room) if message.get("bot_id") == self.space.bot]

    def pinged(self, room: str) -> list[str]:
        """Whom the bot's messages would call."""
        own = [message for message in self.messages(room) if message.get("bot_id") == self.space.bot]
        return [call for message in own for call in calls(message)]


def shown(message: dict[str, Any]) -> str:
    """What a person reads of a message: its blocks where there are some, else its text."""
    blocks = [block for block in message.get("blocks", ()) if block["type"] != "actions"]
    if blocks:
        return "\n".join("".join(kit.texts(part)) for block in blocks for part in block.get("elements", [block]))
    return str(message.get("text", "")).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def buttons(message: dict[str, Any]) -> list[str]:
    """The labels of a message's buttons."""
    every = [
        element for block in message.get("blocks", ()) if block["type"] == "actions" for element in block["elements"]
    ]
    return [element["text"]["text"] for element in every]


def calls(message: dict[str, Any]) -> list[str]:
    """Whom a message calls, each once: people by their ids, all by the words for it."""
    words, kinds = message.get("text", ""), json.dumps(message.get("blocks", []))
    people = re.findall(r"<@(\w+)", words) + re.findall(r'"user_id": "(\w+)"', kinds)
    found = [word for word in ("<!here", "<!channel", "<!everyone", "<!subteam") if word in words]
    return [*dict.fromkeys(people), *found, *(kind for kind in ('"broadcast"', '"mrkdwn"') if kind in kinds)]


def _button(message: dict[str, Any], label: str) -> tuple[dict[str, Any], str]:
    for block in message.get("blocks", ()):
        for element in block.get("elements", ()) if block["type"] == "actions" else ():
            if element["text"]["text"] == label:
                return element, block.get("block_id", "")
    raise AssertionError(f"no button {label!r}; there are {buttons(message)}")


def _asked(view: dict[str, Any], values: dict[str, Any]) -> list[dict[str, Any]]:
    return [block for block in view["blocks"] if block["type"] == "input" and block["block_id"] in values]


def _state(element: dict[str, Any], value: Any) -> dict[str, Any]:
    if element["type"] == "plain_text_input":
        inner = {"type": element["type"], "value": value or None}
    elif element["type"] == "checkboxes":
        inner = {"type": element["type"], "selected_options": [o for o in element["options"] if o["value"] in value]}
    else:
        inner = {"type": element["type"], "selected_option": _option(element, value)}
    return {element["action_id"]: inner}


def _option(element: dict[str, Any], value: str) -> dict[str, Any]:
    return next(option for option in element["options"] if option["value"] == value)
