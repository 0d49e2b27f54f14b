"""What stands before the text of a message: times, counters, names, in the many orders of real devices. Pure.

RFC 3164 only tells what was seen in 2001. Cisco's devices put counters, `*` and a time zone around the time and their
name in front of it; a relay puts its own time and name before all of that.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

RFC5424 = re.compile(
    r"1 (?P<clock>-|\d{4}\S{0,40}) (?P<host>\S{1,255}) (?P<app>\S{1,64}) (?P<pid>\S{1,128}) (?P<id>\S{1,64}) (?=-|\[)"
)
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = r"\d{1,2}:\d\d:\d\d(?:[.,]\d{1,9}){0,2}(?: [AP]M)?(?:\.\d{1,6})?"
_STAMP = re.compile(
    r"(?P<unset>[*.]?)(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? +)?(?P<stamp>"
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
    rf"|\d{{4}}-(?:\d\d?|{_MONTH})- ?\d\d? {_CLOCK}"
    rf"|{_MONTH} {{1,2}}\d{{1,2}}(?: \d{{4}})? {_CLOCK}(?:(?: [A-Z]{{3,5}})? \d{{4}}(?= ))?"
    rf"|\d{{4}} {_MONTH} {{1,2}}\d{{1,2}} {_CLOCK}"
    rf"|\d{{1,2}}[ -]{_MONTH}[ -]\d{{4}} {_CLOCK}"
    r"|(?=\d+[ywdh])(?:\d{1,3}y)?(?:\d{1,3}w)?(?:\d{1,3}d)?(?:\d{1,2}h)?(?=:)"  # since it started: 13w1d
    r"|\d{1,3}:\d\d:\d\d(?:\.\d{1,3})?(?=:)"
    r")(?=[\s:]|$)"
)
# `CEST:` behind a time is its zone; behind RFC 3164's plain time a word with a colon is a program, unless it is UTC.
_ZONE = re.compile(r" ?(?P<zone>(?:UTC|GMT)(?:[+-][\d:]{1,5})?|[+-]\d\d:?\d\d)(?= ?:|$)")
_ANY_ZONE = re.compile(r" ?(?P<zone>[A-Za-z]{1,8}(?:[+-][\d:]{1,5})?)(?=:\s|:$)")
_NUMBER = re.compile(r"(?P<number>\d{1,20}) ?:(?=\s|$)")
_LOCATION = re.compile(r"(?P<location>[A-Z]{1,4}\d*/[\w/]{1,24}CPU\d+):\s*")
_STRUCTURED = re.compile(r"\[(?P<data>[A-Za-z][\w-]{0,31}@\d[^\]]{0,500})\] ?:\s*")
_PLACE = rf"(?:[*.]?(?:\d{{4}} )?{_MONTH} |\d+:\s|\d{{4}}-\d\d-\d\dT|\d+[ywd]\d*[wdh]?\d*:|[A-Z]{{1,4}}\d*/\d)"
_NAMED = re.compile(rf"(?P<host>[\w.:%-]{{1,255}}?) ?:\s+(?={_PLACE})")  # `core1: Jul 14 2023 …`, `sw01: 3132779: …`
_NAMED_COUNTED = re.compile(r"(?P<host>[\w.:%-]{1,255}?) ?:\s+(?=\d+:\s|[*.])")  # behind a relay's name
_NAMED_TEXT = re.compile(r"(?P<host>[\w.-]{1,255})(?: ?: ?| )(?=%[A-Z0-9%])")  # `ASA-RE : %ASA-4-…`, `10.0.0.1 %ASA-…`
_BEFORE = re.compile(rf"(?P<host>[\w.:-]{{1,255}}) (?={_PLACE})")
_KIWI = re.compile(r"[A-Z]\w{1,8}\.(?:Emerg|Alert|Crit|Err|Warn|Notice|Info|Debug)\w{0,8}\s")  # a collector's own word
_WORD = re.compile(r"(?P<host>[^\s\[%:=,]{1,255}|[\da-fA-F:.]{3,45}(?<!:)) +(?=\S)")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[\da-fA-F]{0,4}:[\da-fA-F:.]+")


@dataclass(slots=True)
class Head:
    """What was found so far, and what is left."""

    rest: str
    hosts: list[str] = field(default_factory=list)
    clock: str = ""
    sequence: str = ""
    location: str = ""
    data: str = ""
    ciscos: bool = False  # something stood here that only Cisco's devices write
    named: bool = True  # there was no time yet, or a name behind it


def read(text: str) -> Head:
    """Take off what stands before the text."""
    head = Head(text)
    for _ in range(12):  # more parts than any device writes
        head.rest = head.rest.lstrip(" \t")
        if head.rest.startswith("%") or RFC5424.match(head.rest) or not any(step(head) for step in _STEPS):
            break
    head.rest = head.rest.lstrip(" \t")
    return head


def _colon(head: Head) -> bool:
    if not head.rest.startswith(":"):
        return False
    head.rest = head.rest[1:]
    return True


def _stamp(head: Head) -> bool:
    if not (found := _STAMP.match(head.rest)):
        return False
    head.ciscos = head.ciscos or bool(found["unset"])
    rest, head.clock = head.rest[found.end() :], found["unset"] + found["stamp"]
    exact = head.ciscos or "." in found["stamp"].removesuffix("Z")[-8:]
    if zone := _ZONE.match(rest) or (_ANY_ZONE.match(rest) if exact else None):
        head.clock, rest = f"{head.clock} {zone['zone']}", rest[zone.end() :]
    head.named, head.rest = False, rest.lstrip(" ").removeprefix(":") if rest.lstrip(" ").startswith(":") else rest
    return True


def _number(head: Head) -> bool:
    if not (found := _NUMBER.match(head.rest)):
        return False
    head.sequence, head.ciscos, head.rest = found["number"], True, head.rest[found.end() :]
    return True


def _location(head: Head) -> bool:
    if not (found := _LOCATION.match(head.rest)):
        return False
    head.location, head.ciscos, head.rest = found["location"], True, head.rest[found.end() :]
    return True


def _structured(head: Head) -> bool:
    if not (found := _STRUCTURED.match(head.rest)):
        return False
    head.data, head.ciscos, head.rest = found["data"], True, head.rest[found.end() :]
    return True


def _named(head: Head) -> bool:
    """Its own name with a colon, where a time, a number or the text follows."""
    found = (_NAMED if head.ciscos or not head.hosts else _NAMED_COUNTED).match(head.rest)
    if found:
        head.ciscos = True
    elif not head.hosts:
        found = _NAMED_TEXT.match(head.rest)
    return _took(head, found)


def _word(head: Head) -> bool:
    """A name without a colon: behind a time, or where a time, a number or a place in a chassis follows."""
    found = _BEFORE.match(head.rest)
    if not found and not head.named and (word := _WORD.match(head.rest)) and _is_name(head, word["host"]):
        found = word
    return _took(head, found)


def _is_name(head: Head, word: str) -> bool:
    if head.hosts:  # a relay's own time and the sender's address may stand in front
        return word in head.hosts or (len(head.hosts) == 1 and _ADDRESS.fullmatch(head.hosts[0]) is not None)
    return not head.ciscos or _ADDRESS.fullmatch(word) is not None


def _kiwi(head: Head) -> bool:
    if not (found := _KIWI.match(head.rest)):
        return False
    head.rest = head.rest[found.end() :]
    return True


def _took(head: Head, found: re.Match[str] | None) -> bool:
    if not found:
        return False
    if found["host"] not in head.hosts:
        head.hosts.append(found["host"])
    head.named = True
    head.rest = head.rest[found.end() :]
    return True


_STEPS: tuple[Callable[[Head], bool], ...] = (_colon, _structured, _stamp, _number, _location, _kiwi, _named, _word)
