"""What `automation-bots doctor` looks at on a Mattermost server."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from typing import Any

from automation_bots.chat.client import Away, Rejected, Revoked
from automation_bots.chat.mattermost.rest import Refused, Rest
from automation_bots.chat.mattermost.settings import MattermostSettings
from automation_bots.chat.mattermost.text import id_of
from automation_bots.chat.mattermost.websocket import Loop, Socket
from automation_bots.errors import in_words

_NAMED = 20  # channels that are listed
Finding = tuple[str, str]


def examine(settings: MattermostSettings, rest: Rest) -> Iterator[Finding]:
    """Ask the server for everything that the bot will need; nothing is changed or said there."""
    try:
        answer = rest.answer("get", "/users/me")
    except Revoked as error:
        yield "WRONG", f"{settings.url} does not accept the token ({error}); make a new one, see docs/mattermost.md"
        return
    except (Away, Rejected) as error:
        yield "WRONG", f"{settings.url}: {error}"
        return
    version = answer.headers.get("X-Version-Id", "").split("..")[0]
    yield "ok", f"{settings.url} answers, Mattermost {version or 'of an unknown version'}"
    if settings.url.startswith("http:"):
        yield "NOTE", "the link is not encrypted: the token and all answers can be read on the way; use https"
    yield from _account(answer.json())
    yield from _websocket(settings)
    yield from _channels(rest)
    yield from _callback(settings)


def _account(account: dict[str, Any]) -> Iterator[Finding]:
    yield "ok", f"the token is that of @{account['username']} ({account['id']})"
    if not account.get("is_bot"):
        yield "NOTE", f"@{account['username']} is a person's account; a bot account cannot log in and is shown as a bot"
    if "system_admin" in account["roles"].split():
        yield (
            "NOTE",
            f"@{account['username']} is a system admin of Mattermost; the bot needs no such right",
        )


def _websocket(settings: MattermostSettings) -> Iterator[Finding]:
    loop = Loop()
    stream = Socket(settings, lambda *_: None)
    try:
        loop.run(stream.open(), settings.timeout_seconds)
        yield "ok", "the websocket opens: messages arrive as they are said"
    except Away as error:
        yield "WRONG", f"the websocket does not open ({error}); a proxy before the server must pass on upgrades"
    finally:
        loop.run(stream.close(), settings.timeout_seconds)
        loop.close()


def _channels(rest: Rest) -> Iterator[Finding]:
    try:
        teams = rest.get("/users/me/teams")
        for team in teams:
            mine = [one for one in rest.get(f"/users/me/teams/{team['id']}/channels") if one["team_id"]]
            names = [f"{one['name']} = {one['id']}" for one in mine]
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            yield "ok", f"team {team['name']}, channels: {', '.join(names[:_NAMED])}{more}"
    except (Away, Rejected) as error:
        yield "WRONG", f"teams and channels cannot be read: {error}"
        return
    if not teams:
        yield "WRONG", "the bot is in no team; invite it: team menu, Invite people, the bot's name"


def _callback(settings: MattermostSettings) -> Iterator[Finding]:
    if not settings.callback:
        yield "NOTE", "no callback is set: questions are answered by reactions or words, without buttons"
        return
    host, port = settings.listen
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                yield (
                    "WRONG",
                    f"clicks cannot be listened for at {host}:{port} ({in_words(error)}); see callback_listen",
                )
                return
            yield "NOTE", f"{host}:{port}, where clicks come in, is taken: by this bot, if it runs; nothing else may"
        else:
            yield "ok", f"clicks can be listened for at {host}:{port}, and come to {settings.callback}"
    yield (
        "NOTE",
        (
            f"when that address is private, Mattermost must allow it: System Console, Developer, "
            f"Allow untrusted internal connections: {settings.callback.split('/')[2].rsplit(':', 1)[0]}"
        ),
    )


def room_trouble(rest: Rest, room: str) -> str:
    """Say what keeps the bot from reading and writing in a channel; empty when nothing does."""
    if id_of(room) != room:
        return "is no id of a channel: 26 letters and digits, at the end of View Info"
    try:
        found = rest.get(f"/channels/{room}")
        rest.get(f"/channels/{room}/members/me")
    except Refused as error:
        return f"there is no such channel, or the bot is not in it; type /invite there, with its name ({error})"
    return "the channel is archived; unarchive it, or name another one" if found["delete_at"] else ""


def person_trouble(rest: Rest, person: str) -> str:
    """Say what is wrong with somebody's id; empty when nothing is."""
    if id_of(person) != person:
        return "is no id of a person: 26 letters and digits, as !whoami says it"
    try:
        found = rest.get(f"/users/{person}")
    except Refused as error:
        return f"nobody has this id ({error})"
    return f"@{found['username']} is deactivated; take the person out of policy.yml" if found["delete_at"] else ""
