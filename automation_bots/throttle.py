"""Which queued jobs may start now, and why the others wait. Pure: gets the queue and the time, keeps nothing.

Rules: a change holds its devices alone against other changes, first come first served per device, whatever the driver;
reads share a device up to its session slots; limits on running jobs and on starts per time; turns between people.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

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
        self.count: Counter[str] = Counter()
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


def _in_turns(queued: Sequence[Entry], running: Sequence[Entry]) -> list[Entry]:
    """Everybody's n-th job before anybody's n+1-th, so that a flood delays only its author."""
    turn: Counter[str] = Counter(entry.person for entry in running)
    ranked = []
    for entry in queued:
        ranked.append((turn[entry.person], entry.number, entry))
        turn[entry.person] += 1
    ranked.sort(key=lambda item: item[:2])
    return [entry for _, _, entry in ranked]


def _blocked(entry: Entry, use: _Use, first: Mapping[str, int], held: Mapping[str, int]) -> str:
    if entry.risk is not Risk.CHANGE:
        return ""
    if stuck := sorted(entry.devices & held.keys()):
        return f"waits for {stuck[0]}: #{held[stuck[0]]} was interrupted there and is not acknowledged"
    if busy := sorted(entry.devices & use.changing.keys()):
        return f"waits for {busy[0]} (#{use.changing[busy[0]]} is changing it)"
    ahead = sorted(device for device in entry.devices if first.get(device, entry.number) < entry.number)
    # Checked after `changing`: the older change may have been started in this very pass.
    return f"waits for {ahead[0]} (#{first[ahead[0]]} is before it)" if ahead else ""


def _capped(entry: Entry, use: _Use, caps: Caps) -> str:
    if use.jobs >= caps.bot:
        return f"waits: {caps.bot} jobs run, which is the bot's limit"
    for key, cap, words in _caps_of(entry, caps):
        if cap is not None and use.count[key] >= cap:
            return f"waits: {cap} {words}"
    if entry.risk is Risk.READ:
        for device in entry.devices:
            if use.reads[device] >= caps.device:
                return f"waits for a session on {device} ({caps.device} in use)"
    return ""


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


class _Rates:
    """Starts per time: a sliding window over the recent starts, which are in the order of time."""

    def __init__(self, caps: Caps, recent: Sequence[Start], now: float) -> None:
        self._caps, self._recent, self._now = caps, recent, now
        self.seconds: dict[int, int] = {}  # until a job is free, of those asked for
        self._found: dict[str, list[float]] | None = None  # times by key; made when a rate asks for them

    def add(self, entry: Entry) -> None:
        self._note(self._times(), entry, self._now)

    def exceeded(self, entry: Entry) -> str:
        """Say how long a job waits for the slowest of its rates; empty when none is met."""
        if not self._caps.rates and entry.limits.rate is None and not entry.limits.rates:
            return ""  # the rule: of ten thousand waiting jobs none has to be looked up
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

    def _times(self) -> dict[str, list[float]]:
        if self._found is None:
            self._found = {}
            for start in self._recent:
                self._note(self._found, start.entry, start.at)
        return self._found

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
