"""What Slack sends, in the words that all networks share; pure but for the directory that it reads."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from automation_bots.chat.client import Attached, Click, IncomingMessage, choice_of
from automation_bots.chat.clock import NetworkClock
from automation_bots.chat.slack import text as slack_text
from automation_bots.chat.slack.directory import Directory

Fetch = Callable[[dict[str, Any]], bytes]  # a file's description to its content
# Other kinds of message are what Slack itself says: somebody joined, a topic was set …
_SAID = frozenset({"", "file_share", "thread_broadcast", "me_message", "bot_message"})
_GONE_MODES = frozenset({"tombstone", "hidden_by_limit"})


def moment(ts: str) -> datetime:
    """When that was."""
    return datetime.fromtimestamp(float(ts or 0), UTC)


def _choice(reaction: str) -> str:
    return choice_of(reaction.partition("::")[0])  # without the colour of the skin


def _thread(message: dict[str, Any]) -> str:
    thread = str(message.get("thread_ts", ""))
    return thread if thread != message.get("ts") else ""


class Reader:
    """Reads events, clicks, commands and history for one bot."""

    def __init__(self, directory: Directory, fetch: Fetch, clock: NetworkClock) -> None:
        self._directory, self._fetch, self._clock = directory, fetch, clock
        self._me = ""

    def introduce(self, me: str) -> None:
        """Say who the bot is, once that is known."""
        self._me = me

    def message(self, event: dict[str, Any]) -> IncomingMessage | None:
        """Read a message, new or edited; None for what nobody said."""
        room = str(event.get("channel", ""))
        if event.get("subtype") == "message_changed":
            inner = event.get("message") or {}
            edited = self._heard({**inner, "channel_type": event.get("channel_type")}, room, edited=True)
            return edited if inner.get("subtype", "") in _SAID else None
        return self._heard(event, room) if event.get("subtype", "") in _SAID else None

    def _heard(self, message: dict[str, Any], room: str, *, edited: bool = False) -> IncomingMessage | None:
        sender = str(message.get("user") or message.get("bot_id") or "")
        ts, thread = str(message.get("ts", "")), str(message.get("thread_ts", ""))
        if not sender or not ts or sender == self._me:
            return None
        text, mentioned = slack_text.without_mention(str(message.get("text", "")), self._me)
        return IncomingMessage(
            id=ts,
            sender=sender,
            room=room,
            text=slack_text.plain(text, self._directory.name),
            at=self._at((message.get("edited") or {}).get("ts") or ts if edited else ts),
            sender_name=self._directory.names.get(sender) or str(message.get("username", "")),
            thread=thread if thread != ts else "",
            direct=message.get("channel_type") == "im" or room.startswith("D"),
            mentioned=mentioned,
            robot=self._is_robot(message, sender),
            edited=edited,
            files=tuple(self._files(message)),
        )

    def _at(self, ts: object) -> datetime:
        return self._clock.here(moment(str(ts or "")))

    def _is_robot(self, message: dict[str, Any], sender: str) -> bool:
        return (
            bool(message.get("bot_id")) or message.get("subtype") == "bot_message" or sender in self._directory.robots
        )

    def _files(self, message: dict[str, Any]) -> Iterator[Attached]:
        for file in message.get("files") or ():
            if file.get("mode") not in _GONE_MODES:
                yield Attached(
                    str(file.get("name") or file["id"]),
                    int(file.get("size") or 0),
                    functools.partial(self._fetch, file),
                )

    def reaction(self, event: dict[str, Any]) -> Click | None:
        """Read a reaction to one of the bot's own messages."""
        item, user, given = event.get("item") or {}, str(event.get("user", "")), str(event["reaction"])
        if item.get("type") != "message" or event.get("item_user") != self._me or user == self._me:
            return None
        choice, room, ts = _choice(given), str(item["channel"]), str(item["ts"])
        if not choice:
            return None
        stands = f"{ts}:{user}:{given}"
        return Click(
            id=f"{stands}:{event.get('event_ts', '')}",
            sender=user,
            room=room,
            message=ts,
            choice=choice,
            at=self._at(event.get("event_ts")),
            sender_name=self._directory.names.get(user, ""),
            direct=room.startswith("D"),
            robot=user in self._directory.robots,
            stands=stands,
        )

    def standing(self, room: str, message: dict[str, Any], since: datetime) -> Iterator[Click]:
        """Read the reactions that stand at an own message, as if they were given then."""
        ts = str(message.get("ts", ""))
        for entry in message.get("reactions") or ():
            choice = _choice(str(entry["name"]))
            for user in entry["users"] if choice and message.get("user") == self._me else ():
                stands = f"{ts}:{user}:{entry['name']}"
                yield Click(
                    id=stands,
                    sender=user,
                    room=room,
                    message=ts,
                    choice=choice,
                    at=since,
                    sender_name=self._directory.names.get(user, ""),
                    thread=_thread(message),
                    direct=room.startswith("D"),
                    robot=user in self._directory.robots,
                    stands=stands,
                    is_read=True,
                )

    def click(self, payload: dict[str, Any]) -> Click | None:
        """Read a click on a button."""
        container, user = payload.get("container") or {}, payload.get("user") or {}
        action: dict[str, Any] = next(iter(payload.get("actions") or ()), {})
        room, ts = str(container.get("channel_id", "")), str(container.get("message_ts", ""))
        if not room or not ts or action.get("type") != "button":
            return None
        thread, who = str(container.get("thread_ts") or ""), str(user.get("id", ""))
        return Click(
            id=f"{ts}:{who}:{action.get('action_ts', '')}",
            sender=who,
            room=room,
            message=ts,
            choice=str(action.get("value", "")),
            at=self._at(action.get("action_ts")),
            sender_name=self._directory.names.get(who) or str(user.get("name", "")),
            thread=thread if thread != ts else "",
            direct=room.startswith("D"),
            robot=who in self._directory.robots,
            trigger=str(payload.get("trigger_id", "")),
        )

    def command(self, payload: dict[str, Any]) -> IncomingMessage:
        """Read a slash command: as if its words had been said to the bot."""
        who, room = str(payload.get("user_id", "")), str(payload.get("channel_id", ""))
        return IncomingMessage(
            id=f"command:{payload.get('trigger_id', '')}",
            sender=who,
            room=room,
            text=slack_text.plain(str(payload.get("text", "")), self._directory.name),
            at=datetime.now(UTC),  # Slack says no time, and waits three seconds at most
            sender_name=self._directory.names.get(who) or str(payload.get("user_name", "")),
            direct=room.startswith("D"),  # also where two people talk: the answer goes to the one, from the bot
            mentioned=True,
            robot=who in self._directory.robots,
            trigger=str(payload.get("trigger_id", "")),
        )

    def filled(self, payload: dict[str, Any]) -> Click | None:
        """Read a form that somebody has filled in."""
        view, who = payload.get("view") or {}, str((payload.get("user") or {}).get("id", ""))
        room, _, thread = str(view.get("private_metadata", "")).partition(" ")
        if view.get("type") != "modal" or not view.get("callback_id"):
            return None
        return Click(
            id=f"form:{view.get('id', '')}",
            sender=who,
            room=room,
            message=str(view["callback_id"]),
            choice="",
            at=datetime.now(UTC),
            sender_name=self._directory.names.get(who, ""),
            thread=thread,
            direct=room.startswith("D"),
            robot=who in self._directory.robots,
            values=slack_text.filled(view),
        )
