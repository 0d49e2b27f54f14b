"""The servers beside the chat network that a bot asks: salt-api, those of alerts, the directory, key/value, syslog."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from automation_bots.app import alerts
from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.drivers.salt.api import Login, SaltApi
from automation_bots.errors import AutomationError, in_words
from automation_bots.identity import membership
from automation_bots.policy import people

Line = tuple[str, str]
_SECONDS = 10.0


def look(bot_folder: BotFolder, live: LiveConfig) -> Iterator[Line]:
    """Ask each of them that bot.toml names."""
    if bot_folder.settings.drivers.salt.url:
        yield _salt(bot_folder)
    yield from _alerts(bot_folder)
    if bot_folder.settings.ldap.url:
        yield _directory(bot_folder, live)
    if bot_folder.settings.vault.url:
        trouble = bot_folder.references.kv.trouble()
        yield (
            ("WRONG", f"vault: {trouble}")
            if trouble
            else ("ok", f"vault: logged in to {bot_folder.settings.vault.url}")
        )
    if bot_folder.settings.record.syslog:
        yield _syslog(bot_folder.settings.record.syslog)
    if bot_folder.settings.record.checkpoint_file:
        yield from _writable(bot_folder.path(bot_folder.settings.record.checkpoint_file))


def _salt(bot_folder: BotFolder) -> Line:
    wanted = bot_folder.settings.drivers.salt
    try:
        password = bot_folder.references.resolved({"password": wanted.password}, "drivers", "salt")["password"]
        ca = bot_folder.path(wanted.ca) if wanted.ca else None
        api = SaltApi(Login(wanted.url, wanted.user, password, wanted.eauth, ca), seconds=_SECONDS)
        with api.session() as session:
            session.token()
    except AutomationError as error:
        return "WRONG", f"driver salt: {error}"
    return "ok", f"driver salt: logged in to {wanted.url} as {wanted.user}"


def _alerts(bot_folder: BotFolder) -> Iterator[Line]:
    """The servers that can be told what people do about their alerts; asked in a way that changes nothing."""
    try:
        sources = alerts.read(bot_folder, resolved=True)
        backs = alerts.backs(bot_folder, sources)
    except AutomationError as error:
        yield "WRONG", f"events: {error}"
        return
    for name, back in backs.items():
        where = f"events of {name}"
        if trouble := back.trouble():
            yield "WRONG", f"{where}: what people say about its alerts cannot be told: {trouble}"
        else:
            yield "ok", f"{where}: can be told {', '.join(sorted(back.does))}"


def _directory(bot_folder: BotFolder, live: LiveConfig) -> Line:
    wanted = bot_folder.settings.ldap
    try:
        found = membership.ldap(wanted, bot_folder.references.resolved).read(people.logins(live.policy_of_file))
    except AutomationError as error:
        return "WRONG", f"ldap: {error}"
    return "ok", f"ldap: {wanted.url} answers and knows groups of {len(found)} people"


def _syslog(url: str) -> Line:
    found = urlsplit(url)
    try:
        if found.scheme == "unix":
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as made:
                made.connect(found.path)
        elif found.scheme == "tcp":
            socket.create_connection((found.hostname or "", found.port or 601), _SECONDS).close()
        else:
            socket.getaddrinfo(found.hostname, found.port or 514, type=socket.SOCK_DGRAM)
            return "NOTE", f"syslog: {url} says nothing back over UDP; look for the records there"
    except OSError as error:
        return (
            "WRONG",
            f"syslog: {url} cannot be reached ({in_words(error)}). Does it run, and is the address right?",
        )
    return "ok", f"syslog: {url} takes connections"


def _writable(file: Path) -> Iterator[Line]:
    """A file of checkpoints that cannot be written is worth nothing; one in the data folder is made there."""
    there = next(path for path in (file, *file.absolute().parents) if path.exists())
    if not os.access(there, os.W_OK):
        yield "WRONG", f"record: checkpoint_file {file} cannot be written. Run: chown, or name another one in [record]"
