"""Counts jobs at once and starts per time against limits, and knows for whom each limit is reached. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from sys import intern

from automation_bots.model import NO_LIMITS, Job, Limits, Risk

_ELSEWHERE = ("alerts",)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the throttle has to know of a job."""

    number: int
    person: str
    place: str
    operation: str
    risk: Risk
    devices: frozenset[str]
    drivers: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    limits: Limits = NO_LIMITS
    asked: frozenset[str] = frozenset()  # of these devices, by the names that were used

    @classmethod
    def of(cls, job: Job, all_names: Callable[[Iterable[str]], frozenset[str]] = frozenset) -> Entry:
        """Make the entry of a job; its devices are kept from others by every name that they have."""
        return cls(
            number=job.number,
            person=job.person,
            place=f"{job.place.network}/{job.place.room}",
            operation=job.operation,
            risk=job.risk,
            devices=all_names((*job.devices, *job.also)),
            asked=frozenset((*job.devices, *job.also)),
            drivers=job.drivers,
            sites=job.sites,
            limits=_shared(job.limits),
        )

    @property
    def sessions(self) -> frozenset[str]:
        """The devices that it opens a session on; what is said about alerts goes to their servers."""
        return _NONE if self.drivers == _ELSEWHERE else self.devices

    def shown(self, devices: Iterable[str]) -> str:
        """Name one of some devices, by a name that was used where that is possible."""
        among = frozenset(devices)
        return min(among & self.asked or among)


@dataclass(frozen=True, slots=True)
class Start:
    """That a job was started; `at` is any clock in seconds, the same one that `admit` gets as `now`."""

    at: float
    entry: Entry

    @classmethod
    def of(cls, at: float, entry: Entry) -> Start:
        """Keep of a job what rates count by, and each name once: thousands are remembered."""
        person, place, operation = intern(entry.person), intern(entry.place), intern(entry.operation)
        bare = Entry(entry.number, person, place, operation, entry.risk, _NONE)
        if not entry.limits.rates:
            return cls(at, bare)
        by_device = any(per == "device" for _, per, *_ in entry.limits.rates)
        devices = entry.devices if by_device else _NONE
        return cls(at, replace(bare, devices=devices, drivers=entry.drivers, sites=entry.sites, limits=entry.limits))


_NONE: frozenset[str] = frozenset()


@lru_cache(maxsize=1000)
def _shared(limits: Limits) -> Limits:
    """Return the same object for equal limits, so that jobs that are alike are known by it."""
    return limits


VALUES: Mapping[str, Callable[[Entry], Collection[str]]] = {  # of what jobs are counted by
    "bot": lambda _: ("",),
    "person": lambda entry: (entry.person,),
    "place": lambda entry: (entry.place,),
    "operation": lambda entry: (entry.operation,),
    "own": lambda entry: (f"{entry.person}:{entry.operation}",),
    "driver": lambda entry: entry.drivers,
    "site": lambda entry: entry.sites,
    "device": lambda entry: entry.devices,
}
Kind = tuple[str, str]  # the rule whose jobs are counted, or empty, as all are; and by what they are counted
Limit = tuple[str, str, int, float]  # these two, how many, and within how many seconds they start; 0.0: run at once


class Counters:
    """What one limit counts. `full` says for which values it is reached, and in how many seconds it no longer is."""

    def __init__(self, limit: Limit, counted: Iterable[tuple[float, Entry]], now: float) -> None:
        self.rule, self.per, self.most, self.seconds = self.limit = limit
        self._now, self._values = now, VALUES[self.per]
        self._times: defaultdict[str, list[float]] = defaultdict(list)
        self._counting: dict[int, bool] = {}
        times, values = self._times, self._values
        for at, entry in counted:
            if self._counts(entry):
                for value in values(entry):
                    times[value].append(at)
        self.full = {value: self._free(times) for value, times in self._times.items() if len(times) >= self.most}

    def add(self, entry: Entry) -> None:
        """Count a job that starts now."""
        for value in self._values(entry) if self._counts(entry) else ():
            times = self._times[value]
            times.append(self._now)
            if len(times) >= self.most:
                self.full[value] = self._free(times)

    def _counts(self, entry: Entry) -> bool:
        """Whether this limit counts a job: all of them, or those of its rule; found once for equal limits."""
        limits = entry.limits
        if (found := self._counting.get(id(limits))) is None:
            mine = limits.rates if self.seconds else limits.caps
            found = not self.rule or any((rule, per) == (self.rule, self.per) for rule, per, *_ in mine)
            self._counting[id(limits)] = found
        return found

    def _free(self, times: Sequence[float]) -> float:
        return times[-self.most] + self.seconds - self._now


class Tallies:
    """One for each limit that is asked about, over what runs, what started lately, and what starts meanwhile."""

    def __init__(self, running: Sequence[Entry], recent: Sequence[Start], now: float) -> None:
        self._running, self._recent = list(running), list(recent)
        self._added: list[tuple[float, Entry]] = []
        self._now = now
        self._tallies: dict[Limit, Counters] = {}
        self._within: dict[float, list[tuple[float, Entry]]] = {}

    def of(self, limit: Limit) -> Counters:
        """Return the tally of a limit."""
        if (counters := self._tallies.get(limit)) is None:
            counters = self._tallies[limit] = Counters(limit, self._of(limit[3]), self._now)
        return counters

    def add(self, entry: Entry) -> None:
        """Count a job that starts now."""
        self._running.append(entry)
        self._added.append((self._now, entry))
        for counters in self._tallies.values():
            counters.add(entry)

    def _of(self, seconds: float) -> Iterable[tuple[float, Entry]]:
        if not seconds:
            return ((0.0, entry) for entry in self._running)
        if (found := self._within.get(seconds)) is None:  # many rates look as far back
            oldest = self._now - seconds
            found = self._within[seconds] = [(start.at, start.entry) for start in self._recent if start.at > oldest]
        return [*found, *self._added]
