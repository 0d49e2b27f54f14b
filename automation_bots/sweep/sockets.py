"""The one socket that pings all targets of a family: unprivileged where the kernel lets it, raw else."""

from __future__ import annotations

import contextlib
import socket
import struct
from dataclasses import dataclass

from automation_bots.sweep.packets import V4

_BUFFER = 64 << 20  # a packet to a neighbour that is not known yet is kept by the kernel, and counts, for seconds
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33
_SOL_RAW, _ICMP_FILTER = 255, 1
_ICMPV6_FILTER = 1
_IP_MTU_DISCOVER, _IPV6_MTU_DISCOVER, _IPV6_DONTFRAG = 10, 23, 62
_IP_RECVERR, _IPV6_RECVERR = 11, 25
_DO, _DONT = 2, 0
_WANTED = {V4: (0, 3, 11, 12), 10: (1, 2, 3, 4, 129)}


class NotPermitted(Exception):
    """Neither kind of socket is allowed to this user."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A socket, and which kind it is."""

    sock: socket.socket
    raw: bool


def opened(family: int, *, whole: bool) -> Opened:
    """Open the socket; NotPermitted when neither kind is allowed, OSError when the family is not there."""
    protocol = socket.IPPROTO_ICMP if family == V4 else socket.IPPROTO_ICMPV6
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            sock = socket.socket(family, kind, protocol)
        except PermissionError:
            continue
        except OSError:
            if kind == socket.SOCK_RAW:
                raise
            continue
        raw = kind == socket.SOCK_RAW
        _set_up(sock, family, raw=raw, whole=whole)
        return Opened(sock, raw)
    raise NotPermitted


def _set_up(sock: socket.socket, family: int, *, raw: bool, whole: bool) -> None:
    sock.settimeout(0)
    for forced, plain in ((_SO_SNDBUFFORCE, socket.SO_SNDBUF), (_SO_RCVBUFFORCE, socket.SO_RCVBUF)):
        try:
            sock.setsockopt(socket.SOL_SOCKET, forced, _BUFFER)
        except OSError:  # not permitted: as much as everybody may have
            sock.setsockopt(socket.SOL_SOCKET, plain, _BUFFER)
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 0)
    level = socket.IPPROTO_IP if family == V4 else socket.IPPROTO_IPV6
    if not raw:
        sock.setsockopt(level, _IP_RECVERR if family == V4 else _IPV6_RECVERR, 1)
    elif family == V4:
        sock.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", _all_but(_WANTED[V4]) & 0xFFFFFFFF))
    else:
        mask = _all_but(_WANTED[family])
        words = [(mask >> shift) & 0xFFFFFFFF for shift in range(0, 256, 32)]
        sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMPV6_FILTER, struct.pack("=8I", *words))
    _fragments(sock, family, level, whole=whole)


def _fragments(sock: socket.socket, family: int, level: int, *, whole: bool) -> None:
    sock.setsockopt(level, _IP_MTU_DISCOVER if family == V4 else _IPV6_MTU_DISCOVER, _DO if whole else _DONT)
    if family != V4 and whole:
        sock.setsockopt(level, _IPV6_DONTFRAG, 1)


def _all_but(types: tuple[int, ...]) -> int:
    """A bit for each ICMP type that is not wanted."""
    return ~sum(1 << number for number in types) & ((1 << 256) - 1)
