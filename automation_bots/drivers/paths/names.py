"""Addresses of names and names of addresses, asked in parallel and never waited for too long."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

FAMILIES = {"any": socket.AF_UNSPEC, "ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}


class NoAddress(Exception):
    """A name that leads nowhere; the text says why."""


def address_of(host: str, family: str) -> str:
    """Return the first address of a name, as an address that no tool can take for an option."""
    try:
        found = socket.getaddrinfo(host, None, FAMILIES[family], socket.SOCK_DGRAM)
    except (socket.gaierror, UnicodeError) as error:
        raise NoAddress(_why(error, family)) from error
    return str(found[0][4][0])


def _why(error: Exception, family: str) -> str:
    code = error.errno if isinstance(error, socket.gaierror) else None
    if code == socket.EAI_AGAIN:
        return "name does not resolve now: no DNS server answers"
    if family != "any":
        return f"name does not resolve to an {'IPv6' if family == 'ipv6' else 'IPv4'} address"
    return "name does not resolve"


def reverse(address: str) -> str:
    """Ask the system for the name of an address; empty when it has none."""
    try:
        return socket.getnameinfo((address, 0), socket.NI_NAMEREQD)[0]
    except OSError:
        return ""


class Names:
    """Looks names up beside the work, a few at a time; what is not known yet is empty."""

    def __init__(self, look: Callable[[str], str] = reverse, *, parallel: int = 8) -> None:
        self._look = look
        self._pool = ThreadPoolExecutor(parallel, "names")
        self._lock = threading.Lock()
        self._asked: dict[str, Future[str]] = {}

    def __call__(self, address: str) -> str:
        """Return the name if it is known by now; asking makes it known soon."""
        with self._lock:
            if address not in self._asked:
                self._asked[address] = self._pool.submit(self._look, address)
            answer = self._asked[address]
        return answer.result() if answer.done() else ""

    def settle(self, addresses: list[str], seconds: float) -> None:
        """Wait until these are known, but not for long."""
        for address in addresses:
            self(address)
        with self._lock:
            open_ones = [self._asked[address] for address in addresses]
        wait(open_ones, timeout=max(0.0, seconds))

    def close(self, seconds: float = 0.0) -> None:
        """Ask nothing more; what is being asked now ends by itself."""
        end = time.monotonic() + seconds
        self._pool.shutdown(wait=False, cancel_futures=True)
        wait(list(self._asked.values()), timeout=max(0.0, end - time.monotonic()))
