"""Alertmanager's webhook: each alert by its own status, fingerprint and begin, whatever its group says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import Field

from automation_bots.alerts.event import Phase, ReportedEvent, Severity
from automation_bots.alerts.sources import json_body
from automation_bots.alerts.sources.source import HttpKind, HttpSettings, ServerUrl, as_text, texts
from automation_bots.drivers.alerts.alertmanager import AlertmanagerBack, Naming
from automation_bots.drivers.alerts.http import Server
from automation_bots.errors import BadPayload

KIND = "alertmanager"
LEFT_OUT = "alerts left out"  # what the event is called that counts them
_PHASES = {"firing": Phase.FIRING, "resolved": Phase.RESOLVED}
_ABOUT = ("instance", "exported_instance", "host", "hostname", "node", "nodename", "device", "target")
_TEXTS = ("summary", "description", "message", "title")


class AlertmanagerSettings(HttpSettings):
    """[events.sources.<name>] with kind = "alertmanager"; it cannot sign, so it needs a token."""

    url: ServerUrl = ""  # of its API: silences are set there, and shown here
    user: str = ""
    password: str = ""
    api_token: str = ""  # as bearer, where a proxy before it, or Grafana, wants one
    ca: str = ""
    poll_seconds: float = Field(30, ge=5, le=3_600)  # between two looks at silences
    ignore: list[str] = Field([])  # labels that make no other alert, as the replica's name behind a pair of Prometheus
    silence: list[str] = Field([])  # labels that a silence from chat is of; none: all of the alert
    max_bytes: int = 8_388_608  # without max_alerts it sends all alerts of a group in one call


def read(
    body: bytes, _headers: Mapping[str, str], settings: AlertmanagerSettings, now: datetime
) -> list[ReportedEvent]:
    """Read one call of version 4."""
    found = json_body.table(body)
    if str(found.get("version", "")) not in {"4", "1"}:  # 1: Grafana, which speaks the same
        raise BadPayload("version is not 4, the only one of Alertmanager's webhook that is known")
    events = [_event(one, settings, now) for one in json_body.tables(found, "alerts")]
    return [*events, _left_out(found, events, settings, now)]


def _event(alert: Mapping[str, Any], settings: AlertmanagerSettings, now: datetime) -> ReportedEvent:
    phase, fingerprint = _PHASES.get(str(alert.get("status"))), alert.get("fingerprint")
    started = json_body.moment(alert.get("startsAt"))
    if phase is None or not isinstance(fingerprint, str) or not fingerprint or started is None:
        raise BadPayload("an alert has no status firing or resolved, no fingerprint, or no startsAt")
    written = (texts(alert.get("labels")), texts(alert.get("annotations")))
    event = firing(fingerprint, started, written, settings, now)
    if phase is Phase.FIRING:
        return event
    return replace(event, phase=phase, ended=json_body.moment(alert.get("endsAt")))


def known_by(own: str, labels: Mapping[str, str], settings: AlertmanagerSettings) -> str:
    """Its own fingerprint, or that of the labels without those that make no other alert."""
    if labels.keys().isdisjoint(settings.ignore):
        return own
    return _known_by({name: text for name, text in labels.items() if name not in settings.ignore})


def firing(
    fingerprint: str,
    started: datetime,
    written: tuple[Mapping[str, str], Mapping[str, str]],
    settings: AlertmanagerSettings,
    now: datetime,
) -> ReportedEvent:
    """An alert that goes on, by its labels and annotations."""
    labels, notes = written
    return ReportedEvent(
        source=settings.name,
        kind=KIND,
        what=labels.get("alertname", "alert"),
        at=now,
        phase=Phase.FIRING,
        severity=settings.severity(labels.get("severity", "")),
        about=settings.about(labels, *_ABOUT),
        text=next((notes[name] for name in _TEXTS if notes.get(name)), ""),
        fingerprint=known_by(fingerprint, labels, settings),
        started=started,
        fields={**{f"annotation.{name}": text for name, text in notes.items()}, **labels},
    )


def _known_by(labels: Mapping[str, str]) -> str:
    """What these labels are known by, in any order."""
    return hashlib.sha256(json.dumps(labels, sort_keys=True).encode()).hexdigest()[:16]


def _left_out(
    found: Mapping[str, Any], events: Sequence[ReportedEvent], settings: AlertmanagerSettings, now: datetime
) -> ReportedEvent:
    """What `max_alerts` cut off, as an alert of its own: it goes on until its group is over, or is told whole again."""
    count, common = found.get("truncatedAlerts"), texts(found.get("groupLabels"))
    cut = isinstance(count, int) and count > 0
    over = not cut or found.get("status") == "resolved"
    fetched = "; they are fetched by its API" if settings.url else ""
    return ReportedEvent(
        source=settings.name,
        kind=KIND,
        what=LEFT_OUT,
        at=now,
        phase=Phase.RESOLVED if over else Phase.FIRING,
        severity=settings.severity(common.get("severity", ""), Severity.WARNING),
        text=f"{count:,} alerts are not in Alertmanager's message (max_alerts){fetched}" if cut else "",
        fingerprint=f"left-out-{_known_by({'group': str(found.get('groupKey', common))})}",
        started=min((one.started for one in events if one.started), default=None) if cut else None,
        ended=max((one.ended for one in events if one.ended), default=None) if cut and over else None,
        fields={**common, "left_out": as_text(count)} if cut else common,
    )


def back(settings: AlertmanagerSettings, path: Callable[[str], Path]) -> AlertmanagerBack | None:
    """Its API, where the settings say where it is."""
    ca = path(settings.ca) if settings.ca else None
    server = Server(settings.url, settings.api_token, settings.user, settings.password, ca)
    ignored, silenced = frozenset(settings.ignore), frozenset(settings.silence)

    def fingerprint(own: str, labels: Mapping[str, str]) -> str:
        return known_by(own, labels, settings)

    return AlertmanagerBack(server, Naming(fingerprint, silenced, ignored)) if settings.url else None


SOURCE = HttpKind(KIND, AlertmanagerSettings, read, back)
