"""Looks for secrets inside what is wrapped: lines in a string of JSON, Python or YAML, percent signs, base64.

What a device prints reaches the bot as such a string more often than as lines. Each wrap is opened, cleared by the same
rules, and closed again; where nothing was found, not a character changes. Linear time on any text, as the rules.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from automation_bots.secret_patterns import MARK

Clear = Callable[[str], str]
# what ends or begins a line for the reader: a newline, an escaped one, the quotes around a value of a list or mapping
_BREAK = re.compile(
    r"""(?:\\{1,7}r)?\\{1,7}n(?:\\(?=[ ]))? | (?<=[\[:,])[ ]?\\{0,7}["'] | \\{0,7}["'](?=[,\]}])""", re.VERBOSE
)
_DOUBLED = re.compile(r"^.*''.*$", re.MULTILINE)  # a quote inside the quotes of YAML
_PLAIN = r"[\w.~+*()!'&=?/:;,@-]"
_PERCENT = re.compile(rf"(?<![%\w.~+*()!'&=?/:;,@-]){_PLAIN}*+(?:%[0-9A-Fa-f]{{2}}{_PLAIN}*+)++")
_BASE64 = re.compile(
    r"(?<![\w+/-])(?:(?:[A-Za-z0-9+/]{40,}+\r?\n)++(?:[A-Za-z0-9+/]++={0,2}(?!\S))?|[A-Za-z0-9+/_-]{20,}+={0,2})"
)
_SPACES = str.maketrans("", "", "\n\r\t")
_SHORTEST = 12  # `pass%3Dabcd` and the like are seen without decoding
_DEEPEST = 3  # encodings inside each other
_MARKED = re.compile(f"({MARK})")


def unwrapped(text: str, clear: Clear) -> str:
    """Return the text without what `clear` takes out of it and of its wrapped parts."""

    def opened(text: str) -> str:
        return clear(_lines(text, clear))  # lines first, lest a value swallows the key of the next line

    text = opened(text)
    if "%" in text:
        text = _PERCENT.sub(lambda found: _percent(found.group(), opened, _DEEPEST), text)
    return _BASE64.sub(lambda found: _base64_lines(found.group(), opened), text)


def _lines(text: str, clear: Clear) -> str:
    if "''" in text:
        text = _DOUBLED.sub(lambda found: _undoubled(found.group(), clear), text)
    if not _BREAK.search(text):
        return text
    lines = text.split("\n")
    wrapped = [number for number, line in enumerate(lines) if _BREAK.search(line)]
    pieces = [_BREAK.split(lines[number]) for number in wrapped]
    cleared = _each([piece for line in pieces for piece in line], clear)
    for number in wrapped:
        ends = [*_BREAK.findall(lines[number]), ""]
        lines[number] = "".join(piece for end in ends for piece in (next(cleared), end))
    return "\n".join(lines)


def _each(pieces: list[str], clear: Clear) -> Iterator[str]:
    """Clear all at once, as lines; the rules keep their number, but for the lines of a private key."""
    cleared = clear("\n".join(pieces)).split("\n")
    yield from cleared if len(cleared) == len(pieces) else map(clear, pieces)


def _undoubled(line: str, clear: Clear) -> str:
    plain = line.replace("''", "'")
    cleared = clear(plain)
    return line if cleared == plain else cleared


def _percent(part: str, clear: Clear, depth: int) -> str:
    if len(part) < _SHORTEST:
        return part
    decode, encode = (unquote_plus, quote_plus) if "+" in part else (unquote, quote)
    plain = decode(part, errors="surrogateescape") if "%" in part else part
    if plain == part:
        return part
    cleared = clear(plain)
    if cleared == plain and depth:
        cleared = _PERCENT.sub(lambda found: _percent(found.group(), clear, depth - 1), plain)
    if cleared == plain:
        return part
    pieces = _MARKED.split(cleared)
    return "".join(one if one == MARK else encode(one, safe="/", errors="surrogateescape") for one in pieces)


def _base64_lines(part: str, clear: Clear) -> str:
    """Nobody reads what is left of an encoded text, so all of it goes; a last line may be a word that only follows."""
    first, end, last = part.rpartition("\n")
    plain = _decoded(part)
    if plain is None and first:
        plain, part, after = _decoded(first), first, end + last
    else:
        after = ""
    return (part if plain is None or clear(plain) == plain else MARK) + after


def _decoded(part: str) -> str | None:
    """The text that was encoded; None where it is none."""
    whole = re.sub(r"\s", "", part).rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        plain = base64.b64decode(whole + "=" * (-len(whole) % 4), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return plain if plain.translate(_SPACES).isprintable() else None
