"""What a sweep is asked for, and what it answers: values that cross a pipe as lines of JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

NO_NAME = "name does not resolve"
NO_NAME_SERVER = "name server does not answer"
NO_ANSWER = "no answer"
NOT_PERMITTED = "ping is not permitted here"
OPEN, REFUSED = "open", "refused"


@dataclass(frozen=True, slots=True)
class Plan:
    """Which hosts to probe, and how; a host is told by its place in `hosts`."""

    hosts: tuple[str, ...]  # names or addresses
    count: int = 1  # pings to a host that answers
    tries: int = 3  # pings to one that does not
    wait: float = 1.0  # seconds for an answer
    interval: float = 0.2  # seconds between two pings of a host that answers
    size: int = 56  # bytes of data in a ping
    whole: bool = False  # never in fragments
    ports: tuple[int, ...] = ()  # TCP instead of ICMP
    spare_ports: tuple[int, ...] = ()  # for each host, what TCP tries where ICMP is not permitted
    per_second: float = 5000.0  # packets; 0: as many as go
    seconds: float = 300.0  # for everything

    def line(self) -> bytes:
        """Write it."""
        return (
            json.dumps({name: getattr(self, name) for name in self.__slots__}, separators=(",", ":")).encode() + b"\n"
        )


def plan_of(line: bytes) -> Plan:
    """Read it."""
    data = json.loads(line)
    tuples = {name: tuple(data[name]) for name in ("hosts", "ports", "spare_ports")}
    return Plan(**{**data, **tuples})


@dataclass(slots=True)
class Result:
    """What came of one host."""

    number: int
    address: str = ""
    sent: int = 0
    received: int = 0
    times: list[float] = field(default_factory=list)  # milliseconds
    reason: str = ""
    ports: list[tuple[int, str]] = field(default_factory=list)
    extra: int = 0  # answers that came twice


# number, address, sent, received, times, reason, ports, answers that came twice
Row = tuple[int, str, int, int, list[float], str, list[tuple[int, str]], int]
_PLAIN = 2  # entries of a row that only says how fast the one ping was answered: nearly all of most sweeps are so


def row_of(found: Result, host: str) -> Row | tuple[int, float]:
    """Make what came of a host fit a line."""
    if found.sent == found.received == 1 and found.address == host and not (found.ports or found.extra):
        return found.number, found.times[0]
    return (
        found.number,
        found.address,
        found.sent,
        found.received,
        found.times,
        found.reason,
        found.ports,
        found.extra,
    )


def rows_of(line: bytes, hosts: Sequence[str]) -> list[Row]:
    """Read one line of results; an empty one is the end."""
    return [
        (row[0], hosts[row[0]], 1, 1, [row[1]], "", [], 0) if len(row) == _PLAIN else row for row in json.loads(line)
    ]
