"""Secrets that no form foresaw: a word that nobody would think of, close behind a word of authentication.

` authentication pass hunter2Zq`, `fabric forwarding key Zork4711x`. Letters on both sides of a digit, small and capital
ones, are in no name of an interface, a version or a standard; long hexadecimal or base64 is neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from automation_bots.redaction.lines import Line, Span
from automation_bots.redaction.vocabulary import is_made_up, says_nothing

STEMS = ("auth", "pass", "pwd", "secret", "key", "psk", "community", "login", "credential", "cipher", "cleartext")
_WORD = re.compile(r"[^\s\"'=:,;()<>\[\]{}|]{2,200}")
_CONTEXT = re.compile(
    r"[\w.+-]*?(?:auth(?:entication|enticate|enticator)?|(?<![a-z])pass|pass(?:word|wd|phrase|code)|pwd|secret|(?<!public)(?<!host)key"
    r"|psk|community|credentials?|cipher|cleartext)s?\d?"
)
_OTHER = re.compile(
    r"public(?:[-_]?key)?|pub(?:key)?|host[-_]?key|fingerprint|checksum|digest|hash|signature|certificate|cert|id|key-?id|identifier|serial|version|list"
    r"|algorithm|algorithms|fail(?:ed|ure)|success|session-id|transaction|thumbprint|issuer|subject|modulus|kex"
    r"|ssh-rsa|ssh-dss|ssh-ed25519|ecdsa\S*|rsa|dsa|type|policy|profile|template|file|license|map"
)
_MIXED = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?:[A-Za-z]+\d+){1,9}[A-Za-z]+[!@#$%^&*]?\d*")
_LONG = re.compile(
    r"(?=\D*\d)(?:(?=[^a-fA-F]*[a-fA-F])[0-9a-fA-F]{16,}|(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])[A-Za-z0-9+/]{18,}={0,2})"
)
_SIGNS = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=\D*\d)(?=[A-Za-z0-9]*[!@#$%^*?~])[A-Za-z0-9!@#$%^*?~+.-]{8,}")
_MAY_BE = re.compile(r"[A-Za-z]\d+[A-Za-z]|[A-Za-z0-9+/]{16}|\w[!@#$%^*?~]\w")  # most lines hold nothing of the kind
_COLUMN = re.compile(r"[ \t]{2}|[^\t]\t|[.!?] ")
_NAMES = re.compile(r"[\"']?(?:[ ]?:|[ ]=|=(?!=?(?:[\"',;\s]|$)))")
_NEAR = 5  # words


_OPTION = re.compile(r"(?<![^ \t\"'(])-(?:p|P|w|pw|pass)[ \t]+[\"']?(?P<s>[^\s\"'/:]{8,200})")


def option_spans(line: Line) -> Iterator[Span]:
    """Yield where made-up words stand behind the option that most programs take a password with."""
    yield from (found.span("s") for found in _OPTION.finditer(line.text) if is_made_up(found["s"]))


def spans(line: Line) -> Iterator[Span]:
    """Yield where made-up words stand close behind a word of authentication."""
    if _MAY_BE.search(line.text) is None:
        return
    since, before = _NEAR + 1, 0
    for found in _WORD.finditer(line.text):
        start, end = found.span()
        if _COLUMN.search(line.text, before, start):
            since = _NEAR + 1
        before = end
        if _OTHER.fullmatch(line.lower, start, end):
            since = _NEAR + 1
        elif _CONTEXT.fullmatch(line.lower, start, end):
            since = 0
        elif _NAMES.match(line.text, end):  # the value of another name
            since = _NEAR + 1
        else:
            since += 1
            word = found.group()
            if (
                since <= _NEAR
                and (_MIXED.fullmatch(word) or _LONG.fullmatch(word) or _SIGNS.fullmatch(word))
                and not says_nothing(word)
            ):
                yield start, end
