"""LibreNMS's calls, as its API transport writes the variables of its documentation; no server of it ran here."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from automation_bots.alerts.event import Phase, Severity
from automation_bots.alerts.sources import librenms, registry
from automation_bots.errors import BadPayload

SETTINGS = registry.settings_of("librenms", {"kind": "librenms", "token": "a-token-of-a-test"})
NOW = datetime(2025, 3, 4, 11, 0, tzinfo=UTC)
DOWN = {
    "hostname": "10.10.1.147", "sysName": "node", "device_id": "2", "os": "linux", "alert_id": "26", "rule_id": "13",
    "id": "38",
    "uid": "38", "name": "Devices up/down", "severity": "critical", "state": "1", "timestamp": "2025-03-04 10:58:34",
    "title": "Alert for device 10.10.1.147 - Devices up/down", "alert_notes": "", "msg": "Severity: critical",
}  # fmt: skip


def read(**other):
    [event] = librenms.read(json.dumps({**DOWN, **other}).encode(), {}, SETTINGS, NOW)
    return event


def lines(**other):
    """The body of the page docs/, with these values."""
    body = "".join(f"{name}={value}\n" for name, value in {**DOWN, **other}.items())
    [event] = librenms.read(body.encode(), {}, SETTINGS, NOW)
    return event


def test_an_alert_is_of_a_rule_on_a_device():
    event = read()
    assert (event.phase, event.severity, event.about) == (Phase.FIRING, Severity.CRITICAL, "10.10.1.147")
    assert (event.what, event.fingerprint, event.text) == ("Devices up/down", "13@2", "Severity: critical")


def test_lines_are_the_same_as_json():
    assert lines() == read()


def test_quotes_and_line_breaks_break_no_lines():
    event = lines(title='port "Gi0/1" down', msg='the first\nfaults="x"\nstate=0\n')
    assert (event.phase, event.text) == (Phase.FIRING, 'the first\nfaults="x"\nstate=0')


@pytest.mark.parametrize(
    ("state", "phase"), [("0", Phase.RESOLVED), ("3", Phase.FIRING), ("4", Phase.FIRING), ("2", Phase.UPDATED)]
)
def test_each_state_is_known(state, phase):
    assert read(state=state).phase is phase


def test_an_acknowledgement_has_its_note():
    event = lines(state="2", alert_notes="on it")
    assert (event.done, event.note) == ("acknowledged", "on it")


def test_a_recovery_does_not_say_how_bad_it_was():
    assert read(state="0", severity="ok").severity is Severity.UNKNOWN


def test_variables_that_librenms_did_not_know_are_none():
    assert read(hostname="{{ $hostname }}").about == "node"


def test_the_test_of_the_transport_leaves_no_alert_behind():
    event = read(id="000", uid="000", alert_id="000", name="Test-Rule")
    assert (event.phase, event.fingerprint) == (Phase.SINGLE, "")


@pytest.mark.parametrize(
    "body", [b"", b"hello", b'{"state": "9"}', b'{"state": "1"}', b'{"msg": "say "hi""}', b"[]", b"\xff\xfe=1"]
)
def test_what_is_not_of_the_transport_is_refused(body):
    with pytest.raises(BadPayload):
        librenms.read(body, {}, SETTINGS, NOW)
