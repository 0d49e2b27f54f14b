"""What monitors saw over time, as a picture: a line for each of few targets, a row of colours for each of many."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from automation_bots.drivers.reach import plot
from automation_bots.model import File, Monitor, MonitorTarget, one_line
from automation_bots.monitors import history
from automation_bots.monitors.history import Figure
from automation_bots.monitors.recorder import Recorder
from automation_bots.monitors.watch import READ

ROWS = 60  # more would be too small to read: then those that were worst
_MOMENTS = 120
_RAW_LOOKS = 400_000  # that are read for one picture; of more, five minutes each

Moments = list[Figure | None]


def drawn(monitor: Monitor, targets: Sequence[MonitorTarget], recorder: Recorder, until: float, zone: str) -> File:
    """Draw all that is kept of a monitor, or DriverError."""
    return File(f"monitor-{monitor.number}.png", plot.drawn(data(monitor, targets, recorder, until, zone)))


def data(
    monitor: Monitor, targets: Sequence[MonitorTarget], recorder: Recorder, until: float, zone: str
) -> dict[str, Any]:
    """What the picture is made of."""
    begun = monitor.made.timestamp() if monitor.made else until - 3_600
    since = max(begun, until - history.KEPT_SECONDS[history.COARSE])
    step = max(monitor.interval, (until - since) / _MOMENTS, 1.0)
    count = max(1, int((until - since) / step) + 1)
    found = [(one.name, _moments(one.id, recorder, (since, step, count, until), len(targets))) for one in targets]
    shown = sorted(sorted(found, key=_badness, reverse=True)[:ROWS], key=lambda one: one[0])
    left = f", the {ROWS} worst of {len(found):,}" if len(found) > ROWS else ""
    return {
        "kind": "monitor",
        "title": one_line(f"M{monitor.number} {monitor.title}{left}", 100),
        "bad": "not as it should be" if monitor.kind == READ else "lost",
        "zone": zone,
        "times": [since + step * (number + 0.5) for number in range(count)],
        "rows": [{"name": one_line(name, 32), **_row(moments)} for name, moments in shown],
    }


def _moments(target: int, recorder: Recorder, span: tuple[float, float, int, float], many: int) -> Moments:
    since, step, count, until = span
    moments: list[list[Figure]] = [[] for _ in range(count)]
    for one in _seen(target, recorder, since, until, many):
        if 0 <= (place := int((one.at - since) / step)) < count:
            moments[place].append(one)
    return [history.joined(0, some) if some else None for some in moments]


def _seen(target: int, recorder: Recorder, since: float, until: float, many: int) -> list[Figure]:
    """Looks of a short time, figures of a long one."""
    if until - since <= history.KEPT_SECONDS[history.RAW] / max(1, many * 8_640 / _RAW_LOOKS):
        return [
            Figure(int(look.at), 1, int(look.ms is None), look.ms or 0.0, look.ms or 0.0, look.ms or 0.0)
            for look in recorder.looks(target, since)
            if not look.blind
        ]
    level = history.FINE if until - since <= history.KEPT_SECONDS[history.FINE] else history.COARSE
    return recorder.figures(target, since, level)


def _badness(one: tuple[str, Moments]) -> tuple[float, float]:
    known = [moment for moment in one[1] if moment and moment.looks]
    answered = [moment.mean for moment in known if moment.looks > moment.lost]
    lost = sum(moment.lost for moment in known) / max(1, sum(moment.looks for moment in known))
    return lost, fmean(answered) if answered else 0.0


def _row(moments: Moments) -> dict[str, list[float | None]]:
    def times(name: str) -> list[float | None]:
        return [
            round(float(getattr(one, name)), 3) if one is not None and one.looks > one.lost else None for one in moments
        ]

    lost = [one.lost / one.looks if one is not None and one.looks else None for one in moments]
    return {"mean": times("mean"), "least": times("least"), "most": times("most"), "lost": lost}
