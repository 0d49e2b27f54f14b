"""What a device printed that is no text: how much it is, and what of it can be read. Pure."""

from __future__ import annotations

import re

_NO_TEXT = re.compile("[\0-\x06\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
_SHARE = 20  # of so many characters one that no text has: it is none
_READABLE = re.compile(r"[^\0-\x08\x0a-\x1f\x7f-\x9f\ufffd]{4,}")
_LINES = 2_000


def described(text: str) -> str | None:
    """Return `binary, n bytes` for what is no text, None for text; one broken character makes no text binary."""
    if "\0" not in text and len(_NO_TEXT.findall(text)) * _SHARE <= len(text):
        return None
    replaced = text.count("\ufffd")  # each was one byte or more, before it was made a character
    return f"binary, {len(text.encode(errors='replace')) - 2 * replaced:,} bytes"


def readable(text: str) -> str:
    """Return the parts of a binary that can be read, a line each."""
    return "\n".join(found.group().strip() for _, found in zip(range(_LINES), _READABLE.finditer(text), strict=False))
