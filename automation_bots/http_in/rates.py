"""How often somebody may call: a bucket that fills with time. Pure."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

_CALLERS = 4_096  # whose buckets are kept; the one that was not heard of for longest goes first


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Rates:
    """One bucket a key, of a bounded number of keys."""

    def __init__(self, callers: int = _CALLERS) -> None:
        self._callers = callers
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait(self, key: str, per_minute: float, now: float) -> float:
        """Take one call; return how many seconds to wait instead when there is none left."""
        wait = self.look(key, per_minute, now)
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(at_once(per_minute), now)
            while len(self._buckets) > self._callers:
                self._buckets.popitem(last=False)
        if not wait:
            bucket.left -= 1
        return wait

    def look(self, key: str, per_minute: float, now: float) -> float:
        """Return how many seconds to wait, and take nothing."""
        bucket = self._buckets.get(key)
        if bucket is None:
            return 0.0
        self._buckets.move_to_end(key)
        bucket.left = min(at_once(per_minute), bucket.left + max(0.0, now - bucket.at) * per_minute / 60)
        bucket.at = now
        return 0.0 if bucket.left >= 1 else (1 - bucket.left) * 60 / per_minute


def at_once(per_minute: float) -> float:
    """How many calls may come together."""
    return max(1.0, per_minute / 6)
