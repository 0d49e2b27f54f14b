"""How the counters of interfaces grow between two looks: errors a minute, bits a second. Pure.

A counter that went back was counted anew: by a reload, by somebody who cleared it, or at 32 bits. Which of them nobody
can say, so no growth is guessed, and none is ever negative.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from automation_bots.model import one_line
from automation_bots.monitors import condition
from automation_bots.monitors.condition import Comparison, Found
from automation_bots.monitors.measured import NONE, PER_MINUTE, RATE, Measured, bits
from automation_bots.monitors.track import Seen

OPERATION = "counters"  # the read whose tables these are
ERRORS, TRAFFIC = "errors", "traffic"
_COUNTS = ("in_errors", "out_errors", "in_drops", "out_drops", "in_bytes", "out_bytes")
_PER_MINUTE = _COUNTS[:4]
_BYTES = _COUNTS[4:]
_WATCHED = {ERRORS: _COUNTS[:2], TRAFFIC: _BYTES}
_COMES_FROM = {
    **{name: name for name in _PER_MINUTE},
    "in_rate": "in_bytes",
    "out_rate": "out_bytes",
    "in_use": "in_bytes",
    "out_use": "out_bytes",
}  # fmt: skip - a column of what is judged -> what is counted
_HEADER = ("interface", *_COMES_FROM, "speed")
_BUSY = 0.9  # share of an interface's speed
_SHOWN = 3
_WORDS = re.compile(r"interfaces?\s+(errors|traffic)\b", re.IGNORECASE)
_PROC = re.compile(r"\s*(\S+):\s*((?:\d+\s+){15}\d+)\s*")  # a line of /proc/net/dev
_PROC_AT = {"in_bytes": 0, "in_errors": 2, "in_drops": 3, "out_bytes": 8, "out_errors": 10, "out_drops": 11}
_NO_COUNTERS = "what it printed has no counters of interfaces"


@dataclass(frozen=True, slots=True)
class Port:
    """What one interface had counted at a time; what it does not tell is not there."""

    at: float
    counts: Mapping[str, int]
    speed: float | None = None  # bit/s


@dataclass(frozen=True, slots=True)
class Counted:
    """What is remembered of a device from look to look. An interface that is gone stays in it until it is back."""

    ports: Mapping[str, Port] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Grown:
    """How one interface counted between two looks: errors and drops a minute, bits a second, as far as it tells."""

    name: str
    values: Mapping[str, float]
    more: Mapping[str, int]  # by how much each counter has grown
    speed: float | None

    def row(self) -> tuple[str, ...]:
        """As a row of what conditions are held against."""
        cells = {name: f"{self.values[name]:.4g}" for name in _PER_MINUTE if name in self.values}
        for way in ("in", "out"):
            rate = self.values.get(f"{way}_rate")
            if rate is not None:
                cells[f"{way}_rate"] = bits(rate)
                cells |= {f"{way}_use": f"{100 * rate / self.speed:.3g}%"} if self.speed else {}
        cells |= {"interface": self.name} | ({"speed": bits(self.speed)} if self.speed else {})
        return tuple(cells.get(name, "-") for name in _HEADER)

    @property
    def rate(self) -> float:
        """The larger of its two rates."""
        return max(self.values.get("in_rate", 0.0), self.values.get("out_rate", 0.0))


def words(what: str) -> tuple[str, str] | None:
    """Read `interface errors on core1`: what is watched, and the words behind it."""
    found = _WORDS.match(what)
    return (found[1].lower(), what[found.end() :].strip()) if found else None


def watched(operation: str, title: str) -> str:
    """What of the counters a monitor of that title watches: errors, traffic, or nothing of the kind."""
    found = words(title) if operation == OPERATION else None
    return found[0] if found else ""


def read(text: str, at: float) -> dict[str, Port]:
    """Read the table of counters, or Linux' own `/proc/net/dev`."""
    ports = {}
    for line in text.splitlines():
        if found := _PROC.fullmatch(line):
            cells = found[2].split()
            ports[found[1]] = Port(at, {name: int(cells[place]) for name, place in _PROC_AT.items()})
    for header, rows in () if ports else condition.tables(text):
        if header[0] == "interface" and set(header) & set(_COUNTS):
            ports |= {row[0]: _port(dict(zip(header, row, strict=True)), at) for row in rows}
    return ports


def _port(cells: Mapping[str, str], at: float) -> Port:
    counts = {name: int(cells[name]) for name in _COUNTS if cells.get(name, "").isdecimal()}
    return Port(at, counts, condition.size(cells.get("speed", "")) or None)


def step(
    before: Counted, ports: Mapping[str, Port], what: str, wanted: Sequence[Comparison]
) -> tuple[Counted, Found | None, Measured]:
    """Take one look into account; no Found: the first one, since it takes two to see anything grow."""
    if not ports:
        return before, (Seen.NOTHING, _NO_COUNTERS), NONE
    about = [one for one in wanted if one.column.lower() == "interface"]
    limits = [one for one in wanted if one not in about]
    mine = {name: port for name, port in ports.items() if _is_about(name, about)}
    known = {name: port for name, port in before.ports.items() if _is_about(name, about)}
    if not mine and not known:
        return before, (Seen.NOTHING, one_line(f"no such interface; there are {', '.join(ports)}", 200)), NONE
    needed = _needed(what, limits)
    grown, blind = _compared(known, mine, needed)
    after = Counted({**known, **mine})
    if not any(set(port.counts) & set(needed) for port in mine.values()):
        blind.append(f"no interface tells {' or '.join(needed)}")
    return after, _found(what, grown, blind, limits), _measured(what, grown)


