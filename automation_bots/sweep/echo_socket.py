"""The socket that pings: writes probes by number, says which were answered, and what others say of them."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from time import perf_counter

from automation_bots.sweep import kernel_errors
from automation_bots.sweep.packets import REPLY, V4, Echo, Trouble, trouble_of
from automation_bots.sweep.sockets import opened

_NUMBER = struct.Struct("!I").unpack_from


class EchoSocket:
    """One family's. `answered` is called with a probe's number and when; `troubled` with what went wrong."""

    def __init__(
        self,
        family: int,
        answered: Callable[[int, float], None],
        troubled: Callable[[Trouble], None],
        *,
        size: int = 56,
        whole: bool = False,
    ) -> None:
        socket = opened(family, whole=whole)
        self.sock, self.raw = socket.sock, socket.raw
        self._family, self._answered, self._troubled = family, answered, troubled
        self._identifier = int.from_bytes(os.urandom(2), "big")
        self._magic = os.urandom(8)
        self._echo = Echo(family, self._identifier, self._magic, size)
        self._buffer = bytearray(65_600)
        self._view = memoryview(self._buffer)

    def send(self, number: int, address: str) -> None:
        """Send a probe, or raise the kernel's OSError."""
        self.sock.sendto(self._echo.packet(number), (address, 0))

    def close(self) -> None:
        """Let the socket go."""
        self.sock.close()

    def receive(self) -> None:
        """Take all that has come."""
        receive, buffer, view, raw4 = self.sock.recv_into, self._buffer, self._view, self.raw and self._family == V4
        reply, magic = REPLY[self._family], self._magic
        while True:
            try:
                size = receive(buffer)
            except BlockingIOError:
                return
            except OSError:
                self.look_at_errors()
                continue
            start = (buffer[0] & 15) << 2 if raw4 else 0
            if size < start + 20:
                continue
            if buffer[start] != reply:
                self._other(bytes(view[start:size]))
            elif view[start + 8 : start + 16] == magic:  # else it is somebody else's ping
                self._answered(_NUMBER(buffer, start + 16)[0], perf_counter())

    def _other(self, message: bytes) -> None:
        if self.raw and (trouble := trouble_of(self._family, message, self._identifier)):
            self._troubled(trouble)

    def concerns_another(self) -> bool:
        """Whether a send failed for what an earlier packet met: so an unprivileged socket tells its errors."""
        return not self.raw and self.look_at_errors()

    def look_at_errors(self) -> bool:
        """Read the queue in which an unprivileged socket keeps what went wrong."""
        found = list(self._errors())
        for trouble in found:
            self._troubled(trouble)
        return bool(found)

    def _errors(self) -> Iterator[Trouble]:
        while (found := kernel_errors.queued(self.sock, self._family)) is not None:
            yield from found
