"""Monitors as text: the live message, a line for what changed, how it ended. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from automation_bots import render
from automation_bots.model import Answer, Monitor, MonitorEvent, one_line
from automation_bots.monitors.measured import MS, value
from automation_bots.monitors.news import Change, counted
from automation_bots.monitors.prober import Lateness
from automation_bots.monitors.track import TargetState, Track
from automation_bots.text.times import elapsed, moment_text

_BARS = "▁▂▃▄▅▆▇█"
_LOST = "×"
_SPARKS = 12
_INLINE = 3  # targets that stand in the first line
_ROWS = 12  # targets that have a row each; of more, those that are not well
_BAD_ROWS = 8
_ORDER = (TargetState.DOWN, TargetState.DEGRADED, TargetState.FLAPPING, TargetState.UNKNOWN, TargetState.UP)
_ENDED_ROWS = 20
BAD = frozenset({TargetState.DOWN, TargetState.DEGRADED, TargetState.FLAPPING})


@dataclass(frozen=True, slots=True)
class View:
    """One target as it is shown."""

    name: str
    track: Track
    note: str = ""  # muted, acknowledged
    unit: str = MS  # of its figures; empty: it has none


def opening(monitor: Monitor, count: int, zone: str, now: datetime) -> str:
    """Say what is watched, how often and until when."""
    many = f" ({count:,})" if count > 1 else ""
    until = f" until {moment_text(monitor.until, zone, now)}" if monitor.until else ""
    where = f" where {monitor.condition}" if monitor.condition else ""
    return f"M{monitor.number} {one_line(monitor.title, 80)}{many}{where}, every {elapsed(monitor.interval)}{until}"


def live(monitor: Monitor, views: Sequence[View], zone: str, now: datetime, remark: str = "") -> Answer:
    """The one message that is edited: how everything is now."""
    head = opening(monitor, len(views), zone, now)
    if monitor.muted and monitor.muted > now:
        head += f" · muted until {moment_text(monitor.muted, zone, now)} ({one_line(monitor.muted_why, 60)})"
    head += f" · {remark}" if remark else ""
    if not any(view.track.looks or view.track.blind for view in views):
        return Answer(head)
    if len(views) <= _INLINE:
        return Answer(" · ".join([head, *(inline(view, zone, now) for view in views)]))
    if len(views) <= _ROWS:
        return Answer(f"{head} · {standing(views)}", render.table(row(view, zone, now) for view in views))
    bad = sorted((view for view in views if view.track.state is not TargetState.UP), key=worst_first)
    table = render.table(
        (row(view, zone, now) for view in bad), limit=_BAD_ROWS, all_of_it=f"!monitor {monitor.number}"
    )
    return Answer(f"{head} · {standing(views)}", table)


def worst_first(view: View) -> tuple[int, str]:
    """The order in which a person wants to see them."""
    return _ORDER.index(view.track.state), view.name


def standing(views: Sequence[View]) -> str:
    """`3,228 up, 2 down · 0.1 % lost · median 3.2 ms`, or what of it is known."""
    found = {state: sum(view.track.state is state for view in views) for state in _ORDER}
    parts = [", ".join(f"{found[state]:,} {state}" for state in (TargetState.UP, *_ORDER[:-1]) if found[state])]
    looks, lost = sum(view.track.looks for view in views), sum(view.track.lost for view in views)
    parts += [f"{_percent(lost / looks)} lost"] if lost else []
    times = sorted(ms for view in views if view.unit == MS and (ms := view.track.value))
    parts += [f"median {value(times[len(times) // 2], MS)}"] if times else []
    return " · ".join(parts)


def inline(view: View, zone: str, now: datetime) -> str:
    """One target in a few words: `core1 ▁▁▂▁▁ 0.8 ms`."""
    return " ".join(filter(None, (view.name, sparks(view), _how(view, zone, now))))


def row(view: View, zone: str, now: datetime) -> tuple[str, ...]:
    """One target as a row."""
    track = view.track
    loss = f"{_percent(track.loss)} lost" if track.lost else ""
    return view.name, track.state.value, sparks(view), _how(view, zone, now), loss


def _how(view: View, zone: str, now: datetime) -> str:
    track = view.track
    if track.state is TargetState.UP:
        said = value(track.value, MS) if view.unit == MS and track.value else one_line(track.text, 120) or "fine"
    elif track.state is TargetState.UNKNOWN:
        said = f"I cannot say: {one_line(track.text, 80)}" if track.text else "not looked at yet"
    else:
        since = clock(track.since, zone, now)
        said = f"{track.state} since {since}{_because(track.text)}"
    return f"{said} · {view.note}" if view.note else said


def _because(text: str) -> str:
    return f": {one_line(text, 100)}" if text else ""


def sparks(view: View) -> str:
    """The last figures as bars, against the largest of them, and of latencies what is usual; × is lost."""
    recent = view.track.recent[-_SPARKS:]
    if view.unit == MS and not any(recent):
        return _LOST * len(recent) if None in recent else ""
    return bars(recent, 4 * view.track.usual_ms) if view.unit else ""


def bars(values: Sequence[float | None], least_top: float = 0.0) -> str:
    """Figures as bars, against the largest of them; × is lost."""
    top = max([0.001, least_top, *(one or 0.0 for one in values)])
    return "".join(_LOST if one is None else _BARS[min(7, int(8 * one / top))] for one in values)


def part(name: str, values: Sequence[float | None], unit: str) -> tuple[str, str, str]:
    """One interface, or one row of a table, as it was at the last looks."""
    last = next((one for one in reversed(values) if one is not None), None)
    return name, bars(values[-_SPARKS:]), value(last, unit)


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.1f} %"


def clock(at: float, zone: str, now: datetime) -> str:
    """The time of the day, with the day where it is another."""
    local, today = datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%a %d %b %H:%M}"


# -- what changed


def changed(change: Change, of_device: bool = True) -> str:  # noqa: FBT001, FBT002
    """One change in a few words, without number and time."""
    name, lasted = change.target, elapsed(change.lasted)
    if change.now is TargetState.DOWN:
        return f"{name} down, {one_line(change.text, 120) or 'no answer'}"
    if change.now is TargetState.FLAPPING:
        return f"{name} flaps: it comes and goes; told again when it stays"
    if change.now is TargetState.UNKNOWN:
        return f"{name}: I cannot say how it is: {one_line(change.text, 160)}"
    if change.now is TargetState.DEGRADED:
        return (
            f"{name} degraded: {one_line(change.text, 200)}" if of_device else f"{name}: {one_line(change.text, 250)}"
        )
    if change.was is TargetState.DOWN:
        return f"{name} up again after {lasted}"
    return f"{name} fine again after {lasted}" if change.was is not TargetState.UNKNOWN else f"{name} is up"


def back(change: Change) -> str:
    """What is added to the line of an outage when it is over."""
    if change.now is TargetState.UP:
        return f"{'back' if change.was is TargetState.DOWN else 'fine again'} after {elapsed(change.lasted)}"
    return changed(change).removeprefix(change.target).lstrip(": ")


def storm(number: int, at: str, states: Mapping[str, TargetState], total: int, groups: Sequence[str]) -> str:
    """Many changes in one sentence: `M3 14:41 2,800 of 3,230 down (site madrid: all 2,790)`."""
    found = {state: sum(one is state for one in states.values()) for state in _ORDER}
    what = ", ".join(f"{count:,} of {total:,} {state}" for state, count in found.items() if count)
    explained = f" ({', '.join(groups)})" if groups else ""
    return f"M{number} {at} {what}{explained}"


def those_back(back: int, of: int, lasted: float) -> str:
    """How many of them are well again; all of them after how long."""
    if not back:
        return ""
    return f" · all are back after {elapsed(max(0.0, lasted))}" if back == of else f" · {back:,} are back"


def many_again(number: int, at: str, changes: Iterable[Change]) -> str:
    """Many that are well again, where no message can be edited."""
    found = counted(changes)
    return f"M{number} {at} {', '.join(f'{count:,} {state} again' for state, count in found.items())}"


# -- how it ended, and lists


def ended(monitor: Monitor, views: Sequence[View], why: str, at: float) -> Answer:
    """What came of it: how much of the time each was well."""
    hint = f"→ !monitor {monitor.number} csv"
    head = f"M{monitor.number} ended{f' ({one_line(why, 200)})' if why else ''}"
    if len(views) <= _INLINE:
        return Answer(f"{head}: {' · '.join(availability(view, at) for view in views)}", hint=hint)
    worst = sorted(views, key=lambda view: (-view.track.loss, -view.track.downs, view.name))
    rows = [
        (view.name, *availability(view, at).removeprefix(f"{view.name} ").split(", ", 1))
        for view in worst
        if _had(view)
    ]
    fine = len(views) - len(rows)
    table = render.table(
        [(one[0], one[1], one[2] if len(one) > 2 else "") for one in rows], limit=_ENDED_ROWS,
        all_of_it=f"!monitor {monitor.number} csv",
    )  # fmt: skip
    return Answer(f"{head}: {fine:,} of {len(views):,} without a fault", table, hint)


def _had(view: View) -> bool:
    return view.track.well < 1 or bool(view.track.downs) or view.track.state is not TargetState.UP


def availability(view: View, at: float) -> str:
    """`core2 97.6 %, down once, 42 s`, when it ended at that time."""
    track = view.track
    if not track.looks:
        return f"{view.name} never looked at"
    parts = [f"{view.name} {100 * track.well:.4g} %"]
    if track.downs:
        still = max(0.0, at - track.failing_since) if track.plain is TargetState.DOWN else 0.0
        parts.append("down once" if track.downs == 1 else f"down {track.downs} times")
        parts.append(elapsed(track.down_seconds + still))
    if track.state is not TargetState.UP:
        parts.append(f"is {track.state}{_because(track.text)}")
    return ", ".join(parts)


def listed(monitor: Monitor, views: Sequence[View], zone: str, now: datetime) -> tuple[str, ...]:
    """One monitor of many."""
    until = f"until {moment_text(monitor.until, zone, now)}" if monitor.until else ""
    muted = "muted" if monitor.muted and monitor.muted > now else ""
    where = f" where {monitor.condition}" if monitor.condition else ""
    title = one_line(f"{monitor.title}{where}", 48)
    return (
        f"M{monitor.number}",
        title,
        f"every {elapsed(monitor.interval)}",
        standing(views),
        monitor.person,
        until,
        muted,
    )


def event(one: MonitorEvent, zone: str, now: datetime) -> tuple[str, ...]:
    """Something that was told."""
    return clock(one.at.timestamp(), zone, now), one.target or "-", one.state, one_line(one.text, 120)


def late(lateness: Lateness) -> str:
    """How late the bot's own looks were; nothing is to be believed of one that is always late."""
    if not lateness.probes:
        return ""
    said = f"looks leave {lateness.median:.0f} ms after their time, 99 % within {lateness.p99:.0f} ms"
    return f"{said}: the bot is overloaded, its latencies are too high" if lateness.p99 > 1000 else said
