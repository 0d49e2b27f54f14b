"""Whether devices answer: `ping`, `reach` and `tcp`, for one device or tens of thousands, from where the bot runs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from automation_bots.drivers import Report, Task, defaults
from automation_bots.drivers.reach import plot
from automation_bots.drivers.reach import summary as reach_summary
from automation_bots.drivers.reach.lines import HOW_TO_PERMIT, Seen, Wording, spare_port
from automation_bots.drivers.reach.process import Worker, Workers
from automation_bots.drivers.stopped import is_over, stopped
from automation_bots.errors import DriverError
from automation_bots.model import Conclusion, Device, File, Operation, Outcome, Parameter, Risk
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


def address_of(device: Device) -> str:
    """Return what to probe: a local device is this machine, whatever it is called."""
    if device.variables.get("ansible_connection") == "local" and not device.variables.get("ansible_host"):
        return "127.0.0.1"
    return device.address


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
            hosts=tuple(address_of(device) for device in task.devices),
            count=int(str(asked.get("count") or 1)),
            size=int(str(size or 56)),
            whole=whole,
            ports=tuple(ports) if isinstance(ports, Sequence) else (),
            spare_ports=tuple(spare_port(device.variables) for device in task.devices) if plain else (),
            per_second=self._per_second,
            seconds=task.seconds_left,
        )


class _Sweeping:
    """One task on its way."""

    def __init__(self, task: Task, report: Report, plan: Plan) -> None:
        self._task, self._report, self._plan = task, report, plan
        self._wording = Wording(task.devices, bool(plan.ports), len(task.devices) <= _LOOKED_AT)
        self._seen: list[Seen] = []
        self._told: set[str] = set()
        self._mute = 0  # hosts that only a ping could reach, and it is not permitted
        self._worker: Worker | None = None

    def run(self, worker: Worker) -> None:
        """Sweep, sum up, and say of devices that are left why."""
        task, began = self._task, time.monotonic()
        self._worker = worker
        task.cancel.call(self._stop)
        try:
            for rows in worker.sweep(self._plan):
                self._report.batch(list(self._outcomes(rows)))
        finally:
            self._worker = None
        left = [device.name for device in task.devices if device.name not in self._told]
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
            self._seen.append(seen)
            self._told.add(seen.device)
            yield self._wording.outcome(seen, row)

    def _conclude(self) -> None:
        task, plots = self._task, bool(self._task.parameters.get("plot"))
        spared = not self._plan.ports and any(seen.ports for seen in self._seen)
        few = 1 if task.operation.name == _REACH.name else _FEW
        if len(self._seen) <= few and not plots and not spared:
            return  # a line for each says it all
        before = task.before(ignoring=("plot",))
        said = reach_summary.conclude(self._seen, task.devices, before)
        if spared:
            said = replace(said, text=f"{said.text} {HOW_TO_PERMIT[0].upper()}{HOW_TO_PERMIT[1:]}".strip())
        self._report.conclude(self._with_picture(said) if plots else said)

    def _with_picture(self, said: Conclusion) -> Conclusion:
        """Add the picture; without it the rest is told all the same."""
        times = {seen.device: seen.times_ms for seen in self._seen}
        by_group: dict[str, list[float]] = {}
        for device in self._task.devices:
            for group in device.groups or ("no group",):
                by_group.setdefault(group, []).extend(times.get(device.name, ()))
        try:
            return replace(said, files=(*said.files, File("latency.png", plot.latency(by_group))))
        except DriverError as error:
            return replace(said, text=f"{said.text} No picture: {error}".strip())
