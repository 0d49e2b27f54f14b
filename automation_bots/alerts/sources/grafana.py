"""Grafana's webhook of its own alerts: Alertmanager's shape with more in it. By its documentation, not a server.

What it says of itself (no data, a rule that was changed) is told as that, not as the rule's own alert or its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from automation_bots.alerts.event import Phase, ReportedEvent, Severity
from automation_bots.alerts.sources import alertmanager, json_body
from automation_bots.alerts.sources.source import HttpKind, texts

KIND = "grafana"
_OF_GRAFANA = {"DatasourceNoData": "no data", "DatasourceError": "error while it was evaluated"}
_LINKS = ("dashboardURL", "panelURL", "silenceURL", "generatorURL")  # shown to people; nothing of it is ever fetched
_REASON = "annotation.grafana_state_reason"


class GrafanaSettings(alertmanager.AlertmanagerSettings):
    """[events.sources.<name>] with kind = "grafana"; it can sign: secret is that of its HMAC signature."""

    signature_header: str = "X-Grafana-Alerting-Signature"


def read(body: bytes, headers: Mapping[str, str], settings: GrafanaSettings, now: datetime) -> list[ReportedEvent]:
    """Read one call of a contact point of type webhook."""
    events = alertmanager.read(body, headers, settings, now)
    alerts = [*json_body.tables(json_body.table(body), "alerts"), *[{}] * len(events)]
    return [_of_grafana(event, alert, settings) for event, alert in zip(events, alerts, strict=False)]


def _of_grafana(event: ReportedEvent, alert: Mapping[str, Any], settings: GrafanaSettings) -> ReportedEvent:
    links = {name: link for name in _LINKS if (link := texts(alert).get(name))}
    values = {f"value.{name}": value for name, value in texts(alert.get("values")).items()}
    event = replace(event, kind=KIND, fields={**links, **values, **event.fields})
    if event.severity is Severity.UNKNOWN:  # some write it into an annotation there
        event = replace(event, severity=settings.severity(event.fields.get("annotation.severity", "")))
    if _is_test(event):
        return replace(event, what="test of the contact point", phase=Phase.SINGLE, severity=Severity.INFO,
                       fingerprint="", started=None)  # fmt: skip
    return _by_itself(event)


def _is_test(event: ReportedEvent) -> bool:
    """What the button Test sends: an alert that nobody ever ends."""
    return event.what == "TestAlert" and event.fields.get("instance") == "Grafana"


def _by_itself(event: ReportedEvent) -> ReportedEvent:
    """Name the rule of an alert that only says that the rule could not be looked at, and why one is over."""
    if (trouble := _OF_GRAFANA.get(event.what)) and (rule := event.fields.get("rulename")):
        event = replace(event, what=f"{rule}: {trouble}")
    reason = event.fields.get(_REASON, "")
    if event.phase is Phase.RESOLVED and reason:  # Updated, Paused, MissingSeries: nothing became well
        return replace(event, text=f"over for Grafana only: {reason} · {event.text}".removesuffix(" · "))
    return event


SOURCE = HttpKind(KIND, GrafanaSettings, read, alertmanager.back)
