"""What `doctor` says of a Rocket.Chat account: log-in, role, rooms, and the settings that a bot feels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from backends.rocketchat_link import Link
from backends.wire import Away, Chosen, Heard, Rejected, Revoked

State = tuple[dict[str, Any], dict[str, Any], list[dict[str, Any]]]  # the account, the settings, the rooms
Line = tuple[str, str]
_SMALL = 2000  # characters of a message


class _Nobody:
    """A sink for a look."""

    def heard(self, message: Heard) -> None:
        """Nothing is done with it."""

    def chosen(self, choice: Chosen) -> None:
        """Nothing is done with it."""


class _Wire(Protocol):
    me: str
    my_name: str

    def connect(self, sink: _Nobody) -> None:
        """Log in."""


def examined(wire: _Wire, link: Link, state: Callable[[], State]) -> Iterable[Line]:
    """Connect when that is not done yet, and look at everything."""
    if not wire.me:
        try:
            wire.connect(_Nobody())
        except (Away, Revoked, Rejected) as error:
            yield "WRONG", f"Rocket.Chat: {error}"
            return
    yield "ok", f"Rocket.Chat: logged in as @{wire.my_name} ({wire.me}) at {link.url}"
    account, settings, rooms = state()
    yield from _role(account)
    yield from _rooms(rooms)
    yield from _settings(settings)
    yield from _bots(link)


def _role(account: dict[str, Any]) -> Iterator[Line]:
    if {"bot", "admin"} & set(account.get("roles") or []):
        yield "ok", "Rocket.Chat: the account has the role bot, so the limit of 10 calls a minute is not for it"
    else:
        yield "WRONG", ("Rocket.Chat: the account lacks the role bot, so the server lets it post 10 times a minute only; "
                        "Administration → Users → the bot → Edit → Roles → add bot")  # fmt: skip
    if "admin" in (account.get("roles") or []):
        yield "NOTE", "Rocket.Chat: the account is an admin; a bot needs no more than the roles user and bot"


def _rooms(rooms: list[dict[str, Any]]) -> Iterator[Line]:
    names = sorted(str(room.get("fname") or room.get("name")) for room in rooms if room.get("t") in {"c", "p"})
    if names:
        yield "ok", f"Rocket.Chat: in {len(names)} rooms: {', '.join(names[:10])}{' …' if len(names) > 10 else ''}"
    else:
        yield (
            "NOTE",
            "Rocket.Chat: the bot is in no room yet; type  /invite @<its name>  in each room where it shall listen",
        )
    for room in rooms:
        name = room.get("fname") or room.get("name") or "a direct message"
        if room.get("encrypted"):
            yield (
                "WRONG",
                f"Rocket.Chat: {name} is end-to-end encrypted, so the bot cannot read it; turn encryption off there",
            )
        elif room.get("ro"):
            yield "NOTE", f"Rocket.Chat: {name} is read-only; the bot answers there only with the right post-readonly"


def _settings(settings: dict[str, Any]) -> Iterator[Line]:
    if settings.get("Message_AllowEditing") is False:
        yield (
            "NOTE",
            "Rocket.Chat: editing is off (Message → Allow Message Editing), so each state of a job is a message of its own",
        )
    minutes = int(settings.get("Message_AllowEditing_BlockEditInMinutes") or 0)
    if minutes:
        yield (
            "NOTE",
            f"Rocket.Chat: messages cannot be edited after {minutes} minutes; the end of a longer job is said anew",
        )
    if settings.get("Threads_enabled") is False:
        yield "NOTE", "Rocket.Chat: threads are off, so answers stand in the room"
    if settings.get("FileUpload_Enabled") is False:
        yield "NOTE", "Rocket.Chat: files are off (File Upload), so long output is cut"
    size = int(settings.get("Message_MaxAllowedSize") or 5000)
    if size < _SMALL:
        yield (
            "NOTE",
            f"Rocket.Chat: a message has at most {size} characters (Message → Maximum Allowed Characters); answers will be split often",
        )
    if settings.get("Katex_Enabled") and settings.get("Katex_Dollar_Syntax"):
        yield (
            "NOTE",
            "Rocket.Chat: text between two $ is shown as a formula (Message → Katex → Dollar Syntax); turn that off",
        )


def _bots(link: Link) -> Iterator[Line]:
    params = [("roles[]", "bot"), ("count", "1")]
    try:
        link.run(link.call("GET", "users.listByStatus", params=params))
    except Rejected as error:
        yield "NOTE", (f"Rocket.Chat: who is a bot cannot be read ({error}), so bots that post like people are taken for people; "
                       "give the role bot the right view-d-room (Rocket.Chat 7.0 or newer)")  # fmt: skip
    except Away as error:
        yield "WRONG", f"Rocket.Chat: {error}"
