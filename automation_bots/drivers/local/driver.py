"""Run commands on the bot's own machine (`ansible_connection: local`) as processes of the bot's user."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from automation_bots.drivers import Report, Task, defaults, sudo
from automation_bots.drivers.local.process import Ran, ran
from automation_bots.drivers.output import first_line, joined, last_line
from automation_bots.drivers.quoting import HasCommand, quoted, refuse_windows
from automation_bots.drivers.stopped import is_over, stopped
from automation_bots.errors import AutomationError, DriverError, in_words
from automation_bots.model import Device, Outcome, Risk, Status, one_line
from automation_bots.processes import own
from automation_bots.processes.group import Program

_PASSED_ON = "HOME|USER|LOGNAME|SHELL|TZ|LANG|LC_.*"  # tokens of chat networks stay with the bot
_PARALLEL = 20
_NOT_FOUND = 127  # a shell's exit codes for what cannot be run
_NOT_RUN = 126


@dataclass(frozen=True, slots=True)
class _User:
    """The bot's own account, and what a device's variables say of becoming another."""

    user: str
    become: bool
    become_user: str
    become_method: str
    become_password: str


@dataclass(frozen=True, slots=True)
class _Order:
    """What to run for one device."""

    device: Device
    text: str  # as a person would type it, without sudo
    account: _User
    how: sudo.Becoming


class Local:
    """The driver for the machine that the bot runs on; what a command leaves in its process group ends with it."""

    name = "local"

    def __init__(self, *, output_limit: int = defaults.OUTPUT_LIMIT) -> None:
        self._output_limit = output_limit

    def run(self, task: Task, report: Report) -> None:
        """Run the operation's command for every device; outcomes come as they end."""
        if not isinstance(task.operation.body, HasCommand):
            raise DriverError(f"{task.operation.name} says no command to run on this machine; see its file")
        orders = list(self._orders(task, report, task.operation.body))
        if len(orders) == 1:  # as nearly always: a machine has one name
            report.outcome(self._outcome(task, orders[0]))
        elif orders:
            with ThreadPoolExecutor(min(len(orders), _PARALLEL), "local") as pool:
                for done in as_completed([pool.submit(self._outcome, task, order) for order in orders]):
                    report.outcome(done.result())

    def _orders(self, task: Task, report: Report, body: HasCommand) -> Iterator[_Order]:
        for device in task.devices:
            try:
                order = _order(task, device, body)
            except AutomationError as error:
                order = Outcome(device.name, Status.FAILED, one_line(str(error), 500))
            if isinstance(order, Outcome):
                report.outcome(order)
            else:
                yield order

    def _outcome(self, task: Task, order: _Order) -> Outcome:
        name, argv = order.device.name, order.how.command.argv
        if is_over(task):
            return stopped(task, name, started=False)
        home = Path.home()
        program = Program(
            command=argv,
            environment={"LANG": "C.UTF-8", **own.inherited(_PASSED_ON), own.RUN_FOLDER: f"{task.workdir}/local"},
            folder=home if home.is_dir() else Path("/"),
        )
        try:
            end = ran(program, order.how, task, self._output_limit)
        except FileNotFoundError:
            return Outcome(name, Status.FAILED, f"{argv[0]}: no such program here", exit_code=_NOT_FOUND)
        except OSError as error:
            summary = one_line(f"{argv[0]} cannot be started: {in_words(error)}", 500)
            return Outcome(name, Status.FAILED, summary, exit_code=_NOT_RUN)
        return self._judged(task, order, end)

    def _judged(self, task: Task, order: _Order, end: Ran) -> Outcome:
        name, output = order.device.name, joined(end.out, end.err, self._output_limit)
        if end.stopped:
            met = stopped(task, name, started=True, seconds=end.seconds, output=output)
            summary = f"{met.summary}: {one_line(order.text, 100)}"
            return Outcome(name, met.status, summary, output, end.seconds)
        if end.code == 0:
            status = Status.CHANGED if task.job.risk is Risk.CHANGE else Status.OK
            summary = first_line(end.out.head.decode("utf-8", "replace")) or first_line(output)
            return Outcome(name, status, summary, output, end.seconds, exit_code=0)
        return Outcome(name, Status.FAILED, _why(order, end), output, end.seconds, exit_code=end.code)


def _order(task: Task, device: Device, body: HasCommand) -> _Order | Outcome:
    """Return what to run for a device, or its outcome where that is nothing."""
    refuse_windows(device.platform)
    command = body.command(device.platform, task.parameters)
    if command is None:
        return Outcome(device.name, Status.SKIPPED, f"no command for platform {device.platform}")
    text = quoted(command, device.platform)  # which also refuses what no argument can carry
    known: Mapping[str, object] = {**device.variables, **task.secrets(device.name)}
    wishes = sudo.wishes(known)
    account = _User(getpass.getuser(), wishes.become, wishes.become_user, wishes.become_method, wishes.become_password)
    how = sudo.becoming(command, device.platform, account)
    if task.check and task.operation.risk_of(task.parameters) is Risk.CHANGE:
        become = " with sudo" if how.becomes else ""
        return Outcome(device.name, Status.SKIPPED, one_line(f"would run{become}: {text}", 500))
    return _Order(device, text, account, how)


def _why(order: _Order, end: Ran) -> str:
    if end.code is None:
        return "it was asked to end and does not; it may still be running"
    if end.code < 0:
        return f"ended without an exit code: killed by signal {-end.code}"
    refused = end.asked > 1
    told = sudo.problem(order.account, bytes(end.err.tail), password_refused=refused) if order.how.becomes else ""
    return told or last_line(end.err.tail) or last_line(end.out.tail) or f"exit code {end.code}"
