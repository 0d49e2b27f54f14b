"""`automation-bots redact < FILE`: what would be taken out of a text, and which row of the table takes it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_ELSEWHERE = {"a secret that another line names, or one inside an encoded text": None}
Add = Callable[..., argparse.ArgumentParser]


def add(commands: Any, add_command: Add) -> None:
    """Add the command to the parser."""
    redact = add_command(commands, "redact", _redact, "show what would be taken out of a text (stdin), and why")
    redact.add_argument("--bot", type=Path, metavar="FOLDER", help="also with the forms of this bot's bot.toml")
    redact.add_argument(
        "--configuration", metavar="PLATFORM", default="", help="the text is one of a device: cisco_ios"
    )


def _redact(parsed: argparse.Namespace) -> int:
    from automation_bots.config import settings
    from automation_bots.redaction.redactor import Redactor

    own = settings.load(parsed.bot.resolve()).redaction.forms if parsed.bot else ()
    text = sys.stdin.buffer.read().decode(errors="replace")
    sys.stdout.writelines(f"{line}\n" for line in shown(Redactor(forms=own), text, parsed.configuration))
    return 0


def shown(redactor: Any, text: str, platform: str = "") -> Iterator[str]:
    """Yield each line of which something would be taken out, and the rows that take it; then how many there are."""
    rows: dict[int, dict[str, None]] = {}
    for found in redactor.found(text, platform):
        rows.setdefault(found.line, {})[found.row] = None
    before, after = text.split("\n"), redactor.text(text, configuration_of=platform).split("\n")
    same = len(before) == len(after)  # the lines of a private key become one
    for number, line in enumerate(after):
        if same and line == before[number] and number not in rows:
            continue
        if same:
            yield f"{number + 1}: {line}"
            yield from (f"      by {row}" for row in rows.get(number, _ELSEWHERE))
    if not same:
        yield from after
    yield f"{len(rows)} lines with secrets." if rows else "Nothing that looks like a secret."
