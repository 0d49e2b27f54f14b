"""What `doctor` asks Slack: the tokens, every scope by name, and the rooms."""

from __future__ import annotations

from collections.abc import Iterator

from automation_bots.chat.client import Away, Rejected, Revoked
from automation_bots.chat.slack.directory import Directory
from automation_bots.chat.slack.web_api import Calls, header

# Every scope of deploy/slack-manifest.yml, and what does not work without it.
SCOPES = {
    "channels:history": "commands in public rooms are not heard",
    "channels:read": "public rooms have no names, and what was missed there is not read",
    "chat:write": "nothing can be answered",
    "commands": "the slash command does not exist",
    "files:read": "files that people attach cannot be read",
    "files:write": "long output cannot be sent as a file",
    "groups:history": "commands in private rooms are not heard",
    "groups:read": "private rooms have no names, and what was missed there is not read",
    "im:history": "direct messages are not heard",
    "im:read": "direct messages that were missed are not read",
    "im:write": "nobody can be written to directly, as approvers are",
    "mpim:history": "commands in group messages are not heard",
    "mpim:read": "what was missed in group messages is not read",
    "reactions:read": "questions cannot be answered by a reaction",
    "reactions:write": "the bot cannot react",
    "users:read": "people are shown by their ids",
}
_MEND = "Add it under OAuth & Permissions, then install the app again"


def examine(calls: Calls) -> Iterator[tuple[str, str]]:
    """Say what works and what does not, as far as Slack lets a bot see."""
    try:
        who = calls.read("auth_test")
    except (Away, Rejected, Revoked) as error:
        yield "WRONG", f"{error} (bot_token)"
        return
    yield "ok", f"bot_token is that of {who['user']} ({who['user_id']}) in the workspace {who['team']}"
    yield from _scopes(header(who, "x-oauth-scopes"))
    try:
        calls.socket_url()
    except (Away, Revoked) as error:
        yield "WRONG", f"{error} (app_token)"
    else:
        yield "ok", "Socket Mode can be opened with app_token"
    yield from _rooms(calls, str(who["user"]))


def _scopes(granted: str) -> Iterator[tuple[str, str]]:
    missing = [name for name in SCOPES if name not in {scope.strip() for scope in granted.split(",")}]
    for name in missing:
        yield "WRONG", f"the scope {name} is missing: {SCOPES[name]}. {_MEND}"
    if not missing:
        yield "ok", f"all {len(SCOPES)} scopes are there"


def _rooms(calls: Calls, name: str) -> Iterator[tuple[str, str]]:
    directory = Directory()
    try:
        directory.load_rooms(calls)
    except (Away, Rejected) as error:
        yield "NOTE", f"rooms: {error}"
        return
    rooms = sorted(f"#{name}" for name in directory.rooms.values() if name)
    if rooms:
        yield "ok", f"rooms: {', '.join(rooms)}"
    else:
        yield "NOTE", f"rooms: the bot was invited to none. Type /invite @{name} where it shall listen"


def room_trouble(calls: Calls, room: str) -> str:
    """Say what keeps the bot from reading and writing in a room; empty when nothing does."""
    found = calls.read("conversations_info", channel=room)["channel"]
    if found.get("is_archived"):
        return "the room is archived; unarchive it, or name another one"
    if found.get("is_member") or found.get("is_im"):
        return ""
    return "the bot is not in that room; type /invite there, with its name"


def person_trouble(calls: Calls, person: str) -> str:
    """Say what is wrong with somebody's id; empty when nothing is."""
    found = calls.read("users_info", user=person)["user"]
    return f"@{found.get('name')} is deactivated; take the person out of policy.yml" if found.get("deleted") else ""
