"""One job on its way through its drivers: shares by driver, outcomes redacted and stored, gaps filled in."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from automation_bots import catalog
from automation_bots.drivers import Cancel, Driver, Task
from automation_bots.errors import AutomationError, DriverError
from automation_bots.inventory import Inventory
from automation_bots.model import GOOD, Device, Job, Operation, Outcome, Risk, State, Status, one_line
from automation_bots.redact import Redactor
from automation_bots.store import Store
from automation_bots.throttle import Entry

log = logging.getLogger(__name__)
_FLUSH_SECONDS = 0.25
_FLUSH_OUTCOMES = 200
_CANCEL_SECONDS = 15.0  # what a driver may take to come back after it was told to stop


@dataclass(frozen=True, slots=True)
class Workshop:
    """What jobs need to run."""

    store: Store
    inventory: Inventory
    drivers: Mapping[str, Driver]
    operation: Callable[[str], Operation | None]
    redactor: Redactor
    time_limit: float  # seconds, of an operation that names none
    folder: Path  # for the private folders of runs


class Run:
    """One running job."""

    def __init__(
        self, workshop: Workshop, job: Job, hidden: Mapping[str, Any], entry: Entry, done: Callable[[Run], None]
    ) -> None:
        self.job = replace(job, parameters={**job.parameters, **hidden})
        self.entry, self.cancel, self.said = entry, Cancel(), ""
        self._workshop, self._done = workshop, done
        self._lock = threading.Lock()
        self._pending: list[Outcome] = []
        self._seen: dict[str, Status] = {}
        self._flushed = 0.0
        self._timed_out = False
        self._digest = job.digest
        self._thread = threading.Thread(target=self._work, name=f"job-{job.number}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the end."""
        self._thread.join(seconds)

    def outcome(self, outcome: Outcome) -> None:
        """Take one device's outcome (Report)."""
        clear = self._workshop.redactor.text
        outcome = replace(outcome, summary=one_line(clear(outcome.summary), 300), output=clear(outcome.output))
        with self._lock:
            if outcome.device in self._seen or (self.job.devices and outcome.device not in self.entry.devices):
                return
            self._seen[outcome.device] = outcome.status
            self._pending.append(outcome)
            due = len(self._pending) >= _FLUSH_OUTCOMES or time.monotonic() - self._flushed > _FLUSH_SECONDS
        log.info("job %s %s %s %s", self.job.number, outcome.device or "-", outcome.status.value, outcome.summary)
        if due:
            self._flush()

    def progress(self, text: str) -> None:
        """Take a word on what is going on (Report)."""
        self.said = one_line(self._workshop.redactor.text(text), 80)

    def _flush(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, []
            self._flushed = time.monotonic()
        if pending:
            self._workshop.store.add_outcomes(self.job.number, pending)

    def _work(self) -> None:
        error = ""
        try:
            error = self._drive()
        except AutomationError as problem:
            error = str(problem)
        except Exception:  # the one broad except of the worker: record it, answer without details, log the traceback
            log.exception("job %s failed inside the bot", self.job.number)
            error = f"an error inside the bot; an admin finds it in the log under job {self.job.number}"
        try:
            self._end(error)
        except Exception:  # a store that is away: the job stays running there, and is told as interrupted at the start
            log.exception("job %s: its end could not be recorded", self.job.number)
        finally:
            self._done(self)

    def _drive(self) -> str:
        job, workshop = self.job, self._workshop
        operation = workshop.operation(job.operation)
        if operation is None:
            return f"{job.operation} is no longer there; its file was removed after the job was accepted"
        if catalog.digest(operation, catalog.without_secrets(operation, job.parameters), job.devices) != self._digest:
            return f"{job.operation} was changed after the job was accepted; type the command again"
        lost = [p.name for p in operation.parameters if p.secret and job.parameters.get(p.name) == catalog.HIDDEN]
        if lost:
            return f"{', '.join(lost)} was never stored and is gone with the restart; type the command again"
        limit = operation.time_limit or workshop.time_limit
        timer = threading.Timer(limit, self._too_long, (limit,))
        timer.daemon = True
        timer.start()
        folder = Path(tempfile.mkdtemp(prefix=f"job-{job.number}-", dir=workshop.folder))
        try:
            self._shares(operation, folder, time.monotonic() + limit)
        finally:
            timer.cancel()
            shutil.rmtree(folder, ignore_errors=True)
        return f"time limit of {limit:g} s reached" if self._timed_out else ""

    def _too_long(self, limit: float) -> None:
        self._timed_out = True
        self.cancel.set(f"time limit of {limit:g} s reached")

    def _shares(self, operation: Operation, folder: Path, deadline: float) -> None:
        devices = self._workshop.inventory.devices(self.job.devices)
        shares: dict[str, list[Device]] = {}
        for device in devices:
            shares.setdefault(operation.driver or device.driver, []).append(device)
        if not devices:
            shares[operation.driver] = []
        threads = []
        for name, share in shares.items():
            workdir = folder / name
            workdir.mkdir()
            task = Task(
                job=self.job,
                operation=operation,
                devices=tuple(share),
                workdir=workdir,
                deadline=deadline,
                cancel=self.cancel,
                secrets=self._secrets_of(share),
                inventory=self._workshop.inventory.sources,
            )
            threads.append(threading.Thread(target=self._share, args=(name, task), daemon=True))
        for thread in threads:
            thread.start()
        for thread in threads:
            self._wait(thread)

    def _secrets_of(self, share: list[Device]) -> Callable[[str], Mapping[str, str]]:
        """Resolve at the first question, for the whole share at once: each resolving starts Ansible's loader."""
        inventory, lock, done = self._workshop.inventory, threading.Lock(), threading.Event()

        def secrets(device: str) -> Mapping[str, str]:
            with lock:
                if not done.is_set():
                    inventory.prefetch_secrets([known.name for known in share if known.secrets])
                    self._workshop.redactor.add(inventory.secret_values())
                    done.set()
            return inventory.secrets(device)

        return secrets

    def _wait(self, thread: threading.Thread) -> None:
        while thread.is_alive() and not self.cancel.is_set():
            thread.join(0.2)
            if time.monotonic() - self._flushed > _FLUSH_SECONDS:
                self._flush()
        thread.join(_CANCEL_SECONDS)
        if thread.is_alive():
            log.error(
                "job %s: a driver did not come back within %s s of being stopped", self.job.number, _CANCEL_SECONDS
            )

    def _share(self, name: str, task: Task) -> None:
        driver = self._workshop.drivers.get(name)
        reason = f"no driver {name!r} in this bot; see `driver:` in the inventory"
        if driver is not None:
            try:
                driver.run(task, self)
            except DriverError as error:
                reason = str(error)
            except Exception:  # a driver's own mistake concerns this share only; the others go on
                log.exception("job %s: driver %s failed", self.job.number, name)
                reason = f"the driver {name} failed; an admin finds it in the log under job {self.job.number}"
            else:
                reason = "the driver said nothing about it"
        for device in [device.name for device in task.devices] or [""]:
            if device not in self._seen:
                self.outcome(self._gap(device, reason))

    def _gap(self, device: str, reason: str) -> Outcome:
        if not self.cancel.is_set():
            return Outcome(device, Status.FAILED, reason)
        if self.job.risk is Risk.CHANGE:
            return Outcome(device, Status.UNKNOWN, f"{self.cancel.why}; it may have been changed")
        return Outcome(device, Status.CANCELLED, self.cancel.why)

    def _end(self, error: str) -> None:
        for device in self.job.devices or ("",):
            if device not in self._seen and not error:
                self.outcome(self._gap(device, "nothing was done"))
        self._flush()
        state = State.DONE
        if self.cancel.is_set() and not self._timed_out:
            state, error = State.CANCELLED, error or self.cancel.why
        elif error or any(status not in GOOD for status in self._seen.values()):
            state = State.FAILED
        error = self._workshop.redactor.text(error)
        self._workshop.store.finish(self.job.number, state, error=error)
        log.info("job %s ended: %s %s", self.job.number, state.value, error)
