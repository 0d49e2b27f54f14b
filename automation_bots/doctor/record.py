"""The record: whether its database answers, with the tables that this version needs, and who uses it now."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.store import inspection

Line = tuple[str, str]


def look(bot_folder: BotFolder, _live: LiveConfig) -> Iterator[Line]:
    """Look at the database without writing to it."""
    found = inspection.look(bot_folder.record)
    if not found.version:
        yield "NOTE", f"record: nothing in {found.where} yet; the first start makes it"
    elif found.version == inspection.NEEDED:
        yield "ok", f"record: {found.where} has {found.jobs} jobs, tables of version {found.version}"
    elif found.version < inspection.NEEDED:
        yield (
            "NOTE",
            f"record: {found.where} has tables of version {found.version}, {inspection.NEEDED} is needed;"
            f" the next start brings them up to date. Back up first: automation-bots db backup"
            f" {bot_folder.folder} FILE",
        )
    else:
        yield (
            "WRONG",
            f"record: {found.where} was made by a newer version (tables {found.version}, this one knows"
            f" {inspection.NEEDED}). Install that version again",
        )
    if pid := running(bot_folder.data):
        yield "ok", f"a bot runs on this data folder (pid {pid})"


def running(data: Path) -> int | None:
    """Return the process of the bot that uses a data folder, as far as this machine can see it."""
    try:
        said = re.match(r"pid (\d+) on (\S+)", (data / "store.lock").read_text())
    except OSError:
        return None
    pid = int(said[1]) if said and said[2] == socket.gethostname() else None
    return pid if pid and _lives(pid) else None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:  # it is there, and somebody else's
        return True
    except OSError:
        return False
    return True
