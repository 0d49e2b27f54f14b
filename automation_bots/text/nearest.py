"""Names that a mistyped word was perhaps meant to be, and the sentence that asks. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def nearest(word: str, among: Iterable[str], most: int = 2, alike: float = 0.6) -> list[str]:
    """Return the names that look like a word, the likeliest first."""
    return difflib.get_close_matches(word, list(among), n=most, cutoff=alike)


def did_you_mean(names: Sequence[str], otherwise: str = "") -> str:
    """What is said behind "No such x.", with a blank before it; `otherwise` where nothing is near."""
    if not names:
        return f" {otherwise}" if otherwise else ""
    return f" Did you mean {' or '.join(dict.fromkeys(names))}?"
