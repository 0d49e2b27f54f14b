"""Run one command per device over SSH, many devices at once."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from automation_bots.drivers import Report, Task, sudo
from automation_bots.drivers.commands import POSIX, HasCommand, quoted, refuse_windows
from automation_bots.drivers.endings import is_over, stopped
from automation_bots.drivers.output import first_line, last_line
from automation_bots.drivers.ssh_access import Access, KnownHosts, NoSession, access_to, load_session
from automation_bots.errors import AutomationError, DriverError
from automation_bots.model import Command, Device, Outcome, Risk, Status, one_line

if TYPE_CHECKING:
    from automation_bots.drivers.ssh_channel import Ran
    from automation_bots.drivers.ssh_session import Keys, Session

_CLI_ERROR = re.compile(r"^% ?(?:Invalid|Incomplete|Ambiguous|Unknown|Unrecognized).*", re.MULTILINE)


class Ssh:
    """The driver for devices that take one command per connection."""

    name = "ssh"

    def __init__(
        self,
        known_hosts: Path,
        *,
        parallel: int = 20,
        connect_seconds: float = 10,
        output_limit: int = 1_000_000,
        key_files: tuple[Path, ...] = (),
        allow_agent: bool = True,
    ) -> None:
        self.known_hosts = KnownHosts(known_hosts)
        self.parallel = parallel
        self.connect_seconds = connect_seconds
        self.output_limit = output_limit
        self.key_files = key_files
        self.allow_agent = allow_agent

    def run(self, task: Task, report: Report) -> None:
        """Run the operation's command on every device; returns when no thread and no connection is left."""
        if not isinstance(task.operation.body, HasCommand):
            raise DriverError(f"{task.operation.name} says no command to run over SSH; see its file")
        keys = load_session().Keys(self.key_files, allow_agent=self.allow_agent)
        run = _Run(self, task, task.operation.body, keys)

        def one(device: Device) -> None:
            report.outcome(run.outcome(device))

        workers = max(1, min(self.parallel, len(task.devices)))
        with run.connecting.watched(task), ThreadPoolExecutor(workers, thread_name_prefix="ssh") as pool:
            done = [pool.submit(one, device) for device in task.devices]
        for future in done:
            future.result()


class _Connecting:
    """The sessions that wait for their device; those that run a command stop by themselves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: set[Session] = set()

    def add(self, session: Session) -> None:
        with self._lock:
            self._sessions.add(session)

    def remove(self, session: Session) -> None:
        with self._lock:
            self._sessions.discard(session)

    def abort(self) -> None:
        with self._lock:
            for session in self._sessions:
                session.abort()

    @contextmanager
    def watched(self, task: Task) -> Iterator[None]:
        """Abort them when the task is cancelled or its time is over."""
        task.cancel.call(self.abort)
        # A moment late, so that whoever is woken sees that the time is over.
        timer = threading.Timer(min(task.seconds_left + 0.05, threading.TIMEOUT_MAX), self.abort)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of the driver; each device passes through `outcome` in a thread of its own."""

    driver: Ssh
    task: Task
    body: HasCommand
    keys: Keys
    connecting: _Connecting = field(default_factory=_Connecting)

    def outcome(self, device: Device) -> Outcome:
        began = time.monotonic()
        try:
            outcome = self._tried(device, began)
        except NoSession as error:
            outcome = Outcome(device.name, error.status, one_line(str(error), 500))
            if is_over(self.task):
                outcome = stopped(self.task, device.name, started=False)
        except AutomationError as error:
            outcome = Outcome(device.name, Status.FAILED, one_line(str(error), 500))
        return replace(outcome, seconds=time.monotonic() - began)

    def _tried(self, device: Device, began: float) -> Outcome:
        refuse_windows(device.platform)
        command = self.body.command(device.platform, self.task.parameters)
        if command is None:
            return Outcome(device.name, Status.SKIPPED, f"no command for platform {device.platform}")
        text = quoted(command, device.platform)
        if self.task.check and self.task.operation.risk_of(self.task.parameters) is Risk.CHANGE:
            become = " with sudo" if command.become else ""
            return Outcome(device.name, Status.SKIPPED, one_line(f"would run{become}: {text}", 500))
        if is_over(self.task):
            return stopped(self.task, device.name, started=False)
        access = access_to(device, self.task.secrets(device.name))
        ran = self._ran(access, sudo.line_for(command, device.platform, access))
        if ran.stopped or (not ran.connected and is_over(self.task)):
            return stopped(self.task, device.name, started=True, seconds=time.monotonic() - began, output=ran.output)
        return self._judged(device, command, access, ran)

    def _ran(self, access: Access, line: sudo.Line) -> Ran:
        from automation_bots.drivers.ssh_channel import Execution  # late: it needs paramiko
        from automation_bots.drivers.ssh_session import Session

        seconds = max(0.1, min(self.driver.connect_seconds, self.task.seconds_left))
        session = Session(access, self.keys, seconds=seconds, stopping=self._stopping)
        try:
            self.connecting.add(session)
            if self._stopping():
                session.abort()  # the call to abort came before this session was there
            session.open(self.driver.known_hosts)
            execution = Execution(session.transport, line, limit=self.driver.output_limit, seconds=seconds)
            if not execution.start():
                return execution.result(stopped=False)
            self.connecting.remove(session)
            return execution.run(self._stopping)
        finally:
            self.connecting.remove(session)
            session.close()

    def _stopping(self) -> bool:
        return is_over(self.task)

    def _judged(self, device: Device, command: Command, access: Access, ran: Ran) -> Outcome:
        status, summary = self._ending(device, ran)
        if status is Status.FAILED and command.become:
            summary = sudo.problem(access, ran.err_tail, password_refused=ran.password_refused) or summary
        return Outcome(device.name, status, summary, ran.output, exit_code=ran.exit_code)

    def _ending(self, device: Device, ran: Ran) -> tuple[Status, str]:
        change = self.task.job.risk is Risk.CHANGE
        if not ran.connected:
            if change:
                return Status.UNKNOWN, "the connection broke half-way; it may still be running there"
            return Status.FAILED, "the connection broke half-way"
        if not ran.accepted:
            return Status.FAILED, "the device takes the login but no command this way (SSH exec)"
        if device.platform not in POSIX:
            return _cli_ending(ran, change=change)
        if ran.exit_code is None:
            return Status.FAILED, "ended without an exit code: killed by a signal"
        if ran.exit_code:
            return Status.FAILED, last_line(ran.err_tail) or f"exit code {ran.exit_code}"
        return _good(change=change), first_line(ran.output)


def _good(*, change: bool) -> Status:
    return Status.CHANGED if change else Status.OK


def _cli_ending(ran: Ran, *, change: bool) -> tuple[Status, str]:
    """Judge by the text too: many network CLIs know no exit codes, or always say 0."""
    if error := _CLI_ERROR.search(ran.out_head):
        return Status.FAILED, one_line(error.group())
    if ran.exit_code:
        return Status.FAILED, last_line(ran.err_tail) or f"exit code {ran.exit_code}"
    return _good(change=change), first_line(ran.output)
