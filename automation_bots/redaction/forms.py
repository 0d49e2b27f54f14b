"""The language of the table: how a line with a secret looks, written as an admin reads it, made into a linear pattern.

`snmp-server host <word> version 2c <secret>`: words as they are; `<secret>` is taken out. `<word>` is any word,
`<name>` one that begins with a letter, `<number>` a number, `<kinds>` any words that say how the secret is encrypted,
`...` a few words. `[x]` may be there, `(x|y)` is one of them. `^` begins a line, `$` ends it. `<hex 32>`, `<token 20>`,
`<base64 20>`, `<digits 6>` are secrets of at least so many characters; all between braces is one: `{ghp_<token 36>}`.
A backslash makes the sign behind it plain. A form with a capital letter, and a command line, is for exactly these
letters; any other for small and capital ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from automation_bots.redaction.lines import Line, Rule, Span
from automation_bots.redaction.vocabulary import KIND, SYNTAX, is_address, is_keyword, says_nothing

# the beginning of a line, also of a difference (`+ line`) and below a section (`- router bgp 1 │ line`)
_BEGIN = r"^(?:[-+](?!\S*[-+]))?[ \t]*+(?:[^\n│]{1,200}+│[ \t]*+){0,6}"
_END = r"[ \t]*+[;{]?[ \t]*+\r?$"
_VALUE = r"""(?:\\?["](?P<q>[^"\n]+?)\\?(?:["]|$)|'(?P<q>[^'\n]+)'|(?P<s>(?!["']|--?[A-Za-z][\w-]*(?:\s|$))[^\s]++))"""
_SHAPES = {
    "hex": "[0-9A-Fa-f]",
    "token": r"[\w-]",
    "base64": r"[\w+/.=~-]",
    "digits": r"\d",
    "upper": "[A-Z0-9]",
    "letters": "[A-Za-z0-9]",
    "url": r"[\w./@%+-]",
    "hash": r"[\w./$=,+-]",
    "sign": r"[^\s\"'<>;,)]",
}
_MADE = {
    "hex": "01a3c5e7f9b2d4",
    "digits": "739142",
    "upper": "Q7X4ZK2",
    "base64": "Zq7/+aB3",
    "url": "Zq7aXd",
    "sign": "2^Zq7x",
    "hash": "a.Zq7/x",
}
_PART = re.compile(
    r"\\(?P<plain>.)|<(?P<kind>[a-z]+\d*)(?:[ ](?P<size>\d+))?>|(?P<any>\.\.\.)"
    r"|(?P<sign>[\[\](){}|^$])|(?P<blank>[ ]+)|(?P<letters>[^\\<\[\](){}|^$ ]+?(?=\.\.\.|[\\<\[\](){}|^$ ]|\Z)|<)"
)
_ENDS = ";,)\"'}]"
_EVERYWHERE = frozenset(
    ["address", "user", "server", "system", "account", "license", "http", "https", "priv", "set", "net", "host", "port"]
)
_MOST_WORDS = 24  # that a form is found by
_CLOSING = {"[": "]", "(": ")", "{": "}"}


class BadFormError(ValueError):
    """A form that cannot be read; the text says why."""


@dataclass(frozen=True)
class Form:
    """A row: what kind of secret, on which platforms, how its line looks."""

    kind: str
    platforms: str
    form: str

    @cached_property
    def example(self) -> str:
        """A line of this form with a made-up secret."""
        return _Reader(self.form).all.example

    @cached_property
    def rule(self) -> Rule:
        """What finds it."""
        whole = _Reader(self.form).all
        exact = self.kind == "command line" or self.form != self.form.lower()
        return Rule(f"{self.kind}: {self.form}", whole.words, _Finder(_numbered(whole.pattern), exact=exact))


@dataclass(frozen=True, slots=True)
class _Finder:
    pattern: str
    exact: bool

    def __call__(self, line: Line) -> Iterator[Span]:
        for found in _compiled(self.pattern).finditer(line.text if self.exact else line.lower):
            for name, value in found.groupdict().items():
                if value is not None:
                    yield from _secret(line, found.span(name), quoted=name[0] == "q")


_OPTION = re.compile(r"/[A-Za-z]+(?::|$)")  # of a program of Windows
_BEHIND = re.compile(r"[ \t]+(?P<quote>\"?)(?P<s>[^\s\"]+)")


def _secret(line: Line, span: Span, *, quoted: bool) -> Iterator[Span]:
    """Yield where the secret is: behind the words of a command that stand in its place."""
    value = line.text[span[0] : span[1]]
    if not quoted and (KIND.fullmatch(value.lower()) or is_keyword(value)):
        following = _BEHIND.match(line.text, span[1])
        if following and value.lower() not in SYNTAX:
            yield from _secret(line, following.span("s"), quoted=bool(following["quote"]))
    elif not (says_nothing(value) or value.lower() in SYNTAX or is_address(value) or _OPTION.match(value)):
        yield span[0], span[0] + len(value if quoted else value.rstrip(_ENDS) or value)


@cache  # the first line that has a word of it pays; most forms are never met
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.VERBOSE)


def _numbered(pattern: str) -> str:
    """Give each group of a secret a name of its own."""
    parts = re.split(r"\(\?P<([qs])>", pattern)
    return parts[0] + "".join(f"(?P<{parts[at]}{at}>{parts[at + 1]}" for at in range(1, len(parts), 2))


@dataclass(frozen=True, slots=True)
class _Read:
    """A part of a form: its pattern, an example, and words (lower case) of which a line must have one."""

    pattern: str
    example: str
    words: tuple[str, ...] = ("",)
    secrets: int = 0
    plain: bool = False  # whether it is one of its words and nothing else


class _Reader:
    """Reads a form from left to right, once."""

    def __init__(self, form: str) -> None:
        self._form, self._parts, self._at = form, list(_PART.finditer(form)), 0
        read = self._sequence(in_braces=False)
        if self._at < len(self._parts):
            raise BadFormError(f"'{self._parts[self._at].group()}' closes nothing in the form '{form}'")
        if not read.secrets:
            raise BadFormError(f"no <secret> in the form '{form}'")
        if not all(word.strip() for word in read.words):
            raise BadFormError(f"the form '{form}' has no word that its lines could be found by")
        first = read.example[:1]
        border = r"(?:(?<![\w-])|(?<=^-))" if form[0] != "^" and (first.isalnum() or first in "_-") else ""
        self.all = _Read(border + read.pattern, read.example, read.words)

    def _sequence(self, *, in_braces: bool) -> _Read:
        """Read parts up to a closing sign; of all the words that must be there, the best to be found by."""
        parts: list[_Read] = []
        while self._at < len(self._parts):
            part = self._parts[self._at]
            if part["sign"] in {"]", ")", "}", "|"}:
                break
            self._at += 1
            parts.append(self._piece(part, in_braces=in_braces))
        words = max(_together(parts), key=_worth, default=("",))
        return _Read(
            "".join(part.pattern for part in parts),
            "".join(part.example for part in parts),
            words,
            sum(part.secrets for part in parts),
            all(part.plain for part in parts),
        )

    def _piece(self, part: re.Match[str], *, in_braces: bool) -> _Read:
        if part["blank"]:
            return _Read(r"[ \t]+", " ")
        if part["any"]:
            return _Read(r"(?:[^\s]{1,200}[ \t]+){0,12}?", "")
        if part["kind"]:
            return self._placeholder(part["kind"], int(part["size"] or 1), in_braces=in_braces)
        if part["sign"]:
            return self._group(part["sign"])
        text = part["letters"] or part["plain"]
        return _Read(re.escape(text), text, (text.lower(),), plain=True)

    def _group(self, sign: str) -> _Read:
        if sign in "^$":
            return _Read(_BEGIN if sign == "^" else _END, "")
        closing, choices = _CLOSING[sign], [self._sequence(in_braces=sign == "{")]
        while self._is("|"):
            self._at += 1
            choices.append(self._sequence(in_braces=sign == "{"))
        if not self._is(closing):
            raise BadFormError(f"'{closing}' is missing in the form '{self._form}'")
        self._at += 1
        pattern = "|".join(choice.pattern for choice in choices)
        secrets = sum(choice.secrets for choice in choices)
        words = tuple(word for choice in choices for word in choice.words)
        if sign == "[":
            return _Read(f"(?:{pattern})?", "", secrets=secrets)
        words = words if all(words) else ("",)
        if sign == "(":
            return _Read(f"(?:{pattern})", choices[0].example, words, secrets, all(choice.plain for choice in choices))
        return _Read(f"(?P<q>{pattern})", choices[0].example, words, 1, all(choice.plain for choice in choices))

    def _is(self, sign: str) -> bool:
        return self._at < len(self._parts) and self._parts[self._at]["sign"] == sign

    def _next(self) -> str:
        """The letter right behind, at which a word ends."""
        letters = (
            self._parts[self._at]["letters"] or self._parts[self._at]["plain"] if self._at < len(self._parts) else ""
        )
        return re.escape(letters[:1]) if letters else ""

    def _placeholder(self, kind: str, size: int, *, in_braces: bool) -> _Read:
        if kind in _SHAPES:
            made, pattern = (_MADE.get(kind, "Zq7xKd") * size)[:size], f"{_SHAPES[kind]}{{{size},}}+"
            return _Read(pattern if in_braces else f"(?P<s>{pattern})", made, secrets=1)
        stop = self._next()
        if kind == "secret":
            return _Read(f"(?P<q>[^\\s{stop}]++)" if stop else _VALUE, "hunter2Zq", secrets=1)
        if kind == "word":
            return _Read(f"[^\\s{stop}]{{1,200}}{'+' if stop else ''}", "x")
        if kind == "number":
            return _Read(r"\d{1,40}+", "1")
        if kind == "name":
            return _Read(r"[\"']?[A-Za-z][\w.@\\-]{0,200}+[\"']?", "bob")
        if kind == "kinds":
            return _Read(f"(?:(?:{KIND.pattern})[ \\t]+){{0,6}}+", "")
        raise BadFormError(
            f"<{kind}> in the form '{self._form}' is none of secret, word, name, number, kinds, {', '.join(_SHAPES)}"
        )


def _together(parts: list[_Read]) -> Iterator[tuple[str, ...]]:
    """Yield the words of each part; of plain parts that stand together, what they make together."""
    run: tuple[str, ...] = ("",)
    for part in parts:
        if part.plain and len(run) * len(part.words) <= _MOST_WORDS:
            run = tuple(begin + end for begin in run for end in part.words)
            continue
        yield run
        yield part.words
        run = part.words if part.plain else ("",)
    yield run


def _worth(words: tuple[str, ...]) -> int:
    """How well lines are found by these: the shortest decides, and a word that is everywhere counts as a short one."""
    return min(2 if word in _EVERYWHERE else len(word) for word in words)
