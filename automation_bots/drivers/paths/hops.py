"""What `traceroute` and `tracepath` print, read into hops, and hops written for people. No I/O."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from automation_bots.model import one_line

_LINE = re.compile(r"^\s*(\d+)(\??):?\s+(\S.*)$")
_TOKEN = re.compile(r"(?P<time>[\d.]+)\s*ms\b|(?P<lost>\*|no reply)|(?P<mark>![\w<>-]*)|(?P<word>\S+)")
_MARKS = {
    "!H": "host unreachable",
    "!N": "network unreachable",
    "!P": "protocol unreachable",
    "!S": "source route failed",
    "!F": "packet too big",
    "!X": "forbidden by a filter",
    "!A": "forbidden by a filter",  # tracepath
    "!V": "forbidden by a filter: precedence",
    "!C": "forbidden by a filter: precedence cut-off",
}


@dataclass(frozen=True, slots=True)
class Hop:
    """One step of the way: who answered, how fast, how often not, and what was said against going on."""

    number: int
    addresses: tuple[str, ...] = ()
    times_ms: tuple[float, ...] = ()
    lost: int = 0
    mark: str = ""

    @property
    def refusal(self) -> str:
        """What the hop said against going on, in words."""
        if not self.mark:
            return ""
        if said := _MARKS.get(self.mark[:2]):
            size = self.mark.partition("-")[2]
            return f"{said} ({size} bytes at most)" if self.mark[:2] == "!F" and size else said
        return f"unreachable (ICMP code {self.mark.strip('!<>') or 'unknown'})"


def hop(line: str) -> Hop | None:
    """Read one line of either tool; None when it is no hop."""
    found = _LINE.match(line)
    if not found or found[2]:  # "1?:" is this machine itself
        return None
    addresses: dict[str, None] = {}
    times: list[float] = []
    lost, mark = 0, ""
    for token in _TOKEN.finditer(found[3]):
        if token["time"]:
            times.append(float(token["time"]))
        elif token["lost"]:
            lost += 1
        elif token["mark"]:
            mark = mark or token["mark"]
        elif _is_address(token["word"]):
            addresses[token["word"]] = None
    if not (addresses or lost):
        return None
    return Hop(int(found[1]), tuple(addresses), tuple(times), lost, mark)


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word.partition("%")[0])
    except ValueError:
        return False
    return True


def joined(hops: Sequence[Hop], new: Hop) -> list[Hop]:
    """Add a hop; tracepath may print several lines for one, of which the latest that was answered stays."""
    if not hops or hops[-1].number != new.number:
        return [*hops, new]
    return [*hops[:-1], new if new.addresses else hops[-1]]


def lines(hops: Sequence[Hop], name: Callable[[str], str]) -> list[str]:
    """Write hops for people, one a line."""
    who = [" / ".join(_who(address, name) for address in one.addresses) or "*" for one in hops]
    width = min(48, max(map(len, who), default=0))
    return [
        f"{one.number:<2}  {whom.ljust(width)}  {_answer(one)}".rstrip() for one, whom in zip(hops, who, strict=True)
    ]


def _who(address: str, name: Callable[[str], str]) -> str:
    known = name(address)
    return f"{one_line(known, 60)} ({address})" if known else address


def _answer(one: Hop) -> str:
    parts = ["  ".join(f"{time:.2f}" if time < 10 else f"{time:.0f}" for time in one.times_ms) + " ms"]
    if not one.times_ms:
        parts = ["no answer"] if not one.addresses else []
    elif one.lost:
        parts.append(f"{one.lost} unanswered")
    return ", ".join([*parts, *([one.refusal] if one.mark else [])])


def last_answer(hops: Sequence[Hop]) -> Hop | None:
    """The furthest hop that answered."""
    return next((one for one in reversed(hops) if one.addresses), None)


def typical(one: Hop) -> str:
    """The median of a hop's times."""
    if not one.times_ms:
        return ""
    value = median(one.times_ms)
    return f"{value:.2f} ms" if value < 10 else f"{value:.0f} ms"
