"""How much of one kind is taken in a time; what is more is counted and told. Pure: the time is an argument."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

OTHERS = "others"  # who came when there were too many to count each


@dataclass(slots=True)
class _Window:
    began: float
    came: int = 0
    left_out: int = 0


class Allowance:
    """So many of each key in each window of time, for so many keys at most."""

    def __init__(self, most: int, seconds: float, keys: int = 5_000) -> None:
        self._most, self._seconds, self._keys = most, seconds, keys
        self._windows: dict[str, _Window] = {}
        self._over: Counter[str] = Counter()  # left out of windows that have ended

    def takes(self, key: str, now: float) -> bool:
        """Count one; whether it is still among those that are taken."""
        if key not in self._windows and len(self._windows) >= self._keys:
            key = OTHERS
        window = self._windows.setdefault(key, _Window(now))
        if self._ended(window, now):
            self._over[key] += window.left_out
            self._windows[key] = window = _Window(now)
        window.came += 1
        window.left_out += window.came > self._most
        return window.came <= self._most

    def over(self, now: float) -> dict[str, int]:
        """How many were left out of each key whose window has ended, which is told once."""
        for key in [key for key, window in self._windows.items() if self._ended(window, now)]:
            self._over[key] += self._windows.pop(key).left_out
        counts, self._over = +self._over, Counter()
        return dict(counts)

    def _ended(self, window: _Window, now: float) -> bool:
        return not window.began <= now < window.began + self._seconds


class Tally:
    """What was left out, until it is told: of each key at once, and then again only after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._counts: Counter[str] = Counter()
        self._told: dict[str, float] = {}

    def add(self, counts: Mapping[str, int]) -> None:
        """Count more."""
        self._counts.update(counts)

    def due(self, now: float) -> dict[str, int]:
        """What is to be told now."""
        self._told = {key: at for key, at in self._told.items() if at <= now < at + self._seconds}
        due = {key: count for key, count in self._counts.items() if key not in self._told}
        for key in due:
            del self._counts[key]
            self._told[key] = now
        return due
