"""Jobs as threads of this process: no server needed."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from automation_bots.errors import StoreError
from automation_bots.jobs.counters import Entry, Start
from automation_bots.jobs.run_context import RunContext
from automation_bots.jobs.runner import Run
from automation_bots.jobs.throttle import Admission, Caps, admit
from automation_bots.model import Job, Risk
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
_STOP_SECONDS = 16.0  # all that runs together may take so long to come back after it was cancelled
_AGAIN_SECONDS = 5.0  # between two looks at whether what waits for its window may start
_PASS_SECONDS = 1.0  # rates free up by time alone, so a pass is made now and then without being asked


class Local:
    """One thread admits, one thread a job runs. All state that matters is in the store."""

    def __init__(self, context: RunContext, caps: Callable[[], Caps]) -> None:
        self._context, self._caps = context, caps
        self._ended: Callable[[int], None] = lambda _number: None
        self._lock = threading.RLock()
        self._hurried = threading.Event()
        self._open = self._stopping = False
        self._queued: dict[int, tuple[Job, Mapping[str, Any]]] = {}
        self._entries: dict[int, Entry] = {}
        self._running: dict[int, Run] = {}
        self._recent: deque[Start] = deque(maxlen=10_000)
        self._waits: Mapping[int, str] = {}
        self._closed: dict[int, tuple[float, str]] = {}  # whose window is closed: until when nobody asks, and why
        self._seconds: Callable[[int], int | None] = lambda _number: None
        self._held: Mapping[str, int] | None = None  # None: to be asked for
        self._loop = Loop("dispatcher", self._pass, _PASS_SECONDS)

    def listen(self, ended: Callable[[int], None]) -> None:
        """Call this with the number of every job that has ended."""
        self._ended = ended

    def start(self) -> None:
        """Take up the queue of the store and begin."""
        with self._lock:
            for job in self._context.store.queued():
                if job.number not in self._queued:  # else it came while the bot started, and may have hidden values
                    self._enqueue(job, {})
            self._open = True
        self._loop.turn()  # at once, so that nobody hears that a job starts now which waits
        self._loop.start()

    def submit(self, job: Job, hidden: Mapping[str, Any]) -> str:
        """Take a job and make a pass at once, so that the answer can say what it waits for."""
        with self._lock:
            self._enqueue(job, hidden)
        if not self._loop.turn():  # the job is accepted, whatever is wrong with the pass; the next one is soon
            return "waits: the queue cannot be looked at now"
        return self._waits.get(job.number, "")

    def _enqueue(self, job: Job, hidden: Mapping[str, Any]) -> None:
        self._queued[job.number] = (job, hidden)
        self._entries[job.number] = Entry.of(job, self._context.all_names)

    def cancel(self, number: int, by: str) -> bool:
        """Stop a queued or running job."""
        with self._lock:
            run, taken = self._running.get(number), False
            if number in self._queued or (run and not run.has_begun):
                taken = self._context.store.cancel_queued(number, by)  # first: what fails here stays in the queue
            if number in self._queued:
                self._queued.pop(number), self._entries.pop(number)
        if taken:
            self._ended(number)
        elif run:
            run.cancel.set(f"cancelled by {by}")
        self._loop.wake()
        return bool(run or taken)

    def waiting(self) -> list[int]:
        """Which jobs wait; without the lock, as all looks from outside: a start holds it while the store writes."""
        return list(self._queued)

    def why(self, number: int) -> str:
        """What a queued job waits for; empty of any other job."""
        return self._waits.get(number, "starts now") if number in self._queued else ""

    @property
    def waiting_since(self) -> datetime | None:
        """When the oldest job that waits was asked for."""
        return min((job.created for job, _ in list(self._queued.values()) if job.created), default=None)

    def progress(self, number: int) -> str:
        """What the driver said last."""
        run = self._running.get(number)
        return run.said if run else ""

    def go_on(self, number: int) -> bool:
        """Let a running job that pauses after a batch go on; False when none does."""
        run = self._running.get(number)
        return bool(run and run.batches.go_on())

    def queued_by(self, person: str) -> int:
        """How many jobs of a person wait."""
        return sum(1 for entry in list(self._entries.values()) if entry.person == person)

    def free_in(self, person: str) -> int | None:
        """In how many seconds a rate lets the next job of a person start; None when no rate holds one back."""
        mine = [number for number, entry in list(self._entries.items()) if entry.person == person]
        return min((seconds for number in mine if (seconds := self._seconds(number))), default=None)

    @property
    def active(self) -> tuple[int, int]:
        """How many jobs run and wait."""
        return len(self._running), len(self._queued)

    @property
    def at_most(self) -> int:
        """How many may run."""
        return self._caps().bot

    @property
    def in_use(self) -> Counter[str]:
        """How many running jobs use each driver."""
        return Counter(driver for run in list(self._running.values()) for driver in run.entry.drivers)

    def released(self) -> None:
        """Holds have changed: look again."""
        with self._lock:
            self._held = None
        self._loop.wake()

    def reread(self) -> None:
        """The inventory is another one: devices may have other names."""
        with self._lock:
            self._entries = {n: Entry.of(job, self._context.all_names) for n, (job, _) in self._queued.items()}
        self.released()

    def stop(self, grace_seconds: float = 10.0) -> None:
        """Start nothing more, let running work end, then cancel it; queued jobs stay queued."""
        with self._lock:
            self._stopping = True
        self._loop.stop(0)
        deadline = time.monotonic() + grace_seconds
        while self._running and time.monotonic() < deadline and not self._hurried.wait(0.05):
            pass
        runs = list(self._running.values())
        for run in runs:
            run.interrupt("the bot was stopped")
        deadline = time.monotonic() + _STOP_SECONDS
        for run in runs:
            run.join(max(0.0, deadline - time.monotonic()))

    def responds(self, seconds: float = 5.0) -> bool:
        """Whether the queue goes on: a pass that hangs keeps the lock."""
        if not self._lock.acquire(timeout=seconds):
            return False
        self._lock.release()
        return True

    def hurry(self) -> None:
        """End the grace of a stop."""
        self._hurried.set()

    def _pass(self) -> float:
        self._admit()
        return _PASS_SECONDS

    def _admit(self) -> None:
        with self._lock:
            if self._stopping or not self._queued:
                self._waits = {}
                return
            if why := self._context.paused() if self._open else "waits: the bot is starting":
                self._waits = dict.fromkeys(self._queued, why)
                return
            closed = self._still_closed()
            admission = self._decide(closed)
            self._waits, self._seconds = {**admission.waits, **closed}, admission.seconds
            for number in admission.start:
                self._begin(number)

    def _still_closed(self) -> dict[int, str]:
        """Which jobs wait for their window, or for a word; others do not queue up behind them."""
        now, restored = time.monotonic(), self._context.restored.waits
        self._closed = {n: kept for n, kept in self._closed.items() if n in self._queued and now < kept[0]}
        closed = {number: why for number, (_, why) in self._closed.items()}
        return closed | {number: why for number, why in restored.items() if number in self._queued}

    def _decide(self, closed: Collection[int]) -> Admission:
        if self._held is None:
            self._held = self._holds()
        queued = [self._entries[number] for number in sorted(self._queued) if number not in closed]
        running = [run.entry for run in self._running.values()]
        return admit(queued, running, self._caps(), held=self._held, recent=self._recent, now=time.monotonic())

    def _holds(self) -> Mapping[str, int]:
        """Which devices are held, by every name that they have; of several jobs for the oldest."""
        found: dict[str, int] = {}
        for device, number in self._context.store.holds().items():
            for name in self._context.all_names((device,)):
                found[name] = min(number, found.get(name, number))
        return found

    def _begin(self, number: int) -> None:
        job, hidden = self._queued.pop(number)
        run = Run(self._context, job, hidden, self._entries.pop(number), self)
        self._running[number] = run
        self._recent.append(run.begun)
        run.start()

    def hold_too(self, run: Run, device: str) -> str:
        """Keep one more device from the changes of others while a job runs; why that cannot be, or empty."""
        with self._lock:
            held = self._holds() if self._held is None else self._held
            if device in held:
                return f"{device} is held because of #{held[device]}"
            for other in self._running.values():
                if other is not run and other.job.risk is Risk.CHANGE and device in other.entry.devices:
                    return f"{device} is being changed by #{other.job.number}"
            run.entry = replace(run.entry, devices=run.entry.devices | self._context.all_names((device,)))
        return ""

    def claim(self, run: Run) -> bool:
        """Let the record say who may begin; in the job's own thread, so that the wait for the disk holds up nobody."""
        try:
            if not self._stopping:
                if why := run.waits():
                    self._give_back(run, why)
                    return False
                if self._context.store.start(run.job.number):
                    return True
                self._forget(run)  # somebody took it out of the queue
                self._loop.wake()
                return False
        except StoreError:
            log.exception("job %s cannot begin now; trying again", run.job.number)
        self._give_back(run)
        return False

    def _forget(self, run: Run) -> None:
        with self._lock:
            self._running.pop(run.job.number, None)

    def _give_back(self, run: Run, closed: str = "") -> None:
        """Nothing was begun: it waits again, in its place."""
        number = run.job.number
        with self._lock:
            if closed:
                self._closed[number] = (time.monotonic() + _AGAIN_SECONDS, closed)
            self._forget(run)
            self._queued[number], self._entries[number] = run.asked, run.entry
            with suppress(ValueError):
                self._recent.remove(run.begun)

    def done(self, run: Run) -> None:
        """Let go of what it held, and tell of its end."""
        with self._lock:
            self._forget(run)
            if run.job.risk is Risk.CHANGE:
                self._held = None
        self._loop.wake()
        self._ended(run.job.number)
