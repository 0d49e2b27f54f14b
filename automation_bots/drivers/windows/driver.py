"""Run PowerShell on Windows devices over WinRM or SSH; what people type travels as data, and objects come back."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from automation_bots.drivers import Report, Task, defaults
from automation_bots.drivers.ssh.access import LoginFailed
from automation_bots.drivers.stopped import is_over, stopped
from automation_bots.drivers.windows.answer import WindowsAnswer
from automation_bots.drivers.windows.call import Broken, Call, call_of
from automation_bots.drivers.windows.login import WinAccess, access_to, over_ssh
from automation_bots.drivers.windows.over_ssh import SshPowerShell
from automation_bots.drivers.windows.table import conclusion
from automation_bots.errors import AutomationError, DriverError
from automation_bots.model import Device, Outcome, Risk, Status, one_line

if TYPE_CHECKING:
    from types import ModuleType

_KEPT_SECONDS = 60  # a shell is used again within that; the device itself drops it a minute later
_KEPT = 200
_KEPT_EACH = 2  # a device allows one user few shells, and those left open count
_WAIT_FOR_SESSION = 60  # seconds in which a device may get one of its sessions free


class Shells:
    """Shells left open at devices for the next call. Only their names are kept here, no connection."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, list[tuple[float, str]]] = {}

    def take(self, access: WinAccess) -> str:
        """Return a shell that the same login opened not long ago; empty: there is none."""
        with self._lock:
            waiting = self._known.pop(_key(access), [])
            fresh = [entry for entry in waiting if time.monotonic() - entry[0] < _KEPT_SECONDS]
            shell = fresh.pop()[1] if fresh else ""
            if fresh:
                self._known[_key(access)] = fresh
            return shell

    def keep(self, access: WinAccess, shell: str) -> bool:
        """Remember a shell; False when there are enough. The oldest are forgotten."""
        with self._lock:
            mine = self._known.setdefault(_key(access), [])
            if len(mine) >= _KEPT_EACH:
                return False
            mine.append((time.monotonic(), shell))
            while len(self._known) > _KEPT:
                self._known.pop(next(iter(self._known)))
            return True


def _key(access: WinAccess) -> str:
    # Another password is another login, even for the same user.
    return hashlib.sha256(f"{replace(access, device='')!r}\0{access.password}".encode()).hexdigest()


