"""Grafana's calls, shaped as its documentation says and as people have published them; no server of it ran here."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from automation_bots.alerts.event import Phase, Severity
from automation_bots.alerts.sources import grafana, registry

SETTINGS = registry.settings_of("grafana", {"kind": "grafana", "secret": "a-secret-of-a-test"})
NOW = datetime(2026, 4, 15, 14, 0, tzinfo=UTC)
DISK = {
    "status": "firing",
    "labels": {"alertname": "RabbitMQ diskspace", "grafana_folder": "Unix", "host": "rabbit1", "path": "/",
               "severity": "high"},
    "annotations": {"summary": "little room on / of rabbit1"},
    "startsAt": "2026-04-15T15:50:20+02:00", "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "https://grafana.example/alerting/grafana/cfj2/view?orgId=1", "fingerprint": "41427831fa75cd25",
    "silenceURL": "https://grafana.example/alerting/silence/new?alertmanager=grafana", "dashboardURL": "",
    "panelURL": "",
    "ruleUID": "cfj2", "values": {"B": 6.7, "C": 1}, "valueString": "[ var='B' value=6.7 ]", "orgId": 1,
}  # fmt: skip


def read(*alerts, **other):
    body = {"receiver": "bot", "status": "firing", "orgId": 1, "alerts": alerts, "groupLabels": {}, "commonLabels": {},
            "commonAnnotations": {}, "externalURL": "https://grafana.example/", "version": "1", "groupKey": "{}",
            "truncatedAlerts": 0, "title": "[FIRING:1]", "state": "alerting", **other}  # fmt: skip
    return grafana.read(json.dumps(body).encode(), {}, SETTINGS, NOW)


def test_an_alert_has_its_life_device_values_and_links():
    event, *_ = read(DISK)
    assert (event.kind, event.phase, event.about, event.severity) == ("grafana", Phase.FIRING, "rabbit1", Severity.HIGH)
    assert event.started == datetime(2026, 4, 15, 13, 50, 20, tzinfo=UTC)
    assert (event.fields["value.B"], event.fields["silenceURL"]) == ("6.7", DISK["silenceURL"])


def test_values_may_be_missing():
    assert read({**DISK, "values": None})[0].text == "little room on / of rabbit1"


@pytest.mark.parametrize(
    ("name", "told"), [("DatasourceNoData", "no data"), ("DatasourceError", "error while it was evaluated")]
)
def test_a_rule_that_could_not_be_looked_at_is_told_by_its_name(name, told):
    labels = {**DISK["labels"], "alertname": name, "rulename": "RabbitMQ diskspace"}
    assert read({**DISK, "labels": labels})[0].what == f"RabbitMQ diskspace: {told}"


def test_what_is_over_since_its_rule_was_changed_is_not_told_as_well_again():
    alert = {**DISK, "status": "resolved", "annotations": {**DISK["annotations"], "grafana_state_reason": "Updated"}}
    event, *_ = read(alert)
    assert event.text == "over for Grafana only: Updated · little room on / of rabbit1"


def test_the_button_test_leaves_no_alert_behind():
    labels = {"alertname": "TestAlert", "instance": "Grafana"}
    event, *_ = read({**DISK, "labels": labels, "values": None}, appVersion="13.0.1")
    assert (event.phase, event.fingerprint, event.what) == (Phase.SINGLE, "", "test of the contact point")


def test_what_was_left_out_is_counted():
    events = read(DISK, truncatedAlerts=480)
    assert [event.what for event in events] == ["RabbitMQ diskspace", "alerts left out"]


def test_it_signs_as_its_documentation_says():
    assert SETTINGS.signature_header == "X-Grafana-Alerting-Signature"


def test_a_severity_that_stands_in_an_annotation_counts():
    labels = {name: text for name, text in DISK["labels"].items() if name != "severity"}
    event, *_ = read({**DISK, "labels": labels, "annotations": {"severity": "info"}})
    assert event.severity is Severity.INFO
