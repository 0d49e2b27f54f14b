"""The words of `!monitor`: what, under which condition, how often, how long. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from automation_bots.errors import BadCommand
from automation_bots.model import one_line
from automation_bots.monitors import condition
from automation_bots.text import times

_CLAUSE = re.compile(r"(?P<rest>.*)\s(?P<word>every|for|until)\s+(?P<value>\S.*)", re.IGNORECASE | re.DOTALL)
_WHERE = re.compile(r"(?P<rest>.*?)\swhere\s+(?P<value>\S.*)", re.IGNORECASE | re.DOTALL)
_BEHIND = re.compile(r"(.*?)(?:\s(where)\s+(\S.*))?", re.IGNORECASE | re.DOTALL)  # a time, and perhaps a condition
_WEB = re.compile(
    r"""\s(?P<name>text|without|status|days|within)=(?:"(?P<one>[^"]*)"|'(?P<two>[^']*)'|(?P<three>\S+))""",
    re.IGNORECASE,
)
_STATUS = re.compile(r"(?:[1-5](?:\d\d|xx))(?:,[1-5](?:\d\d|xx))*", re.IGNORECASE)
NUMBER = re.compile(r"[mM]?(\d{1,15})")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to be watched."""

    what: str
    condition: str = ""
    every: timedelta | None = None
    until: datetime | None = None
    web: Mapping[str, str | float] = field(
        default_factory=dict
    )  # text, without, status, days, within: what a web address has to answer


def read(line: str, now: datetime, zone: str) -> Wanted:
    """Read `disk on web* where used > 90 every 5m for 2h`; the words behind what is watched come in any order."""
    wanted = Wanted(line.strip())
    while found := _CLAUSE.fullmatch(wanted.what):
        value, where, condition_ = _BEHIND.fullmatch(found["value"].strip()).groups()  # type: ignore[union-attr]
        taken = _taken(wanted, found["word"].lower(), value, now, zone)
        if taken is None:
            break
        wanted = replace(taken, what=f"{found['rest'].strip()} where {condition_}" if where else found["rest"].strip())
    if found := _WHERE.fullmatch(wanted.what):
        condition.read(found["value"])  # a wrong one is told before anything is asked
        wanted = replace(wanted, what=found["rest"].strip(), condition=" ".join(found["value"].split()))
    while wanted.what.lower().startswith("http ") and (found := _WEB.search(wanted.what)):
        said = found["one"] or found["two"] or found["three"] or ""
        name = found["name"].lower()
        web = {**wanted.web, name: _web(name, said)}
        wanted = replace(wanted, what=wanted.what[: found.start()] + wanted.what[found.end() :], web=web)
    return replace(wanted, what=wanted.what.strip())


def _web(name: str, said: str) -> str | float:
    if name == "within":
        return _milliseconds(said)
    if name == "status" and not _STATUS.fullmatch(said):
        raise BadCommand(f"status={one_line(said, 40)}: one or more with commas, such as status=200 or status=2xx,401")
    if name == "days" and not re.fullmatch(r"\d{1,4}", said):
        raise BadCommand(f"days={one_line(said, 40)}: how many days must the certificate still be good for?")
    return int(said) if name == "days" else said


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


def _milliseconds(said: str) -> float:
    found = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s)", said)
    if found is None or not float(found[1]):
        raise BadCommand(
            f"within={one_line(said, 40)}: how long may an answer take, such as within=500ms or within=2s?"
        )
    return float(found[1]) * (1 if found[2] == "ms" else 1_000)


def is_monitor(word: str) -> bool:
    """Whether a word can be nothing but a monitor's number: M3."""
    return word[:1] in {"m", "M"} and number(word) is not None


def number(word: str) -> int | None:
    """The number of a monitor, typed as 3 or M3."""
    found = NUMBER.fullmatch(word)
    return int(found[1]) if found else None
