"""How a known secret is spelled by programs that escape it, also twice: JSON, URLs, HTML, YAML, Python, a shell.

Letters and digits stay as they are in all of these. So a secret is looked for only where all its runs of them are in
the text; then each other character may be itself or any of its escapes.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

_LONGEST = 300  # characters; a longer one is looked for as a few fixed forms only
_LONGEST_SPELLED = 20  # characters that one is spelled with
_FEWEST = 4  # characters that are no coincidence
_CUT_THROUGH = re.compile(
    r"[\\%&#;'\"`]?[\\%&#;'\"`0-9A-Fa-fuUxmpotqlgnbs]{0,19}"
)  # of an escaped character, the beginning
_WORD = re.compile("[A-Za-z0-9]+")
_RUN = re.compile(r"[A-Za-z0-9]{3,}")
_LETTERS = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_NAMES = {'"': "quot", "'": "apos", "<": "lt", ">": "gt", "&": "amp", " ": "nbsp"}


@dataclass(frozen=True, slots=True)
class Spelling:
    """One secret, and what must be in a text before it is worth a look."""

    value: str
    runs: tuple[str, ...]
    first: tuple[str, ...]  # letters and digits among its first characters

    @classmethod
    def of(cls, value: str) -> Spelling:
        """Prepare a value to be looked for."""
        runs = sorted(set(_RUN.findall(value)), key=len, reverse=True)
        return cls(value, tuple(runs), tuple(_WORD.findall(value[:_FEWEST])))

    def may_be_in(self, text: str) -> bool:
        """Whether a closer look is worth it."""
        return all(run in text for run in self.runs)

    def found(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where the secret stands in the text, however its characters are escaped."""
        if len(self.value) <= _LONGEST and not (self.value.isascii() and self.value.isalnum()):
            yield from (match.span() for match in _pattern(self.value).finditer(text))

    def stump(self, before: str) -> int:
        """How many of the last characters begin the secret; a character that was cut through counts as well."""
        if not all(word in before for word in self.first):
            return 0
        window = before[-_LONGEST_SPELLED * min(len(self.value), _LONGEST) :]
        starts = (match.start() for match in _pattern(self.value[:_FEWEST]).finditer(window))
        return next((len(window) - at for at in starts if self._goes_on(window, at)), 0)

    def _goes_on(self, text: str, at: int) -> bool:
        """Whether all of the text from there on is the beginning of the secret, in one of the ways it can be read."""
        before, places = "", {at}
        for character in self.value[:_LONGEST]:
            ways = _ways(character, took_backslashes=before == "\\")
            ends = {place: {match.end() for way in ways if (match := way.match(text, place))} for place in places}
            if any(not ends[place] and _CUT_THROUGH.fullmatch(text, place) for place in places):
                return True
            before, places = character, set().union(*ends.values())
        return len(text) in places


@functools.lru_cache(maxsize=10_000)
def _ways(character: str, *, took_backslashes: bool) -> tuple[re.Pattern[str], ...]:
    """Each way to write a character, for itself: `\\xc3` may be one, or the first byte of another."""
    bare = list(_behind(character)) if took_backslashes else []
    return tuple(map(re.compile, [*_spellings(character), *bare]))


@functools.lru_cache(maxsize=10_000)
def _pattern(value: str) -> re.Pattern[str]:
    return re.compile("".join(map(_spelled, value)))


@functools.lru_cache(maxsize=10_000)
def _spelled(character: str) -> str:
    ways = _spellings(character)
    return ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"


def _spellings(character: str) -> list[str]:
    if character.isascii() and character.isalnum():
        return [character]
    if character == "\\":
        return [f"{_BACKSLASH}{{1,8}}"]
    behind = (f"{_BACKSLASH}{{1,7}}+{way}" for way in _behind(character))
    return [*behind, *_OTHER.get(character, ()), *_plain(character)]


def _plain(character: str) -> Iterator[str]:
    yield from (*_percent(character), *_entity(character), re.escape(character))


def _behind(character: str) -> Iterator[str]:
    """Yield what may follow a backslash."""
    yield from (*_numbers(character), *_plain(character))


def _atom(character: str) -> str:
    """A character of a wrap as another wrap around that one writes it."""
    return f"(?:{re.escape(character)}|{''.join(_percent(character))})"


def _numbers(character: str) -> Iterator[str]:
    """Yield what may follow a backslash: the character's letter, its number, the bytes of it."""
    code = ord(character)
    if character in _LETTERS:
        yield _LETTERS[character]
    if code < 0x100:
        yield "x" + _hex(f"{code:02x}")
    if code < 0x10000:
        yield "u" + _hex(f"{code:04x}")
    else:
        units = character.encode("utf-16-be", "surrogatepass").hex()
        yield f"u{_hex(units[:4])}{_BACKSLASH}{{1,7}}+u{_hex(units[4:])}"
        yield "U" + _hex(f"{code:08x}")
    if code >= 0x80:
        yield f"{_BACKSLASH}{{1,7}}+".join("x" + _hex(f"{byte:02x}") for byte in _bytes(character))


def _percent(character: str) -> Iterator[str]:
    """Yield it as in a URL; one inside another, the percent sign is escaped again."""
    yield "".join("%(?:25){0,3}" + _hex(f"{byte:02x}") for byte in _bytes(character))


def _entity(character: str) -> Iterator[str]:
    code, mark, number, end = ord(character), _atom("&"), _atom("#"), _atom(";")
    name = f"|{_NAMES[character]}" if character in _NAMES else ""
    yield rf"{mark}(?:amp{end}){{0,2}}(?:{number}0*{code}|{number}[xX]0*{_hex(f'{code:x}')}{name}){end}"


def _bytes(character: str) -> bytes:
    return character.encode(errors="surrogatepass")


def _hex(digits: str) -> str:
    """Hexadecimal digits, small or capital."""
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


_BACKSLASH = f"(?:{_atom(chr(92))}|{''.join(_entity(chr(92)))})"
_SINGLE, _DOUBLE = (f"(?:{_BACKSLASH}{{0,7}}+(?:{_atom(quote)}|{''.join(_entity(quote))}))" for quote in ("'", '"'))
_OTHER = {
    "'": (_SINGLE * 2, _SINGLE + _DOUBLE + _SINGLE + _DOUBLE + _SINGLE, _SINGLE * 3),  # YAML, SQL; a shell
    '"': (_DOUBLE * 2, _atom("`") + _DOUBLE),  # CSV, PowerShell
    "$": (_atom("`") + _atom("$"),),
    "`": (_atom("`") * 2,),
    " ": (r"\+",),
}
