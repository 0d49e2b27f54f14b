"""How devices were before a change and are after it: what is worse, what is only other, what nobody can say. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from automation_bots.model import GOOD, Outcome, Status, one_line
from automation_bots.monitors.condition import tables

REACH, CONFIG, ROUTES = "ping", "config-diff", "routes"
_PREFIX = re.compile(r"(?:^|\s)(default|(?:\d{1,3}\.){3}\d{1,3}/\d{1,2}|[0-9a-fA-F]*:[0-9a-fA-F:]*/\d{1,3})(?=\s|,|$)")
_BRIEF = re.compile(r"(\S+)\s+(UP|DOWN|UNKNOWN|LOWERLAYERDOWN)\b")
_MOST = 2_000  # routes and rows of one device that are kept by name
_NAMED = 6  # differences of one kind and device that are named

Aspect = dict[str, Any]  # rows: {key: state}; or why nobody can say
Snapshot = Mapping[str, Mapping[str, Aspect]]  # device -> what was read of it


class Rank(IntEnum):
    """How much a difference matters."""

    WORSE = 0
    UNSURE = 1  # it was read before, and cannot be read now
    OTHER = 2
    BETTER = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """Something of one device that is not as it was."""

    rank: Rank
    device: str
    text: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One read of a snapshot: what people call it, and where key and state stand in its table."""

    noun: str
    keys: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    good: frozenset[str] = frozenset()
    count: str = ""  # how its rows are counted: "6 neighbours"


KINDS: Mapping[str, Kind] = {
    REACH: Kind("reachability", good=frozenset({"up"})),
    "bgp": Kind("BGP", ("neighbor", "peer"), ("state", "statepfxrcd"), frozenset({"established", "up"}), "BGP session"),
    "interfaces": Kind("interface", ("interface", "name", "port"), ("up", "protocol", "status", "state", "link"),
                       frozenset({"up", "yes", "connected", "unknown"}), "interface"),
    "lldp": Kind("neighbour", ("interface", "localintf", "localinterface"), ("neighbor", "systemname", "deviceid"),
                 count="neighbour"),
    "services": Kind("service", ("unit", "name"), ("active", "status"), frozenset({"active", "running"}), "service"),
    ROUTES: Kind("route", count="route"),
    CONFIG: Kind("configuration"),
}  # fmt: skip


def aspect(kind: str, outcome: Outcome) -> Aspect:
    """What one device's outcome says."""
    if kind == REACH and outcome.status in {Status.OK, Status.UNREACHABLE}:
        return {"rows": {"": "up" if outcome.status is Status.OK else "down"}}
    if outcome.status not in GOOD:
        return {"why": one_line(outcome.summary or outcome.status.value, 160)}
    text = outcome.output or outcome.summary
    if kind == CONFIG:
        return {"rows": {}, "text": outcome.output}
    if kind == ROUTES:
        return {"rows": dict.fromkeys(_prefixes(text), "there")}
    return {"rows": dict(list(_rows(KINDS[kind], text))[:_MOST])}


def _prefixes(text: str) -> list[str]:
    found = (match.group(1) for line in text.splitlines() if (match := _PREFIX.search(line)))
    return list(dict.fromkeys(found))[:_MOST]


def _rows(kind: Kind, text: str) -> Iterator[tuple[str, str]]:
    brief = [(match[1], match[2]) for line in text.splitlines() if (match := _BRIEF.match(line))]
    if kind.noun == "interface" and brief:
        yield from brief
        return
    for header, rows in tables(text):
        plain = [re.sub("[^a-z0-9]", "", name.lower()) for name in header]
        key = next((plain.index(name) for name in kind.keys if name in plain), None)
        state = next((plain.index(name) for name in kind.states if name in plain), None)
        if key is not None and state is not None:
            yield from ((row[key], "Established" if row[state].isdigit() else row[state]) for row in rows)


def compared(before: Snapshot, after: Snapshot) -> list[Difference]:
    """Everything that is not as it was, the worst first."""
    found = [
        difference
        for device, aspects in before.items()
        for kind, was in aspects.items()
        for difference in _compared(device, kind, was, after.get(device, {}).get(kind))
    ]
    return sorted(found, key=lambda one: (one.rank, one.device, one.text))


