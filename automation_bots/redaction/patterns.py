"""How secrets look in the output of this field: each rule keeps the line and takes only the secret out of it.

Every pattern runs in linear time on any text, also on one made to hurt: a repetition either has a fixed upper bound,
or starts at a place that cannot lie inside the same repetition. A test tries each with hostile text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

MARK = "‹redacted›"


@dataclass(frozen=True, slots=True)
class Rule:
    """Where one of `words` (lower case) occurs in the text, the group `s` of each match is a secret."""

    words: tuple[str, ...]
    pattern: re.Pattern[str]
    replace: Callable[[re.Match[str]], str]


def _mark(match: re.Match[str]) -> str:
    whole, start = match.group(), match.start()
    first, last = match.span("s")
    if match["s"][0] in "\"'" and len(match["s"]) > 1 and match["s"][-1] == match["s"][0]:
        first, last = first + 1, last - 1  # the quotes are the line's, not the secret's
    return whole[: first - start] + MARK + whole[last - start :]


def _rule(
    words: str, pattern: str, replace: Callable[[re.Match[str]], str] = _mark, flags: int = re.IGNORECASE
) -> Rule:
    return Rule(tuple(words.split()), re.compile(pattern, flags | re.MULTILINE | re.VERBOSE), replace)


# values that say that there is a secret or none, and are useful to read; those of nsswitch.conf, sudoers; counts
_HARMLESS = {
    "", "null", "none", "nil", "true", "false", "yes", "no", "~", "n/a", "unset", "undefined", "-", "|", ">", "|-",
    ">-", "required", "optional", "enabled", "disabled", "files", "compat", "systemd", "sss", "db", "all",
    *"0123456789",
}  # fmt: skip
# a reference to a secret: Jinja, Ansible Vault, ${VARIABLE}, $(command), asterisks, or a mark from before
_REFERENCE = re.compile(r"\{\{|!vault|\$ANSIBLE_VAULT|\$\{|\$\(|\$[A-Z_]+$|[*•x.]{3,}$|" + MARK)
_NEXT_KEY = re.compile(r"[,;\s&|][\w.-]{1,60}[ \t]*[:=]|\s(?:--?\w|[|({\[])")
_CLOSING = ")]},;.'\"\\"


def _says_nothing(value: str) -> bool:
    return value.strip().lower() in _HARMLESS or _REFERENCE.match(value) is not None


def _assignment(match: re.Match[str]) -> str:
    """Redact the value of `password = value` in text, JSON and YAML; what closes a sentence or bracket stays."""
    key, value, opening = match["key"], match["value"], match["quote"]
    if opening:
        closing = opening if value.endswith(opening) and len(value) >= 2 * len(opening) else ""
        shown = value[len(opening) : len(value) - len(closing)]
    else:
        opening, shown = "", value.rstrip(_CLOSING) or value
        closing = value[len(shown) :]
    if _says_nothing(shown) or (match["path"] and shown.startswith("/")):
        return match.group()
    return f"{key}{opening}{MARK}{closing}"


def _whole_line(match: re.Match[str]) -> str:
    """Redact a YAML value with spaces, a passphrase; a line that goes on with something else is left to _assignment."""
    value = match["s"]
    if " " not in value or _says_nothing(value.split(" ")[0]) or _NEXT_KEY.search(value):
        return match.group()
    return _mark(match)


_KEY = r"""(?: (?<!no)pass(?:word|wd|phrase)(?:[_-]?hash)? | secret(?:[_-]?(?:access[_-]?)?key)? | token | psk
  | (?:api|private|access|auth|encryption)[_ -]?key
  | snmp[_-]?(?:ro[_-]?|rw[_-]?)?community | community[_-]?string | (?<=_)pass | (?<![a-z])pass(?=["']?[ \t]*=) ) \d?"""
_VALUE = r"""(?P<s> "[^"\n]+" | '[^'\n]+' | [^\s"'] \S*? (?=;?(?:\s|\Z)) )"""  # a word, or words in quotes
# How a line of a configuration begins, also in a difference: `+ line`, `- section │ line`.
_SECTION = r"(?:[^\n│]{1,200}+│)"
_BEGIN = rf"^(?:[-+][ \t]*)?{_SECTION}{{0,6}}[ \t]*"
_INDENTED = rf"^(?:[-+]?[ \t]+|(?:[-+][ \t]*)?{_SECTION}{{1,6}}[ \t]*)"
_KIND = r"(?:(?:\d{1,2}|sha512|cipher|encrypted)[ \t]+)?"  # how the next word is encrypted


def _encoded(match: re.Match[str]) -> str:
    """Redact the value of an assignment inside a URL or a form."""
    return match.group() if _says_nothing(unquote(unquote(match["s"]))) else _mark(match)


_P = r"%(?:25){0,2}"  # a percent sign, encoded up to twice more

RULES = (
    _rule(
        "pass secret token key psk community",
        rf"^[ \t]*+(?:-[ ])?[\w.-]{{0,60}}?{_KEY}:[ \t]+(?P<s>[^\s\"'](?:(?![ \t]\#)[^\n])*+)",
        _whole_line,
    ),
    _rule(
        "pass secret token key psk pwd community",
        rf"""
        (?P<key> (?: {_KEY} | (?P<path>(?<![a-z])pwd(?=[ \t]*=)) )
                 (?:\\{{0,7}}["'])? [ \t]* (?:=>|:=|[:=]) (?![:=]) [ \t]* )
        (?P<value>
            (?P<quote>\\{{0,7}}["'])
            (?: (?<=[^\\]") [^"\\\n]*+(?:\\.[^"\\\n]*+)*+"?  |  (?<=[^\\]') [^'\n]*+'?  |  [^"'\n]*+["']? )
          | (?: (?!{MARK}|[,;&][\w.-]{{1,60}}[ \t]*[:=]) [^\s<>] )++
        )""",
        _assignment,
    ),
    _rule(
        "%3d %3a %253d %253a %25253d %25253a",
        rf"""{_KEY} (?:{_P}2[27])? (?:{_P}20|\+){{0,4}} {_P}3[ad] (?:{_P}3e)? (?:{_P}2[027b]|\+){{0,4}}
          (?P<s> (?: (?!{_P}(?:26|2c|22|27|3b|20|0a|0d|7d)) [^\s&"'<>] )++ )""",
        _encoded,
    ),
    _rule("password> passwd> secret> token> key>", r"(?:password|passwd|secret|token|key)>(?P<s>[^<>\n]++)</"),
    _rule(
        "authorization",
        r"authorization[\"']?[ \t]*[:=][ \t]*[\"']?(?:(?:bearer|basic|token|negotiate)[ \t]+)?(?P<s>[^\s\"',]++)",
    ),
    _rule("bearer", r"\bbearer[ \t]+(?P<s>[\w.~+/=-]{20,})"),
    _rule("eyj", r"(?<![\w-])(?P<s>eyJ[\w-]{8,}+\.[\w-]{8,}+\.[\w-]*+)", flags=0),
    _rule("://", r"://[^\s:/@]*:(?P<s>[^\s/]+)@"),
    _rule("akia asia", r"\b(?P<s>(?:AKIA|ASIA)[0-9A-Z]{16})\b", flags=0),
    _rule(
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_ glpat- xox xapp- aiza hvs.",
        r"""\b(?P<s> gh[pousr]_\w{20,}+ | github_pat_\w{20,}+ | glpat-[\w-]{16,}+ | xox[abeprs]-[\w-]{10,}+
          | xapp-[\w-]{10,}+ | AIza[\w-]{30,}+ | hvs\.[\w-]{20,}+ )""",
        flags=0,
    ),
    _rule("identified", rf"\bidentified[ \t]+(?:with[ \t]+\S+[ \t]+)?by[ \t]+(?:password[ \t]+)?{_VALUE}"),
    _rule("convertto", rf"\bConvertTo-SecureString[ \t]+(?:-String[ \t]+)?(?!-|\$){_VALUE}"),
    _rule("sshpass", rf"\bsshpass[ \t]+-p[ \t]*{_VALUE}"),
    _rule(
        "--",
        rf"""--(?!(?:no|disabled)-)(?:\w{{1,20}}-){{0,3}}(?:password|passwd|passphrase|secret|token|api-key)
          (?![ \t]{{2,}}[a-z]+(?:[ ][a-z]+){{2}})  # a column of words that explain the option
          [ \t]+(?!-|(?-i:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN)\b){_VALUE}""",
    ),
    # crypt(3), Cisco's and JunOS's hashes and reversible forms, wherever they stand
    _rule(
        "$",
        r"""(?P<s> \$ (?:[5-8]|2[abxy]?|y|gy|apr1|argon2\w{0,2}|scrypt|pbkdf2[\w-]{0,12}) \$ [\w./$=,+-]{8,}+
          | \$9\$ [\w./$-]{4,}+ | \$ (?:1|nt|md5|sha1) \$ [\w./]{0,16} \$ [\w./]{8,}+ )""",
    ),
    # network devices
    _rule(
        "community",
        rf"""(?: \bsnmp(?:-server|-agent)?[ \t]+community[ \t]+(?:(?:read|write)[ \t]+)?{_KIND}
          | \bcommunity[ \t]+(?:name|string)[ \t]*:[ \t]*
          | {_BEGIN}community[ \t]+(?=\S{{1,64}}[ \t]*\{{) ) {_VALUE}""",
    ),
    _rule("rocommunity rwcommunity", rf"{_BEGIN}r[ow]community6?[ \t]+{_VALUE}"),
    _rule("com2sec", rf"{_BEGIN}com2sec6?[ \t]+\S+[ \t]+\S+[ \t]+{_VALUE}"),
    _rule(
        "snmp-server",
        rf"""\bsnmp-server[ \t]+host[ \t]+\S+[ \t]+(?:vrf[ \t]+\S+[ \t]+)?(?:(?:traps|informs)[ \t]+)?
          (?:version[ \t]+(?:1|2c)[ \t]+|community[ \t]+)?(?!version[ \t]|vrf[ \t]|udp-port[ \t]){_VALUE}""",
    ),
    _rule("auth", rf"\bauth[ \t]+(?:md5|sha[\d-]{{0,4}})[ \t]+{_VALUE}"),
    _rule("priv", rf"\bpriv[ \t]+(?:3?des|aes)(?:[ \t-]?(?:128|192|256))?[ \t]+{_VALUE}"),
    _rule(
        "password secret key md5",
        r"\b(?:password|secret|key|key-string|md5)[ \t]+7[ \t]+\"?(?P<s>(?=[a-f]{0,40}\d)[\da-f]{6,}+)",
    ),
    _rule(
        "password secret",
        rf"{_BEGIN}enable[ \t]+(?:password|secret)[ \t]+(?:level[ \t]+\d+[ \t]+)?{_KIND}{_VALUE}",
        flags=0,
    ),
    _rule(
        "password secret",
        rf"""{_BEGIN}(?:set[ \t]+)?(?:username|user|neighbor)[ \t]+\S+[ \t]+
          (?:(?:privilege|role|class|group|algorithm-type)[ \t]+\S+[ \t]+){{0,3}}
          (?:password|secret)[ \t]+{_KIND}{_VALUE}""",
        flags=0,
    ),
    _rule(
        "password secret",  # of a line or interface: indented and alone
        rf"""{_INDENTED}(?:password|secret)[ \t]+{_KIND}
          (?!expired|changed|unchanged|updated|required|mismatch){_VALUE}[ \t]*;?$""",
        flags=0,
    ),
    _rule("-password", rf"\b(?:plaintext|encrypted)-password[ \t]+{_VALUE}"),
    _rule(
        "key wpa-psk",
        rf"""(?: \b(?:tacacs|radius)(?:-server)?[ \t]+(?:(?:host|server)[ \t]+\S+[ \t]+)?[^\n]{{0,60}}?\bkey
          | \b(?:key-string|server-key|authentication-key|isakmp[ \t]+key)
          | \bpre-shared-key(?:[ \t]+(?:local|remote|address[ \t]+\S+[ \t]+key|ascii-text|hexadecimal))?
          | \bmessage-digest-key[ \t]+\d+[ \t]+md5 | \bwpa-psk[ \t]+(?:ascii|hex) ) [ \t]+{_KIND}{_VALUE}""",
    ),
)

_PEM = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_KEY_LINE = re.compile(r"[^\w\n]{0,8}[A-Za-z0-9+/=]{16,}\s*")
_LAST_KEY_LINE = re.compile(r"[^\w\n]{0,8}[A-Za-z0-9+/]+={0,2}\s*")
_PEM_LINES = re.compile(r"(?:\s|\\[nr]|[A-Za-z0-9+/=]{16,}+)*+")


def without_private_keys(text: str) -> str:
    """Redact the inside of private PEM blocks; of one that is cut off, the lines that look like a key."""
    parts: list[str] = []
    done, inside = 0, False
    for marker in _PEM.finditer(text):
        if inside and marker[1] == "END":
            parts.append(_hidden(text[done : marker.start()]))
        elif inside:
            parts.append(_cut_off(text[done : marker.start()]))
        elif marker[1] == "END":
            parts.append(_begun_before(text[done : marker.start()]))
        else:
            parts.append(text[done : marker.start()])
        parts.append(marker.group())
        done, inside = marker.end(), marker[1] == "BEGIN"
    parts.append(_cut_off(text[done:]) if inside else text[done:])
    return "".join(parts)


def _hidden(body: str) -> str:
    line = "\n" if "\n" in body else ""
    return f"{line}{MARK}{line}" if body.strip() else body


def _begun_before(body: str) -> str:
    """Redact the lines of a key whose beginning is not in the text: it came with an earlier piece, or was cut off."""
    lines = body.split("\n")
    last = len(lines) - (not lines[-1].strip())
    first = last - (last > 0 and _LAST_KEY_LINE.fullmatch(lines[last - 1]) is not None)
    while first and _KEY_LINE.fullmatch(lines[first - 1]):
        first -= 1
    if not any(_KEY_LINE.fullmatch(line) for line in lines[first:last]):
        return body
    return "\n".join([*lines[:first], MARK, *lines[last:]])


def _cut_off(body: str) -> str:
    found = _PEM_LINES.match(body)
    end = found.end() if found else 0
    return _hidden(body[:end]) + body[end:]
