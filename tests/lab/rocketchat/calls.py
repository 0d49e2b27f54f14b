"""What each REST call of the Rocket.Chat test server does: functions named `<method>_<call>`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from aiohttp import web

from tests.lab.rocketchat.world import MeteorError, PlainError, World, hashed, new_id, now, only, units

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
async def post_chat_sendMessage(ask: Ask) -> dict:
    only({"message": dict, "previewUrls": list}, ask.body, ("message",))
    kinds = {"_id": str, "rid": str, "tmid": str, "msg": str, "alias": str, "emoji": str, "tshow": bool, "avatar": str,
             "attachments": list, "blocks": list, "customFields": dict}  # fmt: skip
    only(kinds, {key: value for key, value in ask.body["message"].items() if key in kinds})
    sent = ask.world.send(ask.uid, ask.body["message"], preview=ask.body.get("previewUrls"))
    if sent is None:  # such an id is there already: the server then trips over its own missing message
        raise PlainError("Cannot read properties of undefined (reading 'starred')")
    return {"message": sent}


async def post_chat_postMessage(ask: Ask) -> dict:
    only({"roomId": str, "channel": str, "text": str, "alias": str, "emoji": str, "avatar": str, "attachments": list, "tmid": str,
          "customFields": dict, "parseUrls": bool}, ask.body)  # fmt: skip
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


async def get_chat_getMessage(ask: Ask) -> dict:
    only({"msgId": str}, ask.query, ("msgId",))
    message = ask.world.messages.get(ask.query["msgId"])
    if message is None:
        raise Answer(400)
    if not ask.world.can_access(message["rid"], ask.uid):
        raise MeteorError("error-not-allowed", "Not allowed")
    return {"message": message}


def _since(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise MeteorError(
            "error-lastUpdate-param-invalid", 'The "lastUpdate" query parameter must be a valid date'
        ) from None


async def get_chat_syncMessages(ask: Ask) -> dict:
    only(
        {"roomId": str, "lastUpdate": str, "count": str, "next": str, "previous": str, "type": str},
        ask.query,
        ("roomId",),
    )
    if not ask.query.get("lastUpdate"):
        raise MeteorError("error-param-required", 'The "type" or "lastUpdate" parameters must be provided')
    since = _since(ask.query["lastUpdate"])
    if not ask.world.can_access(ask.query["roomId"], ask.uid):
        raise MeteorError("error-not-allowed", "Not allowed")
    return {
        "result": {
            "updated": [m for m in ask.world.history(ask.query["roomId"]) if m["_updatedAt"] > since],
            "deleted": [],
        }
    }


# rooms
def _room(ask: Ask, kind: str = "", what: str = "channel") -> dict:
    asked = ask.query | ask.body
    if not asked.get("roomId") and not asked.get("roomName"):
        raise MeteorError("error-roomid-param-not-provided", 'The parameter "roomId" or "roomName" is required')
    room = ask.world.rooms.get(asked.get("roomId", "")) or next(
        (r for r in ask.world.rooms.values() if asked.get("roomName") and r.get("name") == asked["roomName"]), None)  # fmt: skip
    hidden = room is not None and room["t"] != "c" and ask.uid not in ask.world.members[room["_id"]]
    if room is None or (kind and room["t"] != kind) or (hidden and kind):
        raise MeteorError(
            "error-room-not-found", f'The required "roomId" or "roomName" param provided does not match any {what}'
        )
    if hidden:
        raise Answer(400, error="not-allowed", errorType="Not Allowed")
    return room


def _page(ask: Ask, found: list, key: str, default: int = 50) -> dict:
    count, offset = int(ask.query.get("count") or default), int(ask.query.get("offset") or 0)
    part = found[offset : offset + count] if count else found[offset:]
    return {key: part, "count": len(part), "offset": offset, "total": len(found)}


def _history(kind: str, what: str):
    async def call(ask: Ask) -> dict:
        room = _room(ask, kind, what)
        oldest, latest = ask.query.get("oldest"), ask.query.get("latest")
        found = ask.world.history(room["_id"])
        if oldest:
            found = [
                m
                for m in found
                if m["ts"] > _since(oldest) or (ask.query.get("inclusive") == "true" and m["ts"] == _since(oldest))
            ]
        if latest:
            found = [m for m in found if m["ts"] < _since(latest)]
        return {"messages": _page(ask, found, "messages", 20)["messages"]}

    return call


def _messages(kind: str, what: str):
    async def call(ask: Ask) -> dict:
        return _page(ask, ask.world.history(_room(ask, kind, what)["_id"]), "messages")

    return call


def _info(kind: str, what: str, key: str):
    async def call(ask: Ask) -> dict:
        return {key: _room(ask, kind, what)}

    return call


def _list(kind: str, key: str):
    async def call(ask: Ask) -> dict:
        world = ask.world
        return _page(
            ask,
            [r for r in world.rooms.values() if r["t"] == kind and (kind == "c" or ask.uid in world.members[r["_id"]])],
            key,
        )

    return call


def _members(kind: str, what: str):
    async def call(ask: Ask) -> dict:
        shown = ("_id", "username", "name", "status", "utcOffset", "statusText")
        found = [
            {key: ask.world.users[uid][key] for key in shown}
            for uid in sorted(ask.world.members[_room(ask, kind, what)["_id"]])
        ]
        return _page(ask, found, "members")

    return call


get_channels_history, get_groups_history, get_im_history = (
    _history("c", "channel"),
    _history("p", "group"),
    _history("d", "direct message"),
)
get_channels_messages, get_groups_messages, get_im_messages = (
    _messages("c", "channel"),
    _messages("p", "group"),
    _messages("d", "direct message"),
)
get_channels_info, get_groups_info, get_rooms_info = (
    _info("c", "channel", "channel"),
    _info("p", "group", "group"),
    _info("", "channel", "room"),
)
get_channels_list, get_groups_list, get_im_list = _list("c", "channels"), _list("p", "groups"), _list("d", "ims")
get_channels_members, get_groups_members, get_im_members = (
    _members("c", "channel"),
    _members("p", "group"),
    _members("d", "direct message"),
)


def _mine(ask: Ask) -> list[str]:
    return [rid for rid, members in ask.world.members.items() if ask.uid in members]


async def get_rooms_get(ask: Ask) -> dict:
    since = _since(ask.query["updatedSince"]) if ask.query.get("updatedSince") else None
    rooms = [ask.world.rooms[rid] for rid in _mine(ask)]
    return {"update": [room for room in rooms if since is None or room["_updatedAt"] > since], "remove": []}


async def get_subscriptions_get(ask: Ask) -> dict:
    return {"update": [ask.world.subscription(rid, ask.uid) for rid in _mine(ask)], "remove": []}


async def post_im_create(ask: Ask) -> dict:
    only({"username": str, "usernames": str, "excludeSelf": bool}, ask.body)
    names = [
        name.strip()
        for name in (ask.body.get("username") or ask.body.get("usernames") or "").split(",")
        if name.strip()
    ]
    if not names:
        raise MeteorError("error-room-param-not-provided", 'The required "username" param is required')
    people = [ask.world.named(name) for name in names]
    if None in people:
        raise MeteorError("error-invalid-user", "Invalid user")
    uids = sorted({ask.uid, *(person["_id"] for person in people)})
    room = ask.world.rooms.get("".join(uids)) or ask.world.room("d", "", *uids)
    return {"room": room | {"rid": room["_id"]}}


# people
def _shown(user: dict) -> dict:
    """What somebody without the right view-full-other-user-info sees."""
    return {
        key: user[key] for key in ("_id", "username", "name", "type", "active", "status", "statusText", "utcOffset")
    }


async def get_users_info(ask: Ask) -> dict:
    user = ask.world.users.get(ask.query.get("userId", "")) or ask.world.named(ask.query.get("username", ""))
    if not {"userId", "username"} & set(ask.query):
        raise Answer(400, error="Invalid search query.")
    if user is None:
        raise Answer(400, error="User not found.")
    return {"user": _shown(user)}


def _listed(user: dict) -> dict:
    return {key: user[key] for key in ("_id", "username", "name", "roles", "type", "active", "status")}


async def get_users_list(ask: Ask) -> dict:
    return _page(
        ask, [_listed(user) for user in sorted(ask.world.users.values(), key=lambda user: user["username"])], "users"
    )


async def get_users_listByStatus(ask: Ask) -> dict:
    roles = set(ask.request.query.getall("roles[]", []))
    found = [_listed(user) for user in ask.world.users.values() if not roles or roles & set(user["roles"])]
    return _page(ask, sorted(found, key=lambda user: user["username"]), "users")


# files
async def post_rooms_media(ask: Ask) -> dict:
    if not ask.world.can_access(ask.rest, ask.uid):
        raise Answer(403, error="unauthorized")
    if not ask.request.content_type.startswith("multipart/"):
        raise PlainError("Unsupported content type")
    async for part in await ask.request.multipart():
        if part.name != "file":
            continue
        if not part.filename:
            break
        name, kind = re.sub(r"[\\/]", "_", part.filename), part.headers.get("Content-Type", "application/octet-stream")
        upload = ask.world.upload(ask.uid, ask.rest, name, kind, bytes(await part.read()))
        return {"file": {"_id": upload["_id"], "url": f"/file-upload/{upload['_id']}/{quote(name)}"}}
    raise MeteorError("invalid-field")


async def post_rooms_mediaConfirm(ask: Ask) -> dict:
    rid, _, fid = ask.rest.partition("/")
    if not ask.world.can_access(rid, ask.uid):
        raise Answer(403, error="unauthorized")
    kinds = ("description", "msg", "tmid", "fileName", "alias", "emoji")
    only(dict.fromkeys(kinds, str) | {"groupable": bool}, ask.body)
    return {"message": ask.world.confirm(ask.uid, fid, ask.body)}
