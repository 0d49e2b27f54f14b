"""What works on a homeserver and what does not, asked without a sync: a bot that runs beside this loses nothing."""

from __future__ import annotations

import contextlib
import email.utils
import stat
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from automation_bots.chat.client import Away, Rejected, Revoked
from automation_bots.chat.matrix import login as matrix_session
from automation_bots.chat.matrix.nio_client import refused_status
from automation_bots.chat.matrix.settings import MatrixSettings

_SECONDS = 15
Line = tuple[str, str]


class Examination:
    """Plain HTTP with the bot's own token, where it has one."""

    def __init__(self, settings: MatrixSettings, folder: Path) -> None:
        self._settings, self._folder = settings, folder
        # With each request: the environment's own authorities and proxies go before those of a session.
        self._how: dict[str, Any] = {"verify": settings.ca or True}
        if settings.proxy:
            self._how["proxies"] = {"http": settings.proxy, "https": settings.proxy}
        self._token = settings.token or matrix_session.kept(folder, settings).get("token", "")
        self._me: dict[str, Any] = {}

    def look(self) -> Iterator[Line]:
        """Say what works, line by line."""
        yield from self._server()
        if not self._token:
            yield self._password_works()
            return
        self._who()
        yield "ok", f"{self._me['user_id']} is let in"
        yield from self._keys()
        yield from self._rooms()
        yield from self._invites()

    def room(self, room_id: str) -> str:
        """Why the bot cannot read or write in a room."""
        if not room_id.startswith("!"):
            return f"{room_id} is no room id; write the one with ! in front (in Element: room settings, Advanced)"
        if not self._token:
            return "cannot be looked at before the bot has started once"
        if room_id not in self._ask("GET", "joined_rooms")["joined_rooms"]:
            return f"the bot is not in it. Invite {self._who()} there, from somebody who stands in invites of [chat]"
        if new := self._state(room_id, "m.room.tombstone").get("replacement_room"):
            return f"{new} has taken its place: invite the bot there, and write that id"
        levels = self._state(room_id, "m.room.power_levels")
        mine = levels.get("users", {}).get(self._who(), levels.get("users_default", 0))
        if mine < levels.get("events", {}).get("m.room.message", levels.get("events_default", 0)):
            return f"the bot may not write there (power level {mine}); give it the level of an ordinary member"
        if self._state(room_id, "m.room.encryption") and not self._settings.encryption:
            return "it is encrypted, and the bot is not: take encryption = false out of [chat]"
        return ""

    def aliases(self, names: Sequence[str]) -> dict[str, str]:
        """The rooms of these aliases, of the bot's own server where none is named."""
        found, server = {}, self._who().partition(":")[2] if self._token else ""
        for name in names if server else ():
            alias = f"#{name}" if ":" in name else f"#{name}:{server}"
            with contextlib.suppress(Rejected):  # there is none
                found[name] = str(self._ask("GET", f"directory/room/{quote(alias, safe='')}")["room_id"])
        return found

    def person(self, person: str) -> str:
        """What is wrong with an id."""
        if not person.startswith("@") or ":" not in person:
            return "is no Matrix id; write @name:server"
        try:
            self._ask("GET", f"profile/{quote(person)}")
        except Rejected:
            return "the homeserver knows nobody of this id"
        return ""

    def time(self) -> datetime:
        """The homeserver's clock."""
        answer = self._send("GET", "/_matrix/client/versions")
        try:
            return email.utils.parsedate_to_datetime(answer.headers["Date"])
        except (KeyError, ValueError) as error:
            raise Rejected("the homeserver does not say the time") from error

    # -- parts

    def _server(self) -> Iterator[Line]:
        said = self._send("GET", "/_matrix/client/versions")
        if said.status_code >= 500:
            raise Away(f"{self._settings.server} answers {said.status_code}")
        try:
            versions = said.json()["versions"]
        except (ValueError, KeyError, TypeError) as error:
            raise Rejected(f"{self._settings.server} is no Matrix homeserver; mend server in [chat]") from error
        yield "ok", f"{self._settings.server} speaks Matrix up to {versions[-1]}"
        if self._settings.server.startswith("http://") and "//127." not in self._settings.server:
            yield "NOTE", "the connection is not encrypted (http); the token can be read on its way"

    def _password_works(self) -> Line:
        who = {"type": "m.id.user", "user": self._settings.user}
        body = {"type": "m.login.password", "identifier": who, "password": self._settings.password}
        try:
            done = self._ask("POST", "login", body)
        except Rejected as error:
            raise Revoked(f"user and password do not fit: {error}") from error
        self._token = done["access_token"]
        self._ask("POST", "logout", {})
        self._token = ""
        return (
            "ok",
            f"{done['user_id']} is let in with the password; the rest can be looked at once the bot has started",
        )

    def _who(self) -> str:
        if not self._me:
            self._me = self._ask("GET", "account/whoami")
        return str(self._me["user_id"])

    def _keys(self) -> Iterator[Line]:
        if not self._settings.encryption:
            yield "NOTE", "encryption is off: the bot can read nothing in encrypted rooms"
            return
        if not self._me.get("device_id"):
            yield "WRONG", "the token belongs to no device, so nothing can be encrypted; make one by a login"
            return
        store = self._folder / "keys.db"
        if store.exists() and stat.S_IMODE(store.stat().st_mode) & 0o077:
            yield "WRONG", f"others can read {store}: chmod 600 {store}"
        who, device = self._who(), self._me["device_id"]
        there = self._ask("POST", "keys/query", {"device_keys": {who: [device]}})["device_keys"].get(who, {})
        if device in there:
            key = there[device]["keys"].get(f"ed25519:{device}", "")
            yield "ok", f"encryption: device {device}, fingerprint {_spaced(key)}"
            if not store.exists():
                yield (
                    "WRONG",
                    f"the keys of device {device} are not in {store}: make a session for the bot alone",
                )
        else:
            yield "NOTE", f"encryption: device {device} gets its keys at the first start"

    def _rooms(self) -> Iterator[Line]:
        count = len(self._ask("GET", "joined_rooms")["joined_rooms"])
        yield ("ok", f"the bot is in {count} rooms") if count else ("NOTE", "the bot is in no room yet; invite it")

    def _invites(self) -> Iterator[Line]:
        if not self._settings.invites:
            yield "NOTE", 'nobody can invite the bot; write invites = ["@you:example.org"] or ["example.org"] in [chat]'

    def _state(self, room_id: str, kind: str) -> dict[str, Any]:
        try:
            return self._ask("GET", f"rooms/{quote(room_id)}/state/{kind}")
        except Rejected:
            return {}

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self._send(method, f"/_matrix/client/v3/{path}", body)
        try:
            said = answer.json()
        except ValueError:
            said = {}
        refused_status(answer.status_code, said, answer.headers)
        return dict(said)

    def _send(self, method: str, path: str, body: Any = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        try:
            return requests.request(
                method, self._settings.server + path, json=body, headers=headers, timeout=_SECONDS, **self._how
            )
        except requests.RequestException as error:
            why = "it does not answer" if isinstance(error, requests.Timeout) else type(error).__name__
            raise Away(
                f"{self._settings.server} cannot be reached ({why}); check server, ca and proxy in [chat]"
            ) from error


def _spaced(key: str) -> str:
    """A fingerprint as clients show it."""
    return " ".join(key[at : at + 4] for at in range(0, len(key), 4))
