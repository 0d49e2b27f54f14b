"""The connections that Ansible's ssh leaves open for the next run (ControlPersist), and their end with the bot."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from automation_bots.processes.marked import end_all


class Masters:
    """A private folder with their sockets, there from the first run on.

    It stands in the system's folder for temporary files, since the path of a socket may have about 100 characters, and
    ssh adds 17 to what it is given. Its name follows from the bot's data folder, so that the next bot on the same data
    finds what a killed one left.
    """

    def __init__(self, data: Path | None = None) -> None:
        name = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:12] if data else secrets.token_hex(6)
        self.folder = self._folder = Path(tempfile.gettempdir()) / f"ab{name}"
        self._lock = threading.Lock()

    @property
    def sockets(self) -> Path:
        """The folder; one of another name where somebody else has taken this one."""
        with self._lock:
            with suppress(FileExistsError):
                self._folder.mkdir(mode=0o700)
            if not _is_ours(self._folder):
                self._folder = Path(tempfile.mkdtemp(prefix="ab"))
            return self._folder

    def close(self) -> int:
        """End them, and those of a killed bot; returns how many. A master has the path of its socket in its name."""
        with self._lock:
            folders, self._folder = {self.folder, self._folder}, self.folder
        return sum(_end(folder) for folder in folders if _is_ours(folder))


def _end(folder: Path) -> int:
    ended = end_all(f"{folder}/")
    shutil.rmtree(folder, ignore_errors=True)
    return ended


def _is_ours(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
