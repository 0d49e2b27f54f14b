"""Why a packet did not go or did not arrive, as the kernel of this machine says it."""

from __future__ import annotations

import errno
import os
import socket
import struct

from automation_bots.sweep.packets import V4, Trouble, described

_EXTENDED = struct.Struct("=IBBBBII")  # struct sock_extended_err
_LOCAL = 1
_SENDING = {
    errno.ENETUNREACH: "no route",
    errno.EHOSTUNREACH: "no route",
    errno.EADDRNOTAVAIL: "no route",
    errno.EINVAL: "no route: a black hole",
    errno.EACCES: "no route: prohibited",
    errno.EPERM: "a firewall of this machine forbids it",
    errno.ENETDOWN: "the network interface is down",
    errno.ENODEV: "the network interface is gone",
    errno.EMSGSIZE: "too big to leave this machine whole",
    errno.EMFILE: "this machine has no file handle left",
    errno.ENFILE: "this machine has no file handle left",
    errno.ECONNRESET: "connection reset",
    errno.ETIMEDOUT: "no answer",
}


def sending(error: OSError) -> str:
    """Put a failed send or connect into words."""
    return _SENDING.get(error.errno or 0) or f"cannot be sent: {os.strerror(error.errno or errno.EIO).lower()}"


def queued(sock: socket.socket, family: int) -> tuple[Trouble, ...] | None:
    """Take one error from the socket's queue; None when there is no more, empty when it says nothing to us."""
    try:
        _, notes, _, address = sock.recvmsg(256, 512, socket.MSG_ERRQUEUE)
    except OSError:
        return None
    for _, _, data in notes:
        if len(data) < _EXTENDED.size:
            continue
        number, origin, kind, code, _, info, _ = _EXTENDED.unpack_from(data)
        target = str(address[0])
        if origin == _LOCAL:
            trouble: Trouble | None = Trouble(target, sending(OSError(number, "")), final=number == errno.EMSGSIZE)
        else:
            trouble = described(family, target, kind, code, info & 0xFFFF if family == V4 else info)
        return (trouble,) if trouble else ()
    return ()
