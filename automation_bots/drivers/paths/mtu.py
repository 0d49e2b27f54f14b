"""The largest packet that comes through to an address whole: ping that forbids fragments, and what routers say."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from automation_bots.drivers.paths.icmp_errors import narrow_hop
from automation_bots.drivers.paths.names import Names
from automation_bots.drivers.paths.probe import Finding, Tell
from automation_bots.drivers.paths.system_tools import Tools
from automation_bots.errors import DriverError, in_words
from automation_bots.model import Status

_TRIES = 2  # one lost packet is not a narrow link
_IP_MTU, _IPV6_MTU = 14, 24  # <linux/in.h>, <linux/in6.h>: what the kernel knows; not in Python's socket
_SMALLEST = {socket.AF_INET: 68, socket.AF_INET6: 1280}
_HEADERS = {socket.AF_INET: 28, socket.AF_INET6: 48}
_ROUTER = re.compile(r"^From (\S+?):? .*(?:Frag needed.*mtu = (\d+)|Packet too big: mtu[=: ]+(\d+))", re.MULTILINE)
_LOCAL = re.compile(r"message too long,? mtu[=: ]+(\d+)", re.IGNORECASE)
_ANSWER = re.compile(r"^\d+ bytes from ", re.MULTILINE)


@dataclass(slots=True)
class _Search:
    """What is known so far: packets up to `good` bytes pass, those of `bad` and more do not."""

    family: socket.AddressFamily
    good: int
    bad: int
    router: str = ""  # who said so last
    silent: bool = False  # packets vanished without a word
    log: list[str] = field(default_factory=list)


class Mtu:
    """Measures one address after the other; safe to share between threads."""

    def __init__(self, tools: Tools, names: Names, find: Callable[[str], str | None]) -> None:
        self._tools = tools
        self._names = names
        if not (ping := find("ping")):
            raise DriverError("ping is not installed here; try: apt install iputils-ping")
        self._ping = ping

    def __call__(self, address: str, tell: Tell) -> Finding | None:
        """Search; None when stopped."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        try:
            known = _known_mtu(address, family)
        except OSError as error:
            return Finding(Status.UNREACHABLE, f"no route to it: {in_words(error).lower()}")
        search = _Search(family, _SMALLEST[family], known + 1)
        answered = self._permits(address, search, search.good, tell)
        if answered is None:
            return None
        if not answered:
            text = "\n".join(search.log)
            return Finding(Status.UNREACHABLE, "no answer to ping, so that nothing can be measured", text)
        return self._narrowed(address, search, known, tell)

    def _narrowed(self, address: str, search: _Search, known: int, tell: Tell) -> Finding | None:
        size = known
        while search.bad - search.good > 1:
            passed = self._permits(address, search, size, tell)
            if passed is None:
                return None
            if passed:
                search.good = size
            size = self._next(search)
        if not search.router and not search.silent:
            search.router = narrow_hop(address, search.good)  # the kernel knew it from an earlier time
        if search.router:
            self._names.settle([search.router], 2.0)
        summary = self._summary(search, known)
        return Finding(Status.OK, summary, "\n".join([*search.log, summary]))

    def _next(self, search: _Search) -> int:
        """What a router named is tried first; else the middle."""
        if search.router and not search.silent:
            return search.bad - 1
        return (search.good + search.bad) // 2

    def _permits(self, address: str, search: _Search, size: int, tell: Tell) -> bool | None:
        """Whether a packet of that size comes back; if not, what may be tried at most is lowered."""
        options = [
            "-n",
            "-M",
            "do",
            "-c",
            str(_TRIES),
            "-i",
            "0.2",
            "-W",
            "1",
            "-s",
            str(size - _HEADERS[search.family]),
        ]
        printed = self._tools.run([self._ping, *options, "--", address])
        if printed is None:
            return None
        passed = bool(_ANSWER.search(printed.text))
        said = "passes" if passed else self._lower(search, size, printed.text)
        search.log.append(f"{size:>5} bytes  {said}")
        tell(list(search.log))
        return passed

    def _lower(self, search: _Search, size: int, text: str) -> str:
        if (found := _ROUTER.search(text)) and (mtu := int(found[2] or found[3])) < size:
            search.bad, search.router = max(mtu, search.good) + 1, found[1]
            self._names(found[1])
            return f"{found[1]} lets {mtu} bytes pass at most"
        if (local := _LOCAL.search(text)) and (mtu := int(local[1])) < size:
            search.bad = max(mtu, search.good) + 1
            return f"this machine sends {mtu} bytes at most there"
        search.bad, search.silent = min(search.bad, size), size > _SMALLEST[search.family]
        return "no answer"

    def _summary(self, search: _Search, known: int) -> str:
        text = f"MTU {search.good:,} bytes".replace(",", "")
        if search.silent:
            return f"{text}; larger packets vanish without a word: a filter on the way drops the ICMP that would say so"
        if search.router:
            name = self._names(search.router)
            who = f"{name} ({search.router})" if name else search.router
            return f"{text}; the way is narrow behind {who}"
        return f"{text}, as much as this machine sends" if search.good == known else text


def _known_mtu(address: str, family: socket.AddressFamily) -> int:
    """What the kernel sends there at most; it remembers what routers have said."""
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.connect(socket.getaddrinfo(address, 9, family, socket.SOCK_DGRAM)[0][4])
        if family == socket.AF_INET6:
            return min(sock.getsockopt(socket.IPPROTO_IPV6, _IPV6_MTU), 65535)
        return min(sock.getsockopt(socket.IPPROTO_IP, _IP_MTU), 65535)
