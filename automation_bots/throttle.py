"""Which queued jobs may start now, and why the others wait. Pure: gets the queue and the time, keeps nothing.

Rules: a change holds its devices alone against other changes, first come first served per device, whatever the driver;
reads share a device up to its session slots; limits on running jobs and on starts per time; turns between people.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

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

    @classmethod
    def of(cls, at: float, entry: Entry) -> Start:
        """Keep of a job what rates count by: ten thousand jobs on all devices would be a lot to remember."""
        by_device = any(per == "device" for _, per, *_ in entry.limits.rates)
        return cls(at, entry if by_device else replace(entry, devices=frozenset()))


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
        self.count: Counter[tuple[str, str]] = Counter()  # by what is counted, and the key there
        self.reads: Counter[str] = Counter()
        self.changing: dict[str, int] = {}
        for entry in running:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        self.jobs += 1
        self.count.update(_keys(entry))
        if entry.risk is Risk.CHANGE:
            self.changing.update(dict.fromkeys(entry.devices, entry.number))
        else:
            self.reads.update(entry.devices)


def _keys(entry: Entry) -> list[tuple[str, str]]:
    return [
        ("person", entry.person),
        ("place", entry.place),
        ("operation", entry.operation),
        ("own", f"{entry.person}:{entry.operation}"),
        *(("driver", driver) for driver in entry.drivers),
        *(("site", site) for site in entry.sites),
        *(("rule", key) for rule, per, _ in entry.limits.caps for key, _ in _per(entry, rule, per)),
    ]


_VALUES: Mapping[str, tuple[Callable[[Entry], Iterable[str]], str]] = {  # of what a rule counts by, and words for each
    "bot": (lambda _: ("",), ""),
    "person": (lambda entry: (entry.person,), " of {}"),
    "place": (lambda entry: (entry.place,), " in this room"),
    "operation": (lambda entry: (entry.operation,), " of {}"),
    "driver": (lambda entry: entry.drivers, " with {}"),
    "site": (lambda entry: entry.sites, " at {}"),
    "device": (lambda entry: sorted(entry.devices), " at {}"),
}


def _per(entry: Entry, rule: str, per: str) -> list[tuple[str, str]]:
    """The keys under which a rule counts its jobs by person, place and so on, with words for each."""
    values, words = _VALUES[per]
    return [(f"{rule}/{per}:{value}", f'rule "{rule}"{words.format(value)}') for value in values(entry)]


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
    # What waits for a person's word or for its own rate, perhaps for a day, keeps no place before others.
    changes = (e for e in queued if e.risk is Risk.CHANGE)
    first = _first_changes(e for e in changes if held.keys().isdisjoint(e.devices) and not rates.exceeded(e))
    for entry in _in_turns(queued, running):
        why = _blocked(entry, use, first, held) or _capped(entry, use, caps) or rates.exceeded(entry)
        if why:
            waits[entry.number] = why
            continue
        starts.append(entry.number)
        use.add(entry)
        rates.add(entry)
    return Admission(tuple(starts), waits, {n: s for n, s in rates.seconds.items() if n in waits})


def _first_changes(queued: Iterable[Entry]) -> dict[str, int]:
    """For each device the oldest change that wants it: nothing younger may overtake it there."""
    first: dict[str, int] = {}
    for entry in queued:
        if entry.risk is Risk.CHANGE:
            for device in entry.devices:
                first.setdefault(device, entry.number)
    return first


def _in_turns(queued: Sequence[Entry], running: Sequence[Entry]) -> Iterator[Entry]:
    """Everybody's n-th job before anybody's n+1-th, so that a flood delays only its author."""
    turn: Counter[str] = Counter(entry.person for entry in running)
    turns: dict[int, list[Entry]] = {}
    for entry in queued:
        mine = turn[entry.person]
        turns.setdefault(mine, []).append(entry)
        turn[entry.person] = mine + 1
    for mine in sorted(turns):
        yield from turns[mine]


def _blocked(entry: Entry, use: _Use, first: Mapping[str, int], held: Mapping[str, int]) -> str:
    if entry.risk is not Risk.CHANGE:
        return ""
    if not held.keys().isdisjoint(entry.devices):
        stuck = min(entry.devices & held.keys())
        return f"waits for {stuck}: #{held[stuck]} was interrupted there and is not acknowledged"
    if not use.changing.keys().isdisjoint(entry.devices):
        busy = min(entry.devices & use.changing.keys())
        return f"waits for {busy} (#{use.changing[busy]} is changing it)"
    ahead = [device for device in entry.devices if first.get(device, entry.number) < entry.number]
    # Checked after `changing`: the older change may have been started in this very pass.
    return f"waits for {min(ahead)} (#{first[min(ahead)]} is before it)" if ahead else ""


def _capped(entry: Entry, use: _Use, caps: Caps) -> str:
    if use.jobs >= caps.bot:
        return f"waits: {caps.bot} jobs run, which is the bot's limit"
    for kind, key, cap, whose in _caps_of(entry, caps):
        if cap is not None and use.count.get((kind, key), 0) >= cap:
            return f"waits: {cap} {_RUN.get(kind, 'jobs by {} run').format(whose)}"
    if entry.risk is Risk.READ:
        for device in entry.devices:
            if use.reads.get(device, 0) >= caps.device:
                return f"waits for a session on {device} ({caps.device} in use)"
    return ""


_RUN = {
    "person": "jobs of {} run", "place": "jobs of this room run", "operation": "{} jobs run", "driver": "{} jobs run",
    "own": "such jobs run, which is the rule's limit", "site": "jobs run at {}",
}  # fmt: skip


def _caps_of(entry: Entry, caps: Caps) -> Iterator[tuple[str, str, int | None, str]]:
    """By what is counted, the key there, how many may run, and whose that is."""
    yield "person", entry.person, caps.person, entry.person
    yield "place", entry.place, caps.place, ""
    if caps.operation:
        yield "operation", entry.operation, caps.operation.get(entry.operation), entry.operation
    if entry.limits.concurrent is not None:
        yield "own", f"{entry.person}:{entry.operation}", entry.limits.concurrent, ""
    for name in entry.drivers if caps.driver else ():
        yield "driver", name, caps.driver.get(name), name
    for name in entry.sites if caps.site else ():
        yield "site", name, caps.site.get(name, caps.site.get("*")), name
    for rule, per, jobs in entry.limits.caps:
        yield from (("rule", key, jobs, words) for key, words in _per(entry, rule, per))


# By what a rate counts: the keys that a start has there, and no others are ever counted.
_COUNTED: Mapping[str, Callable[[Entry], Iterable[str]]] = {
    "person": lambda entry: (entry.person,),
    "place": lambda entry: (entry.place,),
    "operation": lambda entry: (entry.operation,),
    "own": lambda entry: (f"{entry.person}:{entry.operation}",),
    "rule": lambda entry: [key for rule, per, *_ in entry.limits.rates for key, _ in _per(entry, rule, per)],
}
_Rate = tuple[tuple[int, float], str, str, str]  # (starts, seconds), by what it counts, the key there, whose it is


class _Rates:
    """Starts per time: a sliding window over the recent starts, which are in the order of time."""

    def __init__(self, caps: Caps, recent: Sequence[Start], now: float) -> None:
        self._caps, self._recent, self._now = caps, recent, now
        self.seconds: dict[int, int] = {}  # until a job is free, of those asked for
        self._found: dict[str, dict[str, list[float]]] = {}  # times by key, for each kind that a rate asked for
        self._known: dict[_Rate, float | None] = {}  # seconds until it lets somebody start

    def add(self, entry: Entry) -> None:
        self._known.clear()
        for kind, times in self._found.items():
            _note(times, kind, entry, self._now)

    def exceeded(self, entry: Entry) -> str:
        """Say how long a job waits for the slowest of its rates; empty when none is met."""
        if not self._caps.rates and entry.limits.rate is None and not entry.limits.rates:
            return ""  # the rule: of ten thousand waiting jobs none has to be looked up
        met = [(free, rate) for rate in self._rates_of(entry) if (free := self._free(rate)) is not None]
        if not met:
            return ""
        free, ((starts, seconds), _, _, words) = max(met)
        self.seconds[entry.number] = max(1, round(free))
        return f"waits {self.seconds[entry.number]} s: {words} may start {starts} jobs in {seconds:g} s"

    def _free(self, rate: _Rate) -> float | None:
        """In how many seconds a rate lets a job start; None when it does now."""
        if rate not in self._known:
            (starts, seconds), kind, key, _ = rate
            times = self._times(kind).get(key, [])
            met = len(times) - bisect_right(times, self._now - seconds) >= starts
            self._known[rate] = times[-starts] + seconds - self._now if met else None
        return self._known[rate]

    def _times(self, kind: str) -> dict[str, list[float]]:
        if (times := self._found.get(kind)) is None:
            times = self._found[kind] = {}
            for start in self._recent:
                _note(times, kind, start.entry, start.at)
        return times

    def _rates_of(self, entry: Entry) -> Iterator[_Rate]:
        rates = self._caps.rates
        if rate := rates.get("person"):
            yield rate, "person", entry.person, entry.person
        if rate := rates.get("place"):
            yield rate, "place", entry.place, "this room"
        if rates and (rate := rates.get(f"operation:{entry.operation}")):
            yield rate, "operation", entry.operation, entry.operation
        if rate := entry.limits.rate:
            yield rate, "own", f"{entry.person}:{entry.operation}", "the rule"
        for rule, per, starts, seconds in entry.limits.rates:
            yield from (((starts, seconds), "rule", key, words) for key, words in _per(entry, rule, per))


def _note(times: dict[str, list[float]], kind: str, entry: Entry, at: float) -> None:
    for key in _COUNTED[kind](entry):
        times.setdefault(key, []).append(at)
