"""Ansible's host patterns: which devices `web*`, `core:&madrid:!core3`, `web[0:2]` or `~db\\d+` mean."""

from __future__ import annotations

import fnmatch
import functools
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from automation_bots.errors import BadCommand, UnknownDevice
from automation_bots.text.linear_regex import SafeRegex

MAX_LENGTH = 2_000
# each of these looks at every name; so many together keep ten thousand devices under 50 ms
MAX_WILDCARDS = 8
MAX_REGEXES = 2
MAX_SUBSCRIPTS = 40

Groups = Mapping[str, tuple[str, ...]]

_SUBSCRIPT = re.compile(r"(.+)\[(?:(-?[0-9]+)|([0-9]+)[:-]([0-9]*))\]")
_BETWEEN_COLONS = re.compile(r"(?:[^\s:\[\]]|\[[^\]]*\])+")
_BRACKETED_PORT = re.compile(r"\[(.+)\]:[0-9]+")
_PORT = re.compile(r"((?:[^:\[\]]|\[[^\]]*\])*):[0-9]+")
_RANGE = r"\[(?:[a-z]:[a-z]|[0-9]+:[0-9]+)(?::[0-9]+)?\]"
_LABEL = rf"(?:\w|{_RANGE})(?:[\w-]|{_RANGE})*(?<![_-])"
_HOSTNAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)
_HEX_RANGE = re.compile(r"(?<![0-9a-f])\[[0-9a-f]+:[0-9a-f]+(?::[0-9]+)?\](?![0-9a-f])", re.IGNORECASE)


class Part(NamedTuple):
    """One part of a pattern: `&` or `!` or nothing, then what it names."""

    sign: str
    text: str

    @property
    def is_regex(self) -> bool:
        """`~` starts a regular expression."""
        return self.text.startswith("~")

    @property
    def is_wildcard(self) -> bool:
        """`*`, `?` and `[abc]` match many names."""
        return not self.is_regex and _is_glob(_base(self.text)[0])

    @property
    def is_pick(self) -> bool:
        """`[0]` and `[0:2]` at the end pick from what the rest names."""
        return not self.is_regex and _base(self.text)[1] is not None


def split(pattern: str) -> tuple[Part, ...]:
    """Cut a pattern at its commas, or else at its colons, unless it is one address with colons of its own."""
    if len(pattern) > MAX_LENGTH:
        raise BadCommand(f"a device pattern has at most {MAX_LENGTH} characters, this one {len(pattern)}")
    if "," in pattern:
        words = [word.strip() for word in pattern.split(",")]
    else:
        words = [pattern] if _is_address(pattern) else _BETWEEN_COLONS.findall(pattern)
    parts = tuple(dict.fromkeys(_part(word) for word in words if word))
    if not parts:
        raise BadCommand("say which devices: a name, a group, or all")
    _check_cost(parts)
    return parts


def meant(pattern: str, names: Names) -> tuple[str, ...]:
    """Return the hosts that a pattern means, none when its groups are empty; `UnknownDevice` where a name is none."""
    parts = tuple(map(names.respelled, split(pattern)))
    if missing := unknown(parts, names):
        raise UnknownDevice(f"No device or group {', '.join(map(repr, missing))}")
    return expand(parts, names)


def expand(parts: Sequence[Part], names: Names) -> tuple[str, ...]:
    """Return the hosts of the parts, each once: unions first, then intersections, then exclusions."""
    unions = [part for part in parts if not part.sign] or [Part("", "all")]
    chosen: dict[str, None] = {}
    for part in unions:
        chosen.update(dict.fromkeys(names.matching(part)))
    for part in parts:
        if part.sign:
            others = frozenset(names.matching(part))
            chosen = {name: None for name in chosen if (name in others) is (part.sign == "&")}
    return tuple(chosen)


def unknown(parts: Sequence[Part], names: Names) -> tuple[str, ...]:
    """Return the names among the parts that are no host and no group; wildcards and exclusions may match nothing."""
    plain = (part for part in parts if part.sign != "!" and not part.is_regex and not part.is_wildcard)
    missing = (part.text for part in plain if part.text not in names.hosts)
    return tuple(text for text in missing if not names.knows(_base(text)[0]))


