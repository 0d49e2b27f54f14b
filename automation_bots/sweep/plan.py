"""What a sweep is asked for, and what it answers: values that cross a pipe as lines of JSON. Pure."""

from __future__ import annotations

import json
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


def row_of(found: Result) -> Row:
    """Make it fit a line."""
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


def rows_of(line: bytes) -> list[Row]:
    """Read one line of results; an empty one is the end."""
    rows: list[Row] = json.loads(line)
    return rows