class PowerShell:
    """The driver for Windows."""

    name = "powershell"

    def __init__(
        self,
        ssh: SshPowerShell,
        *,
        parallel: int = defaults.POWERSHELL_PARALLEL,
        connect_seconds: float = defaults.CONNECT_SECONDS,
        output_limit: int = defaults.OUTPUT_LIMIT,
        ca: Path | None = None,
    ) -> None:
        self.ssh = ssh
        self.parallel = parallel
        self.connect_seconds = connect_seconds
        self.output_limit = output_limit
        self.ca = ca
        self.shells = Shells()

    def run(self, task: Task, report: Report) -> None:
        """Ask every device; returns when no thread and no connection is left."""
        run = _Run(self, task)

        def one(device: Device) -> None:
            report.outcome(run.outcome(device))

        workers = max(1, min(self.parallel, len(task.devices)))
        with ThreadPoolExecutor(workers, thread_name_prefix="powershell") as pool:
            done = [pool.submit(one, device) for device in task.devices]
        for future in done:
            future.result()
        if said := conclusion(task.operation.name, run.answers, [device.name for device in task.devices]):
            report.conclude(said)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of the driver; each device passes through `outcome` in a thread of its own."""

    driver: PowerShell
    task: Task
    answers: dict[str, WindowsAnswer] = field(default_factory=dict)

    def outcome(self, device: Device) -> Outcome:
        began = time.monotonic()
        try:
            outcome = self._tried(device, began)
        except LoginFailed as error:
            outcome = Outcome(device.name, error.status, one_line(str(error), 500))
            if is_over(self.task):
                outcome = stopped(self.task, device.name, started=False)
        except AutomationError as error:
            outcome = Outcome(device.name, Status.FAILED, one_line(str(error), 500))
        return replace(outcome, seconds=time.monotonic() - began)

    def _tried(self, device: Device, began: float) -> Outcome:
        if device.platform != "windows" and device.driver != self.driver.name:
            raise DriverError(f"is no Windows device (platform {device.platform}); see platform: in the inventory")
        call = call_of(self.task.operation.body, device.platform, self.task.parameters)
        if call is None:
            return Outcome(device.name, Status.SKIPPED, f"no command for platform {device.platform}")
        preview = self.task.check and not call.looks  # whatever the file says of the risk: --check changes nothing
        if preview and not call.cmdlet:
            return Outcome(device.name, Status.SKIPPED, f"would run: {call.told}")
        if is_over(self.task):
            return stopped(self.task, device.name, started=False)
        heard = WindowsAnswer(self.driver.output_limit)
        asked = replace(call, whatif=call.whatif or preview)
        try:
            ended = self._asked(device, asked, heard)
        except Broken as error:
            heard.end()
            return self._broken(device, asked, heard, str(error), time.monotonic() - began)
        if not ended:
            heard.end()
            seconds = time.monotonic() - began
            return stopped(self.task, device.name, started=True, seconds=seconds, output=heard.text())
        self.answers[device.name] = heard
        return self._judged(device, asked, heard)

    def _asked(self, device: Device, call: Call, heard: WindowsAnswer) -> bool:
        secrets = self.task.secrets(device.name)
        if over_ssh(device):
            return self.driver.ssh.run(device, secrets, call, heard, self.task)
        return self._over_winrm(access_to(device, secrets, self.driver.ca), call, heard)

    def _over_winrm(self, access: WinAccess, call: Call, heard: WindowsAnswer) -> bool:
        wire_module, stopping = load_wire(), self._stopping
        self._reachable(access)
        shells = self.driver.shells
        wire = wire_module.WinrmShell(access)
        try:
            wire.open(lambda: shells.take(access), self._patient())
            ended: bool = wire.run(call, heard, stopping)
            if ended and shells.keep(access, wire.shell):
                wire.leave()
        finally:
            wire.close()
        return ended

    def _reachable(self, access: WinAccess) -> None:
        """Try the port first: this ends at once when the job is cancelled, and says best what is wrong."""
        from automation_bots.drivers.windows import tcp

        seconds = max(0.1, min(self.driver.connect_seconds, self.task.seconds_left))
        tcp.opened(access.host, access.port, seconds, self._stopping).close()

    def _patient(self) -> Callable[[float], bool]:
        """Wait for a free session of the device: True to try again."""
        end = time.monotonic() + min(_WAIT_FOR_SESSION, self.task.seconds_left)

        def wait(seconds: float) -> bool:
            return time.monotonic() + seconds < end and not self.task.cancel.wait(seconds)

        return wait

    def _stopping(self) -> bool:
        return is_over(self.task)

    def _broken(self, device: Device, call: Call, heard: WindowsAnswer, why: str, seconds: float) -> Outcome:
        if is_over(self.task):
            return stopped(self.task, device.name, started=True, seconds=seconds, output=heard.text())
        if self.task.job.risk is Risk.CHANGE and not call.looks and not call.whatif:
            text = f"the connection broke half-way; it may still be running there ({why})"
            return Outcome(device.name, Status.UNKNOWN, text, heard.text())
        return Outcome(device.name, Status.FAILED, f"the connection broke half-way ({why})", heard.text())

    def _judged(self, device: Device, call: Call, heard: WindowsAnswer) -> Outcome:
        text, code = heard.text(), heard.exit_code
        if heard.no_preview:
            summary = f"would run: {call.told} ({call.cmdlet} has no -WhatIf, so nothing was asked there)"
            return Outcome(device.name, Status.SKIPPED, summary, exit_code=0)
        if heard.errors:
            return Outcome(device.name, Status.FAILED, heard.errors[0], text, exit_code=code or None)
        if code:
            return Outcome(device.name, Status.FAILED, f"exit code {code}", text, exit_code=code)
        if call.whatif:
            return Outcome(device.name, Status.SKIPPED, heard.summary(), text, exit_code=0)
        changed = self.task.job.risk is Risk.CHANGE and not call.looks
        return Outcome(device.name, Status.CHANGED if changed else Status.OK, heard.summary(), text, exit_code=code)


def load_wire() -> ModuleType:
    """Import what needs pywinrm, only when a device is to be reached by it."""
    try:
        from automation_bots.drivers.windows import winrm
    except ImportError as error:
        raise DriverError(f"WinRM needs the Python package {error.name}: pip install pywinrm") from error
    return winrm
