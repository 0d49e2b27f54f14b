"""What the bot itself and Salt tell: which of it is kept, and as what."""

import threading

import pytest

from automation_bots.alerts.event import Phase, Severity
from automation_bots.alerts.sources.own_events import reported
from automation_bots.alerts.sources.own_source import OwnSource
from automation_bots.config.settings import EventSettings
from automation_bots.events import Bus, Event
from tests.alerts.sources.heard import NOW, Intake
from tests.support.chatbot import wait

CHANGE = {"target": "10.0.0.1", "device": "core1", "was": "up", "now": "down", "text": "core1 down, 3 of 3 lost"}
MONITOR = {"monitor": 3, "title": "ping core", "person": "ana", "devices": ("core1",)}
JOB = {"operation": "backup", "person": "ana", "state": "failed", "devices": ("core1",), "origin": ("nightly",)}


def became(state):
    change = {**CHANGE, "now": state}
    return reported(Event("bot", f"bot/monitor/3/{state}", {**MONITOR, "state": state, "changes": (change,)}), NOW)[0]


def test_a_target_that_goes_down_and_comes_back_is_one_alert_of_its_monitor():
    down, up = became("down"), became("up")
    assert (down.phase, up.phase) == (Phase.FIRING, Phase.RESOLVED)
    assert (down.fingerprint, down.device, down.severity) == (up.fingerprint, "core1", Severity.HIGH)
    assert (down.what, down.text) == ("ping core", "M3 core1 down, 3 of 3 lost")


def test_a_target_of_which_nobody_can_say_how_it_is_is_not_back():
    found = became("unknown")
    assert (found.phase, found.severity, found.fingerprint) == (Phase.SINGLE, Severity.UNKNOWN, "")


def test_a_job_says_how_it_ended_and_which_rules_led_to_it():
    found = reported(Event("bot", "bot/job/42/ended", JOB), NOW)[0]
    assert (found.kind, found.what, found.device, found.origin) == ("job", "backup", "core1", ("nightly",))
    assert (found.text, found.severity, found.fields["state"]) == (
        "#42 backup on core1: failed",
        Severity.WARNING,
        "failed",
    )


def test_a_schedule_that_was_missed_says_why():
    told = {"schedule": 7, "operation": "backup", "person": "ana", "devices": (), "reason": "the bot was away"}
    found = reported(Event("bot", "bot/schedule/7/missed", told), NOW)[0]
    assert (found.what, found.text) == ("schedule missed", "S7 backup missed: the bot was away")


def test_the_bots_own_network_is_one_alert():
    lost, back = (reported(Event("bot", f"bot/network/{word}", {"reason": "r"}), NOW)[0] for word in ("lost", "back"))
    assert (lost.phase, back.phase, lost.fingerprint) == (Phase.FIRING, Phase.RESOLVED, back.fingerprint)


def test_of_salts_events_the_plain_values_are_kept_and_no_password():
    data = {"id": "web1", "_stamp": "t", "data": {"load": 7, "password": "hunter2", "deep": {"a": 1}}, "success": False}
    found = reported(Event("salt", "salt/beacon/web1/load/", data), NOW)[0]
    assert (found.source, found.about, found.severity) == ("salt", "web1", Severity.WARNING)
    assert found.fields["load"] == "7" and "hunter2" not in repr(found)


@pytest.mark.parametrize("tag", ["plugin/own/thing", "bot", "bot/other/1/x", "bot/job"])
def test_what_others_say_on_the_bus_is_no_event(tag):
    assert reported(Event("bot", tag, {}), NOW) == []


class Site:
    def __init__(self, **how):
        self.bus, self.intake = Bus(), Intake()
        self.source = OwnSource(self.bus, self.intake, lambda: NOW, EventSettings().own, **how)

    def __enter__(self):
        self.source.start()
        return self

    def __exit__(self, *_):
        self.source.stop()

    def job(self, count=1):
        for number in range(count):
            self.bus.publish(Event("bot", f"bot/job/{number}/ended", JOB))


def test_ten_thousand_jobs_leave_nothing_that_nobody_asked_for():
    with Site() as site:
        for _ in range(10):
            site.job(1_000)
            wait(lambda: not site.bus._listeners[0]._waiting.qsize(), 60)
    assert site.intake.events == []


def test_what_a_rule_asks_for_is_kept():
    with Site(asked=lambda event: event.kind == "job" and event.fields["state"] == "failed") as site:
        site.job()
        assert site.intake.has(1)[0].what == "backup"


def test_more_than_waits_is_counted_and_told():
    with Site() as site:
        release, entered = threading.Event(), threading.Event()
        site.source._asked = lambda _event: entered.set() or not release.wait(60)
        site.job()
        entered.wait(60)
        site.job(5_010)
        release.set()
        assert site.intake.has(1)[0].text.startswith("10 events of the bot itself and of Salt were left out")


def test_while_the_record_is_away_what_was_told_waits():
    with Site() as site:
        site.intake.away = True
        site.source._ending.wait = lambda seconds: None  # no rest between two tries
        site.bus.publish(Event("bot", "bot/network/lost", {"reason": "r"}))
        wait(lambda: site.source._ready, 60)
        site.intake.away = False
        assert [event.what for event in site.intake.has(1)] == ["the bot's own network"]
