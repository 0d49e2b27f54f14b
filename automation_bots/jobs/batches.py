"""A job's devices in batches one after the other, for every driver alike; one batch when nobody asked for a canary."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from automation_bots.drivers import Cancel
from automation_bots.errors import StoreError
from automation_bots.model import GOOD, Job, Outcome, Status
from automation_bots.policy import canary
from automation_bots.store import AuditKind, Store, Subject

log = logging.getLogger(__name__)
_PAUSE_SECONDS = 12 * 3600.0  # nobody's devices are kept from others for longer
_LOOK_SECONDS = 0.2
_ASK_SECONDS = 1.0  # between two looks at whether what has to wait may go on


@dataclass(frozen=True, slots=True)
class GoOn:
    """Whether a job may go on by now: why it ends, or what it waits for; neither when it may."""

    ends: str = ""
    waits: str = ""


_AGAIN_SECONDS = 2.0  # between two tries to record that a batch begins


class Batches:
    """Which devices come when, and why the others are not reached."""

    def __init__(self, job: Job, cancel: Cancel, store: Store, pause_seconds: float = _PAUSE_SECONDS) -> None:
        self._job, self._cancel, self._store, self._pause_seconds = job, cancel, store, pause_seconds
        self._batches = canary.batches(job.canary, job.devices)
        self._word = threading.Event()
        self._number = 0
        self._pausing = False
        self._waits = ""

    @property
    def label(self) -> str:
        """Where it is, as it stands before a driver's words."""
        if len(self._batches) == 1:
            return ""
        at = f"batch {self._number} of {len(self._batches)}"
        if self._waits:
            return f"paused after {at}: {self._waits}"
        return f"paused after {at}: !continue {self._job.number}" if self._pausing else at

    def go_on(self) -> bool:
        """Say the word that a pause waits for; False when there is no pause."""
        if not self._pausing:
            return False
        self._word.set()
        return True

    def run(
        self,
        work: Callable[[tuple[str, ...], float], None],
        seconds: float,
        seen: Mapping[str, Status],
        report: Callable[[Outcome], None],
        again: Callable[[], GoOn],
    ) -> str:
        """Do the work batch by batch within the time limit, pauses not counted; say why it stopped before the end."""
        for number, devices in enumerate(self._batches, 1):
            self._number = number
            if not self._recorded(devices):
                self._leave(
                    [device for batch in self._batches[number - 1 :] for device in batch], self._cancel.why, report
                )
                return ""
            began = time.monotonic()
            work(devices, seconds)
            seconds -= time.monotonic() - began
            rest = [device for batch in self._batches[self._number :] for device in batch]
            if not rest:
                return ""
            found = [seen.get(device, Status.FAILED) for device in devices]
            if why := self._stops(found) or self._pause() or self._asked(again):
                self._leave(rest, why, report)
                return "" if self._cancel.is_set() else why
        return ""

    def _recorded(self, devices: tuple[str, ...]) -> bool:
        """Record that a batch begins before it does, so that after a crash nobody wonders about later ones."""
        while self._job.canary is not None:
            try:
                about = replace(Subject.of_job(self._job), devices=devices)
                self._store.record(AuditKind.BATCH, {"batch": self._number}, about)
            except StoreError as error:
                log.warning("job %s: batch %d waits for the store: %s", self._job.number, self._number, error)
            else:
                return True
            if self._cancel.wait(_AGAIN_SECONDS):
                return False
        return True

    def _stops(self, found: list[Status]) -> str:
        if self._cancel.is_set():
            return self._cancel.why
        if not canary.stops(found, self._job.limits.failures):
            return ""
        bad = sum(1 for status in found if status not in GOOD)
        return f"stopped after batch {self._number} of {len(self._batches)}: {bad} of {len(found)} failed there"

    def _pause(self) -> str:
        if self._job.canary is None or self._job.canary.pause_after != self._number:
            return ""
        end = time.monotonic() + self._pause_seconds
        self._pausing = True
        while not self._word.wait(_LOOK_SECONDS) and not self._cancel.is_set() and time.monotonic() < end:
            pass
        self._pausing = False
        if self._cancel.is_set():
            return self._cancel.why
        return "" if self._word.is_set() else f"nobody said !continue after batch {self._number}"

    def _asked(self, again: Callable[[], GoOn]) -> str:
        """Ask until it may go on, or say why it ends."""
        end = time.monotonic() + self._pause_seconds
        while (answer := again()).waits and time.monotonic() < end:
            self._waits = answer.waits
            if self._cancel.wait(_ASK_SECONDS):
                break
        self._waits = ""
        if self._cancel.is_set():
            return self._cancel.why
        return f"too long after batch {self._number} it still {answer.waits}" if answer.waits else answer.ends

    def _leave(self, devices: list[str], why: str, report: Callable[[Outcome], None]) -> None:
        status = Status.CANCELLED if self._cancel.is_set() else Status.SKIPPED
        for device in devices:
            report(Outcome(device, status, f"not reached: {why}"))
