"""A network interface whose other end is this program: it answers pings late, twice, not at all, or with an error."""

from __future__ import annotations

import fcntl
import os
import select
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable

from tests.fakes.netns import Namespace

_TUNSETIFF, _TUN, _NO_INFO = 0x400454CA, 0x0001, 0x1000
ROUTER = socket.inet_aton("198.18.255.253")

Answer = tuple[float, str, int]  # seconds from now, what (reply, or an ICMP error's "type/code"), its MTU
Rule = Callable[[int], list[Answer]]  # by number of the try, from 1


class Wire:
    """198.18.0.0/16 is behind it; addresses without a rule are silent."""

    def __init__(self, machine: Namespace) -> None:
        self.rules: dict[str, Rule] = {}
        self._tries: Counter[str] = Counter()
        with machine.inside():
            self._tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(self._tun, _TUNSETIFF, struct.pack("16sH", b"wire", _TUN | _NO_INFO))
        machine.run("ip", "addr", "add", "198.18.255.254/16", "dev", "wire")
        machine.run("ip", "link", "set", "wire", "up")
        self._due: list[tuple[float, bytes]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def forget(self) -> None:
        """Be silent everywhere again."""
        self.rules = {}
        self._tries.clear()

    def close(self) -> None:
        """Pull it out."""
        self._stopping.set()
        self._thread.join()
        os.close(self._tun)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            if select.select([self._tun], [], [], 0.005)[0]:
                self._take(os.read(self._tun, 65_536))
            now = time.monotonic()
            for _, packet in (ready := [entry for entry in self._due if entry[0] <= now]):
                os.write(self._tun, packet)
            self._due = [entry for entry in self._due if entry not in ready]

    def _take(self, packet: bytes) -> None:
        if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_ICMP or packet[20] != 8:
            return
        target = socket.inet_ntoa(packet[16:20])
        self._tries[target] += 1
        rule = self.rules.get(target, lambda _number: [])
        for seconds, what, mtu in rule(self._tries[target]):
            answer = _reply(packet) if what == "reply" else _error(packet, what, mtu)
            self._due.append((time.monotonic() + seconds, answer))


def _reply(packet: bytes) -> bytes:
    return _ip(packet[16:20], packet[12:16], _icmp(b"\0\0\0\0" + packet[24:]))


def _error(packet: bytes, what: str, mtu: int) -> bytes:
    kind, code = map(int, what.split("/"))
    return _ip(ROUTER, packet[12:16], _icmp(struct.pack("!BBHI", kind, code, 0, mtu) + packet[:28]))


def _ip(source: bytes, target: bytes, payload: bytes) -> bytes:
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, socket.IPPROTO_ICMP, 0) + source + target
    return head[:10] + _sum(head) + head[12:] + payload


def _icmp(message: bytes) -> bytes:
    return message[:2] + _sum(message) + message[4:]


def _sum(data: bytes) -> bytes:
    data += b"\0" * (len(data) & 1)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!H", ~total & 0xFFFF)
