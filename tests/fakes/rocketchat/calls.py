"""What each REST call of the Rocket.Chat test server does: functions named `<method>_<call>`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from tests.fakes.rocketchat.workspace import MeteorError, PlainError, hashed, now, only, units
from tests.fakes.rocketchat.world import World

VERSION = "7.10.0"


class Answer(Exception):
    """An answer that is no 200."""

    def __init__(self, status: int, /, **body):
        self.status, self.body = status, {"success": False} | body
        super().__init__(str(body))


@dataclass(frozen=True)
class Ask:
    """One call."""

    world: World
    user: dict
    body: dict
    query: dict
    rest: str  # of the path
    request: web.Request

    @property
    def uid(self) -> str:
        return self.user["_id"]


async def get_info(_: Ask) -> dict:
    return {"version": VERSION.rsplit(".", 1)[0]}


async def post_login(ask: Ask) -> dict:
    user, token = login(ask.world, ask.body)
    return {"status": "success", "data": {"userId": user["_id"], "authToken": token, "me": _me(user)}}


def login(world: World, body: dict) -> tuple[dict, str]:
    """Check what REST and the realtime API take to log in."""
    refused = Answer(401, status="error", error="Unauthorized", message="Unauthorized")
    if body.get("resume"):
        if user := world.owner(body["resume"]):
            return user, body["resume"]
        raise refused
    name = body.get("user") or body.get("username") or ""
    name = name.get("username", "") if isinstance(name, dict) else name
    password = body.get("password")
    digest = password.get("digest") if isinstance(password, dict) else hashed(str(password))
    user = world.named(name)
    if user is None or not user["active"] or user["password"] != digest:
        raise refused
    if user["totp"] and not body.get("code"):
        raise Answer(401, status="error", error="totp-required", message="TOTP Required", details={"method": "totp"})
    return user, world.token(user["_id"])


async def post_logout(ask: Ask) -> dict:
    ask.world.tokens.pop(hashed(ask.request.headers["X-Auth-Token"]), None)
    ask.world.tell("revoked", ask.uid)
    return {"status": "success", "data": {"message": "You've been logged out!"}}


def _me(user: dict) -> dict:
    return {
        key: user[key]
        for key in ("_id", "username", "name", "roles", "active", "status", "statusText", "utcOffset", "emails")
    }


async def get_me(ask: Ask) -> dict:
    return _me(ask.user)


async def get_settings_public(ask: Ask) -> dict:
    wanted = [name for name in ask.query.get("_id", "").split(",") if name]
    found = [
        {"_id": name, "value": value, "enterprise": False}
        for name, value in ask.world.settings.items()
        if not wanted or name in wanted
    ]
    return {"settings": found, "count": len(found), "offset": 0, "total": len(found)}


# messages
async def post_chat_sendmessage(ask: Ask) -> dict:
    only({"message": dict, "previewUrls": list}, ask.body, ("message",))
    kinds = {"_id": str, "rid": str, "tmid": str, "msg": str, "alias": str, "emoji": str, "tshow": bool, "avatar": str,
             "attachments": list, "blocks": list, "customFields": dict}  # fmt: skip
    only(kinds, {key: value for key, value in ask.body["message"].items() if key in kinds})
    sent = ask.world.send(ask.uid, ask.body["message"], preview=ask.body.get("previewUrls"))
    if sent is None:  # such an id is there already: the server then trips over its own missing message
        raise PlainError("Cannot read properties of undefined (reading 'starred')")
    return {"message": sent}


async def post_chat_postmessage(ask: Ask) -> dict:
    only({"roomId": str, "channel": str, "text": str, "alias": str, "emoji": str, "avatar": str, "attachments": list,
          "tmid": str, "customFields": dict, "parseUrls": bool}, ask.body)  # fmt: skip
    if units(ask.body.get("text") or "") > ask.world.settings["Message_MaxAllowedSize"]:
        raise Answer(400, error="error-message-size-exceeded")
    name = ask.body.get("roomId") or ask.body.get("channel") or ""
    if not name:
        raise MeteorError("invalid-params", "must have required property 'roomId'")
    room = ask.world.rooms.get(name) or next(
        (r for r in ask.world.rooms.values() if r.get("name") == name.lstrip("#")), None
    )
    if room is None:
        raise MeteorError("invalid-channel", "invalid-channel")
    message = {"rid": room["_id"], "msg": ask.body.get("text", "")} | (
        {"tmid": ask.body["tmid"]} if "tmid" in ask.body else {}
    )
    return {
        "ts": int(now().timestamp() * 1000),
        "channel": room.get("name", room["_id"]),
        "message": ask.world.send(ask.uid, message),
    }


def _message(ask: Ask, mid: str) -> dict:
    if mid not in ask.world.messages:
        raise Answer(400, error=f'No message found with the id of "{mid}".')
    if ask.body.get("roomId") != ask.world.messages[mid]["rid"]:
        raise Answer(400, error="The room id provided does not match where the message is from.")
    return ask.world.messages[mid]


async def post_chat_update(ask: Ask) -> dict:
    only(
        {"roomId": str, "msgId": str, "text": str, "previewUrls": list, "customFields": dict},
        ask.body,
        ("roomId", "msgId", "text"),
    )
    return {"message": ask.world.update(ask.uid, _message(ask, ask.body["msgId"])["_id"], ask.body["text"])}


async def post_chat_delete(ask: Ask) -> dict:
    only({"roomId": str, "msgId": str, "asUser": bool}, ask.body, ("msgId", "roomId"))
    message = _message(ask, ask.body["msgId"])
    ask.world.delete(ask.uid, message["_id"])
    return {"_id": message["_id"], "ts": str(int(now().timestamp() * 1000)), "message": message}


async def post_chat_react(ask: Ask) -> dict:
    only({"emoji": str, "reaction": str, "messageId": str, "shouldReact": bool}, ask.body, ("messageId",))
    if ask.body["messageId"] not in ask.world.messages:
        raise MeteorError("error-message-not-found", 'The provided "messageId" does not match any existing message.')
    emoji = ask.body.get("emoji") or ask.body.get("reaction")
    if not emoji:
        raise MeteorError("error-emoji-param-not-provided", 'The required "emoji" param is missing.')
    ask.world.react(ask.uid, ask.body["messageId"], emoji, ask.body.get("shouldReact"))
    return {}


async def get_chat_getmessage(ask: Ask) -> dict:
    only({"msgId": str}, ask.query, ("msgId",))
    message = ask.world.messages.get(ask.query["msgId"])
    if message is None:
        raise Answer(400)
    if not ask.world.can_access(message["rid"], ask.uid):
        raise MeteorError("error-not-allowed", "Not allowed")
    return {"message": message}


def since_of(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise MeteorError(
            "error-lastUpdate-param-invalid", 'The "lastUpdate" query parameter must be a valid date'
        ) from None


async def get_chat_syncmessages(ask: Ask) -> dict:
    only(
        {"roomId": str, "lastUpdate": str, "count": str, "next": str, "previous": str, "type": str},
        ask.query,
        ("roomId",),
    )
    if not ask.query.get("lastUpdate"):
        raise MeteorError("error-param-required", 'The "type" or "lastUpdate" parameters must be provided')
    since = since_of(ask.query["lastUpdate"])
    if not ask.world.can_access(ask.query["roomId"], ask.uid):
        raise MeteorError("error-not-allowed", "Not allowed")
    return {
        "result": {
            "updated": [m for m in ask.world.history(ask.query["roomId"]) if m["_updatedAt"] > since],
            "deleted": [],
        }
    }
