"""What was typed that was no command, as it may be kept: without names, numbers and secrets. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

_LONGEST, _LONGEST_WORD = 200, 30
_SLOT, _VALUE = "{devices}", "{value}"
_PARTS, _DIGIT, _LETTER = re.compile(r"[,:&!*\[\]]+"), re.compile(r"\d"), re.compile(r"[^\W\d_]")


def kept(typed: str, names: Collection[str], clear: Callable[[str], str]) -> str:
    """Return the words with slots for devices and for whatever holds a digit; empty: they are not kept.

    `names` are all devices and groups in small letters, and `clear` takes secrets out of a text.
    """
    if len(typed) > _LONGEST or clear(typed) != typed:
        return ""
    words = [_word(word, names) for word in typed.lower().split()]
    told = [word for word in words if word]
    fits = all(len(word) <= _LONGEST_WORD for word in told) and any(word not in {_SLOT, _VALUE} for word in told)
    return " ".join(told) if fits else ""


def words(text: str) -> str:
    """The words to compare by, without the slots."""
    return " ".join(word for word in text.split() if word not in {_SLOT, _VALUE})


def _word(typed: str, names: Collection[str]) -> str:
    word = typed.strip("?!.:;,\"'()")
    if word in names or any(part in names for part in _PARTS.split(word)):
        return _SLOT
    if _DIGIT.search(word) or "@" in word or "/" in word:
        return _VALUE
    return word if _LETTER.search(word) else ""
