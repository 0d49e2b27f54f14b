"""Secrets in commands: a secret's name, any words that say how it is encrypted, then the secret.

`username joe password 7 0822455D0A16`, ` neighbor PEERS password X`, `ntp authentication-key 1 md5 X 7`. In a sentence
the same names stand before harmless words; there only a word counts that no sentence has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from automation_bots.redaction.lines import Line, Span
from automation_bots.redaction.vocabulary import (
    KIND,
    WITH_ONE,
    is_address,
    is_keyword,
    is_no_secret,
    is_prose,
    looks_random,
    may_follow,
    names_a_community,
    names_a_secret,
    says_nothing,
)

_WORD = re.compile(r"""\\?"[^"\n]*\\?"?;?|'[^'\n]*'?;?|\S+""")
_KINDS = 8  # words between a secret's name and itself, at most
# an option, what begins with a bracket, the name of an assignment
_NOT_A_VALUE = re.compile(
    r"""--?[A-Za-z][\w-]*$|--|[<(]|[\w.-]*:(?:\\[nrt])*$|[a-z][\w.-]*=$|[;:,={}|&!/<>"'\\()\[\]]+$|[a-z]+[.,]$"""
    r"""|(?:\d+:\d+|0x[0-9a-f]{1,8}|/[a-z]{1,3})$|[\w.-]+\("""
)
_ALSO_VERBS = frozenset({"pass"})  # `pass --quiet`: before a value only as a part of a longer name
_KEY_HOLDERS = (
    "tacacs",
    "radius",
    "failover",
    "isakmp",
    "ipsec",
    "ike",
    "shared",
    "wpa",
    "psk",
    "pre-shared",
    "md5",
    "aaa",
    "hwtacacs",
)
_ACCOUNTS = frozenset({"create", "set", "add", "user", "username"})
_BARE = frozenset({"key", "pwd", "pw", "token", "secret", "secrets"})  # also harmless words at the beginning of a line
# what a line of a configuration begins with, and no sentence does
_CHANGES = frozenset({
    "set", "add", "config", "configure", "create", "edit", "modify", "snmp-server", "snmp-agent", "username",
    "tacacs-server", "radius-server", "crypto", "ntp", "aaa", "tmsh", "nv", "net", "uci", "local-user", "user", "peer",
    "ip", "neighbor", "enable", "tacacs", "radius", "snmp", "key-chain", "isis", "ospf", "bgp", "vrrp", "glbp",
    "standby",
    "ldap", "wlan", "security", "vpn", "ipsec", "pppoe", "ppp", "l2tp", "pptp", "sntp", "smtp", "ftp", "system", "cli",
    "line", "vpdn", "aaa-server", "mgmt-user", "logins", "admin", "ssid", "hostapd", "dot1x", "eapol",
})  # fmt: skip
_SENDS_TRAPS = frozenset({"notify", "receiver", "trapreceiver", "trap-target", "trap", "traps", "sink", "trapsink"})
_EDGE = "\"'"
_ENDS = ";,"
_QUOTES = "\"'\\;"
_COMMUNITIES = frozenset(
    [
        "internet",
        "no-export",
        "no-advertise",
        "local-as",
        "local-AS",
        "none",
        "additive",
        "gshut",
        "graceful-shutdown",
        "no-peer",
        "blackhole",
        "no-export-subconfed",
        "delete",
        "both",
        "standard",
        "extended",
    ]
)


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    lower: str
    span: Span

    def bare(self) -> Span:
        """Where it is without quotes and what closes it."""
        first, last = self.span
        text = self.text
        while len(text) > 1 and text[-1] in _ENDS:
            text, last = text[:-1], last - 1
        if text[0] in _EDGE:
            text, first = text[1:], first + 1
            if text and text[-1] in _EDGE:
                last -= 1
        return first, last


def spans(line: Line, *, strict: bool = False) -> Iterator[Span]:
    """Yield where the values of commands' secrets are."""
    if not any(map(_may_name, line.lower.split())):
        return
    words = [
        _Word(found.group(), line.lower[found.start() : found.end()], found.span())
        for found in _WORD.finditer(line.text)
        if found.group().strip(_QUOTES)
    ]
    lowers = [word.lower for word in words]
    holders = _holders(lowers)
    plain = strict or not (is_prose(lowers) or _is_help(line.text))
    for number, word in enumerate(words):
        if " " in word.text and word.text[0] in _EDGE:
            yield from _quoted(word, strict=strict)
        name = _bare_name(word.lower)
        if name[:1] == "-" and _explains(words, number):
            continue
        if not _starts_a_command(name, number, lowers[0], holders):
            continue
        for first in _values(words, number + 1):
            if _is_secret(words, number, first, plain=plain):
                yield words[first].bare()[0], words[_last(words, first, plain=plain)].bare()[1]
                break


def _bare_name(word: str) -> str:
    return word.lstrip("\"'({[").rstrip("\"'").rpartition("/")[2]


@lru_cache(maxsize=20_000)
def _may_name(word: str) -> bool:
    """Whether a value may follow this word: most lines have none, and are left at once."""
    name = _bare_name(word)
    return name in {"key", "community"} or names_a_secret(name) or names_a_community(name)


