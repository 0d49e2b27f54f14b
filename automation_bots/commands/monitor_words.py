"""The words of `!monitor`: what, under which condition, how often, how long. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from automation_bots.errors import BadCommand
from automation_bots.model import one_line
from automation_bots.monitors import condition
from automation_bots.text import times

_CLAUSE = re.compile(r"(?P<rest>.*)\s(?P<word>every|for|until)\s+(?P<value>\S.*)", re.IGNORECASE | re.DOTALL)
_WHERE = re.compile(r"(?P<rest>.*?)\swhere\s+(?P<value>\S.*)", re.IGNORECASE | re.DOTALL)
_TEXT = re.compile(r"""\stext=(?:"(?P<one>[^"]*)"|'(?P<two>[^']*)'|(?P<three>\S+))""")
NUMBER = re.compile(r"[mM]?(\d{1,15})")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to be watched."""

    what: str
    condition: str = ""
    every: timedelta | None = None
    until: datetime | None = None
    text: str = ""  # of a web address


def read(line: str, now: datetime, zone: str) -> Wanted:
    """Read `disk on web* where used > 90 every 5m for 2h`; the words behind what is watched come in any order."""
    wanted = Wanted(line.strip())
    while found := _CLAUSE.fullmatch(wanted.what):
        taken = _taken(wanted, found["word"].lower(), found["value"].strip(), now, zone)
        if taken is None:
            break
        wanted = replace(taken, what=found["rest"].strip())
    if found := _WHERE.fullmatch(wanted.what):
        condition.read(found["value"])  # a wrong one is told before anything is asked
        wanted = replace(wanted, what=found["rest"].strip(), condition=" ".join(found["value"].split()))
    if found := _TEXT.search(wanted.what):
        said = found["one"] or found["two"] or found["three"] or ""
        wanted = replace(wanted, what=wanted.what[: found.start()] + wanted.what[found.end() :], text=said)
    return replace(wanted, what=wanted.what.strip())


def _taken(wanted: Wanted, word: str, value: str, now: datetime, zone: str) -> Wanted | None:
    """Take a clause; None where its words are part of what is watched."""
    try:
        if word == "every":
            return replace(wanted, every=times.duration(value))
        until = now + times.duration(value) if word == "for" else times.moment(value, now, zone)
    except ValueError as error:
        if word == "every" or re.match(r"\d", value):
            raise BadCommand(f"{word} {one_line(value, 40)}: {error}.") from error
        return None
    if wanted.until is not None:
        raise BadCommand("Until when is said twice: one of for and until is enough.")
    return replace(wanted, until=until)


def number(word: str) -> int | None:
    """The number of a monitor, typed as 3 or M3."""
    found = NUMBER.fullmatch(word)
    return int(found[1]) if found else None
