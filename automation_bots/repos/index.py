"""Searches an index of repositories in the form of Errbot's repos.json: a file, or an https address."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from automation_bots.errors import BadRepository, in_words
from automation_bots.model import one_line

_MOST_BYTES = 5_000_000
_SECONDS = 10.0
_MOST_FOUND = 20


def search(where: str, folder: Path, words: str, ca: Path | None = None) -> list[tuple[str, str, str]]:
    """Return the name, address and meaning of what has all the words; a path is relative to the bot's folder."""
    index = _read(where, folder, ca)
    wanted, found = words.lower().split(), []
    for repo, plugins in sorted(index.items()):
        for name, entry in plugins.items() if isinstance(plugins, dict) else ():
            if not isinstance(entry, dict):
                continue
            text = " ".join([repo, name, *(str(value) for value in entry.values())]).lower()
            if all(word in text for word in wanted):
                lookup = one_line(str(entry.get("documentation") or ""), 80)
                found.append((one_line(name, 40), one_line(str(entry.get("repo") or ""), 100), lookup))
    return found[:_MOST_FOUND]


def _read(where: str, folder: Path, ca: Path | None) -> dict[str, Any]:
    try:
        data = _fetch(where, ca) if where.startswith("https://") else (folder / where).expanduser().read_bytes()
        index = json.loads(data[: _MOST_BYTES + 1])
    except (OSError, urllib.error.URLError, ValueError) as error:
        raise BadRepository(f"The index {where} cannot be read: {one_line(in_words(error), 150)}.") from error
    if not isinstance(index, dict):
        raise BadRepository(f"The index {where} is none: it must be names with their plugins, as Errbot's repos.json.")
    return index


def _fetch(where: str, ca: Path | None) -> bytes:
    request = urllib.request.Request(where, headers={"User-Agent": "automation-bots"})  # noqa: S310 - https only
    context = ssl.create_default_context(cafile=ca)
    with urllib.request.urlopen(request, timeout=_SECONDS, context=context) as answer:  # noqa: S310 - the same
        data: bytes = answer.read(_MOST_BYTES + 1)
        return data
