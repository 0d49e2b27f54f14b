"""Takes secrets out of text before it is stored or shown: those that are known, and those that look like one."""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

from automation_bots.secret_patterns import MARK, RULES, without_private_keys
from automation_bots.secret_wraps import unwrapped

SHORTEST = 4  # a shorter secret stands in too many harmless words
_SHORTEST_LINE = 8
_SHORTEST_SHIFTED = 8
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


class Redactor:
    """Replaces secrets by a mark and keeps the rest of the line; safe to share between threads."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._forms: frozenset[str] = frozenset()
        self.add(known)

    def add(self, values: Iterable[str]) -> None:
        """Learn secret values; surrounding space does not count, and fewer than four characters are no secret."""
        forms = {form for value in values for form in _forms(value)}
        with self._lock:
            self._forms |= forms

    def text(self, text: str, *, unfinished: bool = False) -> str:
        """Return the text without secrets; what an unfinished one ends with may be the beginning of one."""
        if unfinished:
            stump = _stump(text[-_LONGEST:], self._forms)
            text = text[: len(text) - stump] + (MARK if stump else "")
        return unwrapped(self.known(text), _without_patterns)

    def known(self, text: str) -> str:
        """Return the text without the secrets that are known; what only looks like one stays: for our own sentences."""
        return _without(_without_stumps(text, self._forms), self._forms)


def _without_patterns(text: str) -> str:
    text = without_private_keys(text)
    lower = text.lower()
    for rule in RULES:
        if any(word in lower for word in rule.words):
            text = rule.pattern.sub(rule.replace, text)
    return text


def _forms(value: str) -> Iterator[str]:
    """Yield a secret in the forms in which programs print it."""
    value = value.strip()
    if len(value) < SHORTEST:
        return
    yield value
    yield _CONTROL.sub(" ", value)  # as one line
    yield from _escaped(value)
    yield from _base64(value.encode(errors="surrogatepass"))
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) > 1:  # a key or certificate is printed line by line, with something before each
        yield from (line for line in lines if len(line) >= _SHORTEST_LINE and not line.startswith("-----"))


def _escaped(value: str) -> Iterator[str]:
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield html.escape(value)
    for encode in (quote, quote_plus):
        encoded = encode(value, safe="", errors="surrogatepass")
        yield encoded
        yield _lower_hex(encoded)


def _lower_hex(encoded: str) -> str:
    first, *rest = encoded.split("%")
    return "%".join([first, *(part[:2].lower() + part[2:] for part in rest)])


def _base64(raw: bytes) -> Iterator[str]:
    """Yield the characters that only the secret decides, for each of its three positions inside a longer text."""
    for shift, first in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * shift + raw).decode()
        sure = encoded[first : (shift + len(raw)) * 8 // 6]
        if not shift or len(sure) >= _SHORTEST_SHIFTED:
            yield sure
            yield sure.translate(str.maketrans("+/", "-_"))


def _without(text: str, forms: Iterable[str]) -> str:
    """Replace every stretch that secrets cover; where two overlap, nothing of either is left."""
    covered = sorted(span for form in forms for span in _found(text, form))
    parts: list[str] = []
    done = 0
    for first, last in _merged(covered):
        parts += (text[done:first], MARK)
        done = last
    return "".join([*parts, text[done:]])


_CUT = re.compile(r"\ufffd*(?:…|\n\[output cut at )")  # a character that was cut through is none any more
_LONGEST = 4096  # characters before a cut that are looked at


def _without_stumps(text: str, forms: Iterable[str]) -> str:
    """Replace the beginning of a secret whose end a cut took away."""
    parts: list[str] = []
    done = 0
    for found in _CUT.finditer(text):
        stump = _stump(text[max(done, found.start() - _LONGEST) : found.start()], forms)
        parts += (text[done : found.start() - stump], MARK if stump else "")
        done = found.start()
    return "".join([*parts, text[done:]])


def _stump(before: str, forms: Iterable[str]) -> int:
    """How many of the last characters begin a secret."""
    end, longest = before[-SHORTEST:], 0
    if len(end) < SHORTEST:
        return 0
    for form in forms:
        at = form.find(end)
        while at >= 0:
            size = at + SHORTEST
            if size > longest and before.endswith(form[:size]):
                longest = size
            at = form.find(end, at + 1)
    return longest


def _found(text: str, form: str) -> Iterator[tuple[int, int]]:
    at = text.find(form)
    while at >= 0:
        yield at, at + len(form)
        at = text.find(form, at + 1)


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    start, end = -1, -1
    for first, last in spans:
        if first < end:
            end = max(end, last)
            continue
        if end > 0:
            yield start, end
        start, end = first, last
    if end > 0:
        yield start, end
