"""The questions beside ping: `traceroute`, `mtu` and `dns`, from where the bot runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from automation_bots.drivers import Report, Task
from automation_bots.drivers.paths import dns as paths_dns
from automation_bots.drivers.paths.mtu import Mtu
from automation_bots.drivers.paths.names import FAMILIES, Names, NoAddress, address_of, reverse
from automation_bots.drivers.paths.probe import Finding, Look
from automation_bots.drivers.paths.system_tools import Tools, find_tool
from automation_bots.drivers.paths.traceroute import Route
from automation_bots.drivers.stopped import is_over, stopped
from automation_bots.errors import DriverError, in_words
from automation_bots.model import GOOD, Conclusion, Device, Operation, Outcome, Parameter, Risk, Status

_SHOWN = 12  # devices in the live message
_WHOLE = 6  # devices whose outputs are shown whole at the end
_FAMILY = Parameter(
    "family", required=False, default="any", choices=tuple(FAMILIES), help="which of a name's addresses to use"
)
_TRACEROUTE = Operation(
    name="traceroute",
    help="The way to a device, hop by hop",
    risk=Risk.READ,
    driver="paths",
    parameters=(
        Parameter("tcp", "int", required=False, minimum=1, maximum=65535, help="with TCP packets to this port"),
        Parameter("hops", "int", required=False, default=20, minimum=1, maximum=64, help="how far to look at most"),
        _FAMILY,
    ),
    examples=("traceroute core1", "traceroute core1 --tcp 443", "traceroute core --hops 8"),
    group="Reach",
)
_MTU = Operation(
    name="mtu",
    help="The largest packet that comes through to a device whole, and where the way is narrow",
    risk=Risk.READ,
    driver="paths",
    parameters=(_FAMILY,),
    examples=("mtu core1", "mtu core1 --family ipv6"),
    group="Reach",
)


def operations() -> tuple[Operation, ...]:
    """Return what this driver offers."""
    return _TRACEROUTE, _MTU, paths_dns.OPERATION


def no_device(_person: str, _name: str) -> str:
    """Stand in where there is no inventory."""
    return ""


@dataclass(frozen=True, slots=True)
class Sight:
    """How the driver finds things: the system's tools, the names of hops, the addresses of the inventory."""

    tool: Callable[[str], str | None] = find_tool
    name: Callable[[str], str] = reverse
    device: Callable[[str, str], str] = no_device  # (person, device) -> its address, if that person may know it


SYSTEM = Sight()


class Paths:
    """Looks from here to each device, `parallel` at a time."""

    name = "paths"

    def __init__(self, *, parallel: int = 16, sight: Sight = SYSTEM) -> None:
        self._parallel = parallel
        self._sight = sight

    def run(self, task: Task, report: Report) -> None:
        """Report each device as its look ends; what was stopped keeps what was seen until then."""
        if task.operation.name == "dns":
            report.outcome(paths_dns.ask(task, self._sight.device))
            return
        if not task.devices:
            return
        names = Names(self._sight.name)
        tools = Tools(task.deadline)
        task.cancel.call(tools.stop)
        try:
            survey = _Survey(task, report, self._look(task, tools, names))
            with ThreadPoolExecutor(min(self._parallel, len(task.devices)), "paths") as pool:
                list(pool.map(survey.device, task.devices))
            survey.conclude()
        except OSError as error:
            raise DriverError(f"{task.operation.name} could not be started: {in_words(error)}") from error
        finally:
            names.close()

    def _look(self, task: Task, tools: Tools, names: Names) -> Look:
        if task.operation.name == "mtu":
            return Mtu(tools, names, self._sight.tool)
        return Route(task, tools, names, self._sight.tool)


class _Survey:
    """One run: the look at each device, and the live words on all of them."""

    def __init__(self, task: Task, report: Report, look: Look) -> None:
        self._task = task
        self._report = report
        self._look = look
        self._lock = threading.Lock()
        self._live: dict[str, list[str]] = {}
        self._ended: dict[str, Outcome] = {}

    def device(self, device: Device) -> None:
        if is_over(self._task):
            self._end(stopped(self._task, device.name, started=False))
            return
        began = time.monotonic()
        finding = self._found(device)
        seconds = time.monotonic() - began
        with self._lock:
            seen = self._live.pop(device.name, [])
        if finding is None:
            text = "\n".join(seen)
            self._end(stopped(self._task, device.name, started=True, seconds=seconds, output=text))
            return
        self._end(Outcome(device.name, finding.status, finding.summary, finding.output, seconds))

    def _end(self, outcome: Outcome) -> None:
        with self._lock:
            self._ended[outcome.device] = outcome
        self._report.outcome(outcome)

    def conclude(self) -> None:
        """Show how far each came where one was not reached: of good outputs alone the recap does so itself."""
        ended = [self._ended[device.name] for device in self._task.devices]
        if len(ended) > _WHOLE or all(outcome.status in GOOD for outcome in ended):
            return
        parts = [f"── {o.device}: {o.summary}\n{o.output}".strip() for o in ended if o.output]
        if parts:
            self._report.conclude(Conclusion(block="\n".join(parts)))

    def _found(self, device: Device) -> Finding | None:
        try:
            address = address_of(device.address, str(self._task.parameters.get("family") or "any"))
        except NoAddress as error:
            whose = "" if device.address == device.name else f"{device.address}: "
            return Finding(Status.FAILED, f"{whose}{error}")
        return self._look(address, lambda lines: self._tell(device.name, lines))

    def _tell(self, device: str, lines: list[str]) -> None:
        with self._lock:
            self._live[device] = lines
            if len(self._task.devices) == 1:
                shown = lines
            else:
                live = sorted(self._live.items())[:_SHOWN]
                shown = [f"{name}  {' '.join(said[-1].split())}" for name, said in live if said]
        self._report.progress("", shown)
