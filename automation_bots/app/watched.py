"""What monitors stand on: the record, the rules of now, the way of every command, and how devices belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from automation_bots.config.live import LiveConfig
from automation_bots.events import Event
from automation_bots.health.health import Watched
from automation_bots.model import NOTHING, Place
from automation_bots.monitors.measured import MS
from automation_bots.monitors.monitors import MonitorContext, Monitors
from automation_bots.monitors.text import View
from automation_bots.monitors.track import TargetState
from automation_bots.pipeline.pipeline import Pipeline
from automation_bots.store import Store
from automation_bots.surface import Surface

_NO_NAMES = frozenset({"all", "ungrouped"})  # groups that explain nothing


@dataclass(frozen=True, slots=True)
class Outside:
    """Who is told of changes, and what is known of the network around."""

    publish: Callable[[Event], None]
    references: Sequence[str] = ()
    web: Callable[[str], Mapping[str, str]] = lambda _url: NOTHING


def context(
    store: Store,
    live: LiveConfig,
    pipeline: Pipeline,
    surface: Callable[[Place], Surface],
    now: Callable[[], datetime],
    outside: Outside,
) -> MonitorContext:
    """Join them."""

    def groups(devices: Iterable[str]) -> Mapping[str, Sequence[str]]:
        """The devices of each site and group, among these."""
        wanted = set(devices)
        found: dict[str, list[str]] = {}
        for device in live.inventory.devices(tuple(wanted)):
            if device.site:
                found.setdefault(f"site {device.site}", []).append(device.name)
            for group in device.groups - _NO_NAMES:
                found.setdefault(group, []).append(device.name)
        return found

    return MonitorContext(
        store=store,
        now=now,
        surface=surface,
        zone=lambda: live.policy.timezone,
        judge=pipeline.watched.judge,
        ask=pipeline.watched.ask,
        groups=groups,
        publish=outside.publish,
        addresses=lambda name: live.inventory.addresses.get(name, ()),
        references=outside.references,
        web=outside.web,
    )


def figures(monitors: Monitors) -> Watched:
    """What they come to, for whoever scrapes it."""
    found = monitors.figures()
    targets = tuple(
        (f"M{watch.monitor.number}", view.name, view.track.state is TargetState.UP, _figure(view), view.unit)
        for watch in monitors.running()
        for view in watch.views()
    )
    late = found.lateness.p99 / 1000
    return Watched(found.running, found.targets, found.looks, late, bool(found.lost), targets)


def _figure(view: View) -> float | None:
    """The median of the newest latencies; of what else is measured the last figure."""
    recent = view.track.recent
    if not view.unit or not recent:
        return None
    return (view.track.value or None) if view.unit == MS else recent[-1]
