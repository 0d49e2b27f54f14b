"""How one target is, judged sample by sample: up, down, degraded, flapping, or nobody can say. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class TargetState(StrEnum):
    """How a target is."""

    UP = "up"
    DEGRADED = "degraded"  # it answers, but not as it should
    DOWN = "down"
    FLAPPING = "flapping"  # it came and went so often that each time is no news
    UNKNOWN = "unknown"  # nobody could look


class Seen(StrEnum):
    """What one look saw."""

    GOOD = "good"
    POOR = "poor"  # it answers, but not as it should
    BAD = "bad"
    NOTHING = "nothing"  # it could not be looked at, which says nothing about it


@dataclass(frozen=True, slots=True)
class Sample:
    """One look at a target; `at` in seconds since the epoch."""

    at: float
    seen: Seen
    value: float | None = None  # a latency in ms, or what else is measured
    text: str = ""  # what was seen, in a few words


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a target counts as something."""

    failures: int = 3  # in a row, until it is down
    blind: int = 2  # looks in a row that saw nothing, until nobody can say
    memory: int = 20  # looks that loss is counted over
    lossy: float = 0.2  # share of them that is lost; half of that is fine again
    slower: float = 3.0  # times the usual latency; 0: whatever it is
    slower_ms: float = 20.0  # and at least so much more
    flaps: int = 5  # changes within `flap_seconds`, until it flaps; without any for so long, it no longer does
    flap_seconds: float = 300.0


_AT_LEAST = 10  # looks before anything is said of loss or latency
_NEWEST = 5  # looks whose median is the latency of now
_LEARNT = 0.05  # weight of a look in what is usual
_LEARNT_SLOW = 0.005  # of one that is unusual: in the end it is what is usual


@dataclass(frozen=True, slots=True)
class Track:
    """All that is known of a target. `since`: when it began to be like this, which is before it was sure."""

    state: TargetState = TargetState.UNKNOWN
    since: float = 0.0
    text: str = ""
    plain: TargetState = TargetState.UNKNOWN  # as it were without damping
    failures: int = 0  # in a row
    failing_since: float = 0.0
    blind: int = 0  # in a row
    recent: tuple[float | None, ...] = ()  # figures, None: lost
    usual_ms: float = 0.0
    learnt: int = 0
    turns: tuple[float, ...] = ()  # when it changed lately
    looks: int = 0
    lost: int = 0
    poor: int = 0  # answered, but not as they should
    downs: int = 0
    down_seconds: float = 0.0  # of outages that are over

    @property
    def loss(self) -> float:
        """The share of all looks that was lost."""
        return self.lost / self.looks if self.looks else 0.0

    @property
    def well(self) -> float:
        """The share of all looks that saw what they should."""
        return 1.0 - (self.lost + self.poor) / self.looks if self.looks else 0.0

    @property
    def value(self) -> float | None:
        """The latency of now."""
        return _median([one for one in self.recent[-_NEWEST:] if one is not None])


def step(track: Track, sample: Sample, by: Thresholds) -> Track:
    """Take one look into account."""
    if sample.seen is Seen.NOTHING:
        blind = track.blind + 1
        known = replace(track, blind=blind, text=sample.text)
        return _turned(known, TargetState.UNKNOWN, sample.at, sample.at, by) if blind >= by.blind else known
    if sample.seen is Seen.BAD:
        return _failed(track, sample, by)
    return _answered(track, sample, by)


def unseen(track: Track, at: float, text: str) -> Track:
    """Forget what was seen lately, since it says nothing about the target: the fault was on this side."""
    return replace(
        track,
        state=TargetState.UNKNOWN,
        plain=TargetState.UNKNOWN,
        since=at,
        text=text,
        failures=0,
        recent=(),
        turns=(),
    )


