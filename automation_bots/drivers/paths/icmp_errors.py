"""Which router says that a packet is too big: asked with a UDP packet, since ping trusts the kernel's memory."""

from __future__ import annotations

import select
import socket
import struct

_DISCOVER = {socket.AF_INET: (socket.IPPROTO_IP, 10), socket.AF_INET6: (socket.IPPROTO_IPV6, 23)}  # IP_MTU_DISCOVER
_RECEIVE = {socket.AF_INET: (socket.IPPROTO_IP, 11), socket.AF_INET6: (socket.IPPROTO_IPV6, 25)}  # IP_RECVERR
_PROBE = 3  # IP_PMTUDISC_PROBE: never a fragment, whatever the kernel remembers
_HEADERS = {socket.AF_INET: 28, socket.AF_INET6: 48}
_PORT = 33434  # where traceroute sends, and nobody listens
_FROM_ROUTER = (2, 3)  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6
_ERROR = struct.Struct("=IBBBBII")  # sock_extended_err
_SECONDS = 1.0


def narrow_hop(address: str, mtu: int) -> str:
    """Return who refuses a packet of one byte more; empty when nobody says anything."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(*_DISCOVER[family], _PROBE)
            sock.setsockopt(*_RECEIVE[family], 1)
            sock.connect(socket.getaddrinfo(address, _PORT, family, socket.SOCK_DGRAM)[0][4])
            sock.send(bytes(mtu + 1 - _HEADERS[family]))
            return _refused_by(sock)
    except OSError:  # this machine's own link is the narrow one, or there is no such thing here
        return ""


def _refused_by(sock: socket.socket) -> str:
    waiting = select.poll()
    waiting.register(sock, 0)  # errors are always told
    if not waiting.poll(_SECONDS * 1000):
        return ""
    _, about, _, _ = sock.recvmsg(1, 512, socket.MSG_ERRQUEUE)
    for _, _, data in about:
        number, origin, *_ = _ERROR.unpack_from(data)
        if origin in _FROM_ROUTER and number == 90:  # EMSGSIZE
            return _offender(data[_ERROR.size :])
    return ""


def _offender(name: bytes) -> str:
    """The address in the socket name that follows the error."""
    family = struct.unpack_from("=H", name)[0]
    if family == socket.AF_INET:
        return socket.inet_ntop(socket.AF_INET, name[4:8])
    return socket.inet_ntop(socket.AF_INET6, name[8:24])
