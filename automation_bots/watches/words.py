"""The words of `!watch`: what, and on which devices. Pure."""

from __future__ import annotations

import re

from automation_bots.errors import BadCommand
from automation_bots.model import one_line

KINDS = ("jobs", "jobs failed", "changes", "approvals")
USAGE = "→ !watch jobs failed on core · !watch jobs on web · !watch changes on core · !watch approvals"
_ALSO = {"failed": "jobs failed", "failed jobs": "jobs failed", "job": "jobs", "change": "changes",
         "approval": "approvals", "pending": "approvals"}  # fmt: skip
_WORDS = re.compile(r"(?P<what>.*?)(?:(?:^|\s)on\s+(?P<pattern>\S+))?", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"[wW]?(\d{1,15})")


def read(line: str) -> tuple[str, str]:
    """Return what somebody wants to hear of, and the pattern of devices, empty for all."""
    found = _WORDS.fullmatch(line.strip())
    what = " ".join(found["what"].lower().split()) if found else ""
    about = _ALSO.get(what, what)
    if found is None or about not in KINDS:
        raise BadCommand(f"Of what do you want to hear? {one_line(line, 60)!r} is none of these. {USAGE}")
    return about, found["pattern"] or ""


def number(word: str) -> int | None:
    """The number of a watch, typed as 3 or W3."""
    found = _NUMBER.fullmatch(word)
    return int(found[1]) if found else None
