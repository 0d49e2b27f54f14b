"""Witnesses of whether the bot itself has a network: its next routers, and addresses beyond them that admins name."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from automation_bots.sweep.probes import PING, Probe

_ROUTES, _ROUTES6 = Path("/proc/net/route"), Path("/proc/net/ipv6_route")
_AGAIN_SECONDS = 60.0  # between two looks at the routes
_EVERY_SECONDS = 2.0
_REFERENCE_SECONDS = 5.0  # they are machines of others
_GATEWAY = 0x2  # RTF_GATEWAY

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def default_gateways(routes: Path = _ROUTES) -> frozenset[str]:
    """Return the addresses of the routers that everything goes to that is not near."""
    return frozenset(via for network, via in _routes4(routes) if via and not network.prefixlen)


def near_networks(routes: Path = _ROUTES, routes6: Path = _ROUTES6) -> tuple[Network, ...]:
    """Return the networks that this machine is in itself."""
    found = [network for network, via in _routes4(routes) if not via and network.prefixlen]
    return (*found, *_near6(routes6))


def _routes4(routes: Path) -> Iterator[tuple[ipaddress.IPv4Network, str]]:
    """Give each route with the router that it goes by, if any."""
    for words in _lines(routes)[1:]:
        with suppress(ValueError, IndexError):
            numbers = (words[1], words[2], words[7])
            destination, gateway, mask = (socket.inet_ntoa(struct.pack("<L", int(one, 16))) for one in numbers)
            via = gateway if int(words[3], 16) & _GATEWAY else ""
            yield ipaddress.IPv4Network(f"{destination}/{mask}"), via


def _near6(routes: Path) -> Iterator[Network]:
    for words in _lines(routes):
        with suppress(ValueError, IndexError):
            network = ipaddress.IPv6Network((int(words[0], 16), int(words[1], 16)))
            is_own = 0 < network.prefixlen < 128 and not network.is_multicast and words[-1] != "lo"
            if is_own and not int(words[8], 16) & _GATEWAY:
                yield network


def _lines(path: Path) -> list[list[str]]:
    try:
        return [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return []


def host_of(host: str) -> str:
    """The name or address in what is probed, which may be a web address."""
    return urlsplit(host).hostname or "" if "://" in host else host


def is_here(host: str) -> bool:
    """Whether an address is this machine's own, which answers without any network."""
    name = host_of(host)
    if name in {"localhost", ""}:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class _Witnesses:
    """Some that are looked at, by the numbers of their probes."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.answered: dict[int, tuple[float, bool]] = {}  # those that ever answered: the last look

    @property
    def answers(self) -> bool | None:
        """Whether one of them answers; None: there is none that ever did."""
        return any(good for _, good in self.answered.values()) if self.answered else None

    def waits(self, since: float) -> bool:
        return bool(self.answered) and all(at < since for at, _ in self.answered.values())


class Gateways:
    """Which there are, and whether they answer. Their probes, and those of references, have numbers below nothing."""

    def __init__(
        self,
        routes: Callable[[], frozenset[str]] = default_gateways,
        networks: Callable[[], Sequence[Network]] = near_networks,
        references: Collection[str] = (),
    ) -> None:
        self._routes, self._networks = routes, networks
        self._routers, self._references = _Witnesses(), _Witnesses()
        self._wanted = tuple(dict.fromkeys(references))
        self._near: Sequence[Network] = ()
        self._next, self._serial = 0.0, 0

    def look(self, now: float) -> tuple[list[Probe], list[int]] | None:
        """Return what to begin and to leave; None while there is nothing to do."""
        if now < self._next:
            return None
        self._next = now + _AGAIN_SECONDS
        self._near = self._networks() or self._near  # those that are gone are perhaps the very loss
        fresh = [self._probe(self._references, one, _REFERENCE_SECONDS) for one in self._unknown()]
        known, numbers = self._routes(), self._routers.numbers
        if not known or known == numbers.keys():  # as above
            return (fresh, []) if fresh else None
        gone = [numbers.pop(address) for address in list(numbers) if address not in known]
        fresh += [self._probe(self._routers, one, _EVERY_SECONDS) for one in sorted(known - numbers.keys())]
        for number in gone:
            self._routers.answered.pop(number, None)
        return fresh, gone

    def _unknown(self) -> list[str]:
        return [one for one in self._wanted if one not in self._references.numbers]

    def _probe(self, of: _Witnesses, address: str, every: float) -> Probe:
        self._serial -= 1
        of.numbers[address] = self._serial
        return Probe(self._serial, PING, address, every)

    def take(self, number: int, at: float, *, answered: bool) -> None:
        """Take a look; one that never answers pings is no witness."""
        of = self._references if self.is_reference(number) else self._routers
        if answered or number in of.answered:
            of.answered[number] = (at, answered)

    def is_reference(self, number: int) -> bool:
        """Whether a probe looks beyond the router."""
        return number in self._references.numbers.values()

    def is_near(self, host: str, addresses: Sequence[str] = ()) -> bool | None:
        """Whether a host is in a network of this machine; None where nobody can say. A name has these addresses."""
        if not self._near:
            return None
        found = [address for one in (host_of(host), *addresses) if (address := _address(one)) is not None]
        return any(one in network for one in found for network in self._near) if found else None

    def forget(self) -> list[int]:
        """Leave all."""
        numbers = [*self._routers.numbers.values(), *self._references.numbers.values()]
        self._routers, self._references, self._next = _Witnesses(), _Witnesses(), 0.0
        return numbers

    @property
    def answers(self) -> bool | None:
        """Whether a router answers; None: there is none that ever did."""
        return self._routers.answers

    @property
    def references(self) -> bool | None:
        """Whether an address beyond them answers; None: there is none that ever did."""
        return self._references.answers

    def waits(self, since: float) -> bool:
        """Whether a witness has not been looked at since then."""
        return self._routers.waits(since) or self._references.waits(since)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
