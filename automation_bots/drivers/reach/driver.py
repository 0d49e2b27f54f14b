"""Whether devices answer: `ping`, `reach` and `tcp`, for one device or tens of thousands, from where the bot runs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from automation_bots.drivers import Report, Task, defaults
from automation_bots.drivers.reach import plot
from automation_bots.drivers.reach.lines import HOW_TO_PERMIT, Wording, spare_port
from automation_bots.drivers.reach.process import Worker, Workers
from automation_bots.drivers.reach.summary import Tally
from automation_bots.drivers.stopped import is_over, stopped
from automation_bots.errors import AutomationError, DriverError
from automation_bots.model import Conclusion, File, Operation, Outcome, Parameter, Risk
from automation_bots.sweep.plan import NOT_PERMITTED, Plan, Row

_LOOKED_AT = 1000  # with more devices, nobody looks at each closely
_FEW = 20
_COUNT = "how many pings to each device that answers"
_PORT = "TCP ports, such as 22,443"

_PING = Operation(
    name="ping",
    help="Whether devices answer, how fast, and how much gets lost",
    risk=Risk.READ,
    driver="reach",
    parameters=(Parameter("count", "int", required=False, default=3, minimum=1, maximum=20, help=_COUNT),),
    examples=("ping all", "ping core count=10"),
    group="Reach",
)
_REACH = Operation(
    name="reach",
    help="Which devices answer, by group and site; without devices, all of yours",
    risk=Risk.READ,
    driver="reach",
    parameters=(
        Parameter("tcp", "numbers", required=False, minimum=1, maximum=65535, help=f"{_PORT}, instead of pings"),
        Parameter("count", "int", required=False, default=1, minimum=1, maximum=20, help=_COUNT),
        Parameter("size", "int", required=False, minimum=12, maximum=65_000, help="bytes of data in a ping"),
        Parameter("df", "bool", required=False, help="never in fragments: with --size, what fits through"),
        Parameter("plot", "bool", required=False, help="with a picture of the latency by group"),
    ),
    devices="every",
    examples=("reach", "reach core --tcp 22,443", "reach core --count 3 --size 1400 --df", "reach all --plot"),
    group="Reach",
)
_TCP = Operation(
    name="tcp",
    help="Whether something listens on TCP ports of devices",
    risk=Risk.READ,
    driver="reach",
    parameters=(Parameter("ports", "numbers", minimum=1, maximum=65535, help=_PORT, last=True),),
    examples=("tcp core1 22", "tcp 22,443 on core"),
    group="Reach",
)


def operations() -> tuple[Operation, ...]:
    """Return what this driver offers."""
    return _PING, _REACH, _TCP


class Reach:
    """Sweeps all devices of a task in a worker process; `through` is a command that starts it elsewhere."""

    name = "reach"

    def __init__(
        self, *, packets_per_second: float = defaults.REACH_PACKETS_PER_SECOND, through: tuple[str, ...] = ()
    ) -> None:
        self._per_second = packets_per_second
        self._workers = Workers(through)

    def run(self, task: Task, report: Report) -> None:
        """Report devices as they answer, then how it stands with all of them."""
        if not task.devices:
            return
        if is_over(task):
            report.batch([stopped(task, device.name, started=False) for device in task.devices])
            return
        with self._workers.one() as worker:
            _Sweeping(task, report, self._plan(task)).run(worker)

    def _plan(self, task: Task) -> Plan:
        defaults = {parameter.name: parameter.default for parameter in task.operation.parameters}
        asked: Mapping[str, object] = {**defaults, **task.parameters}
        ports = asked.get("tcp") or asked.get("ports") or ()
        size, whole = asked.get("size"), bool(asked.get("df"))
        plain = not ports and not size and not whole  # what only ICMP can tell has no other way
        return Plan(
            hosts=tuple([device.address for device in task.devices]),
            count=int(str(asked.get("count") or 1)),
            size=int(str(size or 56)),
            whole=whole,
            ports=tuple(ports) if isinstance(ports, Sequence) else (),
            spare_ports=tuple([spare_port(device.variables) for device in task.devices]) if plain else (),
            per_second=self._per_second,
            seconds=task.seconds_left,
        )


class _Sweeping:
    """One task on its way."""

    def __init__(self, task: Task, report: Report, plan: Plan) -> None:
        self._task, self._report, self._plan = task, report, plan
        self._wording = Wording(task.devices, bool(plan.ports), len(task.devices) <= _LOOKED_AT)
        self._tally = Tally(task.devices)
        self._plots = bool(task.parameters.get("plot"))
        self._before: Mapping[str, str] | None = None  # what came of each the last time
        self._mute = 0  # hosts that only a ping could reach, and it is not permitted
        self._worker: Worker | None = None

    def run(self, worker: Worker) -> None:
        """Sweep, sum up, and say of devices that are left why."""
        task, began = self._task, time.monotonic()
        self._worker = worker
        task.cancel.call(self._stop)
        try:
            results = worker.sweep(self._plan)
            with suppress(AutomationError):  # else it is asked for again when it is needed
                self._look_back()  # now, while the first answers are on their way
            for rows in results:
                self._report.batch(list(self._outcomes(rows)))
        finally:
            self._worker = None
        left = [device.name for device in task.devices if device.name not in self._tally.seen]
        if is_over(task):
            seconds = time.monotonic() - began
            self._report.batch([stopped(task, name, started=True, seconds=seconds) for name in left])
        elif self._mute:
            raise DriverError(HOW_TO_PERMIT)
        elif left:
            raise DriverError(f"the sweep broke off. {worker.close()}".strip())
        self._conclude()

    def _stop(self) -> None:
        worker = self._worker
        if worker is not None:  # else it may already work for somebody else
            worker.kill()

    def _outcomes(self, rows: list[Row]) -> Iterator[Outcome]:
        for row in rows:
            if row[5] == NOT_PERMITTED:
                self._mute += 1
                continue
            seen = self._wording.seen(row)
            self._tally.add(row[0], seen)
            yield self._wording.outcome(seen, row)

    def _is_summed_up(self, devices: int) -> bool:
        return self._plots or devices > (1 if self._task.operation.name == _REACH.name else _FEW)

    def _look_back(self) -> None:
        if self._is_summed_up(len(self._task.devices)):
            self._before = self._task.before(ignoring=("plot",))

    def _conclude(self) -> None:
        spared = not self._plan.ports and self._tally.has_ports
        if not (self._is_summed_up(len(self._tally.seen)) or spared):
            return  # a line for each says it all
        if self._before is None:
            self._before = self._task.before(ignoring=("plot",))
        said = self._tally.conclude(self._before)
        if spared:
            said = replace(said, text=f"{said.text} {HOW_TO_PERMIT[0].upper()}{HOW_TO_PERMIT[1:]}".strip())
        self._report.conclude(self._with_picture(said) if self._plots else said)

    def _with_picture(self, said: Conclusion) -> Conclusion:
        """Add the picture; without it the rest is told all the same."""
        times = {name: seen.times_ms for name, seen in self._tally.seen.items()}
        by_group: dict[str, list[float]] = {}
        for device in self._task.devices:
            for group in device.groups or ("no group",):
                by_group.setdefault(group, []).extend(times.get(device.name, ()))
        try:
            return replace(said, files=(*said.files, File("latency.png", plot.latency(by_group))))
        except DriverError as error:
            return replace(said, text=f"{said.text} No picture: {error}".strip())
