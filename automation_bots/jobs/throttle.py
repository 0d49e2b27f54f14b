"""Which queued jobs may start now, and why the others wait. Pure: gets the queue and the time, keeps nothing.

Rules: a change holds its devices alone against other changes, first come first served per device, whatever the driver;
reads share a device up to its session slots; limits on running jobs and on starts per time; turns between people.

What may start is found for ten thousand waiting jobs several times a second; why a job waits is worked out for the few
that somebody asks about.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from automation_bots.config.settings import LimitSettings
from automation_bots.jobs.counters import VALUES, Entry, Limit, Start, Tallies
from automation_bots.model import Risk
from automation_bots.policy.schema import rate
from automation_bots.text.times import duration_text, elapsed

_UNSAID = LimitSettings()  # where bot.toml says nothing


@dataclass(frozen=True, slots=True)
class Caps:
    """Limits on jobs that run at the same time; `rates` are (starts, seconds) per person, place or operation."""

    bot: int = _UNSAID.jobs
    person: int = _UNSAID.person
    place: int = _UNSAID.place
    device: int = _UNSAID.device  # session slots: reads at once on one device
    driver: Mapping[str, int] = field(default_factory=dict)
    site: Mapping[str, int] = field(default_factory=dict)
    operation: Mapping[str, int] = field(default_factory=dict)
    rates: Mapping[str, tuple[int, float]] = field(default_factory=dict)  # "person", "place" or "operation:<name>"

    @classmethod
    def of(cls, limits: LimitSettings) -> Caps:
        """Read [limits] of bot.toml."""
        return cls(
            bot=limits.jobs,
            person=limits.person,
            place=limits.place,
            device=limits.device,
            driver=limits.driver,
            site=limits.site,
            operation=limits.operation,
            rates={key: rate(text) for key, text in limits.rates.items()},
        )


class _Waits(Mapping[int, str]):
    """Ten thousand jobs wait, and somebody asks about one."""

    def __init__(self, entries: Mapping[int, Entry], why: Callable[[Entry], str]) -> None:
        self._entries, self._why = entries, why

    def __getitem__(self, number: int) -> str:
        return self._why(self._entries[number])

    def __iter__(self) -> Iterator[int]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)


@dataclass(frozen=True, slots=True)
class Admission:
    """The answer: which may start, in order, and for each other one why it waits."""

    start: tuple[int, ...]
    waits: Mapping[int, str]
    seconds: Callable[[int], int | None]  # until its rate lets a job start, where that is why it waits


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
    look = _Pass(queued, running, caps, held, Tallies(running, recent, now))
    starts = () if look.is_full else tuple(_starts(look, _in_turns(queued, running)))
    waiting = {entry.number: entry for entry in queued}
    for number in starts:
        del waiting[number]
    return Admission(starts, _Waits(waiting, look.why), lambda number: look.seconds(waiting.get(number)))


def _starts(look: _Pass, turns: Iterable[Entry]) -> Iterator[int]:
    for entry in turns:
        if look.may_start(entry):
            look.add(entry)
            yield entry.number
            if look.is_full:
                return


def _in_turns(queued: Sequence[Entry], running: Sequence[Entry]) -> Iterator[Entry]:
    """Everybody's n-th job before anybody's n+1-th, so that a flood delays only its author."""
    turn: defaultdict[str, int] = defaultdict(int, Counter(entry.person for entry in running))
    turns: defaultdict[int, list[Entry]] = defaultdict(list)
    for entry in queued:
        person = entry.person
        mine = turn[person]
        turns[mine].append(entry)
        turn[person] = mine + 1
    for mine in sorted(turns):
        yield from turns[mine]


class _Pass:
    """How much of everything is in use while one pass decides; the answers about a job grow stricter, never laxer."""

    def __init__(
        self, queued: Sequence[Entry], running: Sequence[Entry], caps: Caps, held: Mapping[str, int], tallies: Tallies
    ) -> None:
        self._queued, self._caps, self._held, self._tallies = queued, caps, held, tallies
        self._jobs = 0
        self._changing: dict[str, int] = {}
        self._reads: Counter[str] = Counter()
        self._no_slot: set[str] = set()  # devices without a free session
        self._slow: set[int] = set()  # changes that their own rate keeps
        self._known: dict[Any, tuple[list[_Check], list[_Check]]] = {}
        for entry in running:
            self._take(entry)
        if not self.is_full:  # else nothing starts, and it is early enough when somebody asks
            _ = self._first

    @cached_property
    def _first(self) -> Mapping[str, int]:
        """For each device the oldest change that wants it: nothing younger may overtake it there.

        What waits for a person's word or for its own rate, perhaps for a day, keeps no place before others. A rate that
        this very pass reaches lets the others pass with the next one.
        """
        first: dict[str, int] = {}
        for entry in self._queued:
            if entry.risk is not Risk.CHANGE or not self._held.keys().isdisjoint(entry.devices):
                continue
            if _is_reached(self._checks(entry)[0], entry):
                self._slow.add(entry.number)
                continue
            for device in entry.devices:
                first.setdefault(device, entry.number)
        return first

    def add(self, entry: Entry) -> None:
        """A job starts."""
        self._take(entry)
        self._tallies.add(entry)

    def _take(self, entry: Entry) -> None:
        self._jobs += 1
        if entry.risk is Risk.CHANGE:
            self._changing.update(dict.fromkeys(entry.devices, entry.number))
            return
        self._reads.update(entry.sessions)
        self._no_slot.update(device for device in entry.sessions if self._reads[device] >= self._caps.device)

    @property
    def is_full(self) -> bool:
        """Whether the bot's own limit is reached."""
        return self._jobs >= self._caps.bot

    def may_start(self, entry: Entry) -> bool:
        """Whether `why` would have nothing to say, found in less time."""
        if entry.number in self._slow:
            return False
        rates, caps = self._checks(entry)
        if _is_reached(rates, entry) or _is_reached(caps, entry):
            return False
        if entry.risk is Risk.CHANGE:
            return not (self._stuck(entry) or self._behind(entry))
        return self._no_slot.isdisjoint(entry.sessions)

    def why(self, entry: Entry) -> str:
        """Say what a job waits for; empty when for nothing."""
        return self._stuck(entry) or self._slowed(entry) or self._behind(entry) or self._capped(entry)

    def seconds(self, entry: Entry | None) -> int | None:
        """Say how long the slowest of its rates keeps a job."""
        met = None if entry is None or self._stuck(entry) else self._met(entry)
        return max(1, round(met[0])) if met else None

    def _stuck(self, entry: Entry) -> str:
        if entry.risk is not Risk.CHANGE or self._held.keys().isdisjoint(entry.devices):
            return ""
        stuck = entry.shown(entry.devices & self._held.keys())
        return f"waits for {stuck}: #{self._held[stuck]} was interrupted there and is not acknowledged"

    def _behind(self, entry: Entry) -> str:
        if entry.risk is not Risk.CHANGE:
            return ""
        if not self._changing.keys().isdisjoint(entry.devices):
            busy = entry.shown(entry.devices & self._changing.keys())
            return f"waits for {busy} (#{self._changing[busy]} is changing it)"
        ahead = [device for device in entry.devices if self._first.get(device, entry.number) < entry.number]
        # Checked after `changing`: the older change may have been started in this very pass.
        if not ahead:
            return ""
        device = entry.shown(ahead)
        return f"waits for {device} (#{self._first[device]} is before it)"

    def _capped(self, entry: Entry) -> str:
        if self.is_full:
            return f"waits: {self._caps.bot} jobs run, which is the bot's limit"
        for (rule, per, most, _), values, reached in self._checks(entry)[1]:
            if hit := [value for value in values(entry) if value in reached]:
                return f"waits: {most} {_running(rule, per, min(hit))}"
        if entry.risk is Risk.READ and (full := self._no_slot & entry.sessions):
            return f"waits for a session on {entry.shown(full)} ({self._caps.device} in use)"
        return ""

    def _slowed(self, entry: Entry) -> str:
        if (met := self._met(entry)) is None:
            return ""
        free, (rule, per, starts, seconds), value = met
        wait, period = elapsed(max(1, round(free))), duration_text(timedelta(seconds=seconds))
        return f"waits {wait}: {_whose(rule, per, value)} may start {starts} jobs in {period}"

    def _met(self, entry: Entry) -> tuple[float, Limit, str] | None:
        """In how many seconds the slowest of its rates lets a job start, and for which value."""
        rates = self._checks(entry)[0]
        met = [(full[value], rate, value) for rate, values, full in rates for value in values(entry) if value in full]
        return max(met, default=None)

    def _checks(self, entry: Entry) -> tuple[list[_Check], list[_Check]]:
        """The rates and the limits on jobs at once that a job keeps to; found once for all jobs that are alike."""
        alike = (entry.operation, entry.drivers, entry.sites, id(entry.limits))
        if (found := self._known.get(alike)) is None:
            rates = [self._check(rate) for rate in _rates_of(entry, self._caps)]
            rates.sort(key=lambda check: -len(check[2]))  # what is reached for most is asked first
            caps = [self._check(*cap) for cap in _caps_of(entry, self._caps)]
            found = self._known[alike] = rates, caps
        return found

    def _check(self, limit: Limit, *names: str) -> _Check:
        """Ask a limit about the names, or else about whatever it counts a job by."""
        full = self._tallies.of(limit).full
        if not names:
            return limit, VALUES[limit[1]], full
        return limit, lambda _entry: names, full if limit[2] else dict.fromkeys(names, 0.0)


