"""Questions with answers that somebody wrote: read, and cut to what one person may use and see. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

_SEPARATOR = re.compile(r"\s+·\s+")
_NAME = re.compile(r"[\w.-]+")
_END = " \t?!."


def parts(answer: str) -> list[str]:
    """The texts and the commands of an answer; commands begin with `!`."""
    return [part for part in _SEPARATOR.split(answer.strip()) if part]


def commands(answer: str) -> list[str]:
    """The commands of an answer, without their prefix."""
    return [part[1:] for part in parts(answer) if part.startswith("!")]


def for_those(answer: str, usable: Iterable[str]) -> str:
    """Leave out the commands that are not among the usable ones; empty when nothing is left."""
    mine = frozenset(usable)
    told = [part for part in parts(answer) if not part.startswith("!") or mine & names(part[1:])]
    return " · ".join(told)


def names(command: str) -> frozenset[str]:
    """The operations that a line may be about: `config diff` is config-diff, or config."""
    first, *more = command.lower().split()[:2] or [""]
    return frozenset((f"{first}-{more[0]}",) if more else ()) | {first}


def mentioned(text: str, hidden: Collection[str]) -> bool:
    """Whether a text has one of these names in it."""
    return any(word.lower().strip(".-") in hidden for word in _NAME.findall(text))


def same(question: str, questions: Mapping[int, str]) -> int | None:
    """The number of a question that is asked in the same words."""
    asked = _plain(question)
    return next((number for number, text in questions.items() if _plain(text) == asked), None)


def _plain(text: str) -> list[str]:
    return text.lower().strip(_END).split()
