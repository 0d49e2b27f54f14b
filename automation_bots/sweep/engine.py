"""One sweep: names, pings and connections in one loop, each result handed on as it is known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from automation_bots.sweep import kernel_errors
from automation_bots.sweep.icmp import Pinger, Target
from automation_bots.sweep.names import Found, Names, literal
from automation_bots.sweep.pace import Pace
from automation_bots.sweep.plan import NOT_PERMITTED, Plan, Result
from automation_bots.sweep.sockets import NotPermitted
from automation_bots.sweep.tcp import Connector, Host

_TICK = 0.005
_AT_ONCE = 1000


class Sweep:
    """Runs one plan; `told` is called with each host's result."""

    def __init__(self, plan: Plan, told: Callable[[Result], None]) -> None:
        self._plan, self._told = plan, told
        self._pace = Pace(plan.per_second)
        self._pingers: dict[int, Pinger | str] = {}  # or why there is none
        self._connector = Connector(plan, self._pace, self._connected)
        self._over = False

    async def run(self) -> None:
        """Probe until every host has its result."""
        names = []
        for number, host in enumerate(self._plan.hosts):
            found = literal(host)
            if found is None:
                names.append((number, host))
            else:
                self._known(number, found)
            if number % _AT_ONCE == _AT_ONCE - 1:  # the first pings are on their way while the last hosts are read
                self._work()
        resolving = asyncio.ensure_future(Names(self._known).resolve(names))
        try:
            while not resolving.done() or self._open():
                await asyncio.sleep(0 if self._work() else _TICK)
            await resolving
        finally:
            resolving.cancel()
            self._close()

    def _open(self) -> bool:
        return self._connector.open or any(pinger.open for pinger in self._ready())

    def _ready(self) -> list[Pinger]:
        return [pinger for pinger in self._pingers.values() if isinstance(pinger, Pinger)]

    def _work(self) -> bool:
        self._connector.work()
        more = [pinger.work() for pinger in self._ready()]  # each has its turn
        return any(more)

    def _close(self) -> None:
        for pinger in self._ready():
            asyncio.get_running_loop().remove_reader(pinger.sock)
            pinger.close()

    # -- a host's way

    def _known(self, number: int, found: Found | str) -> None:
        """Begin with a host whose address is known, or end with one that has none."""
        if isinstance(found, str):
            self._told(Result(number, reason=found))
            return
        family, address = found
        if self._plan.ports:
            self._connector.add(family, address, number, self._plan.ports)
            return
        pinger = self._pinger(family)
        if isinstance(pinger, Pinger):
            pinger.add(address, number)
        elif pinger == NOT_PERMITTED and self._plan.spare_ports:
            self._connector.add(family, address, number, (self._plan.spare_ports[number],))
        else:
            self._told(Result(number, address, reason=pinger))

    def _pinger(self, family: int) -> Pinger | str:
        if family not in self._pingers:
            try:
                pinger = self._pingers[family] = Pinger(family, self._plan, self._pace, self._pinged)
            except NotPermitted:
                self._pingers[family] = NOT_PERMITTED
            except OSError as error:
                self._pingers[family] = kernel_errors.sending(error)
            else:
                asyncio.get_running_loop().add_reader(pinger.sock, pinger.receive)
        return self._pingers[family]

    def _pinged(self, target: Target) -> None:
        times = [round(time, 3) for time in target.times]
        for number in target.numbers:
            found = Result(number, target.address, target.sent, target.received, times, target.reason)
            found.extra = target.extra
            self._told(found)

    def _connected(self, host: Host) -> None:
        times = [round(time, 3) for time in host.times]
        self._told(Result(host.number, host.address, host.sent, len(times), times, host.reason, host.ports))
