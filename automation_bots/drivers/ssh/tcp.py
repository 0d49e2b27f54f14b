"""Open a TCP connection inside the SSH process; every failure is a sentence."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import socket
from typing import Any

from automation_bots.drivers.ssh.access import Access, LoginFailed

_REASONS = {
    errno.ECONNREFUSED: "refused the connection; is anything listening on that port?",
    errno.EHOSTUNREACH: "cannot be reached: no route to host",
    errno.ENETUNREACH: "cannot be reached: no route to its network",
    errno.ECONNRESET: "closed the connection before SSH began; is it overloaded, or not the SSH port?",
}
NO_FILE = {errno.EMFILE, errno.ENFILE}


class NoFile(LoginFailed):
    """No file handle is left; another try may find one."""

    def __init__(self) -> None:
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        super().__init__(
            f"this machine has no file handle left for another connection (the limit is {limit}); "
            "raise it (LimitNOFILE), or lower parallel or keep in [drivers.ssh]"
        )


async def opened(access: Access, seconds: float) -> socket.socket:
    """Return a connected socket, trying each address of the name; NoSession says why there is none."""
    found = await _addresses(access)
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    problem = errno.EADDRNOTAVAIL
    for left, place in zip(range(len(found), 0, -1), found, strict=True):
        # One dead address (IPv6 often is) must leave time for the others.
        sock, problem = await _tried(place, (end - loop.time()) / left)
        if sock is not None:
            return sock
    if problem in NO_FILE:
        raise NoFile
    raise LoginFailed(f"{access.where} {_reason(problem, seconds)}")


async def _tried(place: tuple[Any, ...], seconds: float) -> tuple[socket.socket | None, int]:
    """Return the socket, or None and the error number."""
    family, kind, protocol, _, address = place
    try:
        sock = socket.socket(family, kind, protocol)
    except OSError as error:  # a machine without IPv6, or without a file handle left
        return None, error.errno or errno.EIO
    try:
        sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.timeout(max(0.05, seconds)):
            await asyncio.get_running_loop().sock_connect(sock, address)
    except TimeoutError:
        sock.close()
        return None, errno.ETIMEDOUT
    except OSError as error:
        sock.close()
        return None, error.errno or errno.EIO
    except asyncio.CancelledError:
        sock.close()
        raise
    return sock, 0


async def _addresses(access: Access) -> list[tuple[Any, ...]]:
    if literal := _literal(access):
        return literal
    try:
        return list(await asyncio.get_running_loop().getaddrinfo(access.host, access.port, type=socket.SOCK_STREAM))
    except OSError as error:
        if error.errno in NO_FILE:
            raise NoFile from error
        raise LoginFailed(_unresolved(access.host)) from error
    except UnicodeError as error:
        raise LoginFailed(_unresolved(access.host)) from error


def _unresolved(host: str) -> str:
    return f"the name {host!r} does not resolve; set ansible_host to an address, or mend the DNS"


def _literal(access: Access) -> list[tuple[Any, ...]]:
    """Return an address that is written as one: a thread for the resolver would cost more than the connection."""
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, access.host)
        except OSError:
            continue
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (access.host, access.port))]
    return []


def _reason(problem: int, seconds: float) -> str:
    if problem == errno.ETIMEDOUT:
        return f"did not answer within {seconds:.0f} s"
    return _REASONS.get(problem) or f"cannot be reached: {os.strerror(problem)}"
