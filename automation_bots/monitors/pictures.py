"""What monitors saw over time, as a picture: a line for each of few targets or parts, of many a row of colours."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from automation_bots.drivers.reach import plot
from automation_bots.model import File, Monitor, MonitorEvent, MonitorTarget, one_line
from automation_bots.monitors import history
from automation_bots.monitors.history import Figure, Kept
from automation_bots.monitors.measured import MS
from automation_bots.monitors.recorder import Recorder
from automation_bots.monitors.watch import READ

ROWS = 60  # more would be too small to read: then those that were worst
_MOMENTS = 120
_NAME = 36  # characters of a row
_RAW_LOOKS = 400_000  # that are read for one picture; of more, five minutes each

EVENTS = 200  # the newest of what was told

Moments = list[Figure | None]


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a picture is about: of targets with parts (interfaces, rows of tables) the parts are drawn."""

    monitor: Monitor
    targets: Sequence[MonitorTarget]
    parts: Sequence[MonitorTarget] = ()
    events: Sequence[MonitorEvent] = ()

    @property
    def unit(self) -> str:
        """What the figures are; of parts with several, those of the first."""
        some = self.parts or self.targets
        return str(some[0].facts.get("unit", MS)) if some else MS

    @property
    def rows(self) -> list[tuple[str, int]]:
        """The name of each row, and whose history it is."""
        if not self.parts:
            return [(one.name, one.id) for one in self.targets]
        several = len({one.device for one in self.parts}) > 1
        mine = [one for one in self.parts if one.facts.get("unit") == self.unit]
        return [(f"{one.device} {one.name}" if several else one.name, one.id) for one in mine]


def drawn(about: Drawn, recorder: Recorder, until: float, zone: str) -> File:
    """Draw all that is kept of a monitor, or DriverError."""
    return File(f"monitor-{about.monitor.number}.png", plot.drawn(data(about, recorder, until, zone)))


def data(about: Drawn, recorder: Recorder, until: float, zone: str) -> dict[str, Any]:
    """What the picture is made of."""
    monitor, rows = about.monitor, about.rows
    begun = monitor.made.timestamp() if monitor.made else until - 3_600
    since = max(begun, until - history.KEPT_SECONDS[history.COARSE])
    step = max(monitor.interval, (until - since) / _MOMENTS, 1.0)
    count = max(1, math.ceil((until - since) / step))
    seen = dict(_seen([id_ for _, id_ in rows], recorder, since, until))
    found = [(name, _moments(seen.pop(id_), since, step, count)) for name, id_ in rows]
    shown = sorted(sorted(found, key=_badness, reverse=True)[:ROWS], key=_naturally)
    left = f", the {ROWS} worst of {len(found):,}" if len(found) > ROWS else ""
    return {
        "kind": "monitor",
        "title": one_line(f"M{monitor.number} {monitor.title}{left}", 100),
        "bad": "not as it should be" if monitor.kind == READ else "lost",
        "unit": "milliseconds" if about.unit == MS else about.unit,
        "zone": zone,
        "times": [since + step * (number + 0.5) for number in range(count)],
        "rows": [{"name": _short(name), **_row(moments)} for name, moments in shown],
        "events": [
            {"at": one.at.timestamp(), "row": _short(one.target), "state": one.state}
            for one in about.events
            if one.at.timestamp() >= since
        ],
    }


def _short(name: str) -> str:
    """As much of a name as fits beside a row; the end of it tells more than its middle."""
    name = one_line(name, 200)
    return name if len(name) <= _NAME else f"{name[: _NAME - 16]}…{name[-15:]}"


def _moments(seen: Sequence[Figure], since: float, step: float, count: int) -> Moments:
    moments: list[list[Figure]] = [[] for _ in range(count)]
    for one in seen:
        if (place := int((one.at - since) / step)) >= 0:
            moments[min(place, count - 1)].append(one)
    return [history.joined(0, some) if some else None for some in moments]


def _seen(targets: Sequence[int], recorder: Recorder, since: float, until: float) -> Iterator[tuple[int, list[Figure]]]:
    """Looks of a short time, figures of a long one."""
    if until - since <= history.KEPT_SECONDS[history.RAW] / max(1, len(targets) * 8_640 / _RAW_LOOKS):
        for target, looks in recorder.looks_of(targets, since):
            yield target, [_single(look) for look in looks if not look.blind]
        return
    level = history.FINE if until - since <= history.KEPT_SECONDS[history.FINE] else history.COARSE
    yield from recorder.figures_of(targets, since, level)


def _single(look: Kept) -> Figure:
    return Figure(int(look.at), 1, int(look.value is None), *(look.value or 0.0,) * 3)


def _badness(one: tuple[str, Moments]) -> tuple[float, float]:
    known = [moment for moment in one[1] if moment and moment.looks]
    answered = [moment.mean for moment in known if moment.looks > moment.lost]
    lost = sum(moment.lost for moment in known) / max(1, sum(moment.looks for moment in known))
    return lost, fmean(answered) if answered else 0.0


def _naturally(one: tuple[str, Moments]) -> list[tuple[int, str]]:
    """Names as people count: Gi1/0/2 before Gi1/0/10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d{1,18})", one[0])]


def _row(moments: Moments) -> dict[str, list[float | None]]:
    def times(name: str) -> list[float | None]:
        return [
            round(float(getattr(one, name)), 3) if one is not None and one.looks > one.lost else None for one in moments
        ]

    lost = [one.lost / one.looks if one is not None and one.looks else None for one in moments]
    return {"mean": times("mean"), "least": times("least"), "most": times("most"), "lost": lost}
