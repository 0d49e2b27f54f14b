"""A line that is typed into a configuration, and what a device may ask back before it takes it. Pure."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass

_ASKS = re.compile(r"\[confirm\]\s*$|[\[(]y(?:es)?[/,]no?[\])](?:\s*[\[(]no?[\])])?\s*[:?]?\s*$", re.IGNORECASE)
_ECHO_SHOWN = 12
_TAIL = 400


@dataclass(frozen=True, slots=True)
class TypedLine:
    """What is typed, a line or a block such as a banner; with `renames` another name stands in the next prompt."""

    text: str
    renames: bool = False

    @property
    def echo(self) -> str:
        """How its echo begins, without blanks: so much shows however narrow the screen is."""
        return "".join(self.text.split())[:_ECHO_SHOWN]


# What types lines: it gives one, and gets all that the device printed up to its next prompt or question.
Steps = Generator[TypedLine, str, None]


def asked(text: str) -> str:
    """Return what a device asks where it waits for an answer; empty: it asks nothing."""
    found = _ASKS.search(text[-_TAIL:].rstrip())
    return found[0] if found else ""


def affirmed(question: str) -> TypedLine:
    """Return the answer that it is meant."""
    return TypedLine("" if "confirm" in question.lower() else "yes")
