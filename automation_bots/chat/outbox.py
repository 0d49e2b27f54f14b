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
from automation_bots.chat.queue import DurableCopy, QueuedPost, RoomQueue, Work
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
        self._rooms: dict[str, RoomQueue] = {}
        self._kept: dict[tuple[str, Hashable], QueuedPost] = {}  # said after their callers had gone
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
            return sum(len(room.posts) for room in self._rooms.values())

    def put(
        self, room: str, key: Hashable, work: Work, *, replace: bool = False, note: DurableCopy | None = None
    ) -> QueuedPost:
        """Queue a call; the same one that waits already is not queued twice. With `replace` the newer work counts."""
        post = self._put(room, key, work, note, replace=replace)
        if post.note is not None and self._is_held(room):
            post.note.keep()
        return post

    def put_back(self, room: str, key: Hashable, work: Work, note: DurableCopy, age_seconds: float) -> None:
        """Queue what waited already before the program was started; what is too old has failed."""
        post = QueuedPost(key, work, time.monotonic() - age_seconds, note)
        with self._changed:
            if age_seconds < self._give_up:
                here = self._rooms.setdefault(room, RoomQueue())
                here.posts.append(post)
                self._plan(room, here)
                return
            self._fail(room, post, Away("the network did not take it for too long"))
        note.drop()

    def _put(self, room: str, key: Hashable, work: Work, note: DurableCopy | None, *, replace: bool) -> QueuedPost:
        with self._changed:
            here = self._rooms.setdefault(room, RoomQueue())
            here.passing.pop(key, None)
            post = self._known(room, here, key, replace=replace)
            if post is not None:
                post.work = work if replace else post.work
                post.abandoned = False
                return post
            post = QueuedPost(key, work, time.monotonic(), note)
            if self._over:
                self._finish(post, Away("the bot is stopping"))
                return post
            here.line_up(post)
            self._plan(room, here)
            return post

    def pass_by(self, room: str, key: Hashable, work: Work) -> None:
        """Do it when the budget of edits allows; a newer one takes its place, and it may be lost."""
        with self._changed:
            here = self._rooms.setdefault(room, RoomQueue())
            here.passing[key] = work
            self._plan(room, here)

    def wait(self, room: str, post: QueuedPost, seconds: float) -> Any:
        """Return what came of it; Waiting when it takes longer, at once where the room waits for the network."""
        if not post.done.wait(0.0 if self._is_held(room) else seconds):
            with self._changed:
                post.abandoned = not post.done.is_set()
            if post.abandoned:
                raise Waiting("the chat network is slow or away; it will be said")
        if post.error is not None:
            raise post.error
        return post.result

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
            waiting = [(room, post) for room in self._rooms.values() for post in room.posts]
        for room, post in waiting:
            if post.note is None or room.not_before <= time.monotonic():
                continue
            post.note.keep()
            with self._changed:
                if post.note.kept and not post.moving and post in room.posts:
                    room.posts.remove(post)
                    self._finish(post, Away("the bot is stopping; it is said when it is back"))

    def close(self, seconds: float) -> None:
        """Say what can be said in that time, then end; what is left has failed."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while any(room.posts for room in self._rooms.values()) and time.monotonic() < deadline:
                self._changed.wait(deadline - time.monotonic())
            self._over = True
            for name, room in self._rooms.items():
                for post in room.posts:
                    if post.note is not None and post.note.kept:
                        self._finish(post, Away("the bot is stopping; it is said when it is back"))
                    elif not post.moving:
                        self._fail(name, post, Away("the bot stopped before it could be said"))
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))

    # -- inside

    def _is_held(self, room: str) -> bool:
        with self._changed:
            here = self._rooms.get(room)
            return here is not None and here.not_before > time.monotonic()

    def _known(self, room: str, here: RoomQueue, key: Hashable, *, replace: bool) -> QueuedPost | None:
        now = time.monotonic()
        self._kept = {k: kept for k, kept in self._kept.items() if now - kept.since < _KEPT_SECONDS}
        if not replace and (kept := self._kept.pop((room, key), None)):
            return kept
        for post in here.posts:
            if post.key == key and (post.abandoned or replace) and not (replace and post.moving):
                return post
        return None

    def _plan(self, name: str, room: RoomQueue) -> None:
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
            name, room, post, work = found
            try:
                result, error = work(), None
            except Exception as raised:  # noqa: BLE001 - goes to the caller; whatever a network raises concerns this one call
                result, error = None, raised
            with self._changed:
                self._settle(name, room, post, result, error)
                room.busy = False
                held = list(room.posts) if isinstance(error, OSError) else []
                self._plan(name, room)
                self._changed.notify_all()
            self._write_down(post, held)

    @staticmethod
    def _write_down(sent: QueuedPost | None, held: list[QueuedPost]) -> None:
        """Keep what the network did not take and all that waits behind it; forget what is over."""
        if sent is not None and sent.note is not None and sent.done.is_set():
            sent.note.drop()
        for post in held:
            if post.note is not None and not post.done.is_set():
                post.note.keep()

    def _next(self) -> tuple[str, RoomQueue, QueuedPost | None, Work] | None:
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
                if room.posts:
                    room.posts[0].moving = True
                    return name, room, room.posts[0], room.posts[0].work
                if not room.passing:  # dropped meanwhile
                    room.busy = False
                    continue
                return name, room, None, room.passing.pop(next(iter(room.passing)))
            return None

    def _settle(
        self, name: str, room: RoomQueue, post: QueuedPost | None, result: Any, error: Exception | None
    ) -> None:
        now = time.monotonic()
        room.next_edit = now + self._edit_seconds
        if isinstance(error, OSError):
            self._pause(room, error, now)
        if post is None:
            if error is not None:
                log.debug("progress in %s was not shown: %s", name, error)
            return
        post.moving = False
        if isinstance(error, OSError) and now - post.since < self._give_up and not self._over:
            log.info("%s: said later, the network is away: %s", name, error)
            return
        room.posts.popleft()
        if error is not None:
            self._fail(name, post, error)
            return
        room.pauses, room.asked = 0, False
        post.result = result
        if post.abandoned:
            post.since = now
            self._kept[name, post.key] = post
        post.done.set()

    def _pause(self, room: RoomQueue, error: OSError, now: float) -> None:
        room.asked = isinstance(error, Busy)
        if isinstance(error, Busy):
            room.not_before = now + max(0.05, error.seconds)
            return
        longest = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**room.pauses)
        room.not_before, room.pauses = now + random.uniform(longest / 2, longest), min(room.pauses + 1, 10)  # noqa: S311

    def _fail(self, room: str, post: QueuedPost, error: Exception) -> None:
        self.failed += 1
        self.problem = f"in {room}: {error}"
        log.error("%s: this was never said: %s", room, error)
        self._finish(post, error)

    def _finish(self, post: QueuedPost, error: Exception) -> None:
        post.error = error
        post.done.set()