def _failed(track: Track, sample: Sample, by: Thresholds) -> Track:
    failures = track.failures + 1
    since = track.failing_since if track.failures else sample.at
    recent = (*track.recent, None)[-by.memory :]
    found = replace(
        track, failures=failures, failing_since=since, blind=0, recent=recent, text=sample.text,
        looks=track.looks + 1, lost=track.lost + 1,
    )  # fmt: skip
    if failures >= by.failures:
        return _turned(found, TargetState.DOWN, sample.at, since, by)
    if track.plain is TargetState.UP and _losing(recent, by.lossy):
        return _turned(found, TargetState.DEGRADED, sample.at, sample.at, by)
    return found


def _answered(track: Track, sample: Sample, by: Thresholds) -> Track:
    before = () if track.plain is TargetState.DOWN else track.recent  # an outage that is over is no loss of now
    recent = (*before, sample.value or 0.0)[-by.memory :]
    found = replace(
        track, failures=0, blind=0, recent=recent, text=sample.text, looks=track.looks + 1
    )  # fmt: skip
    slow = bool(by.slower) and sample.value is not None and _slow(found, by)
    if by.slower and sample.value is not None:
        found = _learn(found, sample.value, slow=slow)
    if sample.seen is Seen.POOR:
        found = replace(found, poor=track.poor + 1)
        return _turned(found, TargetState.DEGRADED, sample.at, sample.at, by)
    share = by.lossy / 2 if track.plain is TargetState.DEGRADED else by.lossy
    if _losing(recent, share):
        lost = sum(one is None for one in recent)
        return _turned(
            replace(found, text=f"{lost} of the last {len(recent)} lost"),
            TargetState.DEGRADED,
            sample.at,
            sample.at,
            by,
        )
    if slow:
        text = f"{found.value or 0:.3g} ms, usually {found.usual_ms:.3g} ms"
        return _turned(replace(found, text=text), TargetState.DEGRADED, sample.at, sample.at, by)
    return _turned(found, TargetState.UP, sample.at, sample.at, by)


def _losing(recent: tuple[float | None, ...], share: float) -> bool:
    return len(recent) >= _AT_LEAST and recent.count(None) >= max(2, share * len(recent))


def _slow(track: Track, by: Thresholds) -> bool:
    if track.learnt < _AT_LEAST:
        return False
    limit = max(by.slower * track.usual_ms, track.usual_ms + by.slower_ms)
    if track.plain is TargetState.DEGRADED:
        limit *= 0.8
    return (track.value or 0.0) > limit


def _learn(track: Track, ms: float, *, slow: bool) -> Track:
    if not track.learnt:
        return replace(track, usual_ms=ms, learnt=1)
    weight = _LEARNT_SLOW if slow else max(_LEARNT, 1 / (track.learnt + 1))
    return replace(track, usual_ms=track.usual_ms + weight * (ms - track.usual_ms), learnt=track.learnt + 1)


def _turned(track: Track, plain: TargetState, at: float, since: float, by: Thresholds) -> Track:
    """Let it be like this since then; what comes and goes too often is flapping."""
    turns = track.turns
    if plain is not track.plain and TargetState.UNKNOWN not in {plain, track.plain}:
        turns = (*turns, since)[-by.flaps :]
    if turns and at - turns[-1] > by.flap_seconds:
        turns = ()
    often = len(turns) >= by.flaps and turns[-1] - turns[0] <= by.flap_seconds
    flaps = plain is not TargetState.UNKNOWN and (often or (track.state is TargetState.FLAPPING and bool(turns)))
    state = TargetState.FLAPPING if flaps else plain
    if (state, plain, turns) == (track.state, track.plain, track.turns):
        return track
    counted = track if plain is track.plain else _counted(track, plain, since)
    return replace(counted, state=state, plain=plain, since=track.since if state is track.state else since, turns=turns)


def _counted(track: Track, plain: TargetState, at: float) -> Track:
    if plain is TargetState.DOWN:
        return replace(track, downs=track.downs + 1)
    if track.plain is TargetState.DOWN:
        return replace(track, down_seconds=track.down_seconds + max(0.0, at - track.failing_since))
    return track


def _median(values: list[float]) -> float | None:
    return sorted(values)[len(values) // 2] if values else None
