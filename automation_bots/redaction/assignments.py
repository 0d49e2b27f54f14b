"""Secrets in assignments: `password = x`, `"token": "x"`, `<secret>x</secret>`, `-Key x`, `api_key%3Dx`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from automation_bots.redaction.lines import Line, Span
from automation_bots.redaction.mark import MARK
from automation_bots.redaction.vocabulary import looks_random, names_a_community, names_a_secret, says_nothing

_QUOTE = r"""(?:\\{0,7}["'])"""
_ASSIGNED = re.compile(
    rf"""(?<![\w.@$-])(?P<name>[\w.@$-]{{1,80}}+)(?:\[\w{{0,20}}\])?\]?{_QUOTE}?(?:\](?:\[\w{{0,20}}\])?)?[)}}]?"""
    r"""(?P<before>[ \t]*)(?::[ \t]*[A-Za-z][\w.\[\]]{0,40}+[ \t]+(?==))?"""  # of a type: `password: str = "x"`
    r"""(?P<is>=>|:=|[!=]==?|[:=])(?![:=])(?P<after>[ \t]*)"""
)
_VALUE = re.compile(
    rf"""
        (?P<quote>{_QUOTE})
        (?: (?<=[^\\]") [^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?  |  (?<=[^\\]') [^'\n]*+'?  |  [^"'\n]*+["']? )
      | (?: (?!{MARK}|[,;&][\w.-]{{1,60}}[ \t]*[:=]|</) [^\s] )++
    """,
    re.VERBOSE,
)
_CLOSING = ")]},;.'\"\\"
_NEXT_KEY = re.compile(r"[,;\s&|][\w.-]{1,60}[ \t]*[:=]|\s(?:--?\w|[|({\[])")
_LAST_WORDS = frozenset({"key", "content", "name", "string"})  # of `Key Content`, `Community name`
_COUNT = re.compile(r"\d+|0x[0-9A-Fa-f]{1,8}")
_OTHER_KEY = re.compile(r"[\w.-]{1,60}=")
_YAML = re.compile(r"[ \t]*+(?:-[ ])?[\w.-]{1,80}:[ \t]+(?P<s>[^\s\"'](?:(?![ \t]\#)[^\n])*+)")
_HOLDS_A_KEY = re.compile(r"radius|tacacs|wifi|wireless|wlan|psk")
_SPACED = re.compile(
    r"(?:api|license|product|private|access|auth|encryption|shared|secret|security|pre-shared|wpa|network|session"
    r"|radius)[ ]key$"
    r"|key[ ]content$|community[ ](?:name|string)$"
)


def spans(line: Line) -> Iterator[Span]:
    """Yield where the values of assignments are; what is not named as a secret may hold one that is."""
    found = _ASSIGNED.search(line.text)
    while found:
        value = _VALUE.match(line.text, found.end()) if _names_a_secret(line, found) else None
        if value:
            yield from _inside(found, value)
        found = _ASSIGNED.search(line.text, value.end() if value else found.end("is"))


def _names_a_secret(line: Line, found: re.Match[str]) -> bool:
    start, end = found.span("name")
    name = line.lower[start:end].strip(".:$@-")
    if name.endswith("community") and name != "community" and "=" in found["is"] and found["before"] == "":
        return True
    if name in {"community", "auth", "_auth"}:
        word = line.text[found.end() : found.end() + 200].split(" ")[0]
        return (name == "community" and "=" in found["is"]) or looks_random(word.strip("\"',"))
    if names_a_secret(name) or names_a_community(name):
        return True
    if name == "key" and _HOLDS_A_KEY.search(line.lower, max(0, start - 60), start):
        return True
    return name in _LAST_WORDS and _SPACED.search(line.lower, max(0, start - 20), end) is not None


def _inside(found: re.Match[str], value: re.Match[str]) -> Iterator[Span]:
    first, last = value.span()
    opening = value["quote"] or ""
    if opening:
        first += len(opening)
        last -= len(opening) if value.group().endswith(opening) and len(value.group()) >= 2 * len(opening) else 0
    else:
        last = first + len(value.group().rstrip(_CLOSING) or value.group())
    shown = value.string[first:last]
    if not (says_nothing(shown) or _is_other(found, shown, quoted=bool(opening))):
        yield first, last


def _is_other(found: re.Match[str], value: str, *, quoted: bool) -> bool:
    """Whether it is the next assignment (`private-key= endpoint=x`), a count of tests, or where somebody is."""
    name = found["name"].lower()
    if found["is"][:2] in {"==", "!="} and not quoted:
        return True  # a comparison of numbers or names
    if name in {"pass", "fail", "token"} and _COUNT.fullmatch(value):
        return True
    if found["after"] and not found["before"] and found["is"] == "=" and not quoted and _OTHER_KEY.match(value):
        return True
    return name in {"pwd", "oldpwd"} and value.startswith("/")


def yaml_spans(line: Line) -> Iterator[Span]:
    """Yield the whole value of a YAML line with spaces in it; what goes on with something else is no such value."""
    found = _YAML.match(line.text)
    if found is None or " " not in found["s"]:
        return
    name = line.lower[: found.start("s")].strip().lstrip("- ").rstrip(":")
    value = found["s"]
    if names_a_secret(name) and not says_nothing(value.split(" ")[0]) and not _NEXT_KEY.search(value):
        yield found.span("s")


_LED = re.compile(r"(?P<name>[A-Za-z][\w-]{0,40}(?:[ ][A-Za-z][\w-]{0,40}){0,3})[ ]?\.{3,}:?[ \t]+(?P<s>\S+)")


def led_spans(line: Line) -> Iterator[Span]:
    """Yield the value behind dots that lead to it: `Pre-shared Key........... x`."""
    for found in _LED.finditer(line.text):
        name = found["name"].lower()
        last = name.rpartition(" ")[2]
        if (names_a_secret(last) or names_a_community(last) or _SPACED.search(name)) and not says_nothing(found["s"]):
            yield found.span("s")


_P = r"%(?:25){0,2}"  # a percent sign, encoded up to twice more
_ENCODED = re.compile(
    rf"""(?P<name>[\w.-]{{1,80}}+) (?:{_P}2[27])? (?:{_P}20|\+){{0,4}} {_P}3[ad] (?:{_P}3e)? (?:{_P}2[027b]|\+){{0,4}}
      (?P<s> (?: (?!{_P}(?:26|2c|22|27|3b|20|0a|0d|7d)) [^\s&"'<>] )++ )""",
    re.VERBOSE | re.IGNORECASE,
)


def encoded_spans(line: Line) -> Iterator[Span]:
    """Yield where the values of assignments inside a URL or a form are."""
    for found in _ENCODED.finditer(line.text):
        if names_a_secret(found["name"].lower()) and not says_nothing(unquote(unquote(found["s"]))):
            yield found.span("s")


_ELEMENT = re.compile(
    r"<(?P<name>[\w:.-]{1,80}?)_?(?:[ \t][^<>\n]{0,300})?>(?:<value>)?(?P<s>[^<>\n]++)</", re.IGNORECASE
)
_PLAIN_ELEMENTS = frozenset({"key", "token", "readonly", "readwrite", "prv", "tls", "community"})
ELEMENTS = tuple(f"<{name}" for name in sorted(_PLAIN_ELEMENTS))


def element_spans(line: Line) -> Iterator[Span]:
    """Yield what is inside an element of XML that is named as a secret."""
    for found in _ELEMENT.finditer(line.text):
        name = found["name"].lower()
        if (names_a_secret(name) or names_a_community(name) or name in _PLAIN_ELEMENTS) and not says_nothing(
            found["s"]
        ):
            yield found.span("s")


_ATTRIBUTE = re.compile(
    r'''<(?P<name>[\w:.-]{1,80})[ \t](?:[^<>\n]{0,200}?[ \t])?(?:value|name|key)="(?P<s>[^"\n]+)"'''
)
_PAIR = re.compile(
    r"""(?:["']?(?:key|name)["']?[ \t]*[=:][ \t]*|\()["'](?P<name>[\w.-]{1,80})["'],?[ \t]*"""
    r"""(?:["']?value["']?[ \t]*[=:][ \t]*|(?<=[ ,]))["'](?P<s>[^"'\n]++)["']"""
    r"""|(?:name|key|id)="(?P<name2>[^"\n]{1,80})"[^<>\n]{0,80}>(?P<s2>[^<>\n]++)</"""
    r"""|<name>(?P<name3>[\w.-]{1,80})</name>[ \t]*<value>(?P<s3>[^<>\n]++)</""",
    re.IGNORECASE,
)


def pair_spans(line: Line) -> Iterator[Span]:
    """Yield the value of `name="DB_PASSWORD" value="x"`, `define("DB_PASSWORD", "x")`."""
    if "value" not in line.lower and "(" not in line.text and "<" not in line.text:
        return
    for found in _PAIR.finditer(line.text):
        for name, value in (("name", "s"), ("name2", "s2"), ("name3", "s3")):
            if found[name] and names_a_secret(found[name].lower()) and not says_nothing(found[value]):
                yield found.span(value)
    for found in _ATTRIBUTE.finditer(line.text):
        name = found["name"].lower()
        if (names_a_secret(name) or names_a_community(name)) and not says_nothing(found["s"]):
            yield found.span("s")


_URL = re.compile(r"://[^\s:/\[]{0,200}+:(?P<s>[^\s/]+)@")


def url_spans(line: Line) -> Iterator[Span]:
    """Yield the password of `scheme://user:password@host`."""
    yield from (found.span("s") for found in _URL.finditer(line.text) if not says_nothing(found["s"]))
