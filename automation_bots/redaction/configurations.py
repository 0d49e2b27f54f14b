"""Secrets of configurations: what is known to be one is read strictly, and with the section that a line stands in.

`community X` is a secret below `snmp` and none below a route map; `set name X` is one below the heading
`config system snmp community` of FortiOS. In prose neither is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby
from operator import attrgetter

from automation_bots.redaction import commands
from automation_bots.redaction.forms import Form
from automation_bots.redaction.lines import Found, Line, Rule, Rules, marked
from automation_bots.redaction.table import cell
from automation_bots.redaction.vocabulary import STEMS


@dataclass(frozen=True, slots=True)
class InSection:
    """A row: what kind of secret, on which platforms, below which heading (all its words), how its line looks."""

    kind: str
    platforms: str
    heading: str
    form: str

    def is_of(self, platform: str) -> bool:
        """Whether it counts on a platform of the inventory."""
        return self.platforms == "any" or platform.startswith(tuple(self.platforms.split(", ")))

    def is_below(self, headings: str) -> bool:
        """Whether all words of the heading stand in the headings above a line."""
        return all(word in headings for word in self.heading.split())

    @property
    def name(self) -> str:
        """As an admin reads it."""
        return f"{self.kind}: below {self.heading}: {self.form}"

    @property
    def rule(self) -> Rule:
        """What finds it in a line."""
        return Form(self.kind, self.platforms, self.form).rule


_ROWS = r"""
SNMP community | any | snmp | ^community <secret>
SNMP community | any | snmp | ^(read|write|ro|rw)-community <secret>
SNMP community | fortinet | config system snmp community | ^set name <secret>
SNMP community | mikrotik | /snmp community | ^(add|set) ...name=<secret>
SNMP community | sonic, dell_sonic | snmp_community | ^"<secret>": \{
SNMP user | any | snmp | ^(auth|priv) <word> <secret>
RADIUS, TACACS+ | any | radius | ^(key|secret|password) <kinds><secret>
RADIUS, TACACS+ | any | tacacs | ^(key|secret|password) <kinds><secret>
RADIUS, TACACS+ | any | aaa | ^(key|secret|password) <kinds><secret>
key chain | any | key chain | ^key-string <kinds><secret>
account | any | user | ^(password|secret|passphrase) <kinds><secret>
account | any | line | ^(password|secret) <kinds><secret>
IPsec | any | ike | ^(psk|key|secret|pre-shared-key) <kinds><secret>
WLAN | any | wlan | ^(psk|key|passphrase|set-key) <kinds><secret>
WLAN | any | ssid | ^(psk|key|passphrase) <kinds><secret>
"""
SECTIONS = tuple(InSection(*row.split(" | ", 3)) for row in _ROWS.strip().split("\n"))
_STRICT = Rules(
    [Rule("configuration: <name of a secret> <kinds><secret>", STEMS, partial(commands.spans, strict=True))]
)
_SIGN = re.compile(r"[-+](?![-+])")
_INDENT = re.compile(r"[ \t]*")


def cleared(text: str, platform: str) -> str:
    """Return a configuration of this platform without the secrets that only a configuration shows as such."""
    lines = _STRICT.cleared(text).split("\n")
    for number, found in groupby(_in_sections(lines, platform), key=attrgetter("line")):
        lines[number] = marked(lines[number], [one.span for one in found])
    return "\n".join(lines)


def found(text: str, platform: str) -> Iterator[Found]:
    """Yield each secret that is one only in a configuration of this platform, with the row that knows it."""
    yield from _STRICT.found(text)
    yield from _in_sections(text.split("\n"), platform)


def documented() -> str:
    """Return the table as docs/security.md shows it."""
    rows = (f"| {row.kind} | {row.platforms} | {cell(row.heading)} | {cell(row.form)} |" for row in SECTIONS)
    return "\n".join(["| kind | platforms | heading | form |", "|---|---|---|---|", *rows])


@cache
def _of(platform: str) -> tuple[tuple[InSection, Rule], ...]:
    return tuple((row, row.rule) for row in SECTIONS if row.is_of(platform))


def _in_sections(lines: list[str], platform: str) -> Iterator[Found]:
    for number, (text, headings) in enumerate(_with_headings(lines)):
        line, rules = Line.of(text), _of(platform) if headings else ()
        for row, rule in rules:
            if any(word in line.lower for word in rule.words) and row.is_below(headings):
                yield from (Found(number, span, row.name) for span in rule.spans(line))


def _with_headings(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each line with the headings above it: lines that are indented less, `/snmp community`, `heading │ line`."""
    above: list[tuple[int, str]] = []
    for line in lines:
        plain = line[1:] if _SIGN.match(line) else line
        indent = len(_INDENT.match(plain).group())  # type: ignore[union-attr]  # it always matches
        words = plain.strip().lower()
        section, bar, _ = words.rpartition("│")
        below_a_path = bool(above) and above[-1][1].startswith("/") and not words.startswith("/")
        while above and above[-1][0] >= indent and not below_a_path:
            above.pop()
            below_a_path = False
        yield line, " ".join([*(heading for _, heading in above), section if bar else ""]).strip()
        if words and not below_a_path:
            above.append((indent, words))