_Check = tuple[Limit, Callable[[Entry], Collection[str]], Mapping[str, float]]  # the values to ask for, what is reached


def _is_reached(checks: Iterable[_Check], entry: Entry) -> bool:
    for _, values, full in checks:  # noqa: SIM110 - any() would take as long again, of a look made 10,000 times a pass
        if full and not full.keys().isdisjoint(values(entry)):
            return True
    return False


def _caps_of(entry: Entry, caps: Caps) -> Iterator[tuple[Any, ...]]:
    """The limits on jobs at once; with names, where it depends on the name how many."""
    yield (("", "person", caps.person, 0.0),)
    yield (("", "place", caps.place, 0.0),)
    if entry.limits.concurrent is not None:
        yield (("", "own", entry.limits.concurrent, 0.0),)
    for per, names, most_of in (
        ("operation", (entry.operation,), caps.operation.get),
        ("driver", entry.drivers, caps.driver.get),
        ("site", entry.sites, lambda name: caps.site.get(name, caps.site.get("*"))),
    ):
        yield from ((("", per, most, 0.0), name) for name in names if (most := most_of(name)) is not None)
    yield from (((rule, per, most, 0.0),) for rule, per, most in entry.limits.caps)


def _rates_of(entry: Entry, caps: Caps) -> Iterator[Limit]:
    for per, key in (("person", "person"), ("place", "place"), ("operation", f"operation:{entry.operation}")):
        if rate := caps.rates.get(key):
            yield "", per, *rate
    if entry.limits.rate:
        yield "", "own", *entry.limits.rate
    yield from entry.limits.rates


_RUN = {
    "person": "jobs of {} run", "place": "jobs of this room run", "operation": "{} jobs run", "driver": "{} jobs run",
    "own": "such jobs run, which is the rule's limit", "site": "jobs run at {}",
}  # fmt: skip
_WHOSE = {"person": "{}", "place": "this room", "operation": "{}", "own": "the rule"}
_RULES = {
    "bot": "", "person": " of {}", "place": " in this room", "operation": " of {}", "driver": " with {}",
    "site": " at {}", "device": " at {}",
}  # fmt: skip


def _running(rule: str, per: str, value: str) -> str:
    return f"jobs by {_whose(rule, per, value)} run" if rule else _RUN[per].format(value)


def _whose(rule: str, per: str, value: str) -> str:
    return f'rule "{rule}"{_RULES[per].format(value)}' if rule else _WHOSE[per].format(value)
