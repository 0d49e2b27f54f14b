"""What the calls about rooms, people and files of the Rocket.Chat test server do."""

from __future__ import annotations

import re
from urllib.parse import quote

from tests.fakes.rocketchat.calls import Answer, Ask, since_of
from tests.fakes.rocketchat.workspace import MeteorError, PlainError, only


def _room(ask: Ask, kind: str = "", what: str = "channel") -> dict:
    asked = ask.query | ask.body
    if not asked.get("roomId") and not asked.get("roomName"):
        raise MeteorError("error-roomid-param-not-provided", 'The parameter "roomId" or "roomName" is required')
    named = (room for room in ask.world.rooms.values() if room.get("name") == asked.get("roomName", ""))
    room = ask.world.rooms.get(asked.get("roomId", "")) or next(named, None)
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
                if m["ts"] > since_of(oldest) or (ask.query.get("inclusive") == "true" and m["ts"] == since_of(oldest))
            ]
        if latest:
            found = [m for m in found if m["ts"] < since_of(latest)]
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
    since = since_of(ask.query["updatedSince"]) if ask.query.get("updatedSince") else None
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


async def get_users_listbystatus(ask: Ask) -> dict:
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


async def post_rooms_mediaconfirm(ask: Ask) -> dict:
    rid, _, fid = ask.rest.partition("/")
    if not ask.world.can_access(rid, ask.uid):
        raise Answer(403, error="unauthorized")
    kinds = ("description", "msg", "tmid", "fileName", "alias", "emoji")
    only(dict.fromkeys(kinds, str) | {"groupable": bool}, ask.body)
    return {"message": ask.world.confirm(ask.uid, fid, ask.body)}
