"""What `doctor` says of a Rocket.Chat account: its role, its rooms, and the settings that a bot feels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

Line = tuple[str, str]
_SMALL = 2000  # characters of a message
_SHOWN = 10  # names of rooms


class Known(Protocol):
    """What a client has learned when it logged in."""

    me: str
    my_name: str
    account: dict[str, Any]
    settings: dict[str, Any]

    @property
    def rooms(self) -> list[dict[str, Any]]:
        """Where the bot is."""


def examined(known: Known, url: str) -> Iterator[Line]:
    """Look at what the server has told."""
    yield "ok", f"logged in as @{known.my_name} ({known.me}) at {url}"
    yield from _role(known.account.get("roles") or [])
    yield from _rooms(known.rooms)
    yield from _settings(known.settings)


def no_robots(why: Exception) -> Line:
    """Who is a bot cannot be asked."""
    how = (
        "give the role bot the right view-d-room (Administration → Permissions); Rocket.Chat 7.0 or newer has the list"
    )
    return "NOTE", f"who is a bot cannot be read ({why}), so bots that post like people are taken for people; {how}"


def trouble_of(room: dict[str, Any]) -> str:
    """What keeps the bot from reading and writing in a room."""
    if room.get("encrypted"):
        return "it is end-to-end encrypted, so the bot cannot read it; turn encryption off there"
    if room.get("archived"):
        return "it is archived"
    if room.get("ro"):
        return "it is read-only; the bot writes there only with the right post-readonly, or unmuted by its owner"
    return ""


def _role(roles: list[str]) -> Iterator[Line]:
    if {"bot", "admin"} & set(roles):
        yield "ok", "the account has the role bot, so the limit of 10 calls a minute is not for it"
    else:
        where = "Administration → Workspace → Users → the bot → Edit → Roles → add bot"
        yield "WRONG", f"the account lacks the role bot, so the server takes 10 posts a minute from it; {where}"
    if "admin" in roles:
        yield "NOTE", "the account is an admin; a bot needs no more than the roles user and bot"


def _rooms(rooms: list[dict[str, Any]]) -> Iterator[Line]:
    names = sorted(_name(room) for room in rooms if room.get("t") in {"c", "p"})
    if names:
        more = " …" if len(names) > _SHOWN else ""
        yield "ok", f"in {len(names)} room{'s' * (len(names) > 1)}: {', '.join(names[:_SHOWN])}{more}"
    else:
        yield "NOTE", "the bot is in no room yet; type  /invite @its-name  in each room where it shall listen"
    for room in rooms:
        if trouble := trouble_of(room):
            yield "WRONG" if room.get("encrypted") else "NOTE", f"room {_name(room)}: {trouble}"


def _name(room: dict[str, Any]) -> str:
    return str(room.get("fname") or room.get("name") or ", ".join(room.get("usernames") or ["?"]))


def _settings(settings: dict[str, Any]) -> Iterator[Line]:
    if settings.get("Message_AllowEditing") is False:
        yield (
            "NOTE",
            "editing is off (Settings → Message → Allow Message Editing): each state of a job is a message",
        )
    if minutes := int(settings.get("Message_AllowEditing_BlockEditInMinutes") or 0):
        yield "NOTE", f"messages cannot be edited after {minutes} minutes; the end of a longer job is said anew"
    if settings.get("Threads_enabled") is False:
        yield "NOTE", "threads are off, so answers stand in the room"
    if settings.get("FileUpload_Enabled") is False:
        yield "NOTE", "files are off (Settings → File Upload), so long output is cut"
    if settings.get("Message_AllowDeleting") is False:
        yield "NOTE", "deleting is off (Settings → Message → Allow Message Deleting), so live messages get no pictures"
    size = int(settings.get("Message_MaxAllowedSize") or 5000)
    if size < _SMALL:
        yield "NOTE", f"a message has at most {size} characters (Settings → Message), so answers are split often"
    if settings.get("Katex_Enabled") and settings.get("Katex_Dollar_Syntax"):
        yield "NOTE", "text between two $ is shown as a formula; turn off Settings → Message → Katex → Dollar Syntax"
