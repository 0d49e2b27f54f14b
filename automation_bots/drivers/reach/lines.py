"""What a sweep saw, in words: one line for a device, a few more for who looks closer. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from automation_bots.model import Device, Outcome, Status
from automation_bots.sweep.plan import NO_ANSWER, NO_NAME, NO_NAME_SERVER, OPEN, REFUSED, Row

HOW_TO_PERMIT = (
    "ping is not permitted to the bot here. Let everybody ping: sysctl -w net.ipv4.ping_group_range='0 2147483647';"
    " or only the bot, in its systemd unit: AmbientCapabilities=CAP_NET_RAW;"
    ' or its interpreter: setcap cap_net_raw+ep "$(readlink -f .venv/bin/python)". TCP needs nothing: !reach --tcp 22'
)
_NAMELESS = {NO_NAME, NO_NAME_SERVER}
_OURS = {"this machine has no file handle left"}


class Seen(NamedTuple):
    """Whether one device answered, how often, how fast, and why not; a tuple, since sixty thousand are made at once."""

    device: str
    status: Status
    address: str  # what was probed; empty when the name does not resolve
    sent: int
    received: int
    times_ms: tuple[float, ...]  # one for each answer, in the order of the tries
    ports: tuple[tuple[int, str], ...] = ()  # (TCP port, open / refused / no answer …)
    reason: str = ""  # why it is not OK: "name does not resolve", "no answer", "no route" …


@dataclass(frozen=True, slots=True)
class Wording:
    """What was asked decides how the answer is put."""

    devices: tuple[Device, ...]
    ports: bool  # TCP was asked for
    outputs: bool  # with a closer look at each device

    def seen(self, row: Row) -> Seen:
        """Make the value of one result."""
        number, address, sent, received, times, reason, ports, _ = row
        if received and not ports:
            return Seen(self.devices[number].name, Status.OK, address, sent, received, tuple(times), (), reason)
        words = tuple((port, word) for port, word in ports)
        status = self._status(received, reason, words)
        if status is Status.FAILED and not reason:
            reason = ", ".join(f"{port} {word}" for port, word in words if word != OPEN)
        return Seen(self.devices[number].name, status, address, sent, received, tuple(times), words, reason)

    def _status(self, received: int, reason: str, ports: tuple[tuple[int, str], ...]) -> Status:
        if not received:
            return Status.FAILED if reason in _NAMELESS or reason in _OURS else Status.UNREACHABLE
        if self.ports and any(word != OPEN for _, word in ports):
            return Status.FAILED
        return Status.OK

    def outcome(self, seen: Seen, row: Row) -> Outcome:
        """Make the outcome of one result."""
        output = details(seen, row[7]) if self.outputs else ""
        return Outcome(seen.device, seen.status, self._summary(seen), output, sum(seen.times_ms) / 1000)

    def _summary(self, seen: Seen) -> str:
        if not seen.ports:
            return pinged(seen)
        return connected(seen) if self.ports else spared(seen)


def pinged(seen: Seen) -> str:
    """Loss and mean time of pings, or why there is no answer."""
    if seen.received:
        mean, lost = sum(seen.times_ms) / len(seen.times_ms), 100 * (seen.sent - seen.received) / seen.sent
        return f"{lost:.0f}% loss, {milliseconds(mean)}" if lost else f"0% loss, {milliseconds(mean)}"
    if seen.reason in _NAMELESS or seen.sent < 2:
        return seen.reason
    why = "" if seen.reason == NO_ANSWER else f" ({seen.reason})"
    return f"{NO_ANSWER} to {seen.sent} pings{why}"


def connected(seen: Seen) -> str:
    """Each port, and how fast the device answered."""
    said = ", ".join(f"{port} {word}" for port, word in seen.ports)
    return f"{said}, {milliseconds(min(seen.times_ms))}" if seen.times_ms else said


def spared(seen: Seen) -> str:
    """One port that was tried in place of a ping; that it was is said once, for all devices."""
    (port, word), *_ = seen.ports
    if word == REFUSED:
        return f"refuses TCP {port}, so it is up, in {milliseconds(seen.times_ms[0])}"
    if word == OPEN:
        return f"answers on TCP {port} in {milliseconds(seen.times_ms[0])}"
    return f"no answer on TCP {port}" if word == NO_ANSWER else f"TCP {port}: {word}"


def details(seen: Seen, extra: int) -> str:
    """Say all that is known of one device."""
    to = f"{seen.device} ({seen.address})" if seen.address and seen.address != seen.device else seen.device
    if seen.ports:
        return "\n".join([to, *(f"TCP {port}: {word}" for port, word in seen.ports), *_times(seen)])
    twice = f", {extra} came twice" if extra else ""
    lines = [to, f"{seen.sent} sent, {seen.received} received{twice}", *_times(seen)]
    return "\n".join([*lines, seen.reason] if seen.reason else lines)


def _times(seen: Seen) -> list[str]:
    return [" ".join(milliseconds(time)[:-3] for time in seen.times_ms) + " ms"] if seen.times_ms else []


def milliseconds(value: float) -> str:
    """Write a time with as many digits as anybody wants to read."""
    return f"{value:.2f} ms" if value < 10 else f"{value:.0f} ms"


def spare_port(variables: Mapping[str, object]) -> int:
    """Return the port where a device is managed."""
    written = variables.get("ansible_port")
    if written is not None and (text := str(written)).isascii() and text.isdigit():
        return int(text)
    return 5986 if variables.get("ansible_connection") in {"winrm", "psrp"} else 22
