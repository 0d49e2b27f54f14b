"""The realtime API of the Rocket.Chat test server: DDP version 1 over a websocket."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta

from aiohttp import WSMsgType, web

from tests.fakes.rocketchat import calls
from tests.fakes.rocketchat.workspace import MeteorError, PlainError, hashed, new_id, now
from tests.fakes.rocketchat.world import World

STREAMS = {
    "stream-room-messages",
    "stream-notify-user",
    "stream-notify-room",
    "stream-notify-logged",
    "stream-notify-all",
}
LOGGED_OUT = "You've been logged out by the server. Please log in again."


def ejson(value):
    """A document as DDP writes it: dates are {"$date": milliseconds}."""
    if isinstance(value, datetime):
        return {"$date": int(value.timestamp() * 1000)}
    if isinstance(value, dict):
        return {key: ejson(entry) for key, entry in value.items()}
    return [ejson(entry) for entry in value] if isinstance(value, list | tuple | set) else value


def _error(error: MeteorError | PlainError) -> dict:
    if isinstance(error, PlainError):  # Meteor hides what is no Meteor.Error
        return {
            "isClientSafe": True,
            "error": 500,
            "reason": "Internal server error",
            "message": "Internal server error [500]",
            "errorType": "Meteor.Error",
        }
    body = {"isClientSafe": True, "error": error.error, "message": str(error), "errorType": "Meteor.Error"}
    return (
        body
        | ({"reason": error.reason} if error.reason else {})
        | ({"details": error.details} if error.details else {})
    )


class Session:
    """One connection."""

    def __init__(self, world: World, socket: web.WebSocketResponse, heartbeat_seconds: float):
        self.world, self.socket, self.heartbeat = world, socket, heartbeat_seconds
        self.id, self.uid, self.token = "", "", ""
        self.subs: dict[str, tuple[str, str]] = {}  # id → (stream, event)
        self.outbox: asyncio.Queue[dict] = asyncio.Queue()
        self.heard = asyncio.get_running_loop().time()

    def put(self, frame: dict):
        self.outbox.put_nowait(frame)

    async def run(self):
        """Until one of both sides ends it."""
        writer, pulse = asyncio.create_task(self._write()), asyncio.create_task(self._pulse())
        try:
            self.put({"server_id": "0"})
            async for message in self.socket:
                self.heard = asyncio.get_running_loop().time()
                if message.type is WSMsgType.TEXT and not self._frame(message.data):
                    break
        finally:
            for task in (writer, pulse):
                task.cancel()
            await self.socket.close()

    async def _write(self):
        while True:
            frame = await self.outbox.get()
            if not self.world.is_mute:
                await self.socket.send_str(json.dumps(ejson(frame)))

    async def _pulse(self):
        """Ask for a sign of life; close when none comes."""
        while True:
            await asyncio.sleep(self.heartbeat)
            if asyncio.get_running_loop().time() - self.heard > 2 * self.heartbeat:
                await self.socket.close()
                return
            if self.id:
                self.put({"msg": "ping"})

    def _frame(self, text: str) -> bool:
        """Take one frame; False ends the connection."""
        try:
            frame = json.loads(text)
            kind = frame["msg"]
        except (ValueError, KeyError, TypeError):
            self.put({"msg": "error", "reason": "Parse error"})
            return True
        if kind == "connect":
            return self._connect(frame)
        if not self.id:
            self.put({"msg": "error", "reason": "Must connect first", "offendingMessage": frame})
            return True
        action = getattr(self, f"_on_{kind}", None)
        if action is None:
            self.put({"msg": "error", "reason": "Bad request", "offendingMessage": frame})
        else:
            action(frame)
        return True

    def _connect(self, frame: dict) -> bool:
        if self.id:
            self.put({"msg": "error", "reason": "Already connected", "offendingMessage": frame})
        elif frame.get("version") != "1" or "1" not in frame.get("support", []):
            self.put({"msg": "failed", "version": "1"})
            asyncio.get_running_loop().call_later(0.05, asyncio.ensure_future, self.socket.close())
        else:
            self.id = new_id()
            self.put({"msg": "connected", "session": self.id})
        return True

    def _on_ping(self, frame: dict):
        self.put({"msg": "pong"} | ({"id": frame["id"]} if "id" in frame else {}))

    def _on_pong(self, frame: dict):
        """Heard is enough."""

    def _on_sub(self, frame: dict):
        name, params = frame.get("name"), frame.get("params") or [""]
        if name not in STREAMS:
            error = _error(MeteorError(404, f"Subscription '{name}' not found"))
            self.put({"msg": "nosub", "id": frame.get("id"), "error": error})
        elif not self._may_read(name, str(params[0])):
            self.put({"msg": "nosub", "id": frame.get("id"), "error": _error(MeteorError("not-allowed"))})
        else:
            self.subs[frame["id"]] = (name, params[0])
            self.put({"msg": "ready", "subs": [frame["id"]]})

    def _may_read(self, stream: str, event: str) -> bool:
        if stream == "stream-room-messages":
            return event == "__my_messages__" or self.world.can_access(event, self.uid)
        if stream == "stream-notify-user":
            return bool(self.uid) and event.startswith(f"{self.uid}/")
        if stream == "stream-notify-room":
            return self.uid in self.world.members.get(event.split("/", maxsplit=1)[0], ())
        return bool(self.uid) or stream == "stream-notify-all"

    def _on_unsub(self, frame: dict):
        if self.subs.pop(frame.get("id"), None):
            self.put({"msg": "nosub", "id": frame["id"]})

    def _on_method(self, frame: dict):
        name, params, call = frame.get("method"), frame.get("params") or [], frame.get("id")
        action = METHODS.get(str(name))
        try:
            if action is None:
                raise MeteorError(404, f"Method '{name}' not found")  # noqa: TRY301
            answer = {"result": action(self, *params)}
        except (MeteorError, PlainError) as error:
            answer = {"error": _error(error)}
        except (TypeError, AttributeError, KeyError):
            answer = {"error": _error(MeteorError(400, "Match failed"))}
        if answer.get("result", 0) is None:
            answer = {}
        self.put({"msg": "updated", "methods": [call]})
        self.put({"msg": "result", "id": call} | answer)

    def _need(self) -> str:
        if not self.uid:
            raise MeteorError("error-invalid-user", "Invalid user")
        return self.uid

    def login(self, given: dict) -> dict:
        try:
            user, token = calls.login(self.world, given)
        except calls.Answer as refused:
            if refused.body["error"] == "totp-required":
                raise MeteorError("totp-required", "TOTP Required", {"method": "totp"}) from None
            raise MeteorError(403, LOGGED_OUT if given.get("resume") else "User not found") from None
        self.uid, self.token = user["_id"], token
        self.put(
            {
                "msg": "added",
                "collection": "users",
                "id": user["_id"],
                "fields": {"username": user["username"], "emails": []},
            }
        )
        return {
            "id": user["_id"],
            "token": token,
            "tokenExpires": now() + timedelta(days=90),
            "type": "resume" if given.get("resume") else "password",
        }

    def logout(self) -> None:
        self.world.tokens.pop(hashed(self.token), None)
        self.uid = self.token = ""

    def send(self, message: dict, *_) -> dict | None:
        return self.world.send(self._need(), {key: value for key, value in message.items() if key != "ts"})

    def react(self, emoji: str, mid: str, should: bool | None = None) -> None:
        if mid not in self.world.messages:
            raise MeteorError("error-not-allowed", "Not allowed", {"method": "setReaction"})
        self.world.react(self._need(), mid, emoji, should)

    def rooms(self, *_) -> list | dict:
        uid = self._need()
        mine = [room for rid, room in self.world.rooms.items() if uid in self.world.members[rid]]
        return {"update": mine, "remove": []} if _ and _[0] else mine

    def event(self, stream: str, event: str, args: list):
        """Tell what happened to those subscriptions that are meant."""
        for name, wanted in self.subs.values():
            if name == stream and wanted == event:
                self.put(
                    {"msg": "changed", "collection": stream, "id": "id", "fields": {"eventName": event, "args": args}}
                )

    def message(self, message: dict):
        rid = message["rid"]
        if self.uid and self.world.can_access(rid, self.uid):
            room = self.world.rooms[rid]
            about = {"roomParticipant": self.uid in self.world.members[rid], "roomType": room["t"]}
            about |= {"roomName": room["name"]} if "name" in room else {}
            self.event("stream-room-messages", "__my_messages__", [message, about])
            self.event("stream-room-messages", rid, [message])


METHODS = {"login": Session.login, "logout": Session.logout, "sendMessage": Session.send, "setReaction": Session.react,
           "rooms/get": Session.rooms, "stream-notify-room": lambda session, *_: None}  # fmt: skip
