"""What people type about alerts and events, on a whole bot; what comes in is put in by hand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from automation_bots.alerts import text
from automation_bots.alerts.event import Phase, Severity
from automation_bots.drivers.fake import Fake
from automation_bots.store.alert_life import begun
from tests.alerts.site import FIRED, NOW, OVER, many
from tests.support.chatbot import ChatBot, write_folder

TOML = 'name = "netbot"\nbackend = "Test"\n[events]\nroom = "ops"\n'


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    with ChatBot(write_folder(tmp_path_factory.mktemp("alerts"), toml=TOML), drivers=(Fake(),)) as chat:
        chat.automation.alerts.intake.take([
            FIRED,
            replace(FIRED, what="Slow", severity=Severity.CRITICAL, device="db1", fingerprint="db"),
            replace(FIRED, what="Lost", device="", about="sensor 7", fingerprint="no device"),
            replace(OVER, what="Gone", fingerprint="over", at=NOW + timedelta(minutes=1)),
            replace(FIRED, phase=Phase.SINGLE, what="line", device="vault1", fingerprint="", started=None),
        ])  # fmt: skip
        yield chat


def test_alerts_are_listed_worst_first_and_those_that_are_over_only_when_asked_for(chat):
    said = chat.asks("!alerts", "go on")
    assert said.startswith("3 alerts go on (Slow 1, Lost 1, DiskFull 1):")
    assert said.index("A2 ") < said.index("A1 ")
    assert "Gone" not in said
    assert "Gone" in chat.asks("!alerts all", "3 alerts go on, 1 over")


@pytest.mark.parametrize(("typed", "said"), [
    ("!alerts db", "1 alert goes on (Slow 1)"), ("!alerts web1", "1 alert goes on (DiskFull 1)"),
    ("!alerts am", "3 alerts go on"), ("!alerts A1", "1 alert goes on (DiskFull 1)"),
    ("!alerts web3", "No alert goes on for web3"), ("!alerts nonsense", "No device or group 'nonsense'"),
    ("!alerts | include Lost", "sensor 7"), ("!alerts A99", "There is no alert A99"),
    ("!events", "The last events:"), ("!events db1", "Slow"), ("!events A2", "Slow"), ("!events vault1", "line"),
    ("!event 2", "Event 2: Slow · db1 · am (alertmanager)"), ("!event A2", "critical, since"),
    ("!event", "Which one?"), ("!event 99", "There is no event 99"), ("!event x", "Which one?"),
    ("!ack A99", "There is no alert A99"), ("!ack A1x", "no job|A1x"), ("!mute A1", "!mute A<n> <time>"),
    ("!mute A1 nonsense", "is no time"), ("!mute A1 1h | x", "|"),
])  # fmt: skip
def test_what_is_typed_is_answered(chat, typed, said):
    answer = chat.asks(typed)
    assert any(part in answer for part in (said.split("|") if said != "|" else "|")), answer


def test_an_alert_is_acknowledged_and_given_back(chat):
    def changed():
        return [row.kind for row in chat.automation.store.audit_rows(limit=99)].count("alert changed")

    before = changed()
    assert chat.asks('!ack A3 "on it"', "is acknowledged").startswith('A3 is acknowledged (ana: "on it").')
    chat.asks("!alerts", 'Lost.* · ana: "on it"')
    chat.asks("!ack A3 off", "A3 is no longer acknowledged")
    chat.asks("!ack A3 off", "A3 is not acknowledged")
    assert changed() == before + 2


def test_an_alert_is_muted_until_a_time(chat):
    chat.asks("!mute A2 2h line card", r"A2 is muted until \d\d:\d\d UTC.* \(ana: line card\)")
    assert chat.automation.store.alerts.find(2).muted_why == "ana: line card"


def test_what_one_may_not_see_is_not_there(chat):
    assert "vault1" not in chat.asks("!events", "The last events", who="joe")
    chat.asks("!event 5", "There is no event 5", who="joe")
    chat.asks("!event A3", "There is no alert A3", who="joe")
    chat.asks("!event A3", "Lost", who="joe", room="ops")


@pytest.mark.parametrize("typed", ["!ack-alert A{}", "!silence A{} 2h", "!comment A{} mine", "!close A{}"])
def test_an_operation_on_an_alert_tells_nobody_of_a_device_that_he_may_not_see(chat, typed):
    chat.automation.alerts.intake.take([replace(FIRED, device="vault1", fingerprint="hidden")])
    hidden = next(one.number for one in chat.automation.store.alerts.firing(99) if one.device == "vault1")
    said = chat.asks(typed.format(hidden), "There is no|vault1", who="joe")
    assert said == chat.asks(typed.format(99), "There is no", who="joe").replace("A99", f"A{hidden}")


def test_an_operation_on_a_job_tells_nobody_of_its_devices(chat):
    number = chat.asks("!uptime on vault1", r"#\d+ uptime").partition(" ")[0].lstrip("#")
    assert chat.asks(f"!config rollback {number}", "There is no|vault1", who="joe").startswith("There is no job")


def test_why_nothing_happened_is_said(chat):
    assert "No rule" in chat.asks("!event 1", "Event 1: DiskFull")


def test_a_stranger_hears_nothing(chat):
    assert "DiskFull" not in chat.asks("!alerts", ".", who="mallory")


def test_of_what_nobody_has_told_for_days_a_list_says_so():
    alert = begun(FIRED)
    assert "not heard of for 3 d" in text.row(alert, "UTC", NOW + timedelta(days=3))[-1]
    assert "not heard" not in text.row(alert, "UTC", NOW + timedelta(hours=3))[-1]


def test_of_very_many_each_is_counted(tmp_path):
    with ChatBot(write_folder(tmp_path, toml=TOML), drivers=(Fake(),)) as chat:
        chat.automation.alerts.intake.take(many(6_000))
        chat.asks("!alerts | count", "^6,000 alerts go on .*\n.*= 6000", seconds=30)
