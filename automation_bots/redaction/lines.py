"""Takes secrets out of text line by line: each rule is tried only on the lines that hold one of its words.

The words of a rule are found first, in all of the text at once, which is what costs least; most lines hold none.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from automation_bots.redaction.mark import MARK
from automation_bots.redaction.vocabulary import is_made_up

Span = tuple[int, int]
_PIECE = 4  # letters of a word that are looked for first


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


@dataclass(frozen=True, slots=True, eq=False)
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
        self._by_word: dict[str, tuple[Rule, ...]] = {}
        for rule in rules:
            for word in rule.words:
                self._by_word[word] = (*self._by_word.get(word, ()), rule)
        self._roots = _roots(self._by_word)

    def cleared(self, text: str) -> str:
        """Return the text with a mark in place of every secret."""
        tried = self._tried(text)
        if not tried:
            return text
        lines, everywhere = text.split("\n"), set[str]()
        for number, rules in tried.items():
            line = Line.of(lines[number])
            if spans := [span for rule in rules for span in rule.spans(line)]:
                lines[number] = marked(line.text, spans)
                everywhere.update(value for first, last in spans if is_made_up(value := line.text[first:last]))
        text = "\n".join(lines)
        for value in sorted(everywhere, key=len, reverse=True):  # it may stand where nothing names it, too
            text = text.replace(value, MARK)
        return text

    def found(self, text: str) -> Iterator[Found]:
        """Yield each secret with the row that knows it."""
        lines = text.split("\n")
        for number, rules in sorted(self._tried(text).items()):
            line = Line.of(lines[number])
            yield from (Found(number, span, rule.row) for rule in rules for span in rule.spans(line))

    def _tried(self, text: str) -> dict[int, dict[Rule, None]]:
        """Which rules are worth a try on which lines."""
        lower = text.lower()
        once = " ".join(dict.fromkeys(lower.split()))  # no word holds a blank, and outputs repeat themselves
        words = [word for root, words in self._roots.items() if root in once for word in words if word in once]
        tried: dict[int, dict[Rule, None]] = {}
        if words:
            ends = [match.end() for match in re.finditer("\n", lower)]
            for word in words:
                rules = dict.fromkeys(self._by_word[word])
                for number in _lines_with(word, lower, ends):
                    tried.setdefault(number, {}).update(rules)
        return tried


def _lines_with(word: str, text: str, ends: Sequence[int]) -> Iterator[int]:
    """Yield the number of each line that holds the word, once."""
    at = text.find(word)
    while at >= 0:
        number = bisect_right(ends, at)
        yield number
        at = text.find(word, ends[number]) if number < len(ends) else -1


def _roots(words: Iterable[str]) -> dict[str, list[str]]:
    """A few pieces, so that every word holds one: looked for first, since most texts hold few of them."""
    left, roots = set(words), {}
    while left:
        pieces = Counter(piece for word in left for piece in _pieces(word))
        best = max(sorted(pieces), key=lambda piece: pieces[piece])
        roots[best] = sorted(word for word in left if best in word)
        left.difference_update(roots[best])
    return roots


def _pieces(word: str) -> set[str]:
    return {word[at : at + _PIECE] for at in range(max(1, len(word) - _PIECE + 1))}


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
