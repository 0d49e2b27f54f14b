"""A line that is typed into a configuration, and what a device may ask back before it takes it. Pure."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

_ASKS = re.compile(
    r"\[confirm\]\s*$|[\[(]y(?:es)?[/,]no?[\])](?:\s*[\[(]no?[\])])?\s*[:?]?\s*$|\[no\]\s*:?\s*$", re.IGNORECASE
)
_ECHO_SHOWN = 12
_TAIL = 400
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TypedLine:
    """What is typed, a line or a block such as a banner.

    With `moves` another prompt may stand behind it: a mode that calls itself otherwise, a device with a new name.
    """

    text: str
    moves: bool = False
    seconds: float = 0  # for which a device may be silent over it; 0: as its inventory says

    @property
    def echo(self) -> str:
        """How its echo begins, without blanks: so much shows however narrow the screen is."""
        return "".join(self.text.split())[:_ECHO_SHOWN]


# What types lines: it gives one, and gets all that the device printed up to its next prompt or question.
Steps = Generator[TypedLine, str, T]


def asked(text: str) -> str:
    """Return what a device asks where it waits for an answer; empty: it asks nothing."""
    found = _ASKS.search(text[-_TAIL:].rstrip())
    return found[0] if found else ""


def affirmed(question: str) -> TypedLine:
    """Return the answer that it is meant."""
    return TypedLine("" if "confirm" in question.lower() else "yes")
