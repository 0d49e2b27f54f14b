"""What monitors tell, as events on the bus inside the bot, for whatever acts on it. Pure.

`bot/monitor/<number>/<state>`: targets became that (`changes`; those of one moment in one event, so that thousands that
go down at once overrun no listener); `bot/monitor/<number>/ended`; `bot/network/lost` and `back` of the bot itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from automation_bots.events import Event
from automation_bots.model import Monitor
from automation_bots.monitors import text
from automation_bots.monitors.news import Change

_SOURCE = "bot"


def changed(monitor: Monitor, changes: Iterable[Change], devices: Mapping[str, str], at: float) -> list[Event]:
    """Give one event for each state that targets came into; `devices` has the device of each target."""
    ordered = sorted(changes, key=lambda one: (one.now.value, one.target))
    return [
        _became(monitor, state, [_facts(one, devices) for one in these], at)
        for state, these in groupby(ordered, key=lambda one: one.now.value)
    ]


def _became(monitor: Monitor, state: str, facts: Sequence[Mapping[str, Any]], at: float) -> Event:
    devices = tuple(sorted({str(one["device"]) for one in facts if one["device"]}))
    return _event(monitor, state, at, state=state, changes=tuple(facts), devices=devices)


def _facts(one: Change, devices: Mapping[str, str]) -> Mapping[str, Any]:
    """`since`: when it began to be so, in seconds since the epoch; `lasted`: for how many seconds it was as before."""
    return {
        "target": one.target,
        "device": devices.get(one.target, ""),
        "was": one.was.value,
        "now": one.now.value,
        "since": one.at,
        "lasted": one.lasted,
        "text": text.changed(one),
    }


def ended(monitor: Monitor, why: str, at: float) -> Event:
    """A monitor has ended: what it told last may be as it was for ever."""
    return _event(monitor, "ended", at, reason=why, devices=monitor.devices)


def own_network(state: str, why: str, at: float) -> Event:
    """The bot itself is `lost` or `back`: meanwhile nobody can say how anything is."""
    return Event(_SOURCE, f"bot/network/{state}", {"state": state, "reason": why}, at)


def _event(monitor: Monitor, word: str, at: float, **facts: Any) -> Event:
    place = {"network": monitor.place.network, "room": monitor.place.room}
    about = {"monitor": monitor.number, "title": monitor.title, "kind": monitor.kind, "person": monitor.person, **place}
    return Event(_SOURCE, f"bot/monitor/{monitor.number}/{word}", {**about, **facts}, at)
