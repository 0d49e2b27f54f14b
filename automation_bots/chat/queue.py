"""What waits to be said: a post, its place in the record, and the room in which it stands in line."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Protocol

_PATIENT_SECONDS = 5.0  # that an edit lets new messages go first

Work = Callable[[], Any]


class DurableCopy(Protocol):
    """Writes a post down that waits, over the end of the program."""

    @property
    def kept(self) -> bool:
        """Whether it is written down."""

    def keep(self) -> None:
        """Write down what is not said yet, where that is possible."""

    def drop(self) -> None:
        """Forget it: it was said, or never will be."""


@dataclass(slots=True, eq=False)
class QueuedPost:
    """One thing to say, and what came of it."""

    key: Hashable
    work: Work
    since: float
    note: DurableCopy | None = None
    done: threading.Event = field(default_factory=threading.Event)
    result: Any = None
    error: Exception | None = None
    abandoned: bool = False  # nobody waits for it any more
    moving: bool = False  # being sent at this moment

    @property
    def is_edit(self) -> bool:
        """Whether it changes what was said already."""
        return isinstance(self.key, tuple) and self.key[0] == "edit"

    def lets_by(self, now: float) -> bool:
        """Whether a new message may go before it."""
        return self.is_edit and not self.moving and now - self.since < _PATIENT_SECONDS


@dataclass(slots=True)
class RoomQueue:
    """What waits in one room, and when it may go."""

    posts: deque[QueuedPost] = field(default_factory=deque)
    passing: dict[Hashable, Work] = field(default_factory=dict)  # by message: only the newest state counts
    busy: bool = False
    not_before: float = 0.0
    asked: bool = False  # the network has named the time, rather than been away
    next_edit: float = 0.0
    pauses: int = 0
    planned: float | None = None

    def line_up(self, post: QueuedPost) -> None:
        """Whoever asked something waits for an answer: it goes before edits that have not waited long."""
        place = len(self.posts)
        while not post.is_edit and place and self.posts[place - 1].lets_by(post.since):
            place -= 1
        self.posts.insert(place, post)

    @property
    def due(self) -> float | None:
        """When there is something to do."""
        if self.posts:
            return self.not_before
        return max(self.not_before, self.next_edit) if self.passing else None