def _compared(device: str, kind: str, was: Aspect, now: Aspect | None) -> Iterator[Difference]:
    noun = KINDS[kind].noun
    if "why" in was and kind != CONFIG:
        return  # what could not be read before is no difference
    if now is None or "why" in now:
        why = now["why"] if now else "it was not read"
        yield Difference(Rank.UNSURE, device, f"{noun}: I cannot say, {why}")
        return
    if kind == CONFIG:
        yield from _config(device, now.get("text") or "")
        return
    if kind == ROUTES:
        yield from _routes(device, was["rows"], now["rows"])
        return
    yield from _states(device, KINDS[kind], was["rows"], now["rows"])


def _config(device: str, diff: str) -> Iterator[Difference]:
    lines = [line for line in diff.splitlines() if line[:1] in "+-" and not line.startswith(("+++", "---"))]
    if lines:
        more = sum(line.startswith("+") for line in lines)
        yield Difference(Rank.OTHER, device, f"configuration +{more} −{len(lines) - more}")


def _routes(device: str, was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    gone, new = sorted(was.keys() - now.keys()), sorted(now.keys() - was.keys())
    if gone or new:
        named = [f"gone: {_some(gone)}"] if gone else []
        named += [f"new: {_some(new)}"] if new else []
        yield Difference(Rank.OTHER, device, f"routes {len(was):,} → {len(now):,} ({'; '.join(named)})")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _states(device: str, kind: Kind, was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[Difference]:
    found = []
    for key in [*was, *(key for key in now if key not in was)]:
        old, new = was.get(key), now.get(key)
        if old is not None and new is not None and old.lower() == new.lower():
            continue
        what = f"{kind.noun} {key}".strip() if kind.noun != "interface" else key
        found.append(Difference(_rank(kind, old, new), device, f"{what} {_turn(old, new)}"))
    yield from sorted(found, key=lambda one: one.rank)[:_NAMED]
    if len(found) > _NAMED:
        rank = min(one.rank for one in found[_NAMED:])
        yield Difference(rank, device, f"and {len(found) - _NAMED} more of {kind.noun}")


def _turn(old: str | None, new: str | None) -> str:
    if old is None:
        return f"is new: {new}"
    return f"was {old}, is gone" if new is None else f"was {old}, is {new}"


def _rank(kind: Kind, old: str | None, new: str | None) -> Rank:
    if not kind.good:
        return Rank.OTHER
    was_good, is_good = (state is not None and state.lower() in kind.good for state in (old, new))
    if was_good and not is_good:
        return Rank.WORSE
    return Rank.BETTER if is_good and old is not None and not was_good else Rank.OTHER


# -- in words


def measured(snapshot: Snapshot) -> str:
    """What a snapshot has: `reachability, 6 BGP sessions, 48 interfaces, 812 routes, configuration`."""
    said = []
    for name, kind in KINDS.items():
        read = [aspects[name] for aspects in snapshot.values() if "rows" in aspects.get(name, {})]
        if not read:
            continue
        count = sum(len(one["rows"]) for one in read)
        if not kind.count:
            said.append(kind.noun)
        elif count:
            said.append(f"{count:,} {kind.count}{'' if count == 1 else 's'}")
    return ", ".join(said) or "nothing"


def verdict(differences: Iterable[Difference]) -> str:
    """The one sentence that counts."""
    ranks = {one.rank for one in differences}
    if Rank.WORSE in ranks:
        return "Worse than before:"
    if Rank.UNSURE in ranks:
        return "Nobody can say of everything whether it is as before:"
    if Rank.OTHER in ranks:
        return "Nothing is worse; other than before:"
    return "Better than before:" if ranks else "Everything is as it was."


def same(before: Snapshot, differences: Sequence[Difference]) -> str:
    """Which devices are as they were."""
    other = {one.device for one in differences}
    left = [device for device in before if device not in other]
    return f"As before: {', '.join(left[:5])}{f' and {len(left) - 5} more' if len(left) > 5 else ''}." if left else ""
