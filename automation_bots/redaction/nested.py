"""Looks for secrets inside what is wrapped: lines in a string of JSON, Python or YAML, percent signs, base64.

What a device prints reaches the bot as such a string more often than as lines. Each wrap is opened, cleared by the same
rules, and closed again; where nothing was found, not a character changes. Linear time on any text, as the rules.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from automation_bots.redaction.mark import MARK

Clear = Callable[[str], str]
# what ends or begins a line for the reader: a newline, an escaped one, the quotes around a value of a list or mapping
_BREAK = re.compile(
    r"""(?:\\{1,7}r)?\\{1,7}n(?:\\(?=[ ]))? | (?<=[\[:,])[ ]?\\{0,7}["'] | \\{0,7}["'](?=[,\]}])""", re.VERBOSE
)
_DOUBLED = re.compile(r"^.*''.*$", re.MULTILINE)  # a quote inside the quotes of YAML
_PLAIN = r"[\w.~+*()!'&=?/:;,@-]"
_PERCENT = re.compile(rf"(?<![%\w.~+*()!'&=?/:;,@-]){_PLAIN}*+(?:%[0-9A-Fa-f]{{2}}{_PLAIN}*+)++")
# between the lines of one encoded text: a newline and an indent, an escaped one, the quotes of a list
_NEXT = r"""(?:\r?\n[ \t]{0,40}+|(?:\\{1,7}r)?\\{1,7}n[ \t]{0,40}+|\\{0,7}["'],\s{0,40}+\\{0,7}["'])"""
_LINE_ENDS = re.compile(_NEXT)
_BASE64 = re.compile(
    rf"(?<![\w+/-])(?:(?:[A-Za-z0-9+/]{{40,}}+{_NEXT})++(?:[A-Za-z0-9+/]++={{0,2}}(?![^\s\"'\\…]))?|[A-Za-z0-9+/_-]{{20,}}+={{0,2}})"
)
_CUT = re.compile(r"\ufffd*\s*(?:…|\[output cut at )")
_SPACES = str.maketrans("", "", "\n\r\t")
_SHORTEST = 12  # `pass%3Dabcd` and the like are seen without decoding
_DEEPEST = 3  # encodings inside each other
_MARK = quote(MARK)


def unwrapped(text: str, clear: Clear, known: Clear | None = None) -> str:
    """Return the text without what `clear` takes out of it and of its wrapped parts, and `known` out of the latter."""

    def opened(text: str) -> str:
        return clear(_lines(text, clear))  # lines first, lest a value swallows the key of the next line

    deep = known if known and _is_in_any(known, "\n".join(_inside(text))) else str

    def unpacked(text: str) -> str:
        return _BASE64.sub(lambda found: _base64_lines(found, opened, deep), text)

    text = opened(text)
    if "%" in text:
        text = _PERCENT.sub(
            lambda found: _percent(found.group(), lambda part: unpacked(opened(deep(part))), _DEEPEST), text
        )
    return unpacked(text)


def _is_in_any(known: Clear, parts: str) -> bool:
    """Whether something known is in one of them: they are many and short, and all at once cost little."""
    return bool(parts) and known(parts) != parts


def _inside(text: str) -> Iterator[str]:
    """Yield what was encoded in base64, also where that was put into a URL."""
    plain = [other for found in _PERCENT.finditer(text) for other in _unquoted(found.group())] if "%" in text else []
    yield from plain
    for view in (text, *plain):
        yield from (_raw(found.group()) + _cut_after(found) for found in _BASE64.finditer(view))


def _unquoted(part: str) -> set[str]:
    return {unquote(part), unquote_plus(part)}


def _cut_after(found: re.Match[str]) -> str:
    """What tells that a text ends in the middle, where one does."""
    return "…" if _CUT.match(found.string, found.end()) else ""


def _lines(text: str, clear: Clear) -> str:
    if not any(mark in text for mark in "\\\"'"):
        return text
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
    return encode(cleared, safe="/", errors="surrogateescape").replace(_MARK, MARK)


def _base64_lines(found: re.Match[str], clear: Clear, known: Clear) -> str:
    """Nobody reads what is left of an encoded text, so all of it goes; a last line may be a word that only follows."""
    part, raw = found.group(), _raw(found.group()) + _cut_after(found)
    if known(raw) != raw:
        return MARK
    *_, end = [0, *(line.start() for line in _LINE_ENDS.finditer(part))]
    plain, after = _plain(part), ""
    if plain is None and end:
        plain, part, after = _plain(part[:end]), part[:end], part[end:]
    return (part if plain is None or clear(plain) == plain else MARK) + after


def _raw(part: str) -> str:
    """What was encoded, whatever it is; the characters at the end that make no whole bytes do not count."""
    whole = _LINE_ENDS.sub("", part).rstrip("=").translate(str.maketrans("-_", "+/"))
    size = len(whole) - (len(whole) % 4 == 1)
    return base64.b64decode(whole[:size] + "=" * (-size % 4)).decode(errors="replace")


def _plain(part: str) -> str | None:
    """The text that was encoded; None where it is none."""
    plain = _raw(part)
    return plain if plain.translate(_SPACES).isprintable() and "\ufffd" not in plain else None
