"""How many packets may leave now: so many a second, a hundredth of that at once. Pure: gets the time."""

from __future__ import annotations

UNLIMITED = 1 << 30


class Pace:
    """A bucket that fills with time; one for all that a sweep sends."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._most = max(1.0, per_second / 100)
        self._has = self._most
        self._at = 0.0

    def allowed(self, now: float) -> int:
        """Return how many packets may leave now."""
        if not self._per_second:
            return UNLIMITED
        self._has = min(self._most, self._has + (now - self._at) * self._per_second)
        self._at = now
        return int(self._has)

    def sent(self, packets: int) -> None:
        """Note that packets left."""
        self._has -= packets
