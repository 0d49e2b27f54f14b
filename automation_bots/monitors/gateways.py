"""The next routers of this machine, looked at beside the targets: a witness of whether the bot itself has a network."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from automation_bots.sweep.probes import PING, Probe

_ROUTES = Path("/proc/net/route")
_AGAIN_SECONDS = 60.0  # between two looks at the routes
_EVERY_SECONDS = 2.0
_GATEWAY = 0x2  # RTF_GATEWAY


def default_gateways(routes: Path = _ROUTES) -> frozenset[str]:
    """Return the addresses of the routers that everything goes to that is not near."""
    try:
        lines = routes.read_text().splitlines()[1:]
    except OSError:
        return frozenset()
    found = set()
    for line in lines:
        with suppress(ValueError, IndexError):
            _, destination, gateway, flags, *_ = line.split()
            if int(destination, 16) == 0 and int(flags, 16) & _GATEWAY:
                found.add(socket.inet_ntoa(struct.pack("<L", int(gateway, 16))))
    return frozenset(found)


def is_here(host: str) -> bool:
    """Whether an address is this machine's own, which answers without any network."""
    name = urlsplit(host).hostname or "" if "://" in host else host
    if name in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class Gateways:
    """Which there are, and whether they answer. Their probes have numbers below nothing."""

    def __init__(self, routes: Callable[[], frozenset[str]] = default_gateways) -> None:
        self._routes = routes
        self._numbers: dict[str, int] = {}
        self._answered: dict[int, tuple[float, bool]] = {}  # those that ever answered: the last look
        self._next, self._serial = 0.0, 0

    def look(self, now: float) -> tuple[list[Probe], list[int]] | None:
        """Return what to begin and to leave; None while there is nothing to do."""
        if now < self._next:
            return None
        self._next = now + _AGAIN_SECONDS
        known = self._routes()
        if not known or known == self._numbers.keys():  # routes that are gone are perhaps the very loss
            return None
        gone = [self._numbers.pop(address) for address in list(self._numbers) if address not in known]
        fresh = []
        for address in sorted(known - self._numbers.keys()):
            self._serial -= 1
            self._numbers[address] = self._serial
            fresh.append(Probe(self._serial, PING, address, _EVERY_SECONDS))
        for number in gone:
            self._answered.pop(number, None)
        return fresh, gone

    def take(self, number: int, at: float, *, answered: bool) -> None:
        """Take a look; one that never answers pings is no witness."""
        if answered or number in self._answered:
            self._answered[number] = (at, answered)

    def forget(self) -> list[int]:
        """Leave all."""
        numbers = list(self._numbers.values())
        self._numbers, self._answered, self._next = {}, {}, 0.0
        return numbers

    @property
    def answers(self) -> bool | None:
        """Whether one of them answers; None: there is none that ever did."""
        return any(good for _, good in self._answered.values()) if self._answered else None

    def waits(self, since: float) -> bool:
        """Whether a witness has not been looked at since then."""
        return bool(self._answered) and all(at < since for at, _ in self._answered.values())
