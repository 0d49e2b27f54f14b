"""Calls that were good until something in them was changed: each is taken or refused, none breaks anything."""

import json
import os
from copy import deepcopy
from pathlib import Path
from random import Random

import pytest

from automation_bots.alerts.intake import EventIntake
from automation_bots.alerts.sources import registry
from automation_bots.alerts.sources.own_events import reported
from automation_bots.alerts.sources.syslog.feed import Feed, Wanted
from automation_bots.errors import BadPayload
from automation_bots.events import Event
from automation_bots.store import Store
from tests.alerts.sources.heard import NOW
from tests.alerts.sources.test_librenms import DOWN
from tests.support.bounds import rounds

HERE = Path(__file__).parent
ODD = (None, True, False, 0, -1, 1.5, 1e308, float("nan"), float("inf"), 10**400, "", " ", "x" * 9_000, "\ud800",
       "\x00", "\u202e", "<!here>", "2026-02-30T25:61:61Z", "9999-12-31T23:59:59.999999999+23:59", "{EVENT.ID}",
       [], {}, [[]], {"": ""}, ["a", {"b": None}], {"a": {"b": {"c": []}}})  # fmt: skip
CALLS = {
    "alertmanager": [json.loads(line) for line in (HERE / "alertmanager-0.25.jsonl").read_text().splitlines()[:3]],
    "grafana": [json.loads(line) for line in (HERE / "alertmanager-0.25.jsonl").read_text().splitlines()[:3]],
    "zabbix": [json.loads(line)["body"] for line in (HERE / "zabbix-6.0.jsonl").read_text().splitlines()],
    "librenms": [DOWN],
}
SEED = int(os.environ.get("CRASH_SEED") or 7)


@pytest.fixture
def intake(tmp_path):
    store = Store.open(tmp_path)
    yield EventIntake(store.events, lambda event: event.device, lambda: None)
    store.close()


def mutated(body, chance):
    """Something in it is another value, is gone, or stands under another name; now and then several things."""
    changed = deepcopy(body)
    for _ in range(chance.choice((1, 1, 1, 2, 5))):
        _mutate(changed, chance)
    return changed


def _mutate(value, chance):
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    if not keys:
        return
    key = chance.choice(keys)
    if isinstance(value[key], dict | list) and value[key] and chance.random() < 0.75:
        _mutate(value[key], chance)
    elif chance.random() < 0.15:
        del value[key]
    elif isinstance(value, dict) and chance.random() < 0.1:
        value[str(chance.choice(ODD))[:50]] = value.pop(key)
    else:
        value[key] = deepcopy(chance.choice(ODD))


@pytest.mark.parametrize("kind", CALLS)
def test_a_call_in_which_something_is_another_value_is_taken_or_refused(kind, intake):
    settings, source = registry.settings_of(kind, {"kind": kind, "token": "t" * 16}), registry.KINDS[kind]
    taken = 0
    for number in range(rounds(40, 3_000)):
        chance = Random(f"{SEED} {kind} {number}")
        body = json.dumps(mutated(chance.choice(CALLS[kind]), chance))
        try:
            events = source.read(body.encode("utf-8", "surrogatepass"), {}, settings, NOW)
        except BadPayload:
            continue
        intake.take(events)
        taken += 1
    assert taken


def test_what_no_database_takes_is_the_same_alert_the_next_time(intake):
    settings = registry.settings_of("alertmanager", {"kind": "alertmanager", "token": "t" * 16})
    body = CALLS["alertmanager"][0] | {
        "alerts": [CALLS["alertmanager"][0]["alerts"][0] | {"fingerprint": "\ud800\x00"}]
    }
    for _ in range(2):
        intake.take(registry.KINDS["alertmanager"].read(json.dumps(body).encode(), {}, settings, NOW))


def test_what_is_changed_in_what_the_bot_itself_tells_breaks_nothing(intake):
    told = {"monitor": 3, "title": "t", "changes": [{"target": "x", "now": "down"}], "devices": ["a"], "reason": "r"}
    tags = ("bot/monitor/3/down", "bot/job/3/ended", "bot/schedule/3/missed", "bot/network/lost", "salt/x")
    for number in range(rounds(40, 3_000)):
        chance = Random(f"{SEED} own {number}")
        tag = chance.choice(tags)
        try:
            intake.take(reported(Event(tag.partition("/")[0], tag, mutated(told, chance)), NOW))
        except (AttributeError, TypeError, ValueError):
            continue  # its source says so in the log


def test_whatever_comes_as_syslog_is_read_and_kept(intake):
    chance = Random(SEED)
    good = [b"<187>54: core1: *Nov 30 19:00:01.123: %LINK-3-UPDOWN: Interface Gi0/3, changed state to down",
            b'<165>1 2026-10-11T22:14:15.003Z h1 app - ID47 [a@1 x="y"] %BGP-5-ADJCHANGE: neighbor 192.0.2.7 Down',
            b'<187>date=2026-04-23 devname="f1" level="error" logdesc="x" msg="m"',
            b"<12>Mar 31 22:50:49 pa1 1,2026/03/31 22:50:49,0,SYSTEM,auth,0,x,,y,,0,0,general,medium,z"]  # fmt: skip
    feed = Feed(Wanted("sl", per_second=10_000, alike=1_000), intake, lambda name: "core1", lambda: NOW)
    for _ in range(rounds(300, 20_000)):
        message = bytearray(chance.choice(good))
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(len(message))
            message[at : at + chance.choice((0, 1, 1, 9))] = chance.choice(
                (b"", chance.randbytes(3), b"]", b'"', b"%", b": ", b"<")
            )
        feed.hear("192.0.2.1", bytes(message))
        if feed.waiting > 20:
            feed.round()
    assert feed.heard
