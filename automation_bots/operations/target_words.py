"""Operations whose devices come first: `!salt web* test.ping`, `!grains web os`. Which of the words name devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

DEVICES = "devices"  # an inventory pattern
SALT = "salt"  # a target in Salt's words, resolved by Salt
LISTED = "L@"  # begins a target that names each of its minions
_TYPES = {"-G": "G@", "-L": "L@", "-E": "E@", "-P": "P@", "-N": "N@", "-I": "I@", "-S": "S@", "-R": "R@", "-C": ""}


class Text(Protocol):
    """A typed word."""

    @property
    def text(self) -> str:
        """What was typed, without quotes."""


# By `leading`: a target's words, and whether what the inventory does not have may be named -> its devices.
Selectors = Mapping[str, Callable[[str, bool], tuple[str, ...]]]

_W = TypeVar("_W", bound=Text)


def take(leading: str, words: Sequence[_W]) -> tuple[str, list[_W]]:
    """Return the words that name devices as one text, and all others."""
    first = next((number for number, word in enumerate(words) if not word.text.startswith("--")), len(words))
    before, rest = list(words[:first]), list(words[first:])
    if not rest:
        return "", before
    target, used = (rest[0].text, 1) if leading == DEVICES else _target([word.text for word in rest])
    return target, before + rest[used:]


def _target(words: list[str]) -> tuple[str, int]:
    """Read a target as a compound expression, the one form that has all others in it."""
    if words[0] in _TYPES and len(words) > 1:
        kind = _TYPES[words[0]]
        return f"{kind}{words[1]}", 2
    used = _compound(words)
    if used == 1 and "," in words[0] and "@" not in words[0] and " " not in words[0]:
        return f"L@{words[0]}", 1
    return " ".join(words[:used]), used


def _compound(words: list[str]) -> int:
    """Count the words of `G@role:web and not web3`, typed without quotes."""
    used, wanting, open_ = 0, True, 0
    while used < len(words):
        word = words[used]
        if wanting:
            open_ += word == "("
            wanting = word in {"(", "not"}
        elif word == ")" and open_:
            open_ -= 1
        elif word in {"and", "or"}:
            wanting = True
        else:
            break
        used += 1
    return used
