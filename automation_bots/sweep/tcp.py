"""TCP connections to many hosts and ports, opened and closed again: as many at once as there are file handles."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import resource
import socket
from collections import deque
from collections.abc import Callable
from time import perf_counter

from automation_bots.sweep import kernel_errors
from automation_bots.sweep.pace import Pace
from automation_bots.sweep.plan import NO_ANSWER, OPEN, REFUSED, Plan

_KEPT = 48  # file handles that something else may need
_MOST = 8000
_NO_HANDLE = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_HANDLE_TRIES = 20


def file_handles() -> int:
    """Raise the limit as far as this user may, and return how many connections may be open at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return max(1, min(_MOST, (_MOST if soft == resource.RLIM_INFINITY else soft) - _KEPT))


class Host:
    """One host, and what its ports said."""

    __slots__ = ("address", "left", "number", "ports", "reason", "sent", "times")

    def __init__(self, number: int, address: str, ports: int) -> None:
        self.number, self.address, self.left = number, address, ports
        self.ports: list[tuple[int, str]] = []
        self.times: list[float] = []
        self.sent = 0
        self.reason = ""


class Connector:
    """Connects as long as there is something to connect to; `finished` is called with each host as it ends."""

    def __init__(self, plan: Plan, pace: Pace, finished: Callable[[Host], None]) -> None:
        self._pace, self._finished = pace, finished
        self._wait = plan.wait * plan.tries  # the kernel itself tries again, after one second and after three
        self._most = file_handles()
        self._due: deque[tuple[Host, int, int]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> bool:
        """Whether something is still to do."""
        return bool(self._due or self._tasks)

    def add(self, family: int, address: str, number: int, ports: tuple[int, ...]) -> None:
        """Take a host."""
        host = Host(number, address, len(ports))
        self._due.extend((host, family, port) for port in ports)

    def work(self) -> None:
        """Start as many connections as may be open now."""
        allowed = min(self._most - len(self._tasks), self._pace.allowed(perf_counter()), len(self._due), 256)
        for _ in range(allowed):
            task = asyncio.ensure_future(self._connect(*self._due.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._pace.sent(max(0, allowed))

    async def _connect(self, host: Host, family: int, port: int) -> None:
        host.sent += 1
        began = perf_counter()
        try:
            word = await connect(family, host.address, port, self._wait)
        except OSError as error:
            word = host.reason = kernel_errors.sending(error)
        if word in {OPEN, REFUSED}:
            host.times.append((perf_counter() - began) * 1000)
        elif not host.reason:
            host.reason = word
        host.ports.append((port, word))
        host.left -= 1
        if not host.left:
            host.ports.sort()
            self._finished(host)


async def connect(family: int, address: str, port: int, seconds: float) -> str:
    """Connect and hang up again: whether something listens there; OSError where it cannot be sent."""
    loop = asyncio.get_running_loop()
    with await _a_socket(family) as sock:
        sock.settimeout(0)
        try:
            async with asyncio.timeout(seconds):
                await loop.sock_connect(sock, (address, port))
        except ConnectionRefusedError:
            return REFUSED
        except TimeoutError:  # ours, or the kernel's
            return NO_ANSWER
    return OPEN


async def _a_socket(family: int) -> socket.socket:
    """Return a new socket; where file handles are short, others may let some go in a moment."""
    for left in range(_HANDLE_TRIES, -1, -1):
        try:
            return socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:
            if error.errno not in _NO_HANDLE or not left:
                raise
        await asyncio.sleep(0.1)
    raise AssertionError("unreachable")
