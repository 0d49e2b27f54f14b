"""The contract of every driver: run one job on devices, report each device's outcome as it finishes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from automation_bots.model import FILTERS, Conclusion, Device, Job, Operation, Outcome
from automation_bots.operations.covered import NOTHING_COVERED, Covered
from automation_bots.surface import COLUMNS


class Cancel:
    """Tells a running driver to stop; `why` is the reason that people will read."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self.why = ""

    def set(self, why: str = "cancelled") -> None:
        """Ask for the stop; the first reason stays."""
        with self._lock:
            if self._event.is_set():
                return
            self.why = why
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def is_set(self) -> bool:
        """Return whether the stop was asked for."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep, but wake at once when the stop is asked for; return whether it was."""
        return self._event.wait(seconds)

    def call(self, callback: Callable[[], None]) -> None:
        """Call back when the stop is asked for (at once when it was already); used to kill what runs."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return
        callback()


class Before(Protocol):
    """What earlier jobs said when the same was asked: the latest ended ones with the same parameters."""

    def statuses(self, operations: tuple[str, ...], ignoring: tuple[str, ...]) -> Mapping[str, str]:
        """Return the latest status of each device."""

    def output(self, device: str, ignoring: tuple[str, ...]) -> str:
        """Return what the device printed then; empty when nothing is known."""


class NothingBefore:
    """Stand in where there is no store: nothing was ever asked."""

    def statuses(self, operations: tuple[str, ...], ignoring: tuple[str, ...]) -> Mapping[str, str]:  # noqa: ARG002
        """Return nothing."""
        return {}

    def output(self, device: str, ignoring: tuple[str, ...]) -> str:  # noqa: ARG002
        """Return nothing."""
        return ""


NOTHING_BEFORE = NothingBefore()


def no_secrets(_device: str) -> Mapping[str, str]:
    """Stand in where devices have no secrets."""
    return {}


NO_CONTROLLER = "the playbook's header does not say controller: true"


@dataclass(frozen=True, slots=True)
class Contact:
    """Where a run is about to work beside the addresses of its devices."""

    device: str  # its name, as the run knows it
    address: str = ""
    port: int | None = None
    own: bool = False  # a device of the task, not reached as the inventory says
    here: bool = False  # on the bot's own machine


def only_its_own(contact: Contact) -> str:
    """Stand in where nobody can be asked: a run works on the devices that were decided on."""
    return "" if contact.own and not contact.here else f"{contact.device} was not decided on"


@dataclass(frozen=True, slots=True)
class Asked:
    """What another bot said to what a running job asked it."""

    ok: bool
    text: str
    only_would: bool = False  # nothing was asked, since the job only looks at what would change


def nobody_to_ask(_task: Task, _line: str) -> Asked:
    """Stand in where there are no other bots."""
    return Asked(ok=False, text="There are no other bots: [peers] of bot.toml names none.")


@dataclass(frozen=True, slots=True)
class Task:
    """One driver's share of a job: everything it may know, resolved at the last moment."""

    job: Job
    operation: Operation
    devices: tuple[Device, ...]
    workdir: Path  # private to this run, removed afterwards
    deadline: float  # time.monotonic() at which the time limit ends
    cancel: Cancel = field(default_factory=Cancel)
    secrets: Callable[[str], Mapping[str, str]] = no_secrets  # device name -> its decrypted variables
    opened: Callable[[str], Mapping[str, str]] = no_secrets  # of these, what the inventory has only as a reference
    inventory: tuple[Path, ...] = ()  # inventory sources, for drivers that read Ansible's inventory themselves
    columns: int = COLUMNS  # that fit where it is read
    covered: Covered = NOTHING_COVERED  # by the job's digest

    earlier: Before = NOTHING_BEFORE
    further: Callable[[Contact], str] = only_its_own  # why it may not work there; empty: it may, and holds the device
    ask: Callable[[Task, str], Asked] = nobody_to_ask  # `@winbot status`, in the name of whose job this is

    def before(self, operations: tuple[str, ...] = (), ignoring: tuple[str, ...] = ()) -> Mapping[str, str]:
        """What came of each device the last time: of this operation with the same values but those `ignoring` names,
        or, where operations are named, of any of them with any values.
        """  # fmt: skip
        return self.earlier.statuses(operations, ignoring)

    def before_output(self, device: str, ignoring: tuple[str, ...] = ()) -> str:
        """What the device printed when the same was asked last."""
        return self.earlier.output(device, ignoring)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The checked, typed values of the job; what its answers go through is no business of the operation."""
        values = self.job.parameters
        return {name: value for name, value in values.items() if name != FILTERS} if FILTERS in values else values

    @property
    def check(self) -> bool:
        """Whether to show what would change instead of changing it."""
        return self.job.check

    @property
    def seconds_left(self) -> float:
        """Seconds until the time limit."""
        return max(0.0, self.deadline - time.monotonic())


class Report(Protocol):
    """Where a driver says what happens; safe to call from any thread."""

    def outcome(self, outcome: Outcome) -> None:
        """Record one device's outcome; the first one of a device stays."""

    def batch(self, found: Sequence[Outcome]) -> None:
        """Record those of many devices, for much less than each by itself."""

    def progress(self, text: str, lines: Sequence[str] = ()) -> None:
        """Say what is going on, in a few words; the lines, if any, are shown below the live line."""

    def remark(self, text: str) -> None:
        """Say what was not done although no device has failed: it stands behind the counts when the job ends."""

    def conclude(self, conclusion: Conclusion) -> None:
        """Sum the whole share up, once, when all its outcomes are reported: the recap shows it instead of a table."""


class Driver(Protocol):
    """How devices are reached.

    `run` returns when all is reported or the task is cancelled. A device that fails is an outcome; only "could not
    even try" is a `DriverError`. Devices without an outcome are filled in by the dispatcher.
    """

    name: str

    def run(self, task: Task, report: Report) -> None:
        """Run the task, reporting outcomes as devices finish."""


@runtime_checkable
class Closing(Protocol):
    """A driver that keeps something between jobs."""

    def close(self) -> None:
        """Let go of it: the bot ends."""
