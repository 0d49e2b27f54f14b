"""How a network device reads a line: abbreviated words, `<arguments>`, the caret under what it does not know."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class Understood:
    """The pattern that a line means, and the words that stand for its `<arguments>` (`<…>`: all that are left)."""

    pattern: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Misunderstood:
    """What the device says instead."""

    text: str


def understand(line: str, patterns: Iterable[str], indent: int) -> Understood | Misunderstood:
    """Find the pattern; `indent` is the width of the prompt, which the caret stands under too."""
    found = list(_WORD.finditer(line))
    words = [match[0] for match in found]
    scored = [(score, pattern) for pattern in patterns if (score := _score(words, pattern.split())) is not None]
    if scored:
        best = max(score for score, _pattern in scored)
        meant = [pattern for score, pattern in scored if score == best]
        if len(meant) > 1:
            return Misunderstood(f'% Ambiguous command:  "{line.strip()}"')
        return Understood(meant[0], _arguments(words, meant[0].split()))
    depth = max((_depth(words, pattern.split()) for pattern in patterns), default=0)
    if depth == len(words):
        return Misunderstood("% Incomplete command.")
    return Misunderstood(f"{' ' * (indent + found[depth].start())}^\n% Invalid input detected at '^' marker.\n")


def _fits(word: str, expected: str) -> bool:
    return expected.startswith("<") or expected.startswith(word.lower())


def _depth(words: list[str], pattern: list[str]) -> int:
    depth = 0
    for word, expected in zip(words, pattern, strict=False):
        if not _fits(word, expected):
            break
        depth += 1
    return depth


def _score(words: list[str], pattern: list[str]) -> tuple[int, int] | None:
    """Return None when it does not fit, else how well: words written out first, then words that are no argument."""
    rest = pattern[-1] == "<…>"
    if len(words) < len(pattern) or (len(words) > len(pattern) and not rest) or _depth(words, pattern) < len(pattern):
        return None
    pairs = list(zip(words, pattern, strict=False))
    return sum(word.lower() == expected for word, expected in pairs), sum(e[0] != "<" for _word, e in pairs)


def _arguments(words: list[str], pattern: list[str]) -> tuple[str, ...]:
    arguments = [word for word, expected in zip(words, pattern, strict=False) if expected[0] == "<"]
    if pattern[-1] == "<…>":
        arguments[-1:] = [" ".join(words[len(pattern) - 1 :])]
    return tuple(arguments)


def piped(text: str, pipe: str) -> str | None:
    """Apply `include`, `exclude`, `begin` or `count`; None when the filter is not known."""
    kind, _blank, wanted = pipe.strip().partition(" ")
    filters = [name for name in ("include", "exclude", "begin", "count") if kind and name.startswith(kind.lower())]
    if len(filters) != 1 or not wanted.strip():
        return None
    # The pattern is used as plain text: a regular expression from outside could keep this process busy for ever.
    lines = text.splitlines()
    hits = [any(one in line for one in wanted.strip().split("|")) for line in lines]
    if filters[0] == "count":
        return f"Number of lines which match regexp = {sum(hits)}"
    if filters[0] == "begin":
        return "\n".join(lines[hits.index(True) :]) if any(hits) else ""
    keep = filters[0] == "include"
    return "\n".join(line for line, hit in zip(lines, hits, strict=True) if hit is keep)
