"""Takes secrets out of text before it is stored or shown: those that are known, and those that look like one."""

from __future__ import annotations

import base64
import html
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from urllib.parse import quote, quote_plus

from automation_bots.redaction import configurations
from automation_bots.redaction.encodings import Spelling
from automation_bots.redaction.forms import Form
from automation_bots.redaction.lines import Found, Rule, Rules, marked
from automation_bots.redaction.mark import MARK
from automation_bots.redaction.nested import unwrapped
from automation_bots.redaction.patterns import rules, shapes
from automation_bots.redaction.private_keys import without_private_keys

SHORTEST = 4  # a shorter secret stands in too many harmless words
_SHORTEST_LINE = 8
_SHORTEST_SHIFTED = 8
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@lru_cache(maxsize=16)
def _together(own: tuple[Rule, ...]) -> Rules:
    return Rules((*rules(), *own))


@cache
def _shapes() -> Rules:
    return Rules(shapes())


class Redactor:
    """Replaces secrets by a mark and keeps the rest of the line; safe to share between threads."""

    def __init__(self, known: Iterable[str] = (), forms: Iterable[str] = ()) -> None:
        own = [Form("own", "bot.toml", form).rule for form in forms]
        self._own = tuple(own)
        self._lock = threading.Lock()
        self._secrets: frozenset[_Secret] = frozenset()
        self._forms = ""  # of all of them, one behind the other: whether any can end so is asked once
        self.add(known)

    @property
    def _rules(self) -> Rules:
        return _together(self._own)

    def add(self, values: Iterable[str]) -> None:
        """Learn secret values; surrounding space does not count, and fewer than four characters are no secret."""
        secrets = {_Secret.of(part) for value in values for part in _parts(value.strip())}
        with self._lock:
            if secrets - self._secrets:
                self._secrets |= secrets
                self._forms = "\n".join(form for secret in self._secrets for form in secret.forms + secret.encoded)

    @property
    def secrets(self) -> object:
        """Another object as soon as one more is known: what was cleared before may hold that one."""
        return self._secrets

    def text(self, text: str, *, unfinished: bool = False, configuration_of: str = "") -> str:
        """Return the text without secrets; what an unfinished one ends with may be the beginning of one.

        Of a configuration, of which platform is known, more is taken than of prose.
        """
        if unfinished:
            return self.text(f"{text}…").removesuffix("…")
        clear = unwrapped(self.known(text), self._without_patterns, self.known if self._secrets else None)
        return configurations.cleared(clear, configuration_of) if configuration_of else clear

    def found(self, text: str, configuration_of: str = "") -> Iterator[Found]:
        """Yield what the table finds, line by line, with the row that finds it: for people who ask why."""
        yield from self._rules.found(text)
        if configuration_of:
            yield from configurations.found(text, configuration_of)

    def _without_patterns(self, text: str) -> str:
        return self._rules.cleared(without_private_keys(text))

    def ours(self, text: str) -> str:
        """Return a sentence of ours without secrets: "could not read the vault password file" holds none."""
        return _shapes().cleared(self.known(text))

    def known(self, text: str) -> str:
        """Return the text without the secrets that are known; what only looks like one stays: for our own sentences."""
        text = _without_stumps(text, self._stump)
        return _without(text, [span for secret in self._secrets for span in secret.found(text)])

    def _stump(self, before: str) -> int:
        """How many of the last characters begin a secret."""
        if len(before) < SHORTEST:
            return 0
        spelled = max((secret.spelling.stump(before) for secret in self._secrets), default=0)
        if before[-SHORTEST:] not in self._forms:
            return spelled
        return max(spelled, *(secret.stump(before) for secret in self._secrets))


@dataclass(frozen=True, slots=True)
class _Secret:
    """One that is known: as programs print it most, of which half a one is known too, and however it is spelled."""

    spelling: Spelling
    forms: tuple[str, ...]
    encoded: tuple[str, ...]  # in base64

    @classmethod
    def of(cls, value: str) -> _Secret:
        """Prepare a value to be looked for."""
        encoded = _base64(value.encode(errors="surrogatepass"))
        return cls(Spelling.of(value), tuple(dict.fromkeys(_escaped(value))), tuple(dict.fromkeys(encoded)))

    def found(self, text: str) -> list[tuple[int, int]]:
        """Where it stands in the text, in whatever form."""
        spans: list[tuple[int, int]] = []
        for form in self.encoded:
            if form in text:
                spans += _found(text, form)
        if self.spelling.may_be_in(text):
            spans += self.spelling.found(text)
            for form in self.forms:
                spans += _found(text, form)
        return spans

    def stump(self, before: str) -> int:
        """How many of the last characters of a text that was cut begin it as it is printed most."""
        return max(_stump(before, form) for form in self.forms + self.encoded)


def _parts(value: str) -> Iterator[str]:
    """Yield what is looked for of a value: a key or certificate is printed line by line, with something before each."""
    if len(value) < SHORTEST:
        return
    yield value
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= _SHORTEST_LINE and not line.startswith("-----"))


def _escaped(value: str) -> Iterator[str]:
    yield value
    yield _CONTROL.sub(" ", value)  # as one line
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield html.escape(value)
    for encode, safe in ((quote, ""), (quote, "/"), (quote, "!~*'()"), (quote_plus, "")):
        encoded = encode(value, safe=safe, errors="surrogatepass")
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


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Replace every stretch that secrets cover; where two overlap, nothing of either is left."""
    return marked(text, spans)


_CUT = re.compile(r"…|\n\[output cut at ")
_BROKEN = "\ufffd"  # a character that was cut through is none any more
_LONGEST = 4096  # characters before a cut that are looked at


def _without_stumps(text: str, stump_of: Callable[[str], int]) -> str:
    """Replace the beginning of a secret whose end a cut took away."""
    parts: list[str] = []
    done = 0
    for found in _CUT.finditer(text):
        whole = text[done : found.start()]
        kept = whole.rstrip(_BROKEN)
        stump = stump_of(kept[-_LONGEST:])
        parts += (kept[: len(kept) - stump], MARK if stump else "", whole[len(kept) :])
        done = found.start()
    return "".join([*parts, text[done:]])


def _stump(before: str, form: str) -> int:
    end, longest = before[-SHORTEST:], 0
    at = form.find(end) if len(end) == SHORTEST else -1
    while at >= 0:
        size = at + SHORTEST
        if before.endswith(form[:size]):
            longest = size
        at = form.find(end, at + 1)
    return longest


def _found(text: str, form: str) -> Iterator[tuple[int, int]]:
    at = text.find(form)
    while at >= 0:
        yield at, at + len(form)
        at = text.find(form, at + 1)