def _quoted(word: _Word, *, strict: bool) -> Iterator[Span]:
    """Yield secrets of a command that stands in quotes: `cli command "username joe secret X"`."""
    first, last = word.bare()
    inside = word.text[first - word.span[0] : last - word.span[0]]
    for start, end in spans(Line.of(inside), strict=strict):
        yield first + start, first + end


def _starts_a_command(name: str, number: int, first: str, holders: Mapping[str, int]) -> bool:
    if names_a_secret(name) or names_a_community(name):
        return name not in _ALSO_VERBS or first in _ACCOUNTS
    if name == "key":
        return number == 0 or holders["key"] < number
    return name == "community" and (holders["community"] < number or holders["set"] == 0 == number - 1)


def _holders(lowers: list[str]) -> dict[str, int]:
    """Where the first words are that make a secret of what stands behind `key`, `community`, `set community`."""
    first = {"key": len(lowers), "community": len(lowers), "set": len(lowers)}
    for number, lower in enumerate(lowers):
        word = lower.lstrip("+-")
        if word.startswith(_KEY_HOLDERS) or word.endswith(("tacacs", "radius")):
            first["key"] = min(first["key"], number)
        if "snmp" in word or word in _SENDS_TRAPS:
            first["community"] = min(first["community"], number)
        if word == "set":
            first["set"] = min(first["set"], number)
    return first


_HELP = re.compile(r"[ \t]*--?\w[^\n]*?\S[ \t]{2,}\S")


def _is_help(text: str) -> bool:
    """Whether it is a line of a program's help: an option, a column, what it does."""
    return _HELP.match(text) is not None


_META = re.compile(r"[A-Z]{3,}(?:[_-][A-Z]+)*$|[<\[]")


def _explains(words: list[_Word], option: int) -> bool:
    """Whether it is the help of an option, not its use: `--password PASSWORD`, a column of words behind it."""
    if option + 1 >= len(words):
        return True
    following = words[option + 1]
    gaps = [
        after.span[0] - before.span[1]
        for before, after in zip(words[option:], words[option + 1 : option + 3], strict=False)
    ]
    return max(gaps) > 1 or _META.match(following.text) is not None


def _values(words: list[_Word], start: int) -> Iterator[int]:
    """Yield the number of the word that is the value, then of those before it that may be meant instead."""
    at = start
    while at + 1 < len(words) and at - start < _KINDS and not TRAILER_ONLY.fullmatch(words[at + 1].lower):
        if words[at].lower in WITH_ONE:
            at += 2 if at + 2 < len(words) else 1
        elif KIND.fullmatch(words[at].lower) or is_keyword(words[at].text):
            at += 1
        else:
            break
    if at < len(words):
        yield at
        if not says_nothing(words[at].text):
            yield from (number for number in range(at - 1, start - 1, -1) if _may_be_meant(words[number]))


def _may_be_meant(word: _Word) -> bool:
    return names_a_secret(word.lower) and not is_keyword(word.text)


TRAILER_ONLY = re.compile(r"[;{}|].*|\#\#.*")


def _last(words: list[_Word], first: int, *, plain: bool) -> int:
    """The last word of the value: a plain word may be the first of many, or a word before the secret."""
    last = first
    if not plain or words[first].text[0] in _EDGE:
        return last
    if looks_random(words[first].text) and words[first - 1].text != "0":  # a 0 says that it is as somebody typed it
        return last
    for number in range(first + 1, min(first + 5, len(words))):
        if _is_over(words[number]):
            break
        last = number
    return last


def _is_default_community(name: _Word, value: str) -> bool:
    return value in {"public", "private"} and name.lower == "community"


def _is_over(after: _Word) -> bool:
    """Whether the word behind a value is none of it; `MyPassword1` behind a name is."""
    return may_follow(after.lower) or is_keyword(after.text)


def _is_secret(words: list[_Word], name: int, first: int, *, plain: bool) -> bool:
    start, end = words[first].bare()
    kinds = first - name - 1
    value = words[first].text[start - words[first].span[0] : end - words[first].span[0]]
    after = words[first + 1].lower if first + 1 < len(words) else ""
    if (
        says_nothing(value)
        or _NOT_A_VALUE.match(value)
        or (is_no_secret(value.lower()) and not _is_default_community(words[name], value))
        or after in {":", "=", "additive"}
    ):
        return False
    if looks_random(value):
        return True
    if KIND.fullmatch(words[first].lower) and not names_a_secret(words[first].lower):
        return False
    if (
        not plain
        or words[first].span[0] - words[first - 1].span[1] > 1
        or words[name + 1].span[0] - words[name].span[1] > 1
    ):
        return False
    if name == 0 and words[name].lower in _BARE and kinds == 0 and after:
        return False
    if is_address(value):
        return False
    return (
        kinds > 0
        or words[0].lower.lstrip("/") in _CHANGES
        or name == 0
        or words[0].span[0] > 0
        or words[name].text[0] == "-"
        or words[first].text[0] in _EDGE
        or not after
        or _is_over(words[first + 1])
    )