class Names:
    """The hosts and groups that patterns are looked up in; made once for all of them."""

    def __init__(self, hosts: tuple[str, ...], groups: Groups) -> None:
        self._ordered, self.hosts = hosts, frozenset(hosts)
        self._groups = groups

    def knows(self, name: str) -> bool:
        """Whether it is a host or a group."""
        return name in self.hosts or name in self._groups

    def respelled(self, part: Part) -> Part:
        """The part with the capitals of the one name that it can mean: phones begin words with one."""
        base, _ = _base(part.text)
        if part.is_regex or part.is_wildcard or self.knows(part.text) or self.knows(base):
            return part
        known = self._by_letters.get(base.casefold(), set())
        return Part(part.sign, next(iter(known)) + part.text[len(base) :]) if len(known) == 1 else part

    @functools.cached_property
    def _by_letters(self) -> Mapping[str, set[str]]:
        found: dict[str, set[str]] = {}
        for name in (*self._ordered, *self._groups):
            found.setdefault(name.casefold(), set()).add(name)
        return found

    def matching(self, part: Part) -> Sequence[str]:
        """Return what one part names, in Ansible's order; a name may come twice, since subscripts count it twice."""
        if part.text in self.hosts and not part.sign:
            return [part.text]
        if part.is_regex:
            return self._search(SafeRegex(part.text[1:]).matches)
        base, subscript = _base(part.text)
        found = self._search(_glob(base)) if _is_glob(base) else self._named(base)
        return _pick(found, subscript, part.text)

    def _search(self, matches: Callable[[str], object]) -> list[str]:
        found = [host for group, members in self._groups.items() if matches(group) for host in members]
        found.extend(host for host in self._ordered if matches(host))
        return found

    def _named(self, name: str) -> Sequence[str]:
        if name not in self._groups:
            return [name] if name in self.hosts else []
        # a group and a host of one name: Ansible looks for the host as well only when the name has a dot
        return [*self._groups[name], name] if "." in name and name in self.hosts else self._groups[name]


def _part(word: str) -> Part:
    part = Part(word[0], word[1:]) if word[0] in "&!" else Part("", word)
    if not part.text:
        raise BadCommand(f"{word!r} needs a name after it, as in all:!web1")
    return part


def _check_cost(parts: tuple[Part, ...]) -> None:
    for most, what, count in (
        (MAX_REGEXES, "regular expressions", sum(part.is_regex for part in parts)),
        (MAX_WILDCARDS, "wildcards", sum(part.is_wildcard for part in parts)),
        (MAX_SUBSCRIPTS, "picks such as web[0]", sum(part.is_pick for part in parts)),
    ):
        if count > most:
            raise BadCommand(f"a device pattern has at most {most} {what}, this one {count}; name groups instead")


def _base(text: str) -> tuple[str, tuple[int, int] | None]:
    """Split `web[0:2]` into the name and (first, last); -1 is the last one."""
    match = _SUBSCRIPT.fullmatch(text)
    if match is None:
        return text, None
    base, index, start, end = match.groups()
    if index is not None:
        return base, (int(index), 0)
    return base, (int(start), int(end or -1))


def _pick(found: Sequence[str], subscript: tuple[int, int] | None, text: str) -> Sequence[str]:
    if subscript is None or not found:
        return found
    first, last = subscript
    if last:
        return found[first : len(found) if last == -1 else last + 1]
    # as in Ansible, [3:0] means [3], since a last place of 0 counts as none
    if not -len(found) <= first < len(found):
        raise UnknownDevice(f"{text!r} goes too far: there are {len(found)} devices, counted from 0")
    return [found[first]]


def _is_glob(text: str) -> bool:
    return any(char in text for char in "*?[")


def _glob(text: str) -> Callable[[str], object]:
    return re.compile(fnmatch.translate(text)).match


def _is_address(text: str) -> bool:
    """Tell whether this is one host name or address, with a port perhaps, rather than several parts with colons."""
    for form in (_BRACKETED_PORT, _PORT):
        if match := form.fullmatch(text):
            text = match[1]
    if _HOSTNAME.fullmatch(text):
        return True
    try:
        return bool(ipaddress.ip_address(_HEX_RANGE.sub("0", text)))
    except ValueError:
        return False
