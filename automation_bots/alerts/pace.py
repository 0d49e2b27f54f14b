"""How many messages a room gets: a few a minute, and what is more shares one that is edited. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

SETTLE_SECONDS = 3.0  # from the first new alert on, until it is told
QUIET_SECONDS = 0.5  # without another one: told earlier
PAUSE_SECONDS = 15.0  # between two shared messages, where none can be edited
STORM_SECONDS = 60.0  # what follows within a minute stands in the same message
A_MINUTE = 5  # messages in a room, the shared one among them


@dataclass(slots=True)
class Pace:
    """One room; times are seconds of a clock that only goes forward."""

    posts: deque[float] = field(default_factory=deque)  # of the last minute
    first: float = 0.0  # when the first of those that wait came
    last: float = 0.0
    waiting: int = 0
    fold: int = 0  # the shared message that is still added to
    added: float = 0.0

    def settled(self, waiting: int, now: float) -> bool:
        """Whether it is time to tell those that wait, which may be more than at the last look."""
        if not self.waiting:
            self.first = self.last = now
        if waiting != self.waiting:
            self.waiting, self.last = waiting, now
        return now - self.first >= SETTLE_SECONDS or now - self.last >= QUIET_SECONDS

    def told(self) -> None:
        """Nothing waits any more."""
        self.waiting = 0

    def shared(self, now: float) -> int:
        """The shared message that new ones belong into; 0: none."""
        if self.fold and now - self.added >= STORM_SECONDS:
            self.fold = 0
        return self.fold

    def paused(self, now: float) -> bool:
        """Whether a shared message was posted just now, so that the next one waits for more."""
        return bool(self.fold) and now - self.added < PAUSE_SECONDS

    def left(self, now: float) -> int:
        """How many messages may still be posted in this minute."""
        while self.posts and now - self.posts[0] >= STORM_SECONDS:
            self.posts.popleft()
        return max(0, A_MINUTE - len(self.posts))

    def add(self, fold: int, now: float) -> None:
        """Something was put into a shared message."""
        self.fold, self.added = fold, now

    def posted(self, now: float) -> None:
        """A message was posted."""
        self.posts.append(now)
