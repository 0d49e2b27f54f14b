"""How far a network's clock is ahead of this machine's, as the Date of its answers says.

So a machine whose clock is wrong takes fresh messages for fresh ones; see `backends.adapter.networked`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_GRAIN = timedelta(seconds=1)  # the time in a header has no fractions


class NetworkClock:
    """Measured with every answer; a difference that the way and the missing fractions explain is none.

    Of what it may be, the most is taken: a message then rather seems too old than too new, and no change runs late.
    """

    def __init__(self) -> None:
        self.ahead = timedelta()
        self._least, self._most = timedelta.min, timedelta.max

    def note(self, date: str, asked: datetime) -> None:
        """Take the Date header of an answer that was asked for at that time of this machine."""
        try:
            told = parsedate_to_datetime(date)
        except (TypeError, ValueError):
            return
        least, most = told - datetime.now(UTC), told + _GRAIN - asked
        if least <= self._most and self._least <= most:
            least, most = max(least, self._least), min(most, self._most)
        self._least, self._most = least, most  # one of the clocks was set, where both measures exclude each other
        self.ahead = timedelta() if least <= timedelta() <= most else most

    def here(self, at: datetime) -> datetime:
        """When that was by this machine's clock."""
        return at - self.ahead

    def there(self, at: datetime) -> datetime:
        """What the network's clock showed then."""
        return at + self.ahead

    def now(self) -> datetime:
        """What it shows now."""
        return self.there(datetime.now(UTC))
