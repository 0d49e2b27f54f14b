"""Keeps what monitors saw: looks for a day, five minutes for 30 days, hours for a year. Never in the way of a look."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from itertools import groupby

from automation_bots.monitors import history
from automation_bots.monitors.history import CHUNK_SECONDS, COARSE, FINE, KEPT_SECONDS, RAW, Figure, Kept
from automation_bots.store import Store
from automation_bots.threads.loop import Loop

Chunks = list[tuple[int, bytes]]

_EVERY_SECONDS = 20.0
_LATE_SECONDS = 30  # looks of a chunk that still come when it is over
_TARGETS_AT_ONCE = 200  # rolled up before others write


class Recorder:
    """Takes looks in memory, and writes chunks that are over in a thread of its own."""

    def __init__(self, store: Store, now: Callable[[], float]) -> None:
        self._store, self._now = store.monitors, now
        self._open: dict[tuple[int, int], bytearray] = {}  # (target, start)
        self._lock = threading.Lock()
        self._rolled = 0  # the hour up to which all is rolled up
        self._loop = Loop("monitor history", self._round, _EVERY_SECONDS)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    def stop(self) -> None:
        """Write all that is in memory, and end."""
        self._loop.stop()
        self.flush(everything=True)

    def add(self, target: int, at: float, value: float | None, *, blind: bool = False) -> None:
        """Take one look."""
        start = int(at) // CHUNK_SECONDS[RAW] * CHUNK_SECONDS[RAW]
        data = history.packed(start, at, value, blind=blind)
        with self._lock:
            self._open.setdefault((target, start), bytearray()).extend(data)

    def _round(self) -> float:
        self.flush()
        hour = int(self._now() - _LATE_SECONDS) // 3_600
        if hour > self._rolled:
            self.roll_up()
            self._rolled = hour
        return _EVERY_SECONDS

    def flush(self, *, everything: bool = False) -> None:
        """Write the chunks that are over, or all."""
        before = self._now() - CHUNK_SECONDS[RAW] - _LATE_SECONDS
        with self._lock:
            keys = [key for key in self._open if everything or key[1] <= before]
            ready = {key: bytes(self._open.pop(key)) for key in keys}
        if ready:
            earlier = self._earlier(ready)
            self._store.keep(RAW, [(*key, earlier.get(key, b"") + data) for key, data in ready.items()])

    def _earlier(self, keys: Collection[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
        """What an earlier life of the bot, or an earlier flush, wrote of these chunks."""
        found = self._store.seen_of({target for target, _ in keys}, RAW, min(start for _, start in keys))
        return {(target, start): data for target, start, data in found if (target, start) in keys}

    # -- what it comes to

    def roll_up(self) -> None:
        """Sum up what is over, and forget what is old."""
        every, now = self._store.all_targets(), int(self._now())
        for start in range(0, len(every), _TARGETS_AT_ONCE):
            some = every[start : start + _TARGETS_AT_ONCE]
            self._sum_up(some, RAW, FINE, history.hour, now)
            self._sum_up(some, FINE, COARSE, history.day, now)
            for level, kept in KEPT_SECONDS.items():
                self._store.forget_seen(some, level, now - kept)
        self._store.forget_ended()
        self._store.sum_up_looks()

    def _sum_up(
        self,
        some: Collection[int],
        of: int,
        level: int,
        sum_: Callable[[int, Chunks], bytes],
        now: int,
    ) -> None:
        size = CHUNK_SECONDS[level]
        until = now // size * size
        found = [
            (target, start, sum_(start, chunks))
            for target in some
            for start, chunks in self._unsummed(target, of, level, until)
        ]
        if found:
            self._store.keep(level, found)

    def _unsummed(self, target: int, of: int, level: int, until: int) -> Iterator[tuple[int, Chunks]]:
        """Give the chunks of a level that no figure of the next one has yet, by what will hold them."""
        size, oldest = CHUNK_SECONDS[level], until - KEPT_SECONDS[of] - CHUNK_SECONDS[level]
        done = [at for at, _ in self._store.seen(target, level, oldest, until)]
        since = done[-1] + size if done else oldest
        yield from (
            (start, list(chunks))
            for start, chunks in groupby(self._store.seen(target, of, since, until), lambda one: one[0] // size * size)
        )

    # -- what was seen

    def looks(self, target: int, since: float) -> list[Kept]:
        """Return every look since then, as far as they are kept."""
        first = int(since) // CHUNK_SECONDS[RAW] * CHUNK_SECONDS[RAW]
        chunks = self._store.seen(target, RAW, first, int(self._now()) + 1)
        return self._read(target, chunks, since)

    def looks_of(self, targets: Collection[int], since: float) -> Iterator[tuple[int, list[Kept]]]:
        """Give the same of many targets, which is one question for all of them."""
        first = int(since) // CHUNK_SECONDS[RAW] * CHUNK_SECONDS[RAW]
        kept = self._chunks_of(targets, RAW, first)
        yield from ((target, self._read(target, kept.get(target, []), since)) for target in targets)

    def _read(self, target: int, chunks: Chunks, since: float) -> list[Kept]:
        first = int(since) // CHUNK_SECONDS[RAW] * CHUNK_SECONDS[RAW]
        every = chunks + self._in_memory(target, first, int(self._now()) + 1)
        return [look for start, data in every for look in history.looks(start, data) if look.at >= since]

    def _chunks_of(self, targets: Collection[int], level: int, first: int) -> dict[int, Chunks]:
        found: dict[int, Chunks] = {}
        for target, start, data in self._store.seen_of(targets, level, first):
            found.setdefault(target, []).append((start, data))
        return found

    def _in_memory(self, target: int, first: int, until: int) -> Chunks:
        starts = range(first, until + CHUNK_SECONDS[RAW], CHUNK_SECONDS[RAW])
        with self._lock:
            return [(start, bytes(data)) for start in starts if (data := self._open.get((target, start)))]

    def latest(self, targets: Collection[int], since: float) -> dict[int, list[Kept]]:
        """Return the looks of many targets since then that are written down, such as those of an earlier life."""
        return {target: looks for target, looks in self.looks_of(targets, since) if looks}

    def figures(self, target: int, since: float, level: int) -> list[Figure]:
        """Return the figures of a level since then, those that are not yet over included."""
        first = int(since) // CHUNK_SECONDS[level] * CHUNK_SECONDS[level]
        return self._figures(target, self._store.seen(target, level, first, int(self._now()) + 1), since, level)

    def figures_of(self, targets: Collection[int], since: float, level: int) -> Iterator[tuple[int, list[Figure]]]:
        """Give the same of many targets."""
        kept = self._chunks_of(targets, level, int(since) // CHUNK_SECONDS[level] * CHUNK_SECONDS[level])
        yield from ((target, self._figures(target, kept.get(target, []), since, level)) for target in targets)

    def _figures(self, target: int, chunks: Chunks, since: float, level: int) -> list[Figure]:
        step, size = history.FINE_SECONDS if level == FINE else history.COARSE_SECONDS, CHUNK_SECONDS[level]
        found = [one for start, data in chunks for one in history.figures(start, step, data)]
        after = chunks[-1][0] + size if chunks else int(since)
        recent = groupby(self.looks(target, after), lambda look: int(look.at) // step * step)
        return [one for one in found if one.at + step > since] + [history.figure(at, some) for at, some in recent]
