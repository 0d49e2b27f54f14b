"""The Web API's methods that only read, and the table of all methods."""

from __future__ import annotations

from typing import Any

from tests.fakes.slack.methods import Api, Arguments, Method
from tests.fakes.slack.workspace import Channel, Refused

_TYPES = {"public_channel": "channel", "private_channel": "group", "mpim": "mpim", "im": "im"}
_READ_SCOPES = {"channel": "channels:read", "group": "groups:read", "mpim": "mpim:read", "im": "im:read"}
_HISTORY_ARGUMENTS = {
    "channel": "str!",
    "cursor": "str",
    "limit": "int",
    "oldest": "str",
    "latest": "str",
    "inclusive": "bool",
    "include_all_metadata": "bool",
}


def _paged(entries: list[Any], given: Arguments, default: int) -> tuple[list[Any], dict[str, Any]]:
    """One page of a list, and where the next one begins."""
    start, limit = int(given.get("cursor") or "0"), min(given.get("limit", default), 1000)
    if limit < 1:
        raise Refused("invalid_limit")
    following = str(start + limit) if start + limit < len(entries) else ""
    return entries[start : start + limit], {"response_metadata": {"next_cursor": following}}


def channels(api: Api, given: Arguments) -> dict[str, Any]:
    """conversations.list."""
    wanted = [_TYPES.get(name.strip(), "") for name in given.get("types", "public_channel").split(",")]
    if "" in wanted:
        raise Refused("invalid_types")
    space = api.space
    found = [c for c in space.channels.values() if c.kind in wanted]
    seen = [c for c in found if c.kind == "channel" or space.me in c.members]
    if given.get("exclude_archived"):
        seen = [c for c in seen if not c.archived]
    page, more = _paged([c.shown(space.me) for c in seen], given, 100)
    return {"channels": page, **more}


def own_channels(api: Api, given: Arguments) -> dict[str, Any]:
    """users.conversations: those that the bot is in."""
    wanted = [_TYPES.get(name.strip(), "") for name in given.get("types", "public_channel").split(",")]
    if lacking := [_READ_SCOPES[kind] for kind in wanted if _READ_SCOPES[kind] not in api.space.scopes]:
        raise Refused("missing_scope", needed=",".join(lacking), provided=",".join(api.space.scopes))
    found = [c for c in api.space.channels.values() if c.kind in wanted and api.space.me in c.members]
    page, more = _paged([c.shown(api.space.me) for c in found], given, 100)
    return {"channels": page, **more}


def channel(api: Api, given: Arguments) -> dict[str, Any]:
    """conversations.info."""
    return {"channel": api.space.visible(given["channel"]).shown(api.space.me)}


def members(api: Api, given: Arguments) -> dict[str, Any]:
    """conversations.members."""
    page, more = _paged(sorted(api.space.visible(given["channel"]).members), given, 100)
    return {"members": page, **more}


def join(api: Api, given: Arguments) -> dict[str, Any]:
    """conversations.join."""
    found = api.space.visible(given["channel"])
    if found.kind != "channel":
        raise Refused("method_not_supported_for_channel_type")
    found.members.add(api.space.me)
    return {"channel": found.shown(api.space.me)}


def open_direct(api: Api, given: Arguments) -> dict[str, Any]:
    """conversations.open, for one person."""
    names = given["users"].split(",")
    if any(name not in api.space.users for name in names):
        raise Refused("user_not_found")
    if api.space.users[names[0]].deleted:
        raise Refused("user_disabled")
    if api.space.users[names[0]].is_bot:
        raise Refused("cannot_dm_bot")
    there = api.space.direct(names[0])
    shown = api.space.channels[there].shown(api.space.me)
    return {"channel": shown if given.get("return_im") else {"id": there}}


def history(api: Api, given: Arguments) -> dict[str, Any]:
    """conversations.history: newest first, without the answers in threads."""
    found = _readable(api, given["channel"])
    shown = [m for m in found.messages.values() if m.get("thread_ts", m["ts"]) == m["ts"] and _between(m["ts"], given)]
    page, more = _paged(sorted(shown, key=lambda m: m["ts"], reverse=True), given, 100)
    return {"messages": page, "has_more": bool(more["response_metadata"]["next_cursor"]), **more}


def replies(api: Api, given: Arguments) -> dict[str, Any]:
    """conversations.replies: oldest first, the thread's first message always among them."""
    found = _readable(api, given["channel"])
    if given["ts"] not in found.messages:
        raise Refused("thread_not_found")
    thread = [m for m in found.messages.values() if m.get("thread_ts") == given["ts"] and m["ts"] != given["ts"]]
    answers = sorted((m for m in thread if _between(m["ts"], given)), key=lambda m: m["ts"])
    page, more = _paged([found.messages[given["ts"]], *answers], given, 1000)
    return {"messages": page, "has_more": bool(more["response_metadata"]["next_cursor"]), **more}


