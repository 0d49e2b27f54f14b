"""What a run of Ansible left on this machine."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def left_over(word: object) -> list[bytes]:
    """Return the command lines of processes with this in their environment, but for servers kept for the next run."""
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and str(word).encode() in (process / "environ").read_bytes():
                command = (process / "cmdline").read_bytes()
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
                if b"preload/server.py" not in command or parent != os.getpid():
                    found.append(command)
    return found
