"""What others on this machine could change or read of a bot: looked at before each start, as sshd and sudo do."""

from __future__ import annotations

import grp
import pwd
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_GROUP_AND_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Exposed:
    """A file or folder with permissions that it must not have: those in `bits`."""

    path: Path
    bits: int

    def __str__(self) -> str:
        can = "change" if self.bits & (stat.S_IWGRP | stat.S_IWOTH) else "read"
        whom = "others" if self.bits & stat.S_IRWXO else "its group"
        mode = stat.S_IMODE(self.path.stat().st_mode)
        return f"{whom} can {can} {self.path} (mode {mode:04o}). Run: {self.command} {self.path}"

    @property
    def command(self) -> str:
        """What to type in front of the path."""
        return "chmod go=" if self.bits & (stat.S_IRGRP | stat.S_IROTH) else "chmod go-w"

    def close(self) -> None:
        """Do what `command` says."""
        gone = self.bits | stat.S_IWGRP | stat.S_IWOTH
        self.path.chmod(stat.S_IMODE(self.path.stat().st_mode) & ~gone)


def changeable(paths: Iterable[Path]) -> Iterator[Exposed]:
    """Yield what others could change: whoever writes these decides what the bot does. What is missing is nobody's."""
    for path in dict.fromkeys(paths):
        if (found := _mode(path)) is None:
            continue
        mode, owner, group = found
        bits = mode & (stat.S_IWOTH if _is_own_group(owner, group) else stat.S_IWGRP | stat.S_IWOTH)
        if bits and not mode & stat.S_ISVTX:  # in a sticky folder nobody replaces what is not theirs
            yield Exposed(path, bits)


def readable(paths: Iterable[Path]) -> Iterator[Exposed]:
    """Yield what others could read, though it is the bot's alone: its record, its keys."""
    for path in paths:
        if (found := _mode(path)) is not None and found[0] & _GROUP_AND_OTHERS:
            yield Exposed(path, found[0] & _GROUP_AND_OTHERS)


def record_files(data: Path) -> list[Path]:
    """The files of a data folder that hold the record, its copy, and the keys."""
    return [path for pattern in ("bot.db*", "log/audit.jsonl*", "keys/*.key") for path in sorted(data.glob(pattern))]


def _mode(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:  # whoever needs it says that it is missing
        return None
    return stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid


def _is_own_group(owner: int, group: int) -> bool:
    """Whether a group is its owner's alone, as Debian makes one for each user; sshd there lets it pass too."""
    try:
        person, members = pwd.getpwuid(owner), grp.getgrgid(group)
    except KeyError:
        return False
    return members.gr_name == person.pw_name and set(members.gr_mem) <= {person.pw_name}
