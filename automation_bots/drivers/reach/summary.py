"""A sweep summed up: by group and site, who does not answer and why, and what changed since the last time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from automation_bots.drivers.reach.lines import Seen
from automation_bots.model import GOOD, Conclusion, Device, File, Status, one_line
from automation_bots.text import csv_file

NAMED = 20  # as many as the recap lists; with more that do not answer, they are in a file
_FEW = 5  # names of each kind that are shown
_REASONS = 8  # kinds of failure that are shown, the most frequent first
_ROWS = 30  # groups and sites in the table
_PORTS = 6  # TCP ports in the table
_DOWN = frozenset({Status.UNREACHABLE, Status.FAILED})
_KNOWN = GOOD | _DOWN


@dataclass(frozen=True, slots=True)
class Change:
    """What is different from the last time somebody asked."""

    down: tuple[str, ...] = ()
    back: tuple[str, ...] = ()
    still: int = 0  # down then and now
    known: int = 0  # devices that were looked at both times


@dataclass(slots=True)
class _Part:
    """What was seen of some of the devices."""

    total: int = 0
    answering: int = 0
    sent: int = 0  # to those that answer: who is down is counted already
    received: int = 0
    worst: float = 0.0
    typical: list[float] = field(default_factory=list)  # each device's mean
    open: dict[int, int] = field(default_factory=dict)

    def see(self, seen: Seen) -> None:
        self.total += 1
        for port, state in seen.ports:
            self.open[port] = self.open.get(port, 0) + (state == "open")
        if seen.status not in GOOD:
            return
        self.answering += 1
        self.sent += seen.sent
        self.received += seen.received
        if times := seen.times_ms:
            first = times[0] if len(times) == 1 else max(times)
            self.worst = max(self.worst, first)
            self.typical.append(first if len(times) == 1 else fmean(times))

    def add(self, other: _Part) -> None:
        self.total += other.total
        self.answering += other.answering
        self.sent += other.sent
        self.received += other.received
        self.worst = max(self.worst, other.worst)
        self.typical += other.typical
        for port, number in other.open.items():
            self.open[port] = self.open.get(port, 0) + number


class Tally:
    """Counts devices as they are seen, while others are still waited for; `devices` are all of them."""

    def __init__(self, devices: Sequence[Device]) -> None:
        self.seen: dict[str, Seen] = {}
        self.has_ports = False
        self._devices = devices
        self._alike: dict[tuple[frozenset[str], str], _Part] = {}  # by groups and site: those are few

    def add(self, number: int, seen: Seen) -> None:
        """Take what was seen of a device; it is told by its place among all."""
        self.seen[seen.device] = seen
        self.has_ports = self.has_ports or bool(seen.ports)
        self._part(self._devices[number]).see(seen)

    def _part(self, device: Device) -> _Part:
        key = device.groups, device.site
        if (part := self._alike.get(key)) is None:
            part = self._alike[key] = _Part()
        return part

    def conclude(self, before: Mapping[str, str]) -> Conclusion:
        """Say what is new, the table and, when too many do not answer to be listed, their reasons and a file."""
        for device in self._devices:
            if device.name not in self.seen:
                self._part(device).total += 1
        found = self.seen
        ordered = [found[device.name] for device in self._devices if device.name in found]
        return _concluded(ordered, self._devices, _table(self._alike), before)


def _concluded(ordered: Sequence[Seen], devices: Sequence[Device], table: str, before: Mapping[str, str]) -> Conclusion:
    down = [one for one in ordered if one.status in _DOWN]
    text = _since(changed(ordered, before))
    if len(down) <= NAMED:  # what failed for another reason is listed by the recap itself
        silent = [one for one in down if one.status is Status.UNREACHABLE]
        return Conclusion(text, "\n".join([*_reasons(silent, NAMED), table]))
    file = _file(down, devices, before)
    text = f"{text} All {len(down):,} that do not answer are in {file.name}.".strip()
    return Conclusion(text, "\n".join([*_reasons(down, _FEW), table]), (file,))


def changed(seen: Iterable[Seen], before: Mapping[str, str]) -> Change:
    """Compare with what came of each the last time; a device that was not looked at then is not news."""
    down, back, still, known = [], [], 0, 0
    for one in seen:
        then = before.get(one.device)
        if then not in _KNOWN or one.status not in _KNOWN:
            continue
        known += 1
        if one.status in _DOWN:
            still += then in _DOWN
            if then in GOOD:
                down.append(one.device)
        elif then in _DOWN:
            back.append(one.device)
    return Change(tuple(down), tuple(back), still, known)


def _reasons(down: Sequence[Seen], few: int) -> Iterator[str]:
    """Yield a line for each reason; a name that does not resolve comes last, since no device is to blame for it."""
    by: dict[tuple[bool, str], list[str]] = {}
    for one in down:
        by.setdefault((not one.address, one_line(one.reason, 80) or "no answer"), []).append(one.device)
    kinds = sorted(by.items(), key=lambda kind: (kind[0][0], -len(kind[1]), kind[0][1]))
    for (_, reason), names in kinds[:_REASONS]:
        yield f"{len(names):,} {reason}: {_names(names, few)}"
    if more := sum(len(names) for _, names in kinds[_REASONS:]):
        yield f"{more:,} for other reasons"
    if down:
        yield ""


def _since(change: Change) -> str:
    if not change.known:
        return ""
    parts = [
        f"{len(names):,} {word}: {_names(names, _FEW)}"
        for names, word in ((change.down, "newly down"), (change.back, "back"))
        if names
    ]
    if change.still and parts:
        parts.append(f"{change.still:,} still down")
    return f"Since the last time: {'; '.join(parts)}." if parts else "Nothing has changed since the last time."


def _names(names: Sequence[str], few: int) -> str:
    more = len(names) - few
    return ", ".join(names[:few]) + (f" and {more:,} more" if more > 0 else "")


def _parts(alike: Mapping[tuple[frozenset[str], str], _Part]) -> tuple[dict[str, _Part], _Part]:
    """Sum up by group, then by site, and all together."""
    groups: dict[str, _Part] = {}
    sites: dict[str, _Part] = {}
    every = _Part()
    for (names, site), part in alike.items():
        for name in names - {"all", "ungrouped"}:
            groups.setdefault(name, _Part()).add(part)
        if site:
            sites.setdefault(f"site {site}", _Part()).add(part)
        every.add(part)
    return {**dict(sorted(groups.items())), **dict(sorted(sites.items()))}, every


def _table(alike: Mapping[tuple[frozenset[str], str], _Part]) -> str:
    parts, every = _parts(alike)
    if not every.total:
        return ""
    # What holds every device would only say the last line twice.
    shown = [(name, part) for name, part in parts.items() if part.total < every.total]
    worst_first = sorted(shown, key=lambda row: (row[1].answering - row[1].total, row[0]))
    kept = {name for name, _ in worst_first[:_ROWS]}
    ports = sorted(every.open)[:_PORTS]
    rows = [("", "answer", "loss", "median", "worst", *(f"tcp {port}" for port in ports))]
    rows += [_row(name, part, ports) for name, part in shown if name in kept]
    text = _columns([*rows, _row("all", every, ports)])
    hidden = len(shown) - len(kept)
    return text + (f"\n({hidden} more groups and sites, where less is wrong)" if hidden else "")


def _row(name: str, part: _Part, ports: Sequence[int]) -> tuple[str, ...]:
    loss = f"{100 * max(0, part.sent - part.received) / part.sent:.1f} %" if part.sent else "-"
    times = (_ms(median(part.typical)), _ms(part.worst)) if part.typical else ("-", "-")
    opened = (f"{part.open.get(port, 0):,}/{part.total:,}" for port in ports)
    return one_line(name, 40), f"{part.answering:,}/{part.total:,}", loss.replace(".0 %", " %"), *times, *opened


def _columns(rows: Sequence[tuple[str, ...]]) -> str:
    """Names to the left, numbers to the right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    padded = ([cell.rjust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return "\n".join("  ".join([row[0].ljust(widths[0]), *cells[1:]]) for row, cells in zip(rows, padded, strict=True))


def _ms(value: float) -> str:
    return f"{value:.2f} ms" if value < 10 else f"{value:,.0f} ms"


def _file(down: Sequence[Seen], devices: Sequence[Device], before: Mapping[str, str]) -> File:
    about = {device.name: device for device in devices}
    header = ("device", "address", "site", "groups", "reason", "answers", "tries", "last time")
    rows = []
    for one in down:
        device, then = about[one.device], before.get(one.device, "")
        groups = " ".join(sorted(device.groups - {"all"}))
        row = (one.device, one.address, device.site, groups, one.reason, one.received, one.sent)
        rows.append((*row, then))
    return csv_file.file("unreachable", header, rows)
