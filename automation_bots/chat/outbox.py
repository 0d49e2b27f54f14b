"""What goes out, in order per room: retried as the network asks, nothing dropped, progress within a budget of edits."""

from __future__ import annotations

import heapq
import itertools
import logging
import random
import threading
import time
from collections.abc import Hashable
from typing import Any

from automation_bots.chat.client import Away, Busy
from automation_bots.chat.queue import Letter, Note, Room, Work
from automation_bots.surface import Waiting

log = logging.getLogger(__name__)
_WORKERS = 8
_GIVE_UP_SECONDS = 3600.0  # a post that the network did not take for so long has failed
_KEPT_SECONDS = 600.0  # that a result is kept for a caller that gave up waiting and will ask again
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 30.0


class Outbox:
    """A few threads that serve rooms; in each room one call at a time."""

    def __init__(
        self, edit_seconds: float = 1.0, *, give_up_seconds: float = _GIVE_UP_SECONDS, workers: int = _WORKERS
    ) -> None:
        self._edit_seconds, self._give_up = edit_seconds, give_up_seconds
        self._rooms: dict[str, Room] = {}
        self._kept: dict[tuple[str, Hashable], Letter] = {}  # said after their callers had gone
        self._heap: list[tuple[float, int, str]] = []
        self._count = itertools.count()
        self._changed = threading.Condition()
        self._over = False
        self.failed = 0  # posts that were never said
        self.problem = ""  # the last of them
        self._threads = [
            threading.Thread(target=self._work, name=f"outbox-{number}", daemon=True) for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many posts are not said yet."""
        with self._changed:
            return sum(len(room.letters) for room in self._rooms.values())

    def put(self, room: str, key: Hashable, work: Work, *, replace: bool = False, note: Note | None = None) -> Letter:
        """Queue a call; the same one that waits already is not queued twice. With `replace` the newer work counts."""
        letter = self._put(room, key, work, note, replace=replace)
        if letter.note is not None and self._is_held(room):
            letter.note.keep()
        return letter

    def put_back(self, room: str, key: Hashable, work: Work, note: Note, age_seconds: float) -> None:
        """Queue what waited already before the program was started; what is too old has failed."""
        letter = Letter(key, work, time.monotonic() - age_seconds, note)
        with self._changed:
            if age_seconds < self._give_up:
                here = self._rooms.setdefault(room, Room())
                here.letters.append(letter)
                self._plan(room, here)
                return
            self._fail(room, letter, Away("the network did not take it for too long"))
        note.drop()

    def _put(self, room: str, key: Hashable, work: Work, note: Note | None, *, replace: bool) -> Letter:
        with self._changed:
            here = self._rooms.setdefault(room, Room())
            here.passing.pop(key, None)
            letter = self._known(room, here, key, replace=replace)
            if letter is not None:
                letter.work = work if replace else letter.work
                letter.abandoned = False
                return letter
            letter = Letter(key, work, time.monotonic(), note)
            if self._over:
                self._finish(letter, Away("the bot is stopping"))
                return letter
            here.line_up(letter)
            self._plan(room, here)
            return letter

    def pass_by(self, room: str, key: Hashable, work: Work) -> None:
        """Do it when the budget of edits allows; a newer one takes its place, and it may be lost."""
        with self._changed:
            here = self._rooms.setdefault(room, Room())
            here.passing[key] = work
            self._plan(room, here)

    def wait(self, room: str, letter: Letter, seconds: float) -> Any:
        """Return what came of it; Waiting when it takes longer, at once where the room waits for the network."""
        if not letter.done.wait(0.0 if self._is_held(room) else seconds):
            with self._changed:
                letter.abandoned = not letter.done.is_set()
            if letter.abandoned:
                raise Waiting("the chat network is slow or away; it will be said")
        if letter.error is not None:
            raise letter.error
        return letter.result

    def hurry(self) -> None:
        """The network is back: try at once, except where it has named a time itself."""
        with self._changed:
            for name, room in list(self._rooms.items()):
                if not room.asked:
                    room.not_before, room.pauses = 0.0, 0
                    self._plan(name, room)

    def lay_aside(self) -> None:
        """Before the end: what waits for the network and is written down is said when the bot is back, and not now."""
        with self._changed:
            waiting = [(room, letter) for room in self._rooms.values() for letter in room.letters]
        for room, letter in waiting:
            if letter.note is None or room.not_before <= time.monotonic():
                continue
            letter.note.keep()
            with self._changed:
                if letter.note.kept and not letter.moving and letter in room.letters:
                    room.letters.remove(letter)
                    self._finish(letter, Away("the bot is stopping; it is said when it is back"))

    def close(self, seconds: float) -> None:
        """Say what can be said in that time, then end; what is left has failed."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while any(room.letters for room in self._rooms.values()) and time.monotonic() < deadline:
                self._changed.wait(deadline - time.monotonic())
            self._over = True
            for name, room in self._rooms.items():
                for letter in room.letters:
                    if letter.note is not None and letter.note.kept:
                        self._finish(letter, Away("the bot is stopping; it is said when it is back"))
                    elif not letter.moving:
                        self._fail(name, letter, Away("the bot stopped before it could be said"))
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))

    # -- inside

    def _is_held(self, room: str) -> bool:
        with self._changed:
            here = self._rooms.get(room)
            return here is not None and here.not_before > time.monotonic()

    def _known(self, room: str, here: Room, key: Hashable, *, replace: bool) -> Letter | None:
        now = time.monotonic()
        self._kept = {k: kept for k, kept in self._kept.items() if now - kept.since < _KEPT_SECONDS}
        if not replace and (kept := self._kept.pop((room, key), None)):
            return kept
        for letter in here.letters:
            if letter.key == key and (letter.abandoned or replace) and not (replace and letter.moving):
                return letter
        return None

    def _plan(self, name: str, room: Room) -> None:
        due = room.due
        if room.busy:
            return
        if due is None:
            if room.not_before <= time.monotonic() and room.next_edit <= time.monotonic():
                self._rooms.pop(name, None)
            return
        if room.planned is None or due < room.planned:
            room.planned = due
            heapq.heappush(self._heap, (due, next(self._count), name))
            self._changed.notify_all()

    def _work(self) -> None:
        while (found := self._next()) is not None:
            name, room, letter, work = found
            try:
                result, error = work(), None
            except Exception as raised:  # noqa: BLE001 - goes to the caller; whatever a network raises concerns this one call
                result, error = None, raised
            with self._changed:
                self._settle(name, room, letter, result, error)
                room.busy = False
                held = list(room.letters) if isinstance(error, OSError) else []
                self._plan(name, room)
                self._changed.notify_all()
            self._write_down(letter, held)

    @staticmethod
    def _write_down(sent: Letter | None, held: list[Letter]) -> None:
        """Keep what the network did not take and all that waits behind it; forget what is over."""
        if sent is not None and sent.note is not None and sent.done.is_set():
            sent.note.drop()
        for letter in held:
            if letter.note is not None and not letter.done.is_set():
                letter.note.keep()

    def _next(self) -> tuple[str, Room, Letter | None, Work] | None:
        with self._changed:
            while not self._over:
                now = time.monotonic()
                if not self._heap or self._heap[0][0] > now:
                    self._changed.wait(self._heap[0][0] - now if self._heap else None)
                    continue
                due, _, name = heapq.heappop(self._heap)
                room = self._rooms.get(name)
                if room is None or room.busy or room.planned != due:
                    continue
                room.planned, room.busy = None, True
                if room.letters:
                    room.letters[0].moving = True
                    return name, room, room.letters[0], room.letters[0].work
                if not room.passing:  # dropped meanwhile
                    room.busy = False
                    continue
                return name, room, None, room.passing.pop(next(iter(room.passing)))
            return None

    def _settle(self, name: str, room: Room, letter: Letter | None, result: Any, error: Exception | None) -> None:
        now = time.monotonic()
        room.next_edit = now + self._edit_seconds
        if isinstance(error, OSError):
            self._pause(room, error, now)
        if letter is None:
            if error is not None:
                log.debug("progress in %s was not shown: %s", name, error)
            return
        letter.moving = False
        if isinstance(error, OSError) and now - letter.since < self._give_up and not self._over:
            log.info("%s: said later, the network is away: %s", name, error)
            return
        room.letters.popleft()
        if error is not None:
            self._fail(name, letter, error)
            return
        room.pauses, room.asked = 0, False
        letter.result = result
        if letter.abandoned:
            letter.since = now
            self._kept[name, letter.key] = letter
        letter.done.set()

    def _pause(self, room: Room, error: OSError, now: float) -> None:
        room.asked = isinstance(error, Busy)
        if isinstance(error, Busy):
            room.not_before = now + max(0.05, error.seconds)
            return
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**room.pauses)
        room.not_before, room.pauses = now + random.uniform(longest / 2, longest), min(room.pauses + 1, 10)  # noqa: S311

    def _fail(self, room: str, letter: Letter, error: Exception) -> None:
        self.failed += 1
        self.problem = f"in {room}: {error}"
        log.error("%s: this was never said: %s", room, error)
        self._finish(letter, error)

    def _finish(self, letter: Letter, error: Exception) -> None:
        letter.error = error
        letter.done.set()
