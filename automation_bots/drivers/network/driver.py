"""The network driver: command lines and getters of network devices, in a process that may hang or die by itself.

Who does what: `own_operations` are the commands, `device_requests` what each asks and tells, `device_task` one device's
share, `child` the process, `child_run` its ways there (`session/prompt_reader` on asyncssh for reads and for lines
of a configuration, netmiko in threads for the rest), `config` how one is changed.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from automation_bots.drivers import Report, Task, defaults
from automation_bots.drivers.child_process import Child
from automation_bots.drivers.network import device_requests
from automation_bots.drivers.network.archive import Archive
from automation_bots.drivers.network.child import DONE
from automation_bots.drivers.network.device_task import ConnectionOptions, work_on
from automation_bots.drivers.network.messages import DeviceReply, DeviceRequest
from automation_bots.drivers.network.process_pool import Processes
from automation_bots.drivers.network.show.report import NetworkRequest
from automation_bots.drivers.output import cut
from automation_bots.drivers.ssh.known_hosts import KnownHosts
from automation_bots.drivers.stopped import is_over, stopped, why_over
from automation_bots.errors import AutomationError
from automation_bots.model import Device, Outcome, Risk, Status, one_line

log = logging.getLogger(__name__)
_ROOT = Path(__file__).parents[3]
_TICK_SECONDS = 0.1
_GOES_BACK_SECONDS = 12.0  # what a change that is stopped may take to undo itself


class Network:
    """Talks to network devices; one process for each job."""

    name = "network"

    def __init__(
        self,
        options: ConnectionOptions | Path,
        data: Path,
        *,
        parallel: int = defaults.NETWORK_PARALLEL,
        threads: int = defaults.NETWORK_THREADS,
        output_limit: int = defaults.OUTPUT_LIMIT,
        keep_days: int = 0,
    ) -> None:
        self.options = options if isinstance(options, ConnectionOptions) else ConnectionOptions(KnownHosts(options))
        self.archive = Archive(data, keep_days)
        self.parallel, self.threads = parallel, threads
        self.output_limit = output_limit
        self.processes = Processes(max(output_limit * 4, 1_000_000, self.options.config_limit // 4))

    def run(self, task: Task, report: Report) -> None:
        """Ask all devices, report each as it answers, then sum up."""
        request = device_requests.request_of(task, self.archive)
        self.archive.tidy()
        run = _Run(self, task, report, request)
        work = [share for device in task.devices if (share := run.share(device)) is not None]
        if work:
            run.ask(work)
        if (said := request.conclusion()) is not None:
            report.conclude(replace(said, configuration_of=run.configuration_of))


class _Run:
    """One run of the driver."""

    def __init__(self, driver: Network, task: Task, report: Report, request: NetworkRequest) -> None:
        self._driver, self._task, self._report, self._request = driver, task, report, request
        self._devices: dict[str, Device] = {}
        self._configurations: dict[str, str] = {}  # devices that are asked for one → platform
        self._began = time.monotonic()

    @property
    def configuration_of(self) -> str:
        """The platform of the configurations that are told of; `network` where there are several."""
        platforms = set(self._configurations.values())
        return platforms.pop() if len(platforms) == 1 else "network" if platforms else ""

    def share(self, device: Device) -> DeviceRequest | None:
        """Return what to ask a device; what can be said without asking is reported at once."""
        if is_over(self._task):
            self._report.outcome(stopped(self._task, device.name, started=False))
            return None
        try:
            asked = self._request.ask(device)
            if isinstance(asked, Outcome):
                self._report.outcome(asked)
                return None
            work = work_on(device, self._task, self._driver.options, *asked)
        except AutomationError as error:
            self._report.outcome(Outcome(device.name, Status.FAILED, one_line(str(error), 500)))
            return None
        self._devices[device.name] = device
        if device_requests.is_of_configuration(work):
            self._configurations[device.name] = device.platform
        return work

    def ask(self, work: list[DeviceRequest]) -> None:
        """Have a process do it, and take what it finds until the end; one that ended its work well is kept."""
        child = self._driver.processes.take()
        whole = False
        try:
            child.send(json.dumps(self._order(work, child.report_fd)).encode() + b"\n")
            whole = self._follow(child)
        finally:
            printed = self._driver.processes.give(child, whole=whole)
        for name in list(self._devices):
            self._lost(name, printed)

    def _order(self, work: list[DeviceRequest], fd: int) -> Mapping[str, Any]:
        return {
            "parent": os.getpid(),
            "fd": fd,
            "paths": [str(_ROOT), *sys.path],
            "limit": self._driver.output_limit,
            "config_limit": self._driver.options.config_limit,
            "parallel": self._driver.parallel,
            "threads": self._driver.threads,
            "keep_seconds": self._driver.options.keep_seconds,
            "graceful": self._changes,
            "work": [asdict(share) for share in work],
        }

    @property
    def _changes(self) -> bool:
        return self._task.job.risk is Risk.CHANGE and not self._task.check

    def _follow(self, child: Child) -> bool:
        """Return whether the process did all of its work."""
        while not child.ended():
            if is_over(self._task):
                self._stop(child)
                return False
            if self._take(child, min(_TICK_SECONDS, self._task.seconds_left)):
                return True
        while self._take(child, 0) is False:
            pass
        return False

    def _stop(self, child: Child) -> None:
        """A change gets the time to go back to where it began."""
        child.terminate()
        until = time.monotonic() + (_GOES_BACK_SECONDS if self._changes and self._can_go_back else 1.0)
        while time.monotonic() < until and self._devices and not child.ended():
            if self._take(child, _TICK_SECONDS):
                return

    @property
    def _can_go_back(self) -> bool:
        return isinstance(self._request, device_requests.Config)

    def _take(self, child: Child, seconds: float) -> bool | None:
        """Take one message; True: it was the last; None: there was none."""
        message = child.message(seconds)
        if message is None:
            return None
        items = message.get("items", ())
        written = all(self._written(item["device"], item["before"]) for item in items if "before" in item)
        if found := [self._found(dict(item)) for item in items if "before" not in item]:
            self._report.batch(found)
        child.send(DONE if written else b"!")
        return message.get("kind") == "end"

    def _written(self, device: str, before: str) -> bool:
        """Keep what a change is about to replace, before anything is sent; the bot may not live to see its end."""
        try:
            self._driver.archive.remember(self._task.job.number, device, {"before": before, "after": ""})
        except AutomationError:
            log.exception("job %s: what is replaced on %s cannot be kept", self._task.job.number, device)
            return False
        return True

    def _found(self, item: dict[str, Any]) -> Outcome:
        device = self._devices.pop(item.pop("device"))
        rows = tuple(tuple(row) for row in item["rows"])
        text = cut(item["text"], self._driver.output_limit)
        found = DeviceReply(**{**item, "text": text, "header": tuple(item["header"]), "rows": rows})
        if found.status == Status.CANCELLED and is_over(self._task):
            found = replace(found, summary=f"{why_over(self._task)}: {found.summary}")
        try:
            outcome = self._request.outcome(device, found)
        except AutomationError as error:
            outcome = Outcome(device.name, Status.FAILED, one_line(str(error), 500))
        limited = cut(outcome.output, self._driver.output_limit)
        told = self._configurations.get(device.name, "")
        return replace(outcome, output=limited, seconds=self._seconds, configuration_of=told)

    @property
    def _seconds(self) -> float:
        return round(time.monotonic() - self._began, 3)

    def _lost(self, name: str, printed: str) -> None:
        """Tell of a device whose answer never came."""
        del self._devices[name]
        if is_over(self._task):
            self._report.outcome(stopped(self._task, name, started=True, seconds=self._seconds))
            return
        status = Status.UNKNOWN if self._changes else Status.FAILED
        last = next((line for line in reversed(printed.splitlines()) if line.strip()), "no reason given")
        self._report.outcome(Outcome(name, status, one_line(f"the process for network devices ended: {last}", 500)))
