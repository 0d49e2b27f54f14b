"""Files that hold secrets must be their owner's alone; looked at when the bot starts."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_RUNS = stat.S_IXUSR


def open_to_others(path: Path, what: str) -> str:
    """Say who else could use a secret file and what to type; empty when nobody can, or there is no such file.

    A program that fetches the secret may be read by others, but never changed by them.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return ""  # whoever needs the file says that it is missing
    program = bool(mode & _RUNS)
    if not mode & (_OTHERS_WRITE if program else _OTHERS):
        return ""
    can = "change" if mode & _OTHERS_WRITE else "read"
    return f"others can {can} {what} {path} (mode {mode:04o}). Run: chmod {'700' if program else '600'} {path}"


def first(found: Iterable[tuple[tuple[str, ...], Path, str]]) -> tuple[tuple[str, ...], str] | None:
    """Return the first file that is open to others, as the setting that names it and the sentence."""
    for where, path, what in found:
        if said := open_to_others(path, what):
            return where, said
    return None