def _readable(api: Api, channel_id: str) -> Channel:
    found = api.space.visible(channel_id)
    if found.history_scope not in api.space.scopes:
        provided = ",".join(api.space.scopes)
        raise Refused("missing_scope", needed=found.history_scope, provided=provided)
    if api.space.me not in found.members:
        raise Refused("not_in_channel")
    return found


def _between(ts: str, given: Arguments) -> bool:
    oldest, latest = float(given.get("oldest") or 0), float(given.get("latest") or "inf")
    return oldest < float(ts) < latest or (bool(given.get("inclusive")) and float(ts) in {oldest, latest})


def user(api: Api, given: Arguments) -> dict[str, Any]:
    """users.info."""
    if given["user"] not in api.space.users:
        raise Refused("user_not_found")
    return {"user": api.space.users[given["user"]].shown(api.space.team)}


def users(api: Api, given: Arguments) -> dict[str, Any]:
    """users.list."""
    page, more = _paged([one.shown(api.space.team) for one in api.space.users.values()], given, 1000)
    return {"members": page, "cache_ts": 1700000000, **more}


_MESSAGE = {
    "text": "str",
    "blocks": "json",
    "attachments": "json",
    "parse": "str",
    "link_names": "bool",
    "metadata": "json",
}
_POST = {
    "channel": "str!",
    **_MESSAGE,
    "thread_ts": "str",
    "reply_broadcast": "bool",
    "unfurl_links": "bool",
    "unfurl_media": "bool",
    "mrkdwn": "bool",
}
_COMPLETE = {
    "files": "json!",
    "channel_id": "str",
    "channels": "str",
    "thread_ts": "str",
    "initial_comment": "str",
    "blocks": "json",
}
_READS = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORIES = ("channels:history", "groups:history", "im:history", "mpim:history")
_LISTING = {
    "types": "str",
    "cursor": "str",
    "limit": "int",
    "exclude_archived": "bool",
    "team_id": "str",
}
METHODS = {
    "api.test": Method(lambda _api, given: {"args": dict(given)}, {}),
    "auth.test": Method(Api.auth, {}),
    "chat.postMessage": Method(Api.post, _POST, ("chat:write",)),
    "chat.postEphemeral": Method(Api.ephemeral, {**_POST, "user": "str!"}, ("chat:write",)),
    "chat.update": Method(
        Api.update, {"channel": "str!", "ts": "str!", **_MESSAGE, "reply_broadcast": "bool"}, ("chat:write",)
    ),
    "chat.delete": Method(Api.delete, {"channel": "str!", "ts": "str!"}, ("chat:write",)),
    "reactions.add": Method(Api.react, {"channel": "str!", "timestamp": "str!", "name": "str!"}, ("reactions:write",)),
    "reactions.get": Method(
        Api.reactions, {"channel": "str!", "timestamp": "str!", "full": "bool"}, ("reactions:read",), form_only=True
    ),
    "conversations.list": Method(channels, _LISTING, _READS, form_only=True),
    "users.conversations": Method(own_channels, {**_LISTING, "user": "str"}, _READS, form_only=True),
    "conversations.info": Method(
        channel, {"channel": "str!", "include_num_members": "bool", "include_locale": "bool"}, _READS, form_only=True
    ),
    "conversations.members": Method(
        members, {"channel": "str!", "cursor": "str", "limit": "int"}, _READS, form_only=True
    ),
    "conversations.join": Method(join, {"channel": "str!"}, ("channels:join",)),
    "conversations.open": Method(open_direct, {"users": "str!", "return_im": "bool"}, ("im:write",)),
    "conversations.history": Method(history, _HISTORY_ARGUMENTS, _HISTORIES, form_only=True),
    "conversations.replies": Method(replies, {**_HISTORY_ARGUMENTS, "ts": "str!"}, _HISTORIES, form_only=True),
    "users.info": Method(user, {"user": "str!", "include_locale": "bool"}, ("users:read",), form_only=True),
    "users.list": Method(
        users,
        {"cursor": "str", "limit": "int", "include_locale": "bool", "team_id": "str"},
        ("users:read",),
        form_only=True,
    ),
    "files.getUploadURLExternal": Method(
        Api.upload_url,
        {"filename": "str!", "length": "int!", "alt_txt": "str", "snippet_type": "str"},
        ("files:write",),
        form_only=True,
    ),
    "files.completeUploadExternal": Method(Api.complete, _COMPLETE, ("files:write",)),
    "files.info": Method(Api.file, {"file": "str!"}, ("files:read",), form_only=True),
    "files.delete": Method(Api.drop_file, {"file": "str!"}, ("files:write",)),
    "views.open": Method(Api.open_view, {"trigger_id": "str!", "view": "json!"}),
    "apps.connections.open": Method(lambda _api, _given: {}, {}, ("connections:write",), app_level=True),
}
