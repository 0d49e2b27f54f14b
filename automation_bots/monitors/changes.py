"""Work on devices, watched: everything is read before and after it, and compared; a ping goes on meanwhile."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from automation_bots import render
from automation_bots.errors import StoreError
from automation_bots.model import FINAL, Answer, Job, Monitor, Risk, WatchedChange, one_line
from automation_bots.monitors import comparison
from automation_bots.monitors.comparison import CONFIG, KINDS, Rank
from automation_bots.monitors.monitors import MonitorContext, Monitors
from automation_bots.monitors.teller import Teller
from automation_bots.monitors.watch import READ, Say
from automation_bots.store import Subject
from automation_bots.text.times import elapsed
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
_TURN_SECONDS = 1.0
_IDLE_SECONDS = 60.0
_LOOK_SECONDS = 120.0  # that a look may take; what is missing then is said to be missing
_JOBS = 500  # that are looked through for those in between
_SHOWN = 20
_BEFORE = {CONFIG: "backup"}  # what is read before, where it is another read than afterwards


@dataclass(slots=True)
class _Look:
    """A look that goes on: the jobs that read, and what they brought."""

    change: WatchedChange
    began: float
    by: Subject | None = None  # who ends it; None: it is the look before
    jobs: dict[int, str] = field(default_factory=dict)
    brought: dict[str, dict[str, comparison.Aspect]] = field(default_factory=dict)


class Changes:
    """One loop for all of them; the reads are jobs as the person who began it."""

    def __init__(self, context: MonitorContext, monitors: Monitors) -> None:
        self._context, self._store, self._monitors = context, context.store.watched_changes, monitors
        self._looks: dict[int, _Look] = {}
        self._lock = threading.RLock()
        self._teller = Teller(context.surface)
        self._loop = Loop("changes", self.round, _IDLE_SECONDS)

    def start(self) -> None:
        """Take up looks that a restart has broken off."""
        with self._lock:
            for change in self._store.open():
                if not change.before:
                    self._look(change, None)
        self._teller.start()
        self._loop.start()

    def stop(self) -> None:
        """End; what goes on is looked at again after the start."""
        self._loop.stop()
        self._teller.stop()

    def begin(self, change: WatchedChange) -> WatchedChange:
        """Look at everything as it is; its monitor goes on already."""
        made = self._store.add(change)
        with self._lock:
            self._look(made, None)
        return made

    def finish(self, change: WatchedChange, by: Subject) -> str:
        """Look at everything again; returns why that cannot be now, or nothing."""
        with self._lock:
            if change.number in self._looks:
                return f"C{change.number} is being looked at; wait a moment."
            self._look(change, by)
        return ""

    def ended(self, _job: int) -> None:
        """A job has ended, perhaps one of a look."""
        if self._looks:
            self._loop.wake()

    # -- looks

    def _look(self, change: WatchedChange, by: Subject | None) -> None:
        look = self._looks[change.number] = _Look(change, self._now().timestamp(), by)
        asks = Monitor(change.monitor, change.person, change.caller, change.place, READ, "", "", devices=change.devices,
                       pattern=change.pattern)  # fmt: skip
        for kind in KINDS:
            name = _BEFORE.get(kind, kind) if by is None else kind
            begun = self._context.ask(replace(asks, operation=name))
            if isinstance(begun, int):
                look.jobs[begun] = kind
            else:  # no right, or nothing there has a way for it: it is no part of either look
                log.info("C%d: no %s: %s", change.number, name, begun)
        self._loop.wake()

    def round(self) -> float:
        """Collect what has come; return how long there is nothing to do."""
        with self._lock:
            for number, look in list(self._looks.items()):
                try:
                    if self._is_whole(look):
                        self._looks.pop(number)
                        self._done(look)
                except StoreError as error:
                    log.warning("C%d cannot be written down now: %s", number, error)
        return _TURN_SECONDS if self._looks else _IDLE_SECONDS

    def _is_whole(self, look: _Look) -> bool:
        for number, kind in list(look.jobs.items()):
            if self._context.store.job(number).state in FINAL:
                look.jobs.pop(number)
                for outcome in self._context.store.outcomes(number, with_output=True):
                    look.brought.setdefault(outcome.device, {})[kind] = comparison.aspect(kind, outcome)
        return not look.jobs or self._now().timestamp() - look.began > _LOOK_SECONDS

    def _done(self, look: _Look) -> None:
        change = look.change
        if look.by is None:
            change = replace(change, before=look.brought or {"": {}}, looked=self._now())
            self._store.looked(change)
            said = f"C{change.number} started: {render.names(change.devices)} as {_they(change)} now"
            text = f"{said} ({comparison.measured(change.before)}); watching by M{change.monitor}."
            self._teller.tell(change.place, Say(f"C{change.number}", Answer(text, hint="→ !change end")))
            return
        change = replace(change, after=look.brought)
        differences = self._differences(change)
        ended = self._store.end(change, comparison.verdict(differences), look.by)
        self._monitors.end(change.monitor, "", look.by)
        self._teller.tell(change.place, Say(f"C{change.number}/end", self.report(ended)))

    # -- what it came to

    def _differences(self, change: WatchedChange) -> list[comparison.Difference]:
        """All that is other; a backup in between leaves nothing to compare the configuration with."""
        found = [*comparison.compared(change.before, change.after), *self._unseen(change)]
        backups = [job for job in self.between(change) if job.operation == "backup"]
        if not backups:
            return _sorted(found)
        why = f"configuration: I cannot say, it was backed up in between (#{backups[0].number}); → !config history"
        left = [one for one in found if not one.text.startswith("configuration ")]
        unsure = [comparison.Difference(Rank.UNSURE, device, why) for device in change.devices
                  if device in backups[0].devices and CONFIG in change.before.get(device, {})]  # fmt: skip
        return _sorted([*left, *unsure])

    def _unseen(self, change: WatchedChange) -> list[comparison.Difference]:
        """Of what changed something while it was still looked at, nobody knows whether that was seen as before it."""
        found: dict[str, Job] = {}
        for job in self.between(change) if change.looked else ():
            is_early = job.risk is Risk.CHANGE and job.created and change.looked and job.created < change.looked
            found |= dict.fromkeys(set(job.devices).intersection(change.devices), job) if is_early else {}
        why = "ran while C{} looked at it first: what that changed may be no difference here"
        return [
            comparison.Difference(Rank.UNSURE, device, f"I cannot say all: #{job.number} {why.format(change.number)}")
            for device, job in found.items()
        ]

    def report(self, change: WatchedChange) -> Answer:
        """The worst first, with the verdict, and what ran in between."""
        differences = self._differences(change)
        took = elapsed((change.ended - change.began).total_seconds()) if change.ended and change.began else ""
        head = f"C{change.number} ended after {took}. {comparison.verdict(differences)}"
        rows = [(one.device, one.text) for one in differences]
        lines = [comparison.same(change.before, differences)]
        jobs = [f"#{job.number} {job.title}{render.on_its_devices(job)} ({job.person})" for job in self.between(change)]
        lines += [f"In between: {'; '.join(one_line(job, 80) for job in jobs[:5])}"] if jobs else []
        table = render.table(rows, limit=_SHOWN, all_of_it=f"!change {change.number}")
        block = "\n".join(part for part in (table, *lines) if part)
        hint = f"→ !monitor {change.monitor} picture"
        return Answer(head, block, hint)

    def between(self, change: WatchedChange) -> list[Job]:
        """The jobs that ran meanwhile on its devices, and may have changed something or kept it."""
        until, devices = change.ended or self._now(), set(change.devices)
        return [
            job
            for job in reversed(self._context.store.jobs(limit=_JOBS, asked_for=True))
            if job.created and change.began and job.created <= until and (not job.ended or job.ended >= change.began)
            and devices.intersection(job.devices) and (job.risk is Risk.CHANGE or job.operation == "backup")
        ]  # fmt: skip

    def _now(self) -> datetime:
        return self._context.now()


def _sorted(found: Iterable[comparison.Difference]) -> list[comparison.Difference]:
    return sorted(found, key=lambda one: (one.rank, one.device, one.text))


def _they(change: WatchedChange) -> str:
    return "it is" if len(change.devices) == 1 else "they are"
