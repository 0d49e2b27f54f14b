"""Hears syslog on ports of its own, UDP and TCP: a thread that never waits for anything but what comes in."""

from __future__ import annotations

import logging
import selectors
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from automation_bots.alerts.sources.syslog.framing import Frames
from automation_bots.errors import in_words
from automation_bots.inventory.same_device import host

log = logging.getLogger(__name__)
_AT_ONCE = 200  # datagrams of one socket before the others have their turn
_READ = 65_536
_BUFFER = 4_194_304  # bytes that the system shall keep while we are busy
_OVERFLOW = getattr(socket, "SO_RXQ_OVFL", 40)  # Linux: how many it could not keep
_COUNT = struct.Struct("=I")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where to listen, and how much may come: 0 is no port."""

    address: str = "127.0.0.1"
    udp: int = 0
    tcp: int = 0
    size: int = 8_192  # bytes of a message
    connections: int = 200
    each: int = 10  # connections of one sender


@dataclass(slots=True)
class _Talk:
    """One connection."""

    sender: str
    frames: Frames


class Listener:
    """Gives every message with the address that it came from to `hear`, which must neither wait nor raise."""

    def __init__(self, ports: Ports, hear: Callable[[str, bytes], None]) -> None:
        self._ports, self._hear = ports, hear
        self._sockets = selectors.DefaultSelector()
        self._talks: Counter[str] = Counter()
        self._lost: dict[int, int] = {}  # by socket, as the system counts
        self._waker, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="syslog ports", daemon=True)
        self.bound: dict[str, int] = {}  # udp, tcp: the port that was opened

    @property
    def lost(self) -> int:
        """How many datagrams the system could not keep for us."""
        return sum(self._lost.values())

    def open(self) -> None:
        """Open the ports, or raise OSError; nothing is heard before `start`."""
        try:
            if self._ports.udp:
                self._opened(socket.SOCK_DGRAM, self._ports.udp, "udp")
            if self._ports.tcp:
                self._opened(socket.SOCK_STREAM, self._ports.tcp, "tcp")
        except OSError:
            self._close()
            raise

    def start(self) -> None:
        """Begin to hear."""
        self._sockets.register(self._woken, selectors.EVENT_READ, None)
        self._thread.start()

    def stop(self) -> None:
        """Close the ports; what the system still kept for them is lost, as it is with every end of a program."""
        self._waker.send(b"x")
        if self._thread.is_alive():
            self._thread.join(5)

    def _opened(self, kind: socket.SocketKind, port: int, name: str) -> None:
        family, _, _, _, place = socket.getaddrinfo(
            self._ports.address, max(0, port), type=kind, flags=socket.AI_PASSIVE | socket.AI_NUMERICHOST
        )[0]
        made = socket.socket(family, kind)
        self._sockets.register(made, selectors.EVENT_READ, self._datagrams if name == "udp" else self._arrived)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        if name == "tcp":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            _count_losses(made)
        made.settimeout(0)
        made.bind(place)
        if name == "tcp":
            made.listen(64)
        self.bound[name] = made.getsockname()[1]

    def _run(self) -> None:
        try:
            while True:
                for key, _ in self._sockets.select():
                    if key.data is None:
                        return
                    self._turn(key)
        finally:
            self._close()

    def _turn(self, key: selectors.SelectorKey) -> None:
        try:
            key.data(key.fileobj)
        except OSError as error:  # of one socket: a network that went away for a moment
            log.debug("syslog: %s", in_words(error))

    def _datagrams(self, made: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                message, more, _, place = made.recvmsg(_READ, 64)
            except BlockingIOError:
                return
            for level, kind, data in more:
                if (level, kind) == (socket.SOL_SOCKET, _OVERFLOW) and len(data) >= _COUNT.size:
                    self._lost[made.fileno()] = _COUNT.unpack_from(data)[0]
            self._hear(host(str(place[0])), message[: self._ports.size])

    def _arrived(self, made: socket.socket) -> None:
        talk, place = made.accept()
        sender = host(str(place[0]))
        if self._talks.total() >= self._ports.connections or self._talks[sender] >= self._ports.each:
            talk.close()
            log.warning("syslog: a connection of %s was closed, there are too many", sender)
            return
        talk.settimeout(0)
        self._talks[sender] += 1
        state = _Talk(sender, Frames(self._ports.size))
        self._sockets.register(talk, selectors.EVENT_READ, lambda one: self._said(one, state))

    def _said(self, talk: socket.socket, state: _Talk) -> None:
        try:
            data = talk.recv(_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        for message in state.frames.feed(data) if data else state.frames.end():
            self._hear(state.sender, message)
        if not data:
            self._sockets.unregister(talk)
            talk.close()
            self._talks[state.sender] -= 1
            self._talks += Counter()  # forgets those who have none

    def _close(self) -> None:
        for key in list((self._sockets.get_map() or {}).values()):
            self._sockets.unregister(key.fileobj)
            key.fileobj.close()  # type: ignore[union-attr]
        self._sockets.close()
        self._waker.close()


def _count_losses(made: socket.socket) -> None:
    """Let the system say what it could not keep, where it can."""
    try:
        made.setsockopt(socket.SOL_SOCKET, _OVERFLOW, 1)
    except OSError:
        log.debug("this system does not say what it loses")
