"""One job on its way through its drivers: shares by driver, time limits, gaps filled in, its end."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from automation_bots.drivers import Cancel, Task
from automation_bots.errors import AutomationError, DriverError, StoreError
from automation_bots.jobs.batches import Batches, GoOn
from automation_bots.jobs.counters import Entry, Start
from automation_bots.jobs.earlier import PreviousRun
from automation_bots.jobs.further_devices import FurtherDevices
from automation_bots.jobs.reports import DriverShare, OutcomeCollector, beside
from automation_bots.jobs.run_context import RunContext
from automation_bots.model import (
    GOOD,
    Device,
    Job,
    Operation,
    Outcome,
    Risk,
    State,
    Status,
    Verdict,
)
from automation_bots.operations import catalog
from automation_bots.operations.covered import NOTHING_COVERED
from automation_bots.policy import gate
from automation_bots.secrets.of_devices import DeviceSecrets

log = logging.getLogger(__name__)
_END_SECONDS = 5.0  # between two tries to record an end


class Starter(Protocol):
    """Who starts runs."""

    def claim(self, run: Run) -> bool:
        """Whether it may begin; the record knows it from then on."""

    def hold_too(self, run: Run, device: str) -> str:
        """Keep one more device from the changes of others until it ends; why not, or empty."""

    def done(self, run: Run) -> None:
        """It is over."""


class Run:
    """One running job."""

    def __init__(
        self, context: RunContext, job: Job, hidden: Mapping[str, Any], entry: Entry, starter: Starter
    ) -> None:
        self.asked = job, hidden
        self.has_begun = False  # until the record says so, it counts as queued there
        self._kept = job  # with the values as they are stored
        self.job = replace(job, parameters={**job.parameters, **hidden})
        self.entry, self.cancel, self.begun = entry, Cancel(), Start.of(time.monotonic(), entry)
        self._context, self._starter = context, starter
        self._collector = OutcomeCollector(job, hidden, context.store, context.redactor)
        self._device_secrets = DeviceSecrets(context.inventory, context.kv, context.redactor)
        self._timed_out = self._abandoned = self._voided = False
        self._trouble = ""  # what a driver met after it had told of all devices
        self.batches = Batches(self.job, self.cancel, context.store)
        self._leaving = threading.Event()  # the bot stops
        self._digest = job.digest
        self._covered = NOTHING_COVERED
        self._thread = threading.Thread(target=self._work, name=f"job-{job.number}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def interrupt(self, why: str) -> None:
        """Stop because the bot stops: what a change left behind is for somebody to look at."""
        self._leaving.set()
        self.cancel.set(why)

    def join(self, seconds: float) -> None:
        """Wait for the end."""
        self._thread.join(seconds)

    @property
    def said(self) -> str:
        """What is going on: the batch, and the driver's last words."""
        return " · ".join(filter(None, (self.batches.label, self._collector.words)))

    def _work(self) -> None:
        self.has_begun = self._starter.claim(self)
        if self.has_begun:
            self._through()

    def _through(self) -> None:
        error = ""
        try:
            error = self._drive()
        except AutomationError as problem:
            error = str(problem)
        except Exception:  # noqa: BLE001 - the one of the worker: recorded, answered without details, logged
            self._log("failed inside the bot")
            error = f"an error inside the bot; an admin finds it in the log under job {self.job.number}"
        try:
            while not self._ended(error) and not self._leaving.wait(_END_SECONDS):
                pass  # a store that is away for a moment; when the bot stops before, the job counts as interrupted
        except Exception:  # its devices are let go in any case
            log.exception("job %s: its end could not be recorded", self.job.number)
        finally:
            self._starter.done(self)

    def _log(self, what: str) -> None:
        """Log a traceback without the secrets that only this job knows."""
        log.error("job %s %s: %s", self.job.number, what, self._collector.clear(traceback.format_exc())[-1500:])

    def _ended(self, error: str) -> bool:
        try:
            self._end(error)
        except StoreError as problem:
            log.warning("job %s: its end cannot be recorded now: %s", self.job.number, problem)
            return False
        return True

    def _drive(self) -> str:
        try:
            return self._driven()
        finally:
            self._collector.secrets_known.set()  # whatever happened, nobody has to wait for them any longer

    def _driven(self) -> str:
        job, context = self.job, self._context
        operation = context.operation(job.operation)
        self._voided = job.parked  # until it is looked at
        if operation is None:
            return f"{job.operation} is no longer there; its file was removed after the job was accepted"
        if why := self._void(operation):
            return why
        self._voided = False
        limit = operation.time_limit or context.time_limit

        def work(devices: tuple[str, ...], seconds: float) -> None:
            self._batch(operation, devices, seconds, limit)
            self._collector.try_flush()  # a pause may be long

        why = self.batches.run(
            work, limit, self._collector.seen, self._collector.outcome, lambda: self._again(operation)
        )
        return f"time limit of {limit:g} s reached" if self._timed_out else why or self._trouble

    def _batch(self, operation: Operation, names: tuple[str, ...], seconds: float, limit: float) -> None:
        timer = threading.Timer(max(0.0, seconds), self._too_long, (limit,))
        timer.daemon = True
        timer.start()
        folder = Path(tempfile.mkdtemp(prefix=f"job-{self.job.number}-", dir=self._context.folder))
        try:
            self._shares(operation, names, folder, time.monotonic() + seconds)
        finally:
            timer.cancel()
            shutil.rmtree(folder, ignore_errors=True)

    def waits(self) -> str:
        """Say what the job waits for although it is its turn: rules that can be read again, or its window."""
        operation = self._context.operation(self.job.operation)
        return self._waits(operation) if operation is not None else ""

    def _waits(self, operation: Operation) -> str:
        if why := self._context.paused():
            return why
        return gate.waits(self._context.scope(), gate.asked(self.job, operation), self._context.now())

    def _again(self, operation: Operation) -> GoOn:
        waits = self._waits(operation)
        return GoOn(waits=waits) if waits else GoOn(self._void(operation))

    def _void(self, operation: Operation) -> str:
        """Say why what was accepted is not what would run now."""
        job = self.job
        stored = catalog.without_secrets(operation, self._kept.parameters)
        self._covered = catalog.covered(operation)
        if catalog.digest(operation, stored, job.devices, self._covered) != self._digest:
            return f"{job.operation} was changed after the job was accepted; type the command again"
        lost = [name for name, value in job.parameters.items() if value == catalog.HIDDEN]
        if lost:
            return f"{', '.join(lost)} was never stored and is gone with the restart; type the command again"
        if job.parked or job.preview_of is not None:
            return self._context.validity(operation, self._kept)
        scope, now = self._context.scope(), self._context.now()
        decision = gate.again(scope, operation, job, now)
        if (
            decision.verdict is Verdict.DENY
            and not decision.rules
            and gate.shut(scope, gate.asked(job, operation), now)
        ):
            return f"it was accepted, but by now: {decision.reason.removeprefix('No: ')}"
        if decision.verdict is Verdict.ALLOW:
            return ""
        why = gate.since(scope, gate.asked(job, operation), job.created or now)
        return f"{why}. {decision.reason or 'It needs approval now.'}"

    def _too_long(self, limit: float) -> None:
        self._timed_out = True
        self.cancel.set(f"time limit of {limit:g} s reached")

    def _shares(self, operation: Operation, names: tuple[str, ...], folder: Path, deadline: float) -> None:
        devices = self._context.inventory.devices(names)
        further = FurtherDevices(self._context, self.job, operation, lambda name: self._starter.hold_too(self, name))
        threads, told = [], []
        if not self._collector.secrets_known.is_set():
            every = self._context.inventory.devices(self.job.devices)
            threads.append(threading.Thread(target=self._learn_secrets, args=(every,), daemon=True))
        for name, share in _by_driver(operation, devices).items():
            workdir = folder / name
            workdir.mkdir()
            task = Task(
                job=self.job,
                operation=operation,
                devices=tuple(share),
                workdir=workdir,
                deadline=deadline,
                cancel=self.cancel,
                secrets=self._secrets,
                opened=self._opened,
                inventory=self._context.inventory.sources,
                further=further.why_not,
                ask=self._context.ask,
                earlier=PreviousRun(self._context.store, self.job),
                columns=self._context.columns(self.job.place),
                covered=self._covered,
            )
            told.append(DriverShare(self._collector))
            threads.append(threading.Thread(target=self._share, args=(name, task, told[-1]), daemon=True))
        for thread in threads:
            thread.start()
        for thread in threads:
            self._wait(thread)
        if (others := beside(told)) is not None:
            self._collector.conclude(others)

    def _learn_secrets(self, devices: Sequence[Device]) -> None:
        """Get the secrets of all devices at once, while the drivers start: no output is stored before they are known.

        Ansible opens its Vault by itself, so that what a playbook prints may hold secrets that no driver asked for.
        """
        try:
            self._device_secrets.learn(devices)
        except DriverError as error:
            log.warning("job %s: secrets cannot be opened: %s", self.job.number, error)
        finally:
            self._collector.secrets_known.set()

    def _secrets(self, device: str) -> Mapping[str, str]:
        self._collector.secrets_known.wait()
        return self._device_secrets.of(device)

    def _opened(self, device: str) -> Mapping[str, str]:
        self._collector.secrets_known.wait()
        return self._device_secrets.opened(device)

    def _wait(self, thread: threading.Thread) -> None:
        while thread.is_alive() and not self.cancel.is_set():
            thread.join(0.2)
            if self._collector.is_late:
                self._collector.try_flush()
        thread.join(self._context.stop_seconds)
        if thread.is_alive():
            self._abandoned = True
            log.error("job %s: a driver did not come back in time after it was stopped", self.job.number)

    def _share(self, name: str, task: Task, share: DriverShare) -> None:
        driver = self._context.drivers.get(name)
        reason, done = f"no driver {name!r} in this bot; see `driver:` in the inventory", False
        if driver is not None:
            try:
                with self._context.permits.holding(task):
                    driver.run(task, share)
            except DriverError as error:
                reason = str(error)
            except Exception:  # noqa: BLE001 - a driver's own mistake is logged and concerns this share only
                self._log(f"in driver {name}")
                reason = f"the driver {name} failed; an admin finds it in the log under job {self.job.number}"
            else:
                reason, done = "the driver said nothing about it", True
        untold = [device for device in [one.name for one in task.devices] or [""] if device not in self._collector.seen]
        for device in untold:
            self._collector.outcome(self._gap(device, reason))
        if not (done or untold or self.cancel.is_set()):
            self._trouble = reason  # such as a backup that could not be written down

    def _gap(self, device: str, reason: str) -> Outcome:
        if not self.cancel.is_set():
            return Outcome(device, Status.FAILED, reason)
        if self.job.risk is Risk.CHANGE:
            return Outcome(device, Status.UNKNOWN, f"{self.cancel.why}; it may have been changed")
        return Outcome(device, Status.CANCELLED, self.cancel.why)

    def _end(self, error: str) -> None:
        for device in self.job.devices or ("",):
            if device not in self._collector.seen and not error:
                self._collector.outcome(self._gap(device, "nothing was done"))
        self._collector.flush()
        self._collector.sum_up()
        error = self._collector.clear(error or self.cancel.why)
        state = self._state(error)
        error = " · ".join(filter(None, (error, *map(self._collector.clear, self._collector.remarks))))
        self._context.store.finish(self.job.number, state, error=error)
        log.info("job %s ended: %s %s", self.job.number, state.value, error)

    def _state(self, error: str) -> State:
        """A change broken off by anything but a person is interrupted: its devices are held until acknowledged."""
        if self._voided:
            return State.VOID
        unknown = self.job.risk is Risk.CHANGE and Status.UNKNOWN in self._collector.seen.values()
        if unknown and (self._timed_out or self._abandoned or self._leaving.is_set()):
            return State.INTERRUPTED
        if self.cancel.is_set() and not self._timed_out:
            return State.CANCELLED
        fine = GOOD | {Status.UNKNOWN} if self.job.check else GOOD  # a preview cannot know what a command would do
        bad = error or not fine.issuperset(self._collector.seen.values())
        return State.FAILED if bad else State.DONE


def _by_driver(operation: Operation, devices: Sequence[Device]) -> dict[str, Sequence[Device]]:
    """Divide devices by what reaches them; an operation without devices has a driver too."""
    if not devices or (operation.driver and not operation.network):
        return {operation.driver: devices}
    shares: dict[str, list[Device]] = {}
    for device in devices:
        shares.setdefault(operation.driver_on(device), []).append(device)
    return dict(shares)
