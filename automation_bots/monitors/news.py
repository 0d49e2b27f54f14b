"""What a room hears of changes: those of one moment together, and a loss of the bot's own network as that. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from automation_bots.monitors.track import TargetState

SETTLE_SECONDS = 4.0  # from the first change on, until it is told
QUIET_SECONDS = 1.0  # without another one: told earlier
STORM_SECONDS = 60.0  # what follows within a minute stands in the same message
APART = 5  # changes that have a line each; more are counted
_MOST = 0.8  # share of the hosts beyond the gateway that has to fail; the others may not have been looked at yet
_EVIDENT = 3  # hosts that fail together before nothing but the own network explains it


@dataclass(frozen=True, slots=True)
class Change:
    """A target is another than it was; `at` is when that began."""

    target: str
    was: TargetState
    now: TargetState
    at: float
    text: str = ""
    lasted: float = 0.0  # seconds that it was as before


@dataclass(slots=True)
class Settling:
    """Changes that wait a moment for others of the same cause."""

    first: float = 0.0
    last: float = 0.0
    changes: dict[str, Change] = field(default_factory=dict)

    def add(self, change: Change, now: float) -> None:
        """Take one; a target that is again as it was before all this is no news."""
        if not self.changes:
            self.first = now
        self.last = now
        before = self.changes.pop(change.target, None)
        if before is None:
            self.changes[change.target] = change
        elif before.was is not change.now or before.was is TargetState.UNKNOWN:
            self.changes[change.target] = Change(
                change.target, before.was, change.now, change.at, change.text, before.lasted
            )

    def due(self, now: float) -> bool:
        """Whether it is time to tell."""
        return bool(self.changes) and (now - self.first >= SETTLE_SECONDS or now - self.last >= QUIET_SECONDS)

    def take(self) -> tuple[Change, ...]:
        """Return all, in the order of their targets, and begin anew."""
        found = tuple(self.changes[name] for name in sorted(self.changes))
        self.changes = {}
        return found


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for and against a loss of the bot's own network; this machine itself is no witness."""

    failing: int  # hosts that fail now
    since: float  # when the first of these failures was looked at
    heard: float  # when the last look began that was answered by whoever it was
    gateway: bool | None  # whether the next router answers; None: there is none, or it never did
    beyond: int = 0  # of those that fail, the ones that are not in a network of this machine
    known_beyond: int = 0  # all of these that ever answered
    heard_beyond: float = 0.0  # when one of them, or a reference, answered last
    references: bool | None = None  # whether an address beyond the router answers that an admin has named


def own_loss(evidence: Evidence) -> str:
    """Say why the fault is on this side; empty when it is not, or nobody can say."""
    if not evidence.failing or evidence.heard >= evidence.since:
        return ""
    if evidence.gateway is False:
        return "its gateway does not answer"
    if evidence.gateway is None and evidence.failing >= _EVIDENT:
        return f"none of {evidence.failing:,} hosts answers"
    return ""


def loss_beyond(evidence: Evidence) -> str:
    """Say why nobody can tell how it is beyond the next router, which answers; empty when there is no reason."""
    if not evidence.beyond or evidence.heard_beyond >= evidence.since or evidence.references:
        return ""
    if evidence.references is False:
        return "none of the reference addresses answers"
    if not evidence.gateway and evidence.heard < evidence.since:
        return ""
    if evidence.beyond >= _EVIDENT and evidence.beyond >= _MOST * evidence.known_beyond:
        return f"none of {evidence.beyond:,} hosts there answers"
    return ""


def counted(changes: Iterable[Change]) -> Counter[TargetState]:
    """How many became what."""
    return Counter(change.now for change in changes)
