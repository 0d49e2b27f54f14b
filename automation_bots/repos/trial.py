"""Loads a repository's plugins in a process of their own first, so that what crashes there never reaches the bot."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from automation_bots.errors import BadRepository
from automation_bots.model import one_line
from automation_bots.processes.group import Program
from automation_bots.processes.once import TooMuchPrinted, run
from automation_bots.processes.own import ROOT, inherited, module
from automation_bots.repos.values import Contents

_KEPT = "LANG|LC_ALL|TZ|VIRTUAL_ENV"
_PRINTED = 10_000_000
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
    own = {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(scratch), "TMPDIR": str(scratch)}
    command = module("backends.plugins.trial", str(report))
    program = Program(command=command, environment={**inherited(_KEPT), **own}, folder=scratch)
    try:
        return run(program, asked.encode(), seconds=_SECONDS, most=_PRINTED, joined=True).out.decode(errors="replace")
    except TimeoutError as error:
        raise BadRepository(f"Loading it took more than {_SECONDS:g} s and was ended.") from error
    except TooMuchPrinted as error:
        raise BadRepository("Loading it printed more than 10 MB and was ended.") from error
