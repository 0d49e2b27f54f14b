"""Whose files are whose: secrets that others can read, a data folder that the bot cannot write, a full disk."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from automation_bots import render
from automation_bots.config import permissions
from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.errors import ConfigError
from automation_bots.health.health import LOW_DISK, size
from automation_bots.secrets import file_modes
from automation_bots.secrets import references as secrets

Line = tuple[str, str]
_MOST = 20_000  # files of the data folder that are looked at


def look(bot_folder: BotFolder, live: LiveConfig) -> Iterator[Line]:
    """Look at the bot's folder, the secrets that it names, the data folder and its disk."""
    troubles = [*_secrets(bot_folder), *_changeable(bot_folder, live), *_data(bot_folder)]
    yield from troubles
    if not troubles:
        yield "ok", f"files: the data folder {bot_folder.data} and the secrets belong to the bot alone"
    yield from _references(bot_folder)
    yield from _disk(bot_folder.data)


def _secrets(bot_folder: BotFolder) -> Iterator[Line]:
    seen = set()
    for where, path, what in bot_folder.secret_files():
        if path in seen:
            continue
        seen.add(path)
        if said := file_modes.open_to_others(path, what):
            yield "WRONG", f"files: {said}"
        elif not path.exists():
            yield "WRONG", f"files: {what} {path} is not there; {'.'.join(where)} of bot.toml names it"
        elif not os.access(path, os.R_OK):
            yield "WRONG", f"files: {what} {path} belongs to {_owner(path)}; run this as that user, or chown it"


def _references(bot_folder: BotFolder) -> Iterator[Line]:
    """Look every secret up, as the start does; from then on none of them can be printed."""
    found = list(secrets.references(bot_folder.settings.model_dump()))
    wrong = 0
    for where, reference in found:
        try:
            bot_folder.references.resolved({where[-1]: reference}, *where[:-1])
        except ConfigError as error:
            wrong += 1
            why = error.reason.partition(": ")[2]
            yield "WRONG", f"secrets: {'.'.join(where)} (bot.toml, line {error.line}) leads to no value; {why}"
    if found and not wrong:
        yield "ok", f"secrets: {render.many(len(found), 'reference')} of bot.toml, each leads to a value"


def _changeable(bot_folder: BotFolder, live: LiveConfig) -> Iterator[Line]:
    """Name what others could change or read: whoever can write these decides what the bot does."""
    more = permissions.changeable([*live.policy_of_file.files, *live.inventory.sources])
    for found in dict.fromkeys([*bot_folder.exposed(), *more]):
        yield "WRONG", f"files: {found}"


def _data(bot_folder: BotFolder) -> Iterator[Line]:
    data = bot_folder.data
    if not data.exists():
        above = next(parent for parent in data.absolute().parents if parent.exists())
        if os.access(above, os.W_OK):
            yield "NOTE", f"files: there is no data folder {data} yet; the first start makes it"
        else:
            yield (
                "WRONG",
                f"files: {above} cannot be written, so no data folder {data} can be made. Run: chown or data =",
            )
        return
    status = data.stat()
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield "WRONG", f"files: others can read the data folder {data}. Run: chmod 700 {data}"
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        yield "WRONG", f"files: {_me()} cannot write {data}; it belongs to {_owner(data)}. Run this as that user"
        return
    if status.st_uid != os.geteuid():
        owner = _owner(data)
        yield "NOTE", f"files: you are {_me()}, the bot is {owner}; to see what {owner} may do, run this as {owner}"
    yield from _strange(data, status.st_uid)


def _strange(data: Path, owner: int) -> Iterator[Line]:
    """Find what somebody else has left in the data folder, as happens when a bot was once started by root."""
    found = [
        path for path in islice(data.rglob("*"), _MOST) if not path.is_symlink() and _uid(path) not in {owner, None}
    ]
    if found:
        many = f" and {len(found) - 1} more" if len(found) > 1 else ""
        yield (
            "WRONG",
            f"files: {found[0]}{many} belongs to {_owner(found[0])}, the data folder to {_owner(data)}."
            f" Run: chown -R {_owner(data)}: {data}",
        )


def _disk(data: Path) -> Iterator[Line]:
    there = next(path for path in (data, *data.absolute().parents) if path.exists())
    free, nodes = shutil.disk_usage(there).free, os.statvfs(there)
    if free < LOW_DISK:
        yield "WRONG", f"disk: nearly full, {size(free)} free at {there}. Make room, or lower [retention] days"
    elif nodes.f_files and nodes.f_favail < 1000:
        yield "WRONG", f"disk: no room for more files at {there} ({nodes.f_favail} inodes free). Delete some"
    else:
        yield "ok", f"disk: {size(free)} free"


def _uid(path: Path) -> int | None:
    try:
        return path.stat().st_uid
    except OSError:  # gone meanwhile: a running bot works here
        return None


def _owner(path: Path) -> str:
    return _name(path.stat().st_uid)


def _me() -> str:
    return _name(os.geteuid())


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
