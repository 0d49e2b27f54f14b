"""Loads a repository's plugins in a process of their own first, so that what crashes there never reaches the bot."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from automation_bots.errors import BadRepository
from automation_bots.model import one_line
from automation_bots.repos.values import Contents

_KEPT = re.compile(r"PATH|LANG|LC_ALL|TZ|VIRTUAL_ENV")
_PRINTED = 20_000
_SECONDS = 60.0


def load(name: str, contents: Contents, folder: Path, scratch: Path) -> None:
    """Load every plugin and compare its commands with those that were shown; BadRepository where that fails."""
    scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
    report = scratch / "trial.json"
    asked = {"name": name, "folder": str(folder), "plugins": [asdict(plugin) for plugin in contents.plugins]}
    said = _run(json.dumps(asked), report, scratch)
    try:
        answer = json.loads(report.read_text())
    except (OSError, ValueError) as error:
        last = one_line(" ".join(said.splitlines()[-3:]), 200) or "it says nothing about why"
        raise BadRepository(f"It ended the process that tried to load it: {last}.") from error
    if problem := answer.get("problem"):
        raise BadRepository(f"It does not load: {one_line(str(problem), 300)}")
    if hidden := sorted({str(one) for one in answer["commands"]} - set(contents.commands)):
        raise BadRepository(f"It brings commands that its text does not show: {one_line(', '.join(hidden), 200)}.")


def _run(asked: str, report: Path, scratch: Path) -> str:
    root = Path(__file__).resolve().parent.parent.parent
    kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
    own = {"HOME": str(scratch), "TMPDIR": str(scratch)}
    environment = {**kept, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", **own}
    command = [sys.executable, "-m", "backends.plugins.trial", str(report)]
    with tempfile.TemporaryFile(dir=scratch) as given, tempfile.TemporaryFile(dir=scratch) as printed:
        given.write(asked.encode())
        given.seek(0)
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            command, stdin=given, stdout=printed, stderr=subprocess.STDOUT, cwd=scratch, env=environment,
            start_new_session=True,
        )  # fmt: skip
        try:
            process.wait(_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise BadRepository(f"Loading it took more than {_SECONDS:g} s and was ended.") from error
        finally:
            with contextlib.suppress(ProcessLookupError):  # whatever it started goes with it
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        printed.seek(0, os.SEEK_END)
        printed.seek(max(0, printed.tell() - _PRINTED))
        return printed.read().decode(errors="replace")
