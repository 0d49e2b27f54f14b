"""Zabbix's calls, as a real server 6.0 sent them with the media type of deploy/zabbix."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from automation_bots.alerts.event import Phase, Severity
from automation_bots.alerts.sources import registry, zabbix
from automation_bots.alerts.sources.registry import WrongSource
from automation_bots.errors import BadPayload
from automation_bots.store import Store

SETTINGS = registry.settings_of("zabbix", {"kind": "zabbix", "token": "a-token-of-a-test"})
CAPTURED = [json.loads(line) for line in Path(__file__).with_name("zabbix-6.0.jsonl").read_text().splitlines()]
LIFE = CAPTURED[:8]  # of one problem: began, acknowledged, less severe, unacknowledged, comment, closed, over, comment
BEGAN = datetime(2026, 12, 1, 8, 49, 34, tzinfo=UTC)  # written in the clock of Madrid


def read(call, **other):
    """What the source makes of one call."""
    body = json.dumps({**call["body"], **other}).encode()
    return zabbix.read(body, {}, SETTINGS, datetime.fromtimestamp(call["at"], UTC))


def first(call, **other):
    return read(call, **other)[0]


def test_a_problem_is_an_alert_with_its_host_tags_and_severity():
    event = first(LIFE[0])
    assert (event.phase, event.what, event.severity) == (
        Phase.FIRING,
        "BGP session to 192.0.2.7 is down",
        Severity.HIGH,
    )
    assert (event.about, event.fields["peer"], event.fields["site"]) == ("core1", "192.0.2.7", "madrid")
    assert (event.fingerprint, event.text) == ("3", "state 2")


def test_a_macro_without_a_value_is_no_value():
    event = first(LIFE[0], host="*UNKNOWN*", host_name="{HOST.NAME}", host_ip="{$NO.SUCH}")
    assert event.about == "" and not {"host", "host_name", "host_ip", "service_name"} & event.fields.keys()


@pytest.mark.parametrize("call", LIFE)
def test_every_message_of_a_life_says_the_same_begin_whatever_the_clock_of_its_user(call):
    assert {event.started for event in read(call)} == {BEGAN}


def test_a_message_that_zabbix_repeats_late_says_the_same_begin():
    assert first({"at": LIFE[0]["at"] + 300, "body": LIFE[0]["body"]}).started == BEGAN


def test_the_begin_is_exact_where_zabbix_can_say_it():
    assert first(LIFE[0], timestamp="1796114974", age="").started == BEGAN


@pytest.mark.parametrize(
    ("number", "done", "note"),
    [
        (1, "acknowledged", "on it <b>bold</b> @here `x`"),
        (2, "changed severity from High to Warning", ""),
        (3, "unacknowledged", ""),
        (4, "commented", "still looking"),
    ],
)
def test_an_update_says_what_was_done_and_said(number, done, note):
    [event] = read(LIFE[number])
    assert (event.phase, event.done, event.note) == (Phase.UPDATED, done, note)


def test_nobody_is_named_whose_name_the_user_of_the_bot_may_not_see():
    assert first(LIFE[1]).by == ""


@pytest.mark.parametrize(
    ("written", "name"), [("  (ana)", "ana"), ("Ana Maria (ana)", "Ana Maria (ana)"), ("{USER.FULLNAME}", "")]
)
def test_whoever_did_it_is_named(written, name):
    assert first(LIFE[1], update_user=written).by == name


def test_a_problem_that_was_closed_is_over_and_keeps_what_was_said():
    over, told = read(LIFE[5])
    assert (over.phase, told.done, told.note) == (Phase.RESOLVED, "acknowledged", "done")
    assert over.ended == BEGAN + timedelta(seconds=26)


@pytest.mark.parametrize(
    ("action", "done"),
    [("suppressed until 2026.12.01 18:00:00", "silenced"), ("unsuppressed and commented", "unsilenced"),
     ("closed", "closed"), ("changed rank to cause", "changed rank to cause")],
)  # fmt: skip
def test_the_words_of_newer_servers_are_known(action, done):
    assert first(LIFE[1], update_action=action).done == done


def test_what_is_suppressed_there_is_muted_here_until_then():
    event = first(LIFE[1], update_action="suppressed until 2026.12.01 18:00:00")  # by the clock of Madrid
    assert event.until == datetime(2026, 12, 1, 17, tzinfo=UTC)
    assert first(LIFE[1], update_action="suppressed indefinitely").until is None


def test_severity_goes_by_number_whatever_the_words_are_there():
    assert first(LIFE[0], severity="Katastrophe", nseverity="5").severity is Severity.CRITICAL
    own = SETTINGS.model_copy(update={"severities": {"Average": Severity.HIGH}})
    body = json.dumps({**LIFE[0]["body"], "severity": "Average", "nseverity": "3"}).encode()
    assert zabbix.read(body, {}, own, BEGAN)[0].severity is Severity.HIGH


@pytest.mark.parametrize("call", CAPTURED[8:])
def test_a_trouble_of_zabbix_itself_is_a_warning_with_a_life(call):
    event = first(call)
    assert (event.phase, event.severity, event.about) == (Phase.FIRING, Severity.WARNING, "core1")


def test_a_discovered_device_has_no_state():
    event = first(
        LIFE[0], event_source="1", subject="Discovery: 192.0.2.9 DOWN", name="", host="", discovery_ip="192.0.2.9"
    )
    assert (event.phase, event.what, event.about) == (Phase.SINGLE, "Discovery: 192.0.2.9 DOWN", "core1 (Madrid)")


def test_the_button_test_of_the_media_type_is_told_as_that():
    event = first(LIFE[0], event_id="{EVENT.ID}", event_value="{EVENT.VALUE}")
    assert (event.phase, event.what) == (Phase.SINGLE, "test of the media type")


@pytest.mark.parametrize("other", [{"event_id": ""}, {"event_id": ["1"]}, {"event_value": "{EVENT.VALUE}"}])
def test_what_is_not_of_the_media_type_is_refused(other):
    with pytest.raises(BadPayload):
        read(LIFE[0], **other)


@pytest.mark.parametrize(
    "tags", ["{EVENT.TAGSJSON}", "[", "7", '[7, {"tag": 1}, {"value": "x"}]', '[{"tag":"host","value":"evil"}]']
)
def test_tags_that_are_none_are_none_and_take_no_name_of_another(tags):
    assert first(LIFE[0], tags=tags).fields["host"] == "core1"


@pytest.mark.parametrize("seed", range(5))
def test_a_life_replayed_in_any_order_and_twice_ends_over(tmp_path, seed):
    store = Store.open(tmp_path)
    calls = LIFE * 2
    random.Random(seed).shuffle(calls)
    for call in calls:
        store.events.take(read(call))
    [alert] = store.alerts.latest(10)
    assert (alert.ended, alert.reports >= 8) == (BEGAN + timedelta(seconds=26), True)
    store.close()


@pytest.mark.parametrize(
    "url", ["zabbix.corp.example", "https://bot:pass@zabbix.corp.example", "https://z/?token=x", "ftp://z"]
)
def test_an_address_of_a_server_is_one_and_has_no_login_in_it(url):
    with pytest.raises(WrongSource, match="is no address such as"):
        registry.settings_of("zabbix", {"kind": "zabbix", "token": "a-token-of-a-test", "url": url})
