"""Open a TCP connection that a cancelled job does not have to wait for; every failure is a sentence."""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Callable
from typing import Any

from automation_bots.drivers.ssh.access import LoginFailed

_STEP = 0.1  # seconds between two looks at `stopping` while the other side is silent
_REASONS = {
    errno.ECONNREFUSED: "refused the connection; is anything listening on that port?",
    errno.EHOSTUNREACH: "cannot be reached: no route to host",
    errno.ENETUNREACH: "cannot be reached: no route to its network",
    errno.ECONNRESET: "reset the connection",
}


def opened(host: str, port: int, seconds: float, stopping: Callable[[], bool]) -> socket.socket:
    """Return a connected socket, trying each address of the name; NoSession says why there is none."""
    found = _addresses(host, port)
    end = time.monotonic() + seconds
    for left, place in zip(range(len(found), 0, -1), found, strict=True):
        # One dead address (IPv6 often is) must leave time for the others.
        sock, problem = _tried(place, (end - time.monotonic()) / left, stopping)
        if sock is not None:
            return sock
        if left == 1 or stopping():
            raise LoginFailed(f"{host}:{port} {_reason(problem, seconds)}")
    raise LoginFailed(f"the name {host} has no address")


def _tried(place: tuple[Any, ...], seconds: float, stopping: Callable[[], bool]) -> tuple[socket.socket | None, int]:
    """Return the socket, or None and the error number."""
    family, kind, protocol, _, address = place
    try:
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:  # a machine without IPv6, or without a file handle left
        return None, error.errno or errno.EIO
    problem = _connect(sock, address, seconds, stopping)
    if problem:
        sock.close()
        return None, problem
    return sock, 0


def _addresses(host: str, port: int) -> list[tuple[Any, ...]]:
    try:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except (socket.gaierror, UnicodeError) as error:
        text = f"the name {host!r} does not resolve; set ansible_host to an address, or mend the DNS"
        raise LoginFailed(text) from error


def _connect(sock: socket.socket, address: Any, seconds: float, stopping: Callable[[], bool]) -> int:
    """Return 0, or the error number."""
    end = time.monotonic() + seconds
    sock.settimeout(0)
    problem = sock.connect_ex(address)
    if problem != errno.EINPROGRESS:
        return problem
    waiting = select.poll()
    waiting.register(sock, select.POLLOUT)
    while time.monotonic() < end and not stopping():
        if waiting.poll(_STEP * 1000):
            return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return errno.ETIMEDOUT


def _reason(problem: int, seconds: float) -> str:
    if problem == errno.ETIMEDOUT:
        return f"did not answer within {seconds:.0f} s"
    return _REASONS.get(problem) or f"cannot be reached: {os.strerror(problem)}"
