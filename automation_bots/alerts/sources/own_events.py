"""What the bot itself and Salt tell on the bus inside the bot, as events of the sources `bot` and `salt`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from automation_bots.alerts.devices import naming_none
from automation_bots.alerts.event import Phase, ReportedEvent, Severity
from automation_bots.events import Event
from automation_bots.model import one_line
from automation_bots.secrets import references

_FIELDS, _VALUE, _NAMES = 40, 300, 20
_PHASES = {"up": Phase.RESOLVED, "unknown": Phase.SINGLE}  # of a monitor's target; anything else is something wrong
_SEVERITIES = {
    "down": Severity.HIGH, "degraded": Severity.WARNING, "flapping": Severity.WARNING, "unknown": Severity.UNKNOWN,
    "up": Severity.HIGH, "done": Severity.INFO, "failed": Severity.WARNING, "interrupted": Severity.HIGH,
    "cancelled": Severity.INFO, "missed": Severity.WARNING, "refused": Severity.WARNING, "ran": Severity.INFO,
}  # fmt: skip


def reported(event: Event, now: datetime) -> list[ReportedEvent]:
    """Make the events; none of what is told for others alone."""
    if event.source == "salt":
        return [_salt(event, now)]
    parts = event.tag.split("/")
    if len(parts) != 4 and parts[:2] != ["bot", "network"]:
        return []
    maker = _MAKERS.get(parts[1])
    return list(maker(event, parts[-1], now)) if maker else []


def _monitor(event: Event, state: str, now: datetime) -> Iterator[ReportedEvent]:
    """One for each target that became something; a monitor's end says nothing of its targets."""
    number, title = event.data.get("monitor"), str(event.data.get("title", ""))
    about = {"monitor": str(number), "title": title, "person": str(event.data.get("person", ""))}
    if state == "ended":
        yield _single("monitor", "monitor ended", event, now, text=f"M{number} {title}: {event.data.get('reason')}",
                      fields=about)  # fmt: skip
        return
    for change in event.data.get("changes", ()):
        target, became = str(change.get("target", "")), str(change.get("now", ""))
        phase = _PHASES.get(became, Phase.FIRING)
        yield ReportedEvent(
            source="bot",
            kind="monitor",
            what=title,
            at=now,
            phase=phase,
            severity=_SEVERITIES.get(became, Severity.UNKNOWN),
            device=str(change.get("device", "")),
            about=target,
            text=f"M{number} {change.get('text') or f'{target} is {became}'}",
            fingerprint="" if phase is Phase.SINGLE else f"monitor/{number}/{target}",
            fields={**about, "state": became, "was": str(change.get("was", "")), "target": target},
        )


def _job(event: Event, _word: str, now: datetime) -> Iterator[ReportedEvent]:
    number, state = event.tag.split("/")[2], str(event.data.get("state", ""))
    operation, person = str(event.data.get("operation", "")), str(event.data.get("person", ""))
    devices = _devices(event.data)
    text = f"#{number} {operation} on {_some(devices)}: {state}" if devices else f"#{number} {operation}: {state}"
    fields = {"job": number, "operation": operation, "person": person, "state": state}
    yield _single("job", operation, event, now, text=text, severity=_SEVERITIES.get(state, Severity.UNKNOWN),
                  fields=fields)  # fmt: skip


def _schedule(event: Event, word: str, now: datetime) -> Iterator[ReportedEvent]:
    data, number = event.data, event.tag.split("/")[2]
    reason = str(data.get("reason") or (f"{data['times']} times" if data.get("times") else ""))
    operation = str(data.get("operation", ""))
    text = f"S{number} {operation} {word}" + (f": {reason}" if reason else "")
    plain = ("schedule", "operation", "person", "job", "state", "reason")
    fields = {name: str(data[name]) for name in plain if data.get(name) is not None}
    yield _single("schedule", f"schedule {word}", event, now, text=text, severity=_SEVERITIES.get(word), fields=fields)


def _network(event: Event, word: str, now: datetime) -> Iterator[ReportedEvent]:
    """The bot's own network: while it is gone nobody can say how anything is."""
    yield ReportedEvent(
        source="bot",
        kind="monitor",
        what="the bot's own network",
        at=now,
        phase=Phase.FIRING if word == "lost" else Phase.RESOLVED,
        severity=Severity.CRITICAL,
        text=f"the bot's own network is {word}: {event.data.get('reason', '')}",
        fingerprint="network",
    )


def _salt(event: Event, now: datetime) -> ReportedEvent:
    """A tag with its minion; of what it holds the plain values, and of what a beacon says."""
    inner = event.data.get("data")
    fields = {**(_plain(inner) if isinstance(inner, Mapping) else {}), **_plain(event.data)}
    minion = str(event.data.get("id", ""))
    said = ", ".join(f"{name} {value}" for name, value in fields.items() if name not in ("id", "_stamp"))
    return ReportedEvent(
        source="salt",
        kind="salt",
        what=event.tag,
        at=now,
        severity=Severity.WARNING if event.data.get("success") is False else Severity.INFO,
        about=minion,
        text=one_line(said, 1_000),
        fields=naming_none(fields),
    )


def _plain(data: Mapping[Any, Any]) -> dict[str, str]:
    """Values that people can read, but for those that call themselves secret."""
    found = {
        str(name)[:_VALUE]: one_line(str(value), _VALUE)
        for name, value in data.items()
        if isinstance(value, str | int | float) and not references.names_a_secret(str(name))
    }
    return dict(list(found.items())[:_FIELDS])


def _single(  # noqa: PLR0913 - what events of several kinds have in common
    kind: str, what: str, event: Event, now: datetime, *, text: str, severity: Severity | None = Severity.INFO,
    fields: Mapping[str, str],
) -> ReportedEvent:  # fmt: skip
    devices = _devices(event.data)
    more = {"devices": ",".join(devices[:_NAMES])} if devices else {}
    return ReportedEvent(
        source="bot",
        kind=kind,
        what=what,
        at=now,
        severity=severity or Severity.UNKNOWN,
        device=devices[0] if len(devices) == 1 else "",
        text=text,
        fields={**fields, **more},
        origin=tuple(str(rule) for rule in event.data.get("origin", ())),
    )


def _devices(data: Mapping[str, Any]) -> Sequence[str]:
    return [str(device) for device in data.get("devices") or ()]


def _some(devices: Sequence[str]) -> str:
    more = len(devices) - 5
    return ", ".join(devices[:5]) + (f" and {more} more" if more > 0 else "")


_MAKERS = {"monitor": _monitor, "job": _job, "schedule": _schedule, "network": _network}
