"""One monitor while it goes on: its targets' tracks, what of them was told, what is to be told. Gets the time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from automation_bots.model import Answer, File, Monitor, MonitorTarget
from automation_bots.monitors import news, text
from automation_bots.monitors.measured import MS
from automation_bots.monitors.news import Change, Settling
from automation_bots.monitors.track import Sample, TargetState, Thresholds, Track, step, unseen
from automation_bots.text.together import together

READ = "read"
_PROBED = Thresholds()
_READ = Thresholds(failures=1, blind=1, lossy=2.0, slower=0.0)
_KEPT = ("state", "since", "looks", "lost", "poor", "downs", "down_seconds", "failing_since", "usual_ms", "learnt")
_WELL = {TargetState.UP, TargetState.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Say:
    """Something to be said: a new message, or an edit of the one with the same key; `otherwise` where none can be."""

    key: str
    answer: Answer
    edits: bool = False
    otherwise: Answer | None = None
    draw: Callable[[], File] | None = None  # a picture that goes with it, made where nobody waits
    asked: bool = False  # somebody wants that picture; else it comes where a network shows pictures


@dataclass(slots=True)
class _Post:
    """A message about changes, which is edited as they go on."""

    key: str
    at: float
    lines: dict[str, str] = field(default_factory=dict)
    states: dict[str, TargetState] = field(default_factory=dict)  # of a storm, as the worst of it was
    back: set[str] = field(default_factory=set)  # of these
    all_back: float = 0.0  # when the last one came back


class Watch:
    """`zone`: in which times are said; `groups`: the targets of each site and group."""

    def __init__(
        self, monitor: Monitor, targets: Iterable[MonitorTarget], zone: str, groups: Mapping[str, Sequence[str]]
    ) -> None:
        self.monitor, self._zone, self._groups = monitor, zone, groups
        self.targets = {one.id: one for one in targets}
        self.tracks = {one.id: restored(one.facts) for one in self.targets.values()}
        self.by_name = {one.name: one for one in self.targets.values()}
        self.devices = {one.name: one.device for one in self.targets.values()}
        self.parts: dict[tuple[int, str], int] = {}  # of a target and the name of its part: whose history that is
        self._told = {one.name: _known(self.tracks[one.id]) for one in self.targets.values()}
        self._told_since = {one.name: self.tracks[one.id].since for one in self.targets.values()}
        self._by = _READ if monitor.kind == READ else _rules(monitor.interval)
        self.settling = Settling()
        self.last_look = 0.0
        self.remark = ""
        self._posts: dict[str, _Post] = {}  # by target: where its outage stands
        self._storm: _Post | None = None
        self._serial = 0
        self._muted = bool(monitor.muted) or any(one.facts.get("muted") for one in self.targets.values())

    # -- looks

    def take(self, id_: int, sample: Sample, now: float) -> bool:
        """Take one look; whether the target is another than before."""
        before = self.tracks[id_]
        after = self.tracks[id_] = step(before, sample, self._by)
        self.last_look = now
        blind = after.state is TargetState.UNKNOWN and after.blind == self._by.blind
        if after.state is before.state and not blind:
            return False
        self._note(self.targets[id_], before, after, now)
        return True

    def _note(self, target: MonitorTarget, before: Track, after: Track, now: float) -> None:
        told = self._told[target.name]
        if after.state is told or self.is_muted(target, now):
            self.settling.changes.pop(target.name, None)
            return
        if after.state is TargetState.UP and target.name not in self._posts and told in {None, TargetState.UNKNOWN}:
            self._told[target.name] = after.state  # that it is well was expected
            self.settling.changes.pop(target.name, None)
            return
        why, was = _why(after, self._by), told or TargetState.UNKNOWN
        self.settling.add(Change(target.name, was, after.state, after.since or now, why, _lasted(before, after)), now)

    @property
    def looks(self) -> int:
        """The most looks that any of its targets has had."""
        return max((track.looks for track in self.tracks.values()), default=0)

    def blind(self, ids: Iterable[int], at: float, why: str) -> None:
        """Nobody can say how these are: the fault is on this side."""
        for id_ in ids:
            self.tracks[id_] = unseen(self.tracks[id_], at, why)
            self.settling.changes.pop(self.targets[id_].name, None)

    # -- what people say

    def is_muted(self, target: MonitorTarget, now: float) -> bool:
        """Whether nothing of it is to be told now."""
        whole = self.monitor.muted is not None and self.monitor.muted.timestamp() > now
        return whole or float(target.facts.get("muted") or 0.0) > now

    def mute(self, name: str, until: datetime, why: str) -> list[MonitorTarget]:
        """Keep the monitor (no name) or one target quiet; returns the changed targets."""
        self._muted = True
        if not name:
            self.monitor = replace(self.monitor, muted=until, muted_why=why)
            self.settling.take()
            return []
        self.settling.changes.pop(name, None)
        return [self._with(name, muted=until.timestamp(), muted_why=why)]

    def acknowledge(self, name: str, who: str) -> tuple[list[MonitorTarget], list[Say]]:
        """Note that somebody looks after an outage; it stands beside it until that is over."""
        target = self._with(name, ack=who)
        post = self._posts.get(name)
        if post is None or name not in post.lines:
            return [target], []
        post.lines[name] = f"{post.lines[name]} · {who}"
        return [target], [self._edit(post)]

    def unmuted(self, now: float) -> None:
        """Tell what has changed meanwhile, once the time of quiet is over."""
        if not self._muted:
            return
        still = False
        for id_, target in self.targets.items():
            if self.is_muted(target, now):
                still = True
                continue
            track = self.tracks[id_]
            known = track.looks or track.blind
            if known and track.state is not self._told[target.name] and target.name not in self.settling.changes:
                self._note(target, replace(track, since=self._told_since[target.name]), track, now)
        self._muted = still

    def _with(self, name: str, **facts: Any) -> MonitorTarget:
        old = self.by_name[name]
        target = replace(old, facts={**old.facts, **facts})
        self.targets[old.id] = self.by_name[name] = target
        return target

    # -- what is told

    def news(self, now: float, moment: datetime) -> tuple[list[Say], Sequence[Change]]:
        """Take what has settled, and what to say of it."""
        changes = self.settling.take()
        for change in changes:
            self._told[change.target], self._told_since[change.target] = change.now, change.at
            if change.now in _WELL and self.by_name[change.target].facts.get("ack"):
                self._with(change.target, ack="")
        over = [one for one in changes if one.target in self._posts and one.now is not TargetState.DOWN]
        fresh = [one for one in changes if one not in over]
        return self._over(over, now) + self._fresh(fresh, now, moment), changes

    def _over(self, changes: Sequence[Change], now: float) -> list[Say]:
        """Add to the lines of outages how they went on."""
        touched: dict[str, tuple[_Post, list[Change]]] = {}
        for change in changes:
            post = self._posts[change.target]
            if change.now in _WELL:
                self._posts.pop(change.target)
            if post.states and change.now is TargetState.UP:
                post.back.add(change.target)
                post.all_back = max(post.all_back, change.at)
            elif post.states:
                post.states[change.target] = change.now
            if change.target in post.lines:
                post.lines[change.target] = f"{post.lines[change.target]} · {text.back(change)}"
            touched.setdefault(post.key, (post, []))[1].append(change)
        return [replace(self._edit(post), otherwise=self._lines(some, now)) for post, some in touched.values()]

    def _fresh(self, changes: Sequence[Change], now: float, moment: datetime) -> list[Say]:
        if not changes:
            return []
        storm = self._storm if self._storm and now - self._storm.at < news.STORM_SECONDS else None
        if storm is None and len(changes) <= news.APART:
            post = self._posted(now)
            for change in changes:
                post.lines[change.target] = self._line(change, moment)
                self._posts[change.target] = post
            return [Say(post.key, self._answer(post))]
        post = storm or self._posted(now)
        self._storm = post
        for change in changes:
            post.states[change.target] = change.now
            post.back.discard(change.target)
            self._posts[change.target] = post
        return [self._edit(post, otherwise=self._answer(post))] if storm else [Say(post.key, self._answer(post))]

    def _posted(self, now: float) -> _Post:
        self._serial += 1
        return _Post(f"M{self.monitor.number}/{now:.0f}/{self._serial}", now)

    def _edit(self, post: _Post, otherwise: Answer | None = None) -> Say:
        return Say(post.key, self._answer(post), edits=True, otherwise=otherwise)

    def _answer(self, post: _Post) -> Answer:
        if post.lines:
            return Answer("\n".join(post.lines.values()))
        at = text.clock(post.at, self._zone, datetime.fromtimestamp(post.at, tz=UTC))
        groups = together(post.states, self._groups)
        back = text.those_back(len(post.back), len(post.states), post.all_back - post.at)
        said = text.storm(self.monitor.number, at, post.states, len(self.targets), groups) + back
        return Answer(said, hint=f"→ !monitor {self.monitor.number}")

    def _line(self, change: Change, moment: datetime) -> str:
        at = text.clock(change.at, self._zone, moment)
        return f"M{self.monitor.number} {at} {text.changed(change, self.monitor.kind != READ)}"

    def _lines(self, changes: Sequence[Change], now: float) -> Answer:
        moment = datetime.fromtimestamp(now, tz=UTC)
        if len(changes) > news.APART:
            return Answer(text.many_again(self.monitor.number, text.clock(now, self._zone, moment), changes))
        return Answer("\n".join(self._line(change, moment) for change in changes))

    # -- how it is shown and kept

    def views(self) -> list[text.View]:
        """All targets as they are shown."""
        return [
            text.View(one.name, self.tracks[one.id], self._remark(one), self.unit(one.id))
            for one in self.targets.values()
        ]

    def unit(self, id_: int) -> str:
        """What the figures of a target are; empty where it has none."""
        return str(self.targets[id_].facts.get("unit", "" if self.monitor.kind == READ else MS))

    def measures(self, id_: int, unit: str) -> bool:
        """Note what its figures are; whether that is new."""
        if not unit or self.unit(id_) == unit:
            return False
        self._with(self.targets[id_].name, unit=unit)
        return True

    def know(self, parts: Iterable[MonitorTarget]) -> None:
        """Parts of targets that have a history of their own."""
        self.parts.update({(int(one.facts["of"]), one.name): one.id for one in parts})

    def recall(self, seen: Mapping[int, Sequence[float | None]]) -> None:
        """Go on from the looks of an earlier life of the bot."""
        for id_, values in seen.items():
            if self.unit(id_):
                self.tracks[id_] = replace(self.tracks[id_], recent=tuple(values)[-self._by.memory :])

    def _remark(self, target: MonitorTarget) -> str:
        facts = target.facts
        said = [str(facts["ack"])] if facts.get("ack") else []
        if facts.get("muted") and float(facts["muted"]) > self.last_look:
            said.append(f"muted ({facts.get('muted_why')})")
        return " · ".join(said)

    def kept(self, ids: Iterable[int] | None = None) -> list[MonitorTarget]:
        """Targets with how they are, to be written down."""
        found = []
        for id_ in list(self.targets) if ids is None else ids:
            track, target = self.tracks[id_], self.targets[id_]
            known = {name: getattr(track, name) for name in _KEPT}
            found.append(replace(target, facts={**target.facts, **known}))
        return found


def _rules(interval: float) -> Thresholds:
    return replace(_PROBED, flap_seconds=max(_PROBED.flap_seconds, 20 * interval))


def restored(facts: Mapping[str, Any]) -> Track:
    """The track as an earlier life of the bot left it; what flapped is watched anew."""
    if not facts.get("looks"):
        return Track()
    known = {name: facts[name] for name in _KEPT if name in facts}
    state = TargetState(known.pop("state"))
    plain = TargetState.UP if state is TargetState.FLAPPING else state
    return Track(state=plain, plain=plain, **known)


def _known(track: Track) -> TargetState | None:
    """What was told of a target; None: nothing yet."""
    return track.state if track.looks else None


def _why(track: Track, by: Thresholds) -> str:
    if track.state is TargetState.DOWN and track.text == "no answer":
        return f"{track.failures} of {max(track.failures, by.failures)} lost"
    return track.text


def _lasted(before: Track, after: Track) -> float:
    return max(0.0, after.since - before.since) if before.since else 0.0
