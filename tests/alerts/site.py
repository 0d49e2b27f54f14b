"""Alerts without a bot: a record, what takes events into it, and a room that remembers its messages."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from automation_bots.alerts.event import Phase, ReportedEvent, Severity
from automation_bots.alerts.intake import EventIntake
from automation_bots.alerts.sources import alertmanager
from automation_bots.alerts.teller import AlertTeller, TellerContext
from automation_bots.model import Place
from automation_bots.store import Store
from automation_bots.surface import Capabilities, MessageRef, PlainWays, Refusal

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
ROOM = Place("test", "#netops")
BODIES = [
    line.encode() for line in (Path(__file__).parent / "sources/alertmanager-0.25.jsonl").read_text().splitlines()
]
AM = alertmanager.AlertmanagerSettings(name="am", kind="alertmanager", token="t" * 16)
FIRED = ReportedEvent("am", "alertmanager", "DiskFull", NOW, Phase.FIRING, Severity.HIGH, "web1", text="95 % used",
                      fingerprint="f", started=NOW)  # fmt: skip
OVER = replace(FIRED, phase=Phase.RESOLVED, ended=NOW + timedelta(minutes=4), at=NOW + timedelta(minutes=4))


class Room(PlainWays):
    """Its messages as they are now; a post of the same mark is the same message."""

    def __init__(self, *, edits=True):
        self.capabilities = Capabilities(edits=edits)
        self.messages, self.marks, self.edits, self.away, self.refuses = [], {}, 0, False, False

    def say(self, place, answer):
        if self.away:
            raise OSError("away")
        if self.refuses:
            raise Refusal("no such room")
        if answer.mark.name not in self.marks:
            self.marks[answer.mark.name] = len(self.messages)
            self.messages.append(str(answer.in_words()))
        return MessageRef(place, str(self.marks[answer.mark.name]))

    def edit(self, message, answer, choices=()):
        self.edits += 1
        self.messages[int(message.id)] = str(answer.in_words())


class Site:
    """`takes` events, `hears` bodies, `turn`s: the teller's thread is the test's own."""

    def __init__(self, folder, *, edits=True, followers=(), groups=None):
        self.now, self.seconds, self.room = NOW, 0.0, Room(edits=edits)
        self.folder, self.followers, self.groups = folder, followers, groups or {}
        self.begin()

    def begin(self):
        """A life of the bot."""
        self.store = Store.open(self.folder / "data", clock=lambda: self.now)
        context = TellerContext(
            self.store.alerts, lambda _place: self.room, lambda _source: ROOM, lambda: "UTC", lambda: self.now,
            lambda _devices: self.groups, lambda: self.seconds,
        )  # fmt: skip
        self.teller = AlertTeller(context)
        self.intake = EventIntake(self.store.events, lambda event: event.device, lambda: None, self.followers)

    def takes(self, *events):
        self.intake.take(events)

    def hears(self, body):
        self.intake.take(alertmanager.read(body, {}, AM, self.now))

    def turn(self, seconds=1.0, times=1):
        for _ in range(times):
            self.seconds += seconds
            self.now += timedelta(seconds=seconds)
            self.teller.round()

    def lives(self):
        """What is known of each life, without what depends on the order."""
        found = self.store.alerts.latest(10_000)
        return {(one.source, one.fingerprint, one.started): (one.what, one.text, one.ended) for one in found}


def many(count, **more):
    """Alerts of as many devices."""
    return [replace(FIRED, fingerprint=f"f{n}", device=f"sw{n}", about="", **more) for n in range(count)]


def told(body):
    """A body as a table."""
    return json.loads(body)