def _is_about(name: str, about: Iterable[Comparison]) -> bool:
    return all(condition.holds(one, name) for one in about)


def _needed(what: str, limits: Sequence[Comparison]) -> tuple[str, ...]:
    """The counters without which nothing can be said."""
    named = tuple(dict.fromkeys(_COMES_FROM[name] for one in limits if (name := one.column.lower()) in _COMES_FROM))
    return named or _WATCHED[what]


def _compared(
    known: Mapping[str, Port], now: Mapping[str, Port], needed: Sequence[str]
) -> tuple[list[_Grown], list[str]]:
    """What has grown by how much, and of what nobody can say it."""
    grown, anew, silent = [], [], []
    for name, port in now.items():
        before = known.get(name)
        if before is None or port.at <= before.at:
            continue
        if _went_back(before, port, needed):
            anew.append(name)
        elif any(one in before.counts and one not in port.counts for one in needed):
            silent.append(name)
        elif set(port.counts) & set(needed):
            grown.append(_growth(name, before, port))
    gone = [name for name in known if name not in now]
    said = ((gone, "no longer there"), (anew, "counted anew"), (silent, f"without {' or '.join(needed)} now"))
    return grown, [f"{_names(some)} {how}" for some, how in said if some]


def _went_back(before: Port, now: Port, needed: Sequence[str]) -> bool:
    """Whether it was counted anew. Bytes that go back one way only may be a wrap, which says nothing about errors."""
    back = {name for name, count in now.counts.items() if count < before.counts.get(name, 0)}
    return bool(back & {*needed, *_PER_MINUTE}) or back.issuperset(_BYTES)


def _growth(name: str, before: Port, now: Port) -> _Grown:
    seconds = now.at - before.at
    more = {one: count - before.counts[one] for one, count in now.counts.items() if one in before.counts}
    values = {one: 60 * more[one] / seconds for one in _PER_MINUTE if one in more}
    rates = {name.replace("bytes", "rate"): 8 * more[name] / seconds for name in _BYTES if more.get(name, -1) >= 0}
    return _Grown(name, {**values, **rates}, more, now.speed)


def _found(what: str, grown: Sequence[_Grown], blind: Sequence[str], limits: Sequence[Comparison]) -> Found | None:
    """What is wrong comes first, then what nobody can say; fine is only what was seen whole."""
    unsure = "; ".join(blind)
    seen, said = _judged(what, grown, limits)
    if seen is Seen.POOR:
        return Seen.POOR, one_line("; ".join(filter(None, (said, unsure))), 300)
    if seen is Seen.NOTHING or blind:
        return Seen.NOTHING, one_line(unsure or said, 300)
    if not grown:
        return None
    return Seen.GOOD, one_line(_fine(what, grown), 200)


def _judged(what: str, grown: Sequence[_Grown], limits: Sequence[Comparison]) -> Found:
    if limits:
        return condition.judged_table(_HEADER, [one.row() for one in grown], limits) if grown else (Seen.GOOD, "")
    said = [words for one in grown if (words := _bad(what, one))]
    more = f" and {len(said) - _SHOWN} more" if len(said) > _SHOWN else ""
    return (Seen.POOR, "; ".join(said[:_SHOWN]) + more) if said else (Seen.GOOD, "")


def _bad(what: str, one: _Grown) -> str:
    """What everybody means by it: errors that grow, an interface that is nearly full."""
    if what == ERRORS:
        found = [f"{name} +{one.more[name]:,}, {one.values[name]:.3g} a minute"
                 for name in _WATCHED[ERRORS] if one.more.get(name)]  # fmt: skip
        return f"{one.name} {', '.join(found)}" if found else ""
    return _rates(one) if one.speed and one.rate > _BUSY * one.speed else ""


def _fine(what: str, grown: Sequence[_Grown]) -> str:
    if what == ERRORS:
        return f"no new errors on {len(grown)} interface{'s' if len(grown) > 1 else ''}"
    busiest = sorted(grown, key=lambda one: -one.rate)
    more = f" and {len(busiest) - _SHOWN} more" if len(busiest) > _SHOWN else ""
    return "; ".join(map(_rates, busiest[:_SHOWN])) + more


def _rates(one: _Grown) -> str:
    told = [f"{way} {bits(one.values[f'{way}_rate'])}" for way in ("in", "out") if f"{way}_rate" in one.values]
    speed = f" of {bits(one.speed)}" if one.speed else ""
    return f"{one.name} {', '.join(told)}{speed}"


def _measured(what: str, grown: Sequence[_Grown]) -> Measured:
    """All errors a minute, or the largest rate; and those of each interface, rates each way."""
    if what == ERRORS:
        parts = {one.name: sum(one.values.get(name, 0.0) for name in _WATCHED[ERRORS]) for one in grown}
        return Measured(PER_MINUTE, sum(parts.values()), parts) if parts else NONE
    parts = {
        f"{one.name} {way}": one.values[f"{way}_rate"] / 1e6
        for one in grown
        for way in ("in", "out")
        if f"{way}_rate" in one.values
    }
    return Measured(RATE, max(parts.values()), parts) if parts else NONE


def _names(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more} {'is' if len(names) == 1 else 'are'}"
