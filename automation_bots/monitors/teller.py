"""Says what monitors have to say, in a thread of its own: a slow chat network keeps no look waiting."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

from automation_bots.errors import DriverError
from automation_bots.model import Answer, File, Place
from automation_bots.monitors.watch import Say
from automation_bots.surface import MessageRef, Surface, Waiting
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
_IDLE_SECONDS = 60.0
_AGAIN_SECONDS = (1.0, 2.0, 5.0, 10.0, 30.0)
_TRIES = 20  # to say one thing, while the network is away
_KEPT = 2_000  # messages that may still be edited


@dataclass(slots=True)
class _Task:
    place: Place
    say: Say
    tries: int = 0
    not_before: float = 0.0


class Teller:
    """One queue; edits of the same message are merged, since only the last one counts."""

    def __init__(
        self, surface: Callable[[Place], Surface], said: Callable[[str, str], None] = lambda _k, _r: None
    ) -> None:
        self._surface, self._said = surface, said
        self._refs: dict[str, MessageRef] = {}
        self._queue: deque[_Task] = deque()
        self._live: dict[str, tuple[MessageRef, Answer]] = {}
        self._lock = threading.Lock()
        self._loop = Loop("monitor news", self.round, _IDLE_SECONDS, last=True)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def stop(self) -> None:
        """Say what can still be said, then end."""
        self._loop.stop()

    def know(self, key: str, ref: str) -> None:
        """A message of an earlier life of the bot, to be edited."""
        if ref:
            data = json.loads(ref)
            self._refs[key] = MessageRef(Place(**data["place"]), data["id"])

    def tell(self, place: Place, say: Say) -> None:
        """Queue something."""
        with self._lock:
            self._queue.append(_Task(place, say))
        self._loop.wake()

    def message(self, key: str) -> MessageRef | None:
        """What was said under a key, where that can be edited."""
        return self._refs.get(key)

    def show(self, key: str, answer: Answer) -> None:
        """Let the live message show this, where it can be edited; a later one may replace it unseen."""
        ref = self._refs.get(key)
        if ref is None or not self.edits(ref.place):
            return
        with self._lock:
            self._live[key] = (ref, answer)
        self._loop.wake()

    def edits(self, place: Place) -> bool:
        """Whether messages there can be edited."""
        try:
            return self._surface(place).capabilities.edits
        except OSError:
            return False

    def edit_seconds(self, place: Place) -> float:
        """The least time between two edits there."""
        try:
            return self._surface(place).capabilities.edit_seconds
        except OSError:
            return 1.0

    def round(self) -> float:
        """Say what is due; return how long nothing is."""
        now = time.monotonic()
        with self._lock:
            live, self._live = self._live, {}
            ready = [task for task in self._queue if task.not_before <= now]
            self._queue = deque(task for task in self._queue if task.not_before > now)
        for task in ready:
            self._try(task)
        for ref, answer in live.values():
            try:
                self._surface(ref.place).progress(ref, answer)
            except Exception:  # whatever a network raises, the next state may be shown
                log.exception("a monitor's message could not be edited")
        with self._lock:
            waits = [task.not_before - now for task in self._queue]
        return max(0.05, min([*waits, _IDLE_SECONDS]))

    def _try(self, task: _Task) -> None:
        try:
            self._say(task.place, task.say)
        except Waiting:
            pass  # the network has it, and will say it
        except Exception:  # of one place; all others are told all the same
            task.tries += 1
            wait = _AGAIN_SECONDS[min(task.tries, len(_AGAIN_SECONDS)) - 1]
            task.not_before = time.monotonic() + wait
            log.exception("a monitor's news could not be said; next try in %g s", wait)
            if task.tries < _TRIES:
                with self._lock:
                    self._queue.append(task)

    def _say(self, place: Place, say: Say) -> None:
        surface = self._surface(place)
        ref = self._refs.get(say.key)
        if say.edits and ref is not None and surface.capabilities.edits:
            surface.edit(ref, say.answer)
            return
        answer = say.otherwise if say.edits else say.answer
        if answer is None:
            return
        if say.draw is not None and (say.asked or surface.capabilities.files):
            answer = _with_picture(answer, say.draw)
        ref = surface.say(place, answer)
        if ref is not None and not say.edits:
            self._refs[say.key] = ref
            while len(self._refs) > _KEPT:
                self._refs.pop(next(iter(self._refs)))
            self._said(say.key, json.dumps(asdict(ref)))


def _with_picture(answer: Answer, draw: Callable[[], File]) -> Answer:
    """Add it; without it the rest is told all the same."""
    try:
        return replace(answer, files=(*answer.files, draw()))
    except DriverError as error:
        return replace(answer, text=f"{answer.text} No picture: {error}")
