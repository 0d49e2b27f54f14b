"""How much of one kind is taken in a time; what is more is counted and told. Pure: the time is an argument."""

from __future__ import annotations

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

    def takes(self, key: str, now: float) -> bool:
        """Count one; whether it is still among those that are taken."""
        if key not in self._windows and len(self._windows) >= self._keys:
            key = OTHERS
        window = self._windows.setdefault(key, _Window(now))
        if self._ended(window, now):
            window.began, window.came = now, 0
        window.came += 1
        window.left_out += window.came > self._most
        return window.came <= self._most

    def over(self, now: float) -> dict[str, int]:
        """How many were left out of each key whose window has ended, which is told once."""
        ended = [key for key, window in self._windows.items() if self._ended(window, now)]
        counts = {key: self._windows.pop(key).left_out for key in ended}
        return {key: count for key, count in counts.items() if count}

    def _ended(self, window: _Window, now: float) -> bool:
        return not window.began <= now < window.began + self._seconds
