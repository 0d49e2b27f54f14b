"""What is probed again and again, and what each look saw: values that cross a pipe as lines of JSON. Pure."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

PING, TCP, HTTP = "ping", "tcp", "http"
GOOD, POOR, BAD, NOTHING = "good", "poor", "bad", "nothing"  # what a look saw; the last says nothing of the target

# number of the probe, when it was sent (since the epoch), how late that was (ms), latency (ms), what was seen, in words
Look = tuple[int, float, float, float | None, str, str]


@dataclass(frozen=True, slots=True)
class Probe:
    """One target; `host` is a name or an address, of HTTP the URL."""

    number: int
    kind: str
    host: str
    interval: float  # seconds
    port: int = 0  # of TCP; of a ping what TCP tries where ICMP is not permitted
    web: Mapping[str, Any] = field(default_factory=dict)  # what HTTP has to answer, and how one gets there
    begin: float = 0.0  # seconds until the first look


def order(add: Iterable[Probe] = (), drop: Collection[int] = ()) -> bytes:
    """Write what to begin with and what to leave."""
    rows = [[getattr(probe, name) for name in Probe.__slots__] for probe in add]
    return json.dumps({"add": rows, "drop": list(drop)}, separators=(",", ":")).encode() + b"\n"


def ordered(line: bytes) -> tuple[list[Probe], list[int]]:
    """Read it."""
    data = json.loads(line)
    return [Probe(*row) for row in data["add"]], data["drop"]


def looks_of(line: bytes) -> list[Look]:
    """Read one line of looks."""
    rows: list[Look] = json.loads(line)
    return rows
