"""Our own modules as programs, and the part of the bot's environment that a child may have."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

RUN_FOLDER = "AUTOMATION_BOTS_RUN_FOLDER"  # in the environment of what works for a run, so that a later bot ends it
ROOT = Path(__file__).resolve().parents[2]


def module(name: str, *words: str) -> tuple[str, ...]:
    """Return the command that runs one of our modules; -P: nothing of the current folder is taken for a library."""
    return (sys.executable, "-P", "-m", name, *words)


def isolated(script: Path) -> tuple[str, ...]:
    """Return the command that runs a script with its own imports only.

    -I: nothing of the surroundings changes which modules are imported; -B: no files are written beside them; -u: what
    was printed before a crash is seen.
    """
    return (sys.executable, "-I", "-B", "-u", "-X", "utf8", str(script))


def python_path() -> dict[str, str]:
    """Return where our modules are found, before what the bot itself was given."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}


def inherited(names: str) -> dict[str, str]:
    """Return the variables of the bot whose names match the expression; programs are found in any case."""
    found = {name: value for name, value in os.environ.items() if re.fullmatch(names, name)}
    return {"PATH": os.environ.get("PATH", os.defpath), **found}
