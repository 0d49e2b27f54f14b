"""What `ping`, `traceroute` and `tracepath` print, read into a status and one line. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass

from automation_bots.model import Status, one_line

_RTT = re.compile(r"(?:rtt|round-trip) min/avg/max\S* = [\d.]+/([\d.]+)/")  # iputils; BSD and BusyBox
_LOSS = re.compile(r"([\d.]+)% packet loss")
_NO_NAME = re.compile(
    r"name or service not known|name resolution|no address associated|unknown host|bad address|nodename nor servname"
    r"|address family for hostname not supported",
    re.IGNORECASE,
)
_NOT_PERMITTED = re.compile(r"operation not permitted|permission denied|lacking privilege", re.IGNORECASE)
_WHY = re.compile(
    r"(?:network is unreachable|(?:host|net|port|network) (?:is )?unreachable|time to live exceeded)", re.I
)
_TARGET = re.compile(r"traceroute to \S+ \(([^)\s]+)\)")
_HOP = re.compile(r"^\s*(\d+)\??:?\s+(.*)$")
_MS = re.compile(r"([\d.]+)\s*ms")
_ADDRESS = re.compile(r"(?<!\S)([0-9a-fA-F:.]*[:.][0-9a-fA-F:.]+)(?:%\S+)?(?!\S)")
RESOLVES_NOT = "name does not resolve"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a tool found out about one device."""

    status: Status
    summary: str


@dataclass(frozen=True, slots=True)
class Printed:
    """What a tool left behind."""

    code: int
    out: str
    err: str = ""

    @property
    def text(self) -> str:
        """All of it, as a person would have seen it."""
        return "\n".join(part.strip("\n") for part in (self.out, self.err) if part.strip())


def ping(printed: Printed, count: int) -> Finding | None:
    """Read ping's output; None when this system does not let us ping."""
    if (rtt := _RTT.search(printed.out)) and (loss := _LOSS.search(printed.out)):
        return Finding(Status.OK, f"{float(loss[1]):.0f}% loss, {milliseconds(float(rtt[1]))}")
    if not _LOSS.search(printed.out) and _NOT_PERMITTED.search(printed.err):
        return None
    return _failed(printed, f"no answer to {count} ping{'' if count == 1 else 's'}")


def _failed(printed: Printed, no_answer: str) -> Finding:
    if _NO_NAME.search(printed.err):
        return Finding(Status.FAILED, RESOLVES_NOT)
    if why := _WHY.search(printed.text):
        return Finding(Status.UNREACHABLE, f"{no_answer} ({why[0].lower()})")
    if printed.code in {0, 1}:
        return Finding(Status.UNREACHABLE, no_answer)
    said = printed.text.splitlines()
    return Finding(Status.FAILED, one_line(said[-1]) if said else f"exit status {printed.code}")


def traceroute(printed: Printed) -> Finding:
    """Read the output of traceroute or tracepath: how far it came, and whether that is the device."""
    hops = [found for line in printed.out.splitlines() if (found := _HOP.match(line))]
    answered = [(hop[1], seen[1], hop[2]) for hop in hops if (seen := _ADDRESS.search(hop[2]))]
    if not hops:
        return _failed(printed, "no answer")
    if not answered:
        return Finding(Status.UNREACHABLE, f"no answer from any of {hops[-1][1]} hops")
    number, address, rest = answered[-1]
    if not _arrived(printed.out, address, rest):
        return Finding(Status.UNREACHABLE, f"lost after hop {number} ({address})")
    took = _MS.search(rest)
    time = f", {milliseconds(float(took[1]))}" if took else ""
    return Finding(Status.OK, f"{number} hop{'' if number == '1' else 's'}{time}")


def _arrived(out: str, address: str, rest: str) -> bool:
    if target := _TARGET.search(out):
        # "!X" and the like: the device (or what stands before it) answered that it may not be reached.
        return target[1].partition("%")[0] == address and "!" not in rest
    return "reached" in rest


def milliseconds(value: float) -> str:
    """Write a time with as many digits as anybody wants to read."""
    return f"{value:.2f} ms" if value < 10 else f"{value:.0f} ms"
