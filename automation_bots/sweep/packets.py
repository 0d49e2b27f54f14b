"""ICMP echo packets of both families: written, and what comes back read. Pure.

A probe is known by the eight random bytes and the number in its data, not by the 16 bits of its sequence: so there can
be more than 65,535 of them, and nobody else's pings are taken for ours.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

V4, V6 = int(socket.AF_INET), int(socket.AF_INET6)
LEAST = 12  # bytes of data that a probe needs
REQUEST, REPLY = {V4: 8, V6: 128}, {V4: 0, V6: 129}
_HEAD = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence
_NUMBER = struct.Struct("!I")
_V4_CODES = {
    0: "network unreachable", 1: "host unreachable", 2: "protocol unreachable", 3: "port unreachable",
    5: "source route failed", 6: "network unreachable", 7: "host unreachable", 9: "network prohibited",
    10: "host prohibited", 13: "prohibited by a filter",
}  # fmt: skip
_V6_CODES = {0: "no route", 1: "prohibited by a filter", 2: "beyond scope", 3: "host unreachable",
             4: "port unreachable", 5: "prohibited by a filter", 6: "no route"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a machine on the way says about a probe."""

    target: str  # whom the probe was for
    reason: str
    final: bool = False  # another try cannot help


class Echo:
    """Writes the probes of one socket."""

    def __init__(self, family: int, identifier: int, magic: bytes, size: int) -> None:
        self.magic = magic
        filling = bytes(max(0, size - LEAST))
        self._packet = bytearray(_HEAD.pack(REQUEST[family], 0, 0, identifier, 0) + magic + bytes(4) + filling)
        self._sums = family == V4  # the kernel does it for the other family
        self._base = _sum(self._packet)

    def packet(self, number: int) -> bytearray:
        """Return the packet of that number; the same memory each time."""
        packet, low = self._packet, number & 0xFFFF
        packet[6:8] = low.to_bytes(2, "big")
        packet[16:20] = number.to_bytes(4, "big")
        if self._sums:
            total = self._base + low + low + (number >> 16)
            total = (total & 0xFFFF) + (total >> 16)
            packet[2:4] = (~((total & 0xFFFF) + (total >> 16)) & 0xFFFF).to_bytes(2, "big")
        return packet


def _sum(data: bytes | bytearray) -> int:
    data = bytes(data) + b"\0" * (len(data) & 1)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def trouble_of(family: int, message: bytes, identifier: int) -> Trouble | None:
    """Read an ICMP error as a raw socket gets it, from its ICMP header on; None when it is not about our probes."""
    inner = message[8:]
    if family == V4:
        start = (inner[0] & 15) * 4 if inner else 0
        if len(inner) < start + 8 or not start or inner[9] != socket.IPPROTO_ICMP:
            return None
        target = socket.inet_ntop(socket.AF_INET, inner[16:20])
    else:
        start = 40
        if len(inner) < start + 8 or inner[6] != socket.IPPROTO_ICMPV6:
            return None
        target = socket.inet_ntop(socket.AF_INET6, inner[24:40])
    kind, _, _, whose, _ = _HEAD.unpack_from(inner, start)
    if kind != REQUEST[family] or whose != identifier:
        return None
    mtu = _NUMBER.unpack_from(message, 4)[0]
    return described(family, target, message[0], message[1], mtu & 0xFFFF if family == V4 else mtu)


def described(family: int, target: str, kind: int, code: int, mtu: int) -> Trouble | None:
    """Put an ICMP error into words."""
    if (family, kind, code) == (V4, 3, 4) or (family, kind) == (V6, 2):
        most = f"; at most {mtu} bytes pass" if mtu else ""
        return Trouble(target, f"too big to pass whole{most}", final=True)
    if (family, kind) in {(V4, 11), (V6, 3)}:
        return Trouble(target, "lost in a routing loop or too far away")
    if (family, kind) == (V4, 3):
        return Trouble(target, _V4_CODES.get(code, f"unreachable (code {code})"))
    if (family, kind) == (V6, 1):
        return Trouble(target, _V6_CODES.get(code, f"unreachable (code {code})"))
    return None
