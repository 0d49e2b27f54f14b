"""Tells the place that asked: accepted, how far, how it ended; also after a restart. Nothing ends untold."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from automation_bots import render
from automation_bots.model import FINAL, Answer, Job, Mark, Outcome, Place
from automation_bots.store import Store
from automation_bots.surface import MessageRef, Surface, log_unsaid
from automation_bots.text import grouping
from automation_bots.text.grouping import Alike
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
_IDLE_SECONDS = 60.0  # with nothing to tell; whatever is begun wakes it
_ROUND_SECONDS = 0.25  # progress at most four times a second
_SPARING_SECONDS = 10.0  # where messages cannot be edited, a new one at most this often
_ACCEPT_SECONDS = 10.0  # how long an end waits for its first words to be said
_LOOK_SECONDS = 5.0  # between two looks for ends that nobody reported
_EDITS = 3  # a message that cannot be edited so often is perhaps gone: its job's end is said anew
_SAID = "-"  # stands for a message without a reference
_RETRY_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


@dataclass(slots=True)
class _Live:
    """What has been said about one job so far."""

    message: MessageRef | None = None
    opened: bool = False
    lost: bool = False  # its first words may stand there, though nobody knows in which message
    since: float = field(default_factory=time.monotonic)
    edited: float = 0.0
    text: str = ""
    told: bool = False  # said, but perhaps not yet noted in the store
    failures: int = 0
    next_try: float = 0.0


class Announcer:
    """One thread that says what the store knows."""

    def __init__(
        self,
        store: Store,
        surface: Callable[[Place], Surface],
        now: Callable[[], datetime],
        said: Callable[[int], str],
        told: Callable[[Job, Answer], Answer | None] = lambda _job, recap: recap,
        then: Callable[[Job, Sequence[Outcome]], Sequence[str]] = lambda _job, _outcomes: (),
    ) -> None:
        self._store, self._surface, self._now, self._said = store, surface, now, said
        self._then = then  # what may be typed after what failed
        self._told = told  # what is said of an end, given its recap; None: nothing
        self._live: dict[int, _Live] = {}
        self._over: set[int] = set()  # those of them that have ended
        self._looked = 0.0
        self._lock = threading.Lock()
        self._loop = Loop("announcer", self._round, last=True)

    def start(self) -> None:
        """Take up what was left untold, and begin."""
        for job in [*self._store.queued(), *self._store.untold()]:
            known = self._store.message(job.number)
            self._live.setdefault(job.number, _Live(message=_ref(known), opened=True, lost=not known))
        self._loop.start()

    def stop(self) -> None:
        """Say what can still be said, then end."""
        self._loop.stop()

    def expect(self, number: int) -> None:
        """A job exists now; its first words are about to be said."""
        with self._lock:
            self._live[number] = _Live()

    def accepted(self, job: Job, why: str, *, silent: bool = False) -> None:
        """Say the first words about a job, in the thread of the command."""
        live = self._live.get(job.number)
        if live is None:  # its end has been told already
            return
        try:
            if not silent:
                self._say_first(job, live, why)
        except Exception as error:  # noqa: BLE001 - whatever a network raises, the job is accepted and its end will be told
            live.lost = True
            log_unsaid(log, error, "job %s: its first words could not be said; it runs all the same", job.number)
        finally:
            live.since = time.monotonic()
            live.opened = True
            self._loop.wake()

    def _say_first(self, job: Job, live: _Live, why: str = "") -> None:
        live.message = self._surface(job.place).say(job.place, marked(job, "first words", render.accepted(job, why)))
        live.lost = False
        if live.message is not None:
            self._store.set_message(job.number, json.dumps(asdict(live.message)))

    def parked(self, job: Job, why: str) -> None:
        """Say the first words about a job that will not start soon; nobody follows it until `take_up`."""
        message = self._surface(job.place).say(job.place, marked(job, "first words", render.accepted(job, why)))
        self._store.set_message(job.number, json.dumps(asdict(message)) if message else _SAID)

    def is_said(self, number: int) -> bool:
        """Whether the first words about a parked job were said."""
        return bool(self._store.message(number))

    def take_up(self, number: int) -> None:
        """A parked job goes on: follow it from now on, in the message that it has already."""
        with self._lock:
            known = self._store.message(number)
            self._live[number] = _Live(message=_ref(known), opened=True, lost=not known)
        self._loop.wake()

    def ended(self, number: int) -> None:
        """A job has ended: look at once."""
        with self._lock:
            self._over.add(number)
        self._loop.wake()

    @property
    def pending(self) -> int:
        """How many jobs have not been told to the end."""
        return len(self._live)

    def _round(self) -> float:
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._looked = time.monotonic()
            untold = {job.number for job in self._store.untold()}
            with self._lock:
                self._over |= untold & self._live.keys()
        with self._lock:
            over = [(number, entry) for number in sorted(self._over) if (entry := self._live.get(number))]
            self._over &= self._live.keys()
        for number, entry in over:
            if time.monotonic() >= entry.next_try and _is_opened(entry):
                self._try_end(number, entry)
        for job in self._store.running():
            running = self._live.get(job.number)
            if running is not None and running.message is not None and not job.quiet and _is_opened(running):
                self._tell_progress(job, running)
        return _ROUND_SECONDS if self._live else _IDLE_SECONDS

    def _try_end(self, number: int, entry: _Live) -> None:
        try:
            self._tell_end(self._store.job(number), entry)
        except Exception as error:  # noqa: BLE001 - of one place or one job; all others are told all the same
            wait = _RETRY_SECONDS[min(entry.failures, len(_RETRY_SECONDS) - 1)]
            entry.failures, entry.next_try = entry.failures + 1, time.monotonic() + wait
            log_unsaid(log, error, "job %s: its end could not be told; next try in %g s", number, wait)

    def _tell_end(self, job: Job, entry: _Live) -> None:
        if job.state not in FINAL:
            return
        if not entry.told and (answer := self._end(job)) is not None:
            surface = self._surface(job.place)
            if entry.lost and surface.capabilities.once and entry.failures < _EDITS:
                self._say_first(job, entry)  # which finds the message, where there is one
            if entry.message is not None and surface.capabilities.edits and entry.failures < _EDITS:
                surface.edit(entry.message, answer)
            else:
                surface.say(job.place, answer)
        entry.told = True
        self._store.mark_told(job.number)
        with self._lock:
            self._live.pop(job.number, None)
            self._over.discard(job.number)

    def _end(self, job: Job) -> Answer | None:
        return self._told(job, self._recap(job, self._surface(job.place)))

    def _recap(self, job: Job, surface: Surface) -> Answer:
        outcomes = self._store.outcomes(job.number, with_output=len(job.devices) <= render.WHOLE_OUTPUTS)
        said, lines = self._store.conclusion(job.number), surface.capabilities.screen_lines
        alike, then = self._alike(job, outcomes), self._then(job, outcomes)
        return render.recap(job, outcomes, said, alike, screen_lines=lines, then=then)

    def _alike(self, job: Job, outcomes: Sequence[Outcome]) -> tuple[Alike, ...]:
        """Devices with the same answer, with the texts that will be shown: few, however many devices there are."""
        found = grouping.grouped(outcomes, self._store.digests(job.number)) if len(outcomes) > 1 else ()
        shown = found[: grouping.GROUPS_SHOWN]
        texts = (self._store.output(job.number, group.devices[0]) for group in shown)
        return tuple(Alike(group.devices, text) for group, text in zip(shown, texts, strict=True)) + found[len(shown) :]

    def _tell_progress(self, job: Job, entry: _Live) -> None:
        surface = self._surface(job.place)
        every = surface.capabilities.edit_seconds if surface.capabilities.edits else _SPARING_SECONDS
        if time.monotonic() - max(entry.edited, entry.since) < every:
            return
        answer = render.progress(job, self._now(), self._said(job.number))
        entry.edited = time.monotonic()
        if str(answer) == entry.text or entry.message is None:
            return
        entry.text = str(answer)
        try:
            if surface.capabilities.edits:
                surface.progress(entry.message, answer)
            else:
                surface.say(job.place, answer)
        except Exception as error:  # noqa: BLE001 - whatever a network raises, the next progress may be shown
            log_unsaid(log, error, "job %s: progress could not be shown", job.number)


def marked(job: Job, what: str, answer: Answer) -> Answer:
    """Let something about a job stand in a place once, however often it is said there."""
    return replace(answer, mark=Mark(f"{what} of {job.number} at {job.created}", job.created))


def _is_opened(entry: _Live) -> bool:
    """Whether the first words are said, or have taken too long."""
    return entry.opened or time.monotonic() - entry.since >= _ACCEPT_SECONDS


def _ref(text: str) -> MessageRef | None:
    if not text or text == _SAID:
        return None
    data = json.loads(text)
    return MessageRef(Place(**data["place"]), data["id"])
