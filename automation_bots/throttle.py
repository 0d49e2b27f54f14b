"""Which queued jobs may start now, and why the others wait. Pure: gets the queue and the time, keeps nothing.

Rules: a change holds its devices alone against other changes, first come first served per device, whatever the driver;
reads share a device up to its session slots; limits on running jobs and on starts per time; turns between people.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from automation_bots.model import NO_LIMITS, Job, Limits, Risk


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits on jobs that run at the same time; `rates` are (starts, seconds) per person, place or operation."""

    bot: int = 50
    person: int = 10
    place: int = 20
    device: int = 4  # session slots: reads at once on one device
    driver: Mapping[str, int] = field(default_factory=dict)
    site: Mapping[str, int] = field(default_factory=dict)
    operation: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[str, tuple[int, float]] = field(default_factory=dict)  # "person", "place" or "operation:<name>"


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

    @classmethod
    def of(cls, job: Job) -> Entry:
        """Make the entry of a job."""
        return cls(
            number=job.number,
            person=job.person,
            place=f"{job.place.network}/{job.place.room}",
            operation=job.operation,
            risk=job.risk,
            devices=frozenset(job.devices),
            drivers=job.drivers,
            sites=job.sites,
            limits=job.limits,
        )


@dataclass(frozen=True, slots=True)
class Start:
    """That a job was started; `at` is any clock in seconds, the same one that `admit` gets as `now`."""

    at: float
    entry: Entry


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer: which may start, in order, and for each other one why it waits."""

    start: tuple[int, ...]
    waits: Mapping[int, str]
    seconds: Mapping[int, int] = field(default_factory=dict)  # until its rate lets a job start, where that is why


class _Use:
    """How much of everything is in use while one pass decides."""

    def __init__(self, running: Iterable[Entry]) -> None:
        self.jobs = 0
        self.count: dict[str, Counter[Any]] = {kind: Counter() for kind in _WHOSE}
        self.drivers: Counter[str] = Counter()
        self.sites: Counter[str] = Counter()
        self.reads: Counter[str] = Counter()
        self.changing: dict[str, int] = {}
        for entry in running:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        self.jobs += 1
        for kind, whose in _WHOSE.items():
            self.count[kind][whose(entry)] += 1
        self.drivers.update(entry.drivers)
        self.sites.update(entry.sites)
        if entry.risk is Risk.CHANGE:
            self.changing.update(dict.fromkeys(entry.devices, entry.number))
        else:
            self.reads.update(entry.devices)


<<<<<<< HEAD
# What running jobs and starts are counted by. A pass looks at ten thousand jobs: no words are made for those that fit.
_WHOSE: Mapping[str, Callable[[Entry], Any]] = {
    "person": attrgetter("person"),
    "place": attrgetter("place"),
    "operation": attrgetter("operation"),
    "rule": attrgetter("person", "operation"),
}
=======
def _keys(entry: Entry) -> list[str]:
    return [
        f"person:{entry.person}",
        f"place:{entry.place}",
        f"operation:{entry.operation}",
        f"rule:{entry.person}:{entry.operation}",
        *(f"driver:{driver}" for driver in entry.drivers),
        *(f"site:{site}" for site in entry.sites),
        *(key for rule, per, _ in entry.limits.caps for key, _ in _per(entry, rule, per)),
        *(key for rule, per, *_ in entry.limits.rates for key, _ in _per(entry, rule, f"{per}/rate")),
    ]
>>>>>>> f5b3d29cd45a18d3ddd41e052df13e1afc38c0ea


def _per(entry: Entry, rule: str, per: str) -> list[tuple[str, str]]:
    """The keys under which a rule counts its jobs by person, place and so on, with words for each."""
    values: dict[str, Iterable[str]] = {
        "bot": ("",), "person": (entry.person,), "place": (entry.place,), "operation": (entry.operation,),
        "driver": entry.drivers, "site": entry.sites, "device": sorted(entry.devices),
    }  # fmt: skip
    words = {"bot": "", "place": " in this room", "person": " of {}", "operation": " of {}", "driver": " with {}"}
    kind = per.removesuffix("/rate")
    return [(f"{rule}/{per}:{v}", f'rule "{rule}"' + words.get(kind, " at {}").format(v)) for v in values[kind]]


def admit(
    queued: Sequence[Entry],
    running: Sequence[Entry],
    caps: Caps,
    *,
    held: Mapping[str, int],
    recent: Sequence[Start] = (),
    now: float = 0.0,
) -> Admission:
    """Decide one pass. `queued` is in order of number; `held` maps a device to the interrupted job that holds it."""
    use = _Use(running)
    starts: list[int] = []
    waits: dict[int, str] = {}
    rates = _Rates(caps, recent, now)
    ahead = _ahead(queued, lambda entry: held.keys().isdisjoint(entry.devices) and not rates.exceeded(entry))
    for entry in _in_turns(queued, running):
        why = _blocked(entry, use, ahead, held) or _capped(entry, use, caps) or rates.exceeded(entry)
        if why:
            waits[entry.number] = why
            continue
        starts.append(entry.number)
        use.add(entry)
        rates.add(entry)
    return Admission(tuple(starts), waits, {n: s for n, s in rates.seconds.items() if n in waits})


def _ahead(queued: Iterable[Entry], keeps_place: Callable[[Entry], bool]) -> dict[int, tuple[str, int]]:
    """For each change that an older one is before: on which device, and which one. Nothing younger may overtake it.

    What waits for a person's word or for its own rate, perhaps for a day, keeps no place before others.
    """
    first: dict[str, int] = {}
    ahead: dict[int, tuple[str, int]] = {}
    for entry in queued:
        if entry.risk is not Risk.CHANGE:
            continue
        if not first.keys().isdisjoint(entry.devices):
            device = min(filter(first.__contains__, entry.devices))
            ahead[entry.number] = device, first[device]
        if keeps_place(entry):
            for device in entry.devices if entry.number not in ahead else entry.devices.difference(first):
                first[device] = entry.number
    return ahead


def _in_turns(queued: Sequence[Entry], running: Sequence[Entry]) -> list[Entry]:
    """Everybody's n-th job before anybody's n+1-th, so that a flood delays only its author."""
    turn: Counter[str] = Counter(entry.person for entry in running)
    ranked = []
    for entry in queued:
        ranked.append(turn[entry.person])
        turn[entry.person] += 1
    # A stable sort: among equals the order of numbers stays.
    return [queued[place] for place in sorted(range(len(queued)), key=ranked.__getitem__)]


def _blocked(entry: Entry, use: _Use, ahead: Mapping[int, tuple[str, int]], held: Mapping[str, int]) -> str:
    if entry.risk is not Risk.CHANGE:
        return ""
    if not held.keys().isdisjoint(entry.devices):
        stuck = min(entry.devices & held.keys())
        return f"waits for {stuck}: #{held[stuck]} was interrupted there and is not acknowledged"
    if not use.changing.keys().isdisjoint(entry.devices):
        busy = min(entry.devices & use.changing.keys())
        return f"waits for {busy} (#{use.changing[busy]} is changing it)"
    if entry.number not in ahead:
        return ""
    # Checked after `changing`: the older change may have been started in this very pass.
    return "waits for {} (#{} is before it)".format(*ahead[entry.number])


def _capped(entry: Entry, use: _Use, caps: Caps) -> str:
    if use.jobs >= caps.bot:
        return f"waits: {caps.bot} jobs run, which is the bot's limit"
    if use.count["person"][entry.person] >= caps.person:
        return f"waits: {caps.person} jobs of {entry.person} run"
    if use.count["place"][entry.place] >= caps.place:
        return f"waits: {caps.place} jobs of this room run"
    for used, cap, words in _seldom_capped(entry, use, caps):
        if cap is not None and used >= cap:
            return f"waits: {cap} {words}"
    return _without_session(entry, use, caps)


def _without_session(entry: Entry, use: _Use, caps: Caps) -> str:
    if entry.risk is Risk.READ:
        for device in entry.devices:
            if use.reads[device] >= caps.device:
                return f"waits for a session on {device} ({caps.device} in use)"
    return ""


<<<<<<< HEAD
def _seldom_capped(entry: Entry, use: _Use, caps: Caps) -> Iterator[tuple[int, int | None, str]]:
    """How much is in use, the cap and its words, of what has a cap only where somebody set one."""
    name = entry.operation
    if caps.operation:
        yield use.count["operation"][name], caps.operation.get(name), f"{name} jobs run"
    if entry.limits.concurrent is not None:
        words = "such jobs run, which is the rule's limit"
        yield use.count["rule"][entry.person, name], entry.limits.concurrent, words
    if caps.driver:
        yield from ((use.drivers[driver], caps.driver.get(driver), f"{driver} jobs run") for driver in entry.drivers)
    if caps.site:
        for site in entry.sites:
            yield use.sites[site], caps.site.get(site, caps.site.get("*")), f"jobs run at {site}"
=======
def _caps_of(entry: Entry, caps: Caps) -> list[tuple[str, int | None, str]]:
    return [
        (f"person:{entry.person}", caps.person, f"jobs of {entry.person} run"),
        (f"place:{entry.place}", caps.place, "jobs of this room run"),
        (f"operation:{entry.operation}", caps.operation.get(entry.operation), f"{entry.operation} jobs run"),
        (f"rule:{entry.person}:{entry.operation}", entry.limits.concurrent, "such jobs run, which is the rule's limit"),
        *((f"driver:{name}", caps.driver.get(name), f"{name} jobs run") for name in entry.drivers),
        *((f"site:{name}", caps.site.get(name, caps.site.get("*")), f"jobs run at {name}") for name in entry.sites),
        *(
            (key, jobs, f"jobs by {words} run")
            for rule, per, jobs in entry.limits.caps
            for key, words in _per(entry, rule, per)
        ),
    ]


_RateRow = tuple[tuple[int, float] | None, str, str]  # rate, the key of the starts that count, whose they are
>>>>>>> f5b3d29cd45a18d3ddd41e052df13e1afc38c0ea


class _Rates:
    """Starts per time: a sliding window over the recent starts, which are in the order of time."""

    def __init__(self, caps: Caps, recent: Sequence[Start], now: float) -> None:
<<<<<<< HEAD
        self._rates, self._recent, self._now = caps.rates, recent, now
        self._added: list[Entry] = []
        self._found: dict[str, dict[Any, list[float]]] = {}  # times by kind and whose they are; made when asked for
=======
        self._caps, self._recent, self._now = caps, recent, now
        self.seconds: dict[int, int] = {}  # until a job is free, of those asked for
        self._found: dict[str, list[float]] | None = None  # times by key; made when a rate asks for them
>>>>>>> f5b3d29cd45a18d3ddd41e052df13e1afc38c0ea

    def add(self, entry: Entry) -> None:
        self._added.append(entry)
        for kind, times in self._found.items():
            times.setdefault(_WHOSE[kind](entry), []).append(self._now)

    def exceeded(self, entry: Entry) -> str:
<<<<<<< HEAD
        if not self._rates and entry.limits.rate is None:
            return ""
        for rate, kind, words in self._rates_of(entry):
            times = self._times(kind).get(_WHOSE[kind](entry), ())
            if len(times) < rate[0] or len(times) - bisect_right(times, self._now - rate[1]) < rate[0]:
                continue
            free = times[-rate[0]] + rate[1] - self._now
            return f"waits {max(1, round(free))} s: {words} may start {rate[0]} jobs in {rate[1]:g} s"
        return ""
=======
        """Say how long a job waits for the slowest of its rates; empty when none is met."""
        met = max((found for row in self._rates_of(entry) if (found := self._free(*row))), default=None)
        if met is None:
            return ""
        self.seconds[entry.number] = max(1, round(met[0]))
        return f"waits {self.seconds[entry.number]} s: {met[1]}"

    def _free(self, rate: tuple[int, float] | None, key: str, words: str) -> tuple[float, str] | None:
        if rate is None:
            return None
        starts, seconds = rate
        times = self._times().get(key, [])
        if len(times) - bisect_right(times, self._now - seconds) < starts:
            return None
        return times[-starts] + seconds - self._now, f"{words} may start {starts} jobs in {seconds:g} s"
>>>>>>> f5b3d29cd45a18d3ddd41e052df13e1afc38c0ea

    def _times(self, kind: str) -> Mapping[Any, list[float]]:
        if kind not in self._found:
            found: dict[Any, list[float]] = {}
            whose = _WHOSE[kind]
            for start in self._recent:
                found.setdefault(whose(start.entry), []).append(start.at)
            for entry in self._added:
                found.setdefault(whose(entry), []).append(self._now)
            self._found[kind] = found
        return self._found[kind]

<<<<<<< HEAD
    def _rates_of(self, entry: Entry) -> Iterator[tuple[tuple[int, float], str, str]]:
        """The rate, what starts are counted by, and whose they are in words."""
        if rate := self._rates.get("person"):
            yield rate, "person", entry.person
        if rate := self._rates.get("place"):
            yield rate, "place", "this room"
        if rate := self._rates.get(f"operation:{entry.operation}"):
            yield rate, "operation", entry.operation
        if entry.limits.rate is not None:
            yield entry.limits.rate, "rule", "the rule"
=======
    def _note(self, times: dict[str, list[float]], entry: Entry, at: float) -> None:
        for key in _keys(entry):
            times.setdefault(key, []).append(at)

    def _rates_of(self, entry: Entry) -> tuple[_RateRow, ...]:
        rates, operation = self._caps.rates, f"operation:{entry.operation}"
        return (
            (rates.get("person"), f"person:{entry.person}", entry.person),
            (rates.get("place"), f"place:{entry.place}", "this room"),
            (rates.get(operation), operation, entry.operation),
            (entry.limits.rate, f"rule:{entry.person}:{entry.operation}", "the rule"),
            *(
                ((starts, seconds), key, words)
                for rule, per, starts, seconds in entry.limits.rates
                for key, words in _per(entry, rule, f"{per}/rate")
            ),
        )
>>>>>>> f5b3d29cd45a18d3ddd41e052df13e1afc38c0ea
