"""Whether devices answer: `ping` by the system's own tool, from where the bot runs."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from automation_bots.drivers import Report, Task
from automation_bots.drivers import reach_output as output
from automation_bots.drivers.reach_output import Finding, Printed
from automation_bots.errors import DriverError
from automation_bots.model import Device, Operation, Outcome, Parameter, Risk, Status, one_line

_TCP_SECONDS = 2.0
_PING = Operation(
    name="ping",
    help="Whether devices answer, how fast, and how much gets lost",
    risk=Risk.READ,
    driver="reach",
    parameters=(
        Parameter("count", "int", required=False, default=3, minimum=1, maximum=20, help="how many pings to each"),
    ),
    examples=("ping all", "ping core count=10"),
    group="Reach",
)


def operations() -> tuple[Operation, ...]:
    """Return what this driver offers."""
    return (_PING,)


def find_tool(name: str) -> str | None:
    """Return the path of a tool; a service's PATH often lacks the folders for administrators."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/local/sbin")


def address_of(device: Device) -> str:
    """Return what to ping: a local device is this machine, whatever it is called."""
    if device.variables.get("ansible_connection") == "local" and not device.variables.get("ansible_host"):
        return "127.0.0.1"
    return device.address


class Reach:
    """Runs one tool for each device, `parallel` at a time; stops them all when the task is cancelled."""

    name = "reach"

    def __init__(self, *, parallel: int = 64, find: Callable[[str], str | None] = find_tool) -> None:
        self._parallel = parallel
        self._find = find

    def run(self, task: Task, report: Report) -> None:
        """Report each device as its tool ends; devices that were not finished in time are left to the dispatcher."""
        if not task.devices:
            return
        probe = _Probe(task, report, self._look(task))
        task.cancel.call(probe.tools.stop)
        with ThreadPoolExecutor(min(self._parallel, len(task.devices)), "reach") as pool:
            futures = [pool.submit(probe.device, device) for device in task.devices]
        try:
            for future in futures:
                future.result()
        except OSError as error:
            raise DriverError(f"{task.operation.name} could not be started: {error}") from error

    def _look(self, task: Task) -> _Look:
        return _Ping(self._find("ping"), int(task.parameters.get("count") or 3))


_Look = Callable[["_Tools", Device], "tuple[Finding, Printed] | None"]


class _Probe:
    """One run: what to look at, and where to say what was seen."""

    def __init__(self, task: Task, report: Report, look: _Look) -> None:
        self.tools = _Tools(task.deadline)
        self._task = task
        self._report = report
        self._look = look

    def device(self, device: Device) -> None:
        if self._task.cancel.is_set() or not self._task.seconds_left:
            return
        started = time.monotonic()
        seen = self._look(self.tools, device)
        if seen is None:
            return
        finding, printed = seen
        self._report.outcome(
            Outcome(
                device.name, finding.status, finding.summary, printed.text, time.monotonic() - started, printed.code
            )
        )


class _Tools:
    """The tools that run now, so that they can be stopped together."""

    def __init__(self, deadline: float) -> None:
        self._deadline = deadline
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._stopped = False

    def stop(self) -> None:
        """Kill what runs, and let nothing more start."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.kill()

    def run(self, argv: list[str]) -> Printed | None:
        """Run one tool to its end; None when it was stopped, or the time limit was reached."""
        process = self._start(argv)
        if process is None:
            return None
        try:
            out, err = process.communicate(timeout=max(0.0, self._deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return None
        finally:
            with self._lock:
                self._running.discard(process)
        return None if self._stopped else Printed(process.returncode, out, err)

    def _start(self, argv: list[str]) -> subprocess.Popen[str] | None:
        with self._lock:
            if self._stopped:
                return None
            process = subprocess.Popen(  # noqa: S603 - an argument list, with the address after `--`
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env={"LC_ALL": "C"},  # the output is read by us, so it has to be in English
            )
            self._running.add(process)
            return process


class _Ping:
    def __init__(self, tool: str | None, count: int) -> None:
        self._tool = tool
        self._count = count

    def __call__(self, tools: _Tools, device: Device) -> tuple[Finding, Printed] | None:
        if not self._tool:
            return _tcp(device, "no ping tool here")
        # macOS counts -W in milliseconds. A shorter pause than the usual second: three pings in half a second.
        wait = "1000" if sys.platform == "darwin" else "1"
        options = ["-c", str(self._count), "-i", "0.2", "-W", wait, "-n"]
        try:
            printed = tools.run([self._tool, *options, "--", address_of(device)])
        except PermissionError:  # only root may start it here
            return _tcp(device, "ping is not permitted here")
        if printed is None:
            return None
        finding = output.ping(printed, self._count)
        return (finding, printed) if finding else _tcp(device, "ping is not permitted here")


def _tcp(device: Device, why: str) -> tuple[Finding, Printed]:
    """Open and close a connection to where the device is managed: weaker than ping, but needs nothing."""
    port = _port(device)
    started = time.monotonic()
    try:
        socket.create_connection((address_of(device), port), _TCP_SECONDS).close()
        status, said = Status.OK, f"answers on TCP {port}"
    except ConnectionRefusedError:
        status, said = Status.OK, f"refuses TCP {port}, so it is up,"
    except (socket.gaierror, UnicodeError):
        return Finding(Status.FAILED, output.RESOLVES_NOT), Printed(2, "")
    except OSError as error:
        detail = "" if isinstance(error, TimeoutError) else f": {error.strerror}"
        return Finding(Status.UNREACHABLE, one_line(f"no answer on TCP {port}{detail} ({why})")), Printed(1, "")
    took = output.milliseconds((time.monotonic() - started) * 1000)
    return Finding(status, f"{said} in {took} ({why})"), Printed(0, "")


def _port(device: Device) -> int:
    written = str(device.variables.get("ansible_port", ""))
    return int(written) if written.isascii() and written.isdigit() else 22
