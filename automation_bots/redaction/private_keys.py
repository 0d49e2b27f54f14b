"""Takes the inside of private keys out: whole PEM blocks, and what is left of one that was cut."""

from __future__ import annotations

import re

from automation_bots.redaction.mark import MARK

_PEM = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_LINE = re.compile(r"[^\w\n]{0,8}[A-Za-z0-9+/=]{16,}\s*")
_LAST_KEY_LINE = re.compile(r"[^\w\n]{0,8}[A-Za-z0-9+/]+={0,2}\s*")
_PEM_LINES = re.compile(r"(?:\s|\\[nr]|[A-Za-z0-9+/=]{16,}+)*+")


def without_private_keys(text: str) -> str:
    """Redact the inside of private PEM blocks; of one that is cut off, the lines that look like a key."""
    parts: list[str] = []
    done, inside = 0, False
    for marker in _PEM.finditer(text):
        if inside and marker[1] == "END":
            parts.append(_hidden(text[done : marker.start()]))
        elif inside:
            parts.append(_cut_off(text[done : marker.start()]))
        elif marker[1] == "END":
            parts.append(_begun_before(text[done : marker.start()]))
        else:
            parts.append(text[done : marker.start()])
        parts.append(marker.group())
        done, inside = marker.end(), marker[1] == "BEGIN"
    parts.append(_cut_off(text[done:]) if inside else text[done:])
    return "".join(parts)


def _hidden(body: str) -> str:
    line = "\n" if "\n" in body else ""
    return f"{line}{MARK}{line}" if body.strip() else body


def _begun_before(body: str) -> str:
    """Redact the lines of a key whose beginning is not in the text: it came with an earlier piece, or was cut off."""
    lines = body.split("\n")
    last = len(lines) - (not lines[-1].strip())
    first = last - (last > 0 and _LAST_KEY_LINE.fullmatch(lines[last - 1]) is not None)
    while first and _KEY_LINE.fullmatch(lines[first - 1]):
        first -= 1
    if not any(_KEY_LINE.fullmatch(line) for line in lines[first:last]):
        return body
    return "\n".join([*lines[:first], MARK, *lines[last:]])


def _cut_off(body: str) -> str:
    found = _PEM_LINES.match(body)
    end = found.end() if found else 0
    return _hidden(body[:end]) + body[end:]
