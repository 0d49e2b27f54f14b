"""Takes secrets out of text line by line: each rule is tried only on the lines that hold one of its words.

The words of a rule are found first, in all of the text at once, which is what costs least; most lines hold none.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from automation_bots.redaction.mark import MARK

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is, and in lower case with every character at the same place."""

    text: str
    lower: str

    @classmethod
    def of(cls, text: str) -> Line:
        """Letters that are longer in lower case stay as they are, or places would shift."""
        lower = text.lower()
        if len(lower) != len(text):
            lower = "".join(low if len(low := letter.lower()) == 1 else letter for letter in text)
        return cls(text, lower)


@dataclass(frozen=True, slots=True)
class Rule:
    """Where one of `words` (lower case) is in a line, `spans` yields where secrets are in it; `row` says why."""

    row: str
    words: tuple[str, ...]
    spans: Callable[[Line], Iterable[Span]]


@dataclass(frozen=True, slots=True)
class Found:
    """One secret that was found: in which line, where, and by which row of the table."""

    line: int
    span: Span
    row: str


class Rules:
    """Many rules as one: what they take out of a text, and which of them took what."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._by_word: dict[str, list[Rule]] = {}
        for rule in rules:
            for word in rule.words:
                self._by_word.setdefault(word, []).append(rule)

    def cleared(self, text: str) -> str:
        """Return the text with a mark in place of every secret."""
        lines = text.split("\n")
        for number, rules in self._tried(text).items():
            line = Line.of(lines[number])
            lines[number] = marked(line.text, (span for rule in rules for span in rule.spans(line)))
        return "\n".join(lines)

    def found(self, text: str) -> Iterator[Found]:
        """Yield each secret with the row that knows it."""
        lines = text.split("\n")
        for number, rules in sorted(self._tried(text).items()):
            line = Line.of(lines[number])
            yield from (Found(number, span, rule.row) for rule in rules for span in rule.spans(line))

    def _tried(self, text: str) -> dict[int, dict[Rule, None]]:
        """Which rules are worth a try on which lines."""
        lower = text.lower()
        starts = [0, *(match.end() for match in re.finditer("\n", lower))]
        tried: dict[int, dict[Rule, None]] = {}
        for word, rules in self._by_word.items():
            at = lower.find(word)
            while at >= 0:
                number = bisect_right(starts, at) - 1
                tried.setdefault(number, {}).update(dict.fromkeys(rules))
                at = lower.find(word, starts[number + 1]) if number + 1 < len(starts) else -1
        return tried


def marked(line: str, spans: Iterable[Span]) -> str:
    """Put a mark in place of every stretch that spans cover; what touches or overlaps becomes one."""
    parts: list[str] = []
    done = 0
    for first, last in merged(spans):
        parts += (line[done:first], MARK)
        done = last
    return "".join([*parts, line[done:]])


def merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield the spans in order, those that overlap as one."""
    start, end = -1, -1
    for first, last in sorted(spans):
        if first < end:
            end = max(end, last)
            continue
        if end > start:
            yield start, end
        start, end = first, last
    if end > start:
        yield start, end
