"""Run one command per device over SSH, hundreds of devices at once, in a process of its own."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from automation_bots.drivers import Report, Task, defaults, sudo
from automation_bots.drivers.quoting import HasCommand, quoted, refuse_windows
from automation_bots.drivers.ssh import outcomes as ssh_endings
from automation_bots.drivers.ssh.access import LoginSources, access_to
from automation_bots.drivers.ssh.frames import Frame
from automation_bots.drivers.ssh.known_hosts import KnownHosts
from automation_bots.drivers.ssh.outcomes import Asked
from automation_bots.drivers.ssh.process import SshShare, Worker
from automation_bots.drivers.stopped import is_over, stopped, why_over
from automation_bots.errors import AutomationError, DriverError
from automation_bots.model import POSIX, Device, Outcome, Risk, Status, one_line

_BATCH = 32  # devices given to the process at once, so that it begins while the others are looked up
_TOGETHER = 2_000_000  # characters of output held at most before they are reported
_STOP_SECONDS = 5.0  # in which the process must have said how each device was stopped


@dataclass(frozen=True, slots=True)
class Options:
    """[drivers.ssh] of bot.toml."""

    parallel: int = defaults.SSH_PARALLEL
    connect_seconds: float = defaults.CONNECT_SECONDS
    key_files: tuple[Path, ...] = ()
    allow_agent: bool = True
    keep_seconds: float = defaults.KEEP_SECONDS
    keep: int = defaults.SSH_KEEP


class Ssh:
    """The driver for devices that take one command at a time."""

    name = "ssh"

    def __init__(
        self,
        known_hosts: Path,
        options: Options | None = None,
        *,
        output_limit: int = defaults.OUTPUT_LIMIT,
        around: LoginSources | None = None,
        **changed: Any,
    ) -> None:
        self.known_hosts = known_hosts
        self.options = Options(**changed) if options is None else options
        self.output_limit = output_limit
        self.around = around or LoginSources()
        self.worker = Worker()

    def run(self, task: Task, report: Report) -> None:
        """Run the operation's command on every device; outcomes come as devices finish."""
        if not isinstance(task.operation.body, HasCommand):
            raise DriverError(f"{task.operation.name} says no command to run over SSH; see its file")
        run = _Run(self, task, report, task.operation.body)
        first = next(run.orders, None)
        if first is None:
            return
        with self.worker.share() as share:
            try:
                run.through(share, first)
            finally:
                shutil.rmtree(task.workdir / "ssh", ignore_errors=True)

    def terms(self, *, tells_begin: bool) -> dict[str, Any]:
        """On what terms the process is to reach the devices of a job."""
        options = self.options
        return {
            "parallel": options.parallel,
            "connect_seconds": options.connect_seconds,
            "known_hosts": str(self.known_hosts),
            "key_files": [str(path) for path in options.key_files],
            "agent": options.allow_agent,
            "keep_seconds": options.keep_seconds,
            "keep": options.keep,
            "tells_begin": tells_begin,
        }

    @property
    def trusted(self) -> KnownHosts:
        """The host keys that are trusted now."""
        return KnownHosts(self.known_hosts)

    def close(self) -> None:
        """End the process and every connection."""
        self.worker.close()


@dataclass(slots=True)
class _Run:
    """One run of the driver."""

    driver: Ssh
    task: Task
    report: Report
    body: HasCommand
    waiting: dict[int, Asked] = field(default_factory=dict)
    orders: Iterator[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.orders = self._orders()

    def through(self, share: SshShare, first: dict[str, Any]) -> None:
        share.begin(self.driver.terms(tells_begin=self.task.job.risk is Risk.CHANGE))
        self.task.cancel.call(share.nudge)
        share.run([first])
        try:
            while some := list(islice(self.orders, _BATCH)):
                share.run(some)
                self._listen(share, 0)
            while self.waiting and not is_over(self.task):
                self._listen(share, self.task.seconds_left)
            self._stop(share)
        except DriverError as error:
            self._died(error)

    def _orders(self) -> Iterator[dict[str, Any]]:
        for number, device in enumerate(self.task.devices):
            try:
                order = self._order(number, device)
            except AutomationError as error:
                self.report.outcome(Outcome(device.name, Status.FAILED, one_line(str(error), 500)))
                continue
            if order is not None:
                yield order

    def _order(self, number: int, device: Device) -> dict[str, Any] | None:
        """Return what the process has to do for a device; None: nothing, and the device has its outcome."""
        refuse_windows(device.platform)
        command = self.body.command(device.platform, self.task.parameters)
        if command is None:
            self._settle(device, Status.SKIPPED, f"no command for platform {device.platform}")
            return None
        text = quoted(command, device.platform)
        if self.task.check and self.task.operation.risk_of(self.task.parameters) is Risk.CHANGE:
            become = " with sudo" if command.become else ""
            self._settle(device, Status.SKIPPED, f"would run{become}: {text}")
            return None
        if is_over(self.task):
            self.report.outcome(stopped(self.task, device.name, started=False))
            return None
        access = access_to(device, self.task.secrets(device.name), self.driver.around)
        line = sudo.becoming(command, device.platform, access)
        spill = self.task.workdir / "ssh" / str(number)
        self.waiting[number] = Asked(device, access, text, spill, becomes=line.becomes)
        work = {
            "text": quoted(line.command, device.platform),
            # Some network CLIs take the end of input for a log-out.
            "keep_stdin": device.platform not in POSIX and not line.becomes,
            "password": line.password,
            "prompt": line.prompt,
            "pty": access.pty,
            "limit": self.driver.output_limit,
            "spill": str(spill),
        }
        return {"device": number, "access": access.plain(), "work": work}

    def _settle(self, device: Device, status: Status, text: str) -> None:
        self.report.outcome(Outcome(device.name, status, one_line(text, 500)))

    def _listen(self, share: SshShare, seconds: float) -> None:
        """Take what is said, waiting at most so long for the first word; what came together is reported together."""
        found: list[Outcome] = []
        size = 0
        try:
            while size < _TOGETHER and (frame := share.frame(seconds)) is not None:
                seconds = 0
                if "device" not in frame.head:
                    return
                if (outcome := self._take(frame)) is not None:
                    found.append(outcome)
                    size += len(outcome.output)
        finally:
            self.report.batch(found)

    def _take(self, frame: Frame) -> Outcome | None:
        asked = self.waiting.get(frame.head["device"])
        if asked is None:
            return None
        if "begun" in frame.head:
            asked.begun = True
            return None
        del self.waiting[frame.head["device"]]
        return ssh_endings.outcome(self.task, asked, frame, self.driver.output_limit)

    def _stop(self, share: SshShare) -> None:
        """Stop what is left, and hear of each how far it was."""
        if not self.waiting:
            return
        share.stop()
        end = time.monotonic() + _STOP_SECONDS
        while self.waiting and time.monotonic() < end:
            self._listen(share, end - time.monotonic())
        for asked in self.waiting.values():
            self.report.outcome(stopped(self.task, asked.device.name, started=True))

    def _died(self, error: DriverError) -> None:
        """Say of each device what the end of the process means for it; the next job finds a new one."""
        change = self.task.job.risk is Risk.CHANGE
        over = f" ({why_over(self.task)})" if is_over(self.task) else ""
        for asked in self.waiting.values():
            if change and asked.begun:
                text = f"{error} while this ran{over}; it may still be running there"
                self._settle(asked.device, Status.UNKNOWN, text)
            else:
                nothing = "; nothing was begun" if change else ""
                self._settle(asked.device, Status.FAILED, f"{error}{nothing}{over}; type it again")
