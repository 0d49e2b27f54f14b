"""What a killed bot left on this machine: processes are ended and folders removed before anything new starts."""

from __future__ import annotations

import shutil
from pathlib import Path

from automation_bots.processes import own
from automation_bots.processes.marked import end_all

_GRACE_SECONDS = 3.0
# Each process of a run or an installation has one of these in its environment, with a path inside its folder.
_NAMES = ("TMPDIR", "AUTOMATION_BOTS_DEVICES", own.RUN_FOLDER)


def clear(folder: Path) -> int:
    """Empty the folder of runs; returns how many processes had outlived their bot. Only for who has the data folder."""
    ended = end(folder)
    for run in folder.iterdir():
        shutil.rmtree(run, ignore_errors=True)
    return ended


def end(folder: Path) -> int:
    """End the processes that work inside a folder; returns how many there were."""
    return end_all(*(f"\0{name}={folder}/" for name in _NAMES), grace_seconds=_GRACE_SECONDS)
