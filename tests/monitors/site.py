"""Monitors on a clock of the test's own: looks are brought by hand, what rooms hear is collected."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

from automation_bots.chat.client import Rejected
from automation_bots.model import Caller, File, Monitor, MonitorTarget, Outcome, Place, State, Status
from automation_bots.monitors.monitors import MonitorContext, Monitors
from automation_bots.monitors.prober import Lateness
from automation_bots.store import Store
from automation_bots.surface import Capabilities, MessageRef, PlainWays
from tests.store.conftest import JOB

ROOM = Place("test", "#net")
ANA = Caller("test", "ana")


class Room(PlainWays):
    """What stands in the room: messages, each as it was edited last."""

    def __init__(self, *, edits=True, pictures=0.0):
        self.capabilities = Capabilities(edits=edits, picture_seconds=pictures)
        self.messages, self.pictures = [], []
        self.away = False

    def say(self, place, answer):
        if self.away:
            raise OSError("the network is away")
        self.messages.append(str(answer))
        return MessageRef(place, str(len(self.messages) - 1))

    def show_picture(self, message, picture, before=""):
        self.pictures.append((message.id, picture.name, before))
        if self.away:
            raise Rejected("no such message")
        return str(len(self.pictures))

    def edit(self, message, answer, choices=()):
        self.messages[int(message.id)] = str(answer)


class Looks:
    """Stands for the process that probes."""

    def __init__(self, told):
        self.told, self.probes, self.starts = told, {}, 1
        self.lateness, self.count = Lateness(), 0

    def watch(self, probes):
        self.probes.update({probe.number: probe for probe in probes})

    def leave(self, numbers):
        for number in numbers:
            self.probes.pop(number, None)

    def look_after(self):
        return ""

    def stop(self):
        pass


class Site:
    """A store, a room and monitors whose every turn the test takes."""

    def __init__(self, folder, *, edits=True, groups=None, routes=frozenset(), pictures=0.0, near=(), references=()):
        self.now = datetime(2026, 12, 1, 14, 0, tzinfo=UTC)
        self.folder, self.groups, self.routes = folder, groups or {}, routes
        self.near, self.references = tuple(map(ip_network, near)), references
        self.room, self.denied, self.asked = Room(edits=edits, pictures=pictures), "", []
        self.published = []
        self.begin()

    def begin(self):
        self.store = Store.open(self.folder, clock=lambda: self.now)
        context = MonitorContext(
            store=self.store, now=lambda: self.now, surface=lambda _place: self.room, zone=lambda: "UTC",
            judge=lambda _monitor: self.denied, ask=self.ask, groups=lambda _devices: self.groups,
            publish=self.published.append, references=self.references,
        )  # fmt: skip
        self.monitors = Monitors(context, self.prober_of)
        self.monitors._gateways._routes = lambda: self.routes
        self.monitors._gateways._networks = lambda: self.near
        self.store.monitors  # noqa: B018
        for monitor in self.store.monitors.running():
            self.monitors._know(self.monitors._took(monitor, self.store.monitors.targets(monitor.number)))

    def prober_of(self, told):
        self.prober = Looks(told)
        return self.prober

    def restart(self):
        self.monitors._save()
        self.monitors.recorder.flush(everything=True)
        self.store.close()
        self.begin()

    def ask(self, monitor):
        job = self.store.add_job(JOB_OF(monitor))
        self.store.start(job.number)
        self.asked.append(job.number)
        return job.number

    def brings(self, *outcomes, state=State.DONE):
        """The read that goes on ends with these: (device, output) or (device, output, status)."""
        job = self.asked[-1]
        self.store.add_outcomes(job, [
            Outcome(device, status[0] if status else Status.OK, output, output) for device, output, *status in outcomes
        ])  # fmt: skip
        self.store.finish(job, state)
        self.monitors.ended(job)
        self.turns()

    def ping(self, *names, interval=5.0, until=None, kind="ping", prefix="192.0.2."):
        targets = [
            MonitorTarget(0, 0, name, name, {"host": f"{prefix}{number + 1}" if number < 250 else name})
            for number, name in enumerate(names)
        ]
        many = names[0] if len(names) == 1 else "core"
        monitor = Monitor(0, "ana", ANA, ROOM, kind, f"{kind} {many}", kind, devices=tuple(names), interval=interval,
                          until=until)  # fmt: skip
        made = self.monitors.add(monitor, targets)
        self.turns()
        return made.number

    def read(self, title, *devices, condition="", operation="", host=""):
        facts = {"host": host} if host else {}
        targets = [MonitorTarget(0, 0, name, name, facts) for name in devices]
        operation = operation or title.split()[0]
        monitor = Monitor(0, "ana", ANA, ROOM, "read", title, operation, devices=devices, interval=300.0,
                          condition=condition)  # fmt: skip
        made = self.monitors.add(monitor, targets)
        self.turns()
        return made.number

    def draws(self):
        """Draw the pictures that are wanted; what they are made of is tested elsewhere."""
        while self.monitors.pictures._wanted:
            key, wanted = self.monitors.pictures._wanted.popitem()
            self.monitors.pictures._renew(key, replace(wanted, draw=lambda name=f"{key}.png": File(name, b"")))
        return self.room.pictures

    def turns(self, seconds=0.0):
        """Let time pass, with a turn every half second."""
        for _ in range(max(1, int(seconds * 2))):
            self.now += timedelta(seconds=0.5 if seconds else 0.0)
            self.monitors.round()
        self.monitors._teller.round()

    def looks(self, *, down=(), every=5.0, times=1, ms=1.0, only=None, gateway=None, reference=None, text="no answer"):
        """Each target is looked at so often; those of `down` do not answer."""
        for _ in range(times):
            rows = []
            for id_, watch in list(self.monitors._of.items()):
                name = watch.targets[id_].name
                if watch.monitor.kind != "read" and (only is None or name in only):
                    bad = name in down or down == "all"
                    rows.append((id_, self.now.timestamp(), 0.0, None if bad else ms, "bad" if bad else "good",
                                 text if bad else ""))  # fmt: skip
            for number in [one for one in self.prober.probes if one < 0]:
                answers = reference if self.monitors._gateways.is_reference(number) else gateway
                if answers is not None:
                    rows.append((number, self.now.timestamp(), 0.0, None, "good" if answers else "bad", ""))
            self.prober.told(rows)
            self.turns(every)

    @staticmethod
    def at(seconds):
        """So long after the test began."""
        return datetime(2026, 12, 1, 14, 0, tzinfo=UTC).timestamp() + seconds

    @property
    def live(self):
        return self.room.messages[0]

    @property
    def told(self):
        """All messages but the live one."""
        return self.room.messages[1:]

    def close(self):
        self.store.close()


_SERIAL = itertools.count()


def JOB_OF(monitor):  # noqa: N802
    return replace(JOB, operation=monitor.operation, devices=monitor.devices, monitor=monitor.number, parameters={})
