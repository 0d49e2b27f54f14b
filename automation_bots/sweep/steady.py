"""Probes the same targets again and again, each at its own interval, and measures how late it is itself."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import heapq
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

from automation_bots.sweep import kernel_errors, probes
from automation_bots.sweep.echo_socket import EchoSocket
from automation_bots.sweep.names import Found, literal, look_up
from automation_bots.sweep.pace import Pace
from automation_bots.sweep.packets import Trouble
from automation_bots.sweep.plan import NO_ANSWER, NOT_PERMITTED, OPEN, REFUSED
from automation_bots.sweep.probes import BAD, GOOD, NOTHING, Look, Probe
from automation_bots.sweep.sockets import NotPermitted
from automation_bots.sweep.tcp import connect, file_handles
from automation_bots.sweep.worker import Printer

PING_SECONDS = 2.0  # that an answer may take
CONNECT_SECONDS = 5.0
_AGAIN_SECONDS = 2.0  # after a failure, so that an outage is sure soon, whatever the interval
_FAILURES = 3
_TICK = 0.005
_BURST = 32  # probes between two looks at what came back
_PER_SECOND = 5_000.0
_RESOLVED_SECONDS = 300.0  # a name's address may change
_AT_ONCE = 16  # names that are looked up
_FLUSH_SECONDS = 0.1


class _Target:
    """One probe on its way."""

    __slots__ = ("address", "failures", "probe", "resolved")

    def __init__(self, probe: Probe) -> None:
        self.probe = probe
        self.address: Found | None = literal(probe.host) if probe.kind != probes.HTTP else None
        self.resolved = float("inf") if self.address else 0.0  # when its name was looked up
        self.failures = 0


class _Pings:
    """All pings of one family: those that wait for an answer, in the order of their time."""

    def __init__(self, family: int, answered: Callable[[_Sent, float | None, str], None]) -> None:
        self._answered = answered
        self.socket = EchoSocket(family, self._received, self._noted)
        self._waiting: dict[int, _Sent] = {}
        self._expiring: deque[tuple[float, int]] = deque()
        self._reasons: dict[str, str] = {}  # what machines on the way say, by address
        self._number = 0

    def send(self, sent: _Sent, address: str) -> None:
        """Send one, or say why it did not go."""
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        try:
            self._send(number, address)
        except OSError as error:
            self._answered(sent, None, kernel_errors.sending(error))
            return
        self._waiting[number] = sent
        self._expiring.append((sent.left + PING_SECONDS, number))

    def _send(self, number: int, address: str) -> None:
        try:
            self.socket.send(number, address)
        except OSError:
            if not self.socket.concerns_another():
                raise
            self.socket.send(number, address)

    def expire(self, now: float) -> None:
        """Give up what was not answered in time."""
        while self._expiring and self._expiring[0][0] <= now:
            sent = self._waiting.pop(self._expiring.popleft()[1], None)
            if sent is not None:
                address = sent.target.address[1] if sent.target.address else ""
                self._answered(sent, None, self._reasons.pop(address, NO_ANSWER))

    def _received(self, number: int, now: float) -> None:
        sent = self._waiting.pop(number, None)
        if sent is not None:
            self._answered(sent, (now - sent.left) * 1000, "")

    def _noted(self, trouble: Trouble) -> None:
        self._reasons[trouble.target] = trouble.reason


class _Sent:
    """A probe that left: when, and how late that was."""

    __slots__ = ("at", "late", "left", "target")

    def __init__(self, target: _Target, late: float) -> None:
        self.target, self.late = target, late
        self.left, self.at = perf_counter(), time.time()


class Steady:
    """All probes of all monitors in one loop; `told` is called with each look."""

    def __init__(self, told: Callable[[Look], None]) -> None:
        self._told = told
        self._targets: dict[int, _Target] = {}
        self._due: list[tuple[float, int, bool]] = []  # the last: at its regular time
        self._pings: dict[int, _Pings | str] = {}
        self._pace = Pace(_PER_SECOND)
        self._tasks: set[asyncio.Task[None]] = set()
        self._most = file_handles()
        self._threads = ThreadPoolExecutor(_AT_ONCE, "name")

    def take(self, line: bytes) -> None:
        """Begin and leave what is asked for."""
        add, drop = probes.ordered(line)
        now = perf_counter()
        for probe in add:
            self._targets[probe.number] = _Target(probe)
            heapq.heappush(self._due, (now + probe.begin, probe.number, True))
        for number in drop:
            self._targets.pop(number, None)
        gc.collect()
        gc.freeze()  # tens of thousands of targets are no garbage, and looking them through takes time

    async def run(self) -> None:
        """Probe for ever."""
        while True:
            now = perf_counter()
            for pings in self._ready():
                pings.expire(now)
            more = self._send_due(now)
            for pings in self._ready():
                pings.socket.receive()
            await asyncio.sleep(0 if more else self._rest())

    def _rest(self) -> float:
        ahead = self._due[0][0] - perf_counter() if self._due else _TICK * 10
        return min(max(ahead, _TICK), _TICK * 10)

    def _ready(self) -> list[_Pings]:
        return [pings for pings in self._pings.values() if isinstance(pings, _Pings)]

    # -- what is due

    def _send_due(self, now: float) -> bool:
        """Send what is due, as far as the pace allows; whether there is more."""
        allowed = min(self._pace.allowed(now), _BURST)
        sent = 0
        while sent < allowed and self._due and self._due[0][0] <= now and len(self._tasks) < self._most:
            due, number, regular = heapq.heappop(self._due)
            target = self._targets.get(number)
            if target is None:
                continue
            if regular:
                after = due + target.probe.interval
                heapq.heappush(self._due, (after if after > now else now + target.probe.interval, number, True))
            self._look(target, _Sent(target, max(0.0, (perf_counter() - due) * 1000)))
            sent += 1
        self._pace.sent(sent)
        return sent == _BURST

    def _look(self, target: _Target, sent: _Sent) -> None:
        kind = target.probe.kind
        if kind == probes.HTTP:
            self._begin(self._web(target, sent))
        elif sent.left - target.resolved > _RESOLVED_SECONDS or target.address is None:
            self._begin(self._named(target, sent))
        elif kind == probes.PING:
            self._ping(target, sent, *target.address)
        else:
            self._begin(self._connect(sent, *target.address, target.probe.port))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _named(self, target: _Target, sent: _Sent) -> None:
        """Look its name up first; an address that was known stays while no name server answers."""
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up, target.probe.host)
        if not isinstance(found, str):
            target.address, target.resolved = found, perf_counter()
        elif target.address is None:
            self._say(sent, NOTHING, None, found)
            return
        else:
            target.resolved = perf_counter()
        self._look(target, _Sent(target, sent.late))

    def _ping(self, target: _Target, sent: _Sent, family: int, address: str) -> None:
        pings = self._pings.get(family) or self._opened(family)
        if isinstance(pings, _Pings):
            pings.send(sent, address)
        elif pings == NOT_PERMITTED and target.probe.port:
            self._begin(self._connect(sent, family, address, target.probe.port))
        else:
            self._say(sent, NOTHING, None, pings)

    def _opened(self, family: int) -> _Pings | str:
        try:
            pings = self._pings[family] = _Pings(family, self._pinged)
        except NotPermitted:
            self._pings[family] = NOT_PERMITTED
        except OSError as error:
            self._pings[family] = kernel_errors.sending(error)
        else:
            asyncio.get_running_loop().add_reader(pings.socket.sock, pings.socket.receive)
        return self._pings[family]

    def _pinged(self, sent: _Sent, ms: float | None, reason: str) -> None:
        self._say(sent, BAD if ms is None else GOOD, ms, reason)

    async def _connect(self, sent: _Sent, family: int, address: str, port: int) -> None:
        try:
            word = await connect(family, address, port, CONNECT_SECONDS)
        except OSError as error:
            word = kernel_errors.sending(error)
        ms = (perf_counter() - sent.left) * 1000
        instead = sent.target.probe.kind == probes.PING  # whoever refuses is there
        if word == OPEN or (word == REFUSED and instead):
            self._say(sent, GOOD, ms, "")
        else:
            self._say(sent, NOTHING if "this machine" in word else BAD, None, word)

    async def _web(self, target: _Target, sent: _Sent) -> None:
        from automation_bots.sweep import web  # TLS costs some megabytes, and is not always asked for

        wanted = web.Wanted.of(target.probe.web)
        self._say(sent, *await web.look(target.probe.host, wanted, 2 * CONNECT_SECONDS))

    # -- what was seen

    def _say(self, sent: _Sent, seen: str, ms: float | None, text: str) -> None:
        target = sent.target
        number = target.probe.number
        if number not in self._targets:
            return
        target.failures = target.failures + 1 if seen == BAD else 0
        if 0 < target.failures < _FAILURES and target.probe.interval > 2 * _AGAIN_SECONDS:
            again = max(perf_counter(), sent.left + _AGAIN_SECONDS)
            heapq.heappush(self._due, (again, number, False))
        if target.failures == _FAILURES and target.address and literal(target.probe.host) is None:
            target.resolved = 0.0  # it may have moved
        self._told((number, round(sent.at, 3), round(sent.late, 2), None if ms is None else round(ms, 3), seen, text))


async def _work(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    printer = Printer(loop, descriptor)
    steady = Steady(printer.add)
    reader = asyncio.StreamReader(limit=64 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    running = [asyncio.ensure_future(steady.run()), asyncio.ensure_future(_flush(printer))]
    while line := await reader.readline():
        steady.take(line)
    for task in running:
        task.cancel()


async def _flush(printer: Printer) -> None:
    while True:
        await asyncio.sleep(_FLUSH_SECONDS)
        printer.flush()


def main() -> None:
    """Work until nobody asks any more."""
    with contextlib.suppress(BrokenPipeError, KeyboardInterrupt):
        asyncio.run(_work(1))
    os._exit(0)  # a thread that waits for a name server would keep the process


if __name__ == "__main__":
    main()
