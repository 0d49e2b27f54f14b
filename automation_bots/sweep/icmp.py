"""Pings all targets of one family through one socket: sends as the pace allows, and counts what comes back."""

from __future__ import annotations

import errno
from collections import deque
from collections.abc import Callable
from time import perf_counter

from automation_bots.sweep import kernel_errors
from automation_bots.sweep.echo_socket import EchoSocket
from automation_bots.sweep.pace import Pace
from automation_bots.sweep.packets import Trouble
from automation_bots.sweep.plan import NO_ANSWER, Plan

_BURST = 16  # packets between two looks at what came back: more would make answers look slow
_FULL = {errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM}


class Target:
    """One address, and what came of it so far."""

    __slots__ = ("address", "done", "extra", "numbers", "reason", "received", "sent", "times", "waiting", "worst")

    def __init__(self, address: str, number: int) -> None:
        self.address = address
        self.numbers = [number]  # the hosts that have this address
        self.sent = self.received = 0
        self.waiting = 0  # probes that may still be answered
        self.times: list[float] = []
        self.worst = 0.0
        self.reason = ""
        self.extra = 0  # answers that came twice
        self.done = False


class Pinger:
    """All targets of one family. `finished` is called with each as it ends."""

    def __init__(self, family: int, plan: Plan, pace: Pace, finished: Callable[[Target], None]) -> None:
        self._echo = EchoSocket(family, self._answered, self._note, size=plan.size, whole=plan.whole)
        self.sock, self.receive, self.close = self._echo.sock, self._echo.receive, self._echo.close
        self._plan, self._pace, self._finished = plan, pace, finished
        self._targets: dict[str, Target] = {}
        self._ready: deque[Target] = deque()
        self._silent: deque[Target] = deque()  # whose next try is due: when all have had their first
        self._again: deque[tuple[float, Target]] = deque()  # both in the order of time
        self._expiring: deque[tuple[float, int]] = deque()
        self._probed: list[Target] = []  # by number of the probe
        self._left_at: list[float] = []
        self._state = bytearray()  # of each probe: 0 waits, 1 answered, 2 given up
        self.open = 0

    def add(self, address: str, number: int) -> None:
        """Take a target; a second host of the same address costs no second ping."""
        known = self._targets.get(address)
        if known is not None and not known.done:
            known.numbers.append(number)
            return
        target = self._targets[address] = Target(address, number)
        self._ready.append(target)
        self.open += 1

    # -- what is due

    def work(self) -> bool:
        """Give up what was not answered in time and send what is due; whether more could be sent at once."""
        now = perf_counter()
        self._expire(now)
        while self._again and self._again[0][0] <= now:
            self._ready.append(self._again.popleft()[1])
        allowed = min(len(self._ready) + len(self._silent), self._pace.allowed(now))
        while allowed > 0:
            some = min(allowed, _BURST)
            if not self._burst(some):
                return False
            self.receive()
            allowed -= some
            if perf_counter() - now > 0.02:  # answers, results and the other family want their turn
                return True
        return False

    def _burst(self, packets: int) -> bool:
        """Send so many; False when the kernel takes no more for now."""
        send = self._echo.send
        wait, deadline = self._plan.wait, self._expiring.append
        before = len(self._probed)
        for _ in range(packets):
            target = (self._ready or self._silent).popleft()
            number, now = len(self._probed), perf_counter()
            try:
                send(number, target.address)
            except OSError as error:
                if self._echo.concerns_another():
                    self._ready.appendleft(target)
                    continue
                if error.errno in _FULL:
                    self._ready.appendleft(target)
                    break
                self._refused(target, error)
                continue
            self._probed.append(target)
            self._left_at.append(now)
            self._state.append(0)
            target.sent += 1
            target.waiting += 1
            deadline((now + wait, number))
        else:
            self._pace.sent(len(self._probed) - before)
            return True
        self._pace.sent(len(self._probed) - before)
        return False

    def _refused(self, target: Target, error: OSError) -> None:
        """The kernel would not send: no route, a firewall of ours, too big."""
        if not target.done:
            target.sent += 1
            target.reason = kernel_errors.sending(error)
            self._end(target)

    def _expire(self, now: float) -> None:
        expiring, state = self._expiring, self._state
        while expiring and expiring[0][0] <= now:
            number = expiring.popleft()[1]
            if state[number]:
                continue
            target = self._probed[number]
            if target.worst > self._plan.wait * 1000 and now - self._left_at[number] < 2 * target.worst / 1000:
                expiring.append((now + self._plan.wait, number))  # a slow one: what is late may still come
                continue
            state[number] = 2
            target.waiting -= 1
            if not target.done:
                self._next(target, now)

    def _next(self, target: Target, now: float) -> None:
        """Go on with a target whose probe was answered or given up."""
        plan = self._plan
        most = plan.count if target.received else max(plan.count, plan.tries)
        if target.sent >= most:
            if target.waiting <= 0:
                self._end(target)
        elif target.received:
            self._again.append((now + plan.interval, target))
        elif target.waiting <= 0:
            self._silent.append(target)

    def _end(self, target: Target) -> None:
        if target.done:
            return
        target.done = True
        if target.received:
            target.reason = ""
        elif not target.reason:
            target.reason = NO_ANSWER
        self.open -= 1
        self._finished(target)

    # -- what comes back

    def _answered(self, number: int, now: float) -> None:
        if number >= len(self._state):
            return
        target, before = self._probed[number], self._state[number]
        if target.done:
            return
        if before == 1:
            target.extra += 1
            return
        took = (now - self._left_at[number]) * 1000
        self._state[number] = 1
        target.received += 1
        target.times.append(took)
        if took > target.worst:
            target.worst = took
        if not before:
            target.waiting -= 1
            self._next(target, now)
        elif target.sent >= self._plan.count and target.waiting <= 0:
            self._end(target)

    def _note(self, trouble: Trouble) -> None:
        target = self._targets.get(trouble.target)
        if target is None or target.done:
            return
        target.reason = trouble.reason
        if trouble.final:
            self._end(target)
