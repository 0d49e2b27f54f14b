"""The connections that Ansible's ssh leaves open for the next run (ControlPersist), and their end with the bot."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import threading
from pathlib import Path

from automation_bots.drivers.ansible_process import end_all


class Masters:
    """A private folder with their sockets, there from the first run on."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._lock = threading.Lock()

    @property
    def sockets(self) -> Path:
        """The folder; a new one where somebody has taken it away."""
        with self._lock:
            if self._folder is None or not _is_ours(self._folder):
                # The path of a socket may have about 100 characters, and ssh adds 17 to what it is given: no long one.
                self._folder = Path(tempfile.mkdtemp(prefix="ab"))
            return self._folder

    def close(self) -> None:
        """End them; a master has the path of its socket in its name."""
        with self._lock:
            folder, self._folder = self._folder, None
        if folder is not None:
            end_all(f"{folder}/")
            shutil.rmtree(folder, ignore_errors=True)


def _is_ours(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
