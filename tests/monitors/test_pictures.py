"""What monitors saw, drawn; that it is good to look at is for eyes."""

from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.model import Caller, Monitor, MonitorEvent, MonitorTarget, Place
from automation_bots.monitors import pictures
from automation_bots.monitors.pictures import Drawn
from automation_bots.monitors.recorder import Recorder
from automation_bots.store import Store

NOW = datetime(2026, 12, 1, 14, tzinfo=UTC)
PNG = b"\x89PNG\r\n\x1a\n"


class Seen:
    """A monitor of so many targets, each looked at 60 times; `ms` says what was seen."""

    def __init__(self, folder, count, ms, *, every=10, kind="ping"):
        self.store = Store.open(folder, clock=lambda: NOW)
        begun = Monitor(0, "ana", Caller("t", "a"), Place("t", "#x"), kind, "ping $x_{", "ping", interval=float(every))
        names = [f"r{number} 网" for number in range(count)]
        self.monitor, self.targets = self.store.monitors.add(begun, [MonitorTarget(0, 0, name, name) for name in names])
        self.parts, self.events = [], []
        self.until = NOW + timedelta(seconds=60 * every)
        self.recorder = Recorder(self.store, self.until.timestamp)
        for look in range(60):
            for number, target in enumerate(self.targets):
                self.recorder.add(target.id, NOW.timestamp() + look * every, ms(number, look))

    @property
    def about(self):
        return Drawn(self.monitor, self.targets, self.parts, self.events)

    @property
    def data(self):
        return pictures.data(self.about, self.recorder, self.until.timestamp(), "Europe/Madrid")

    @property
    def png(self):
        return pictures.drawn(self.about, self.recorder, self.until.timestamp(), "Europe/Madrid").content


@pytest.fixture
def seen(tmp_path):
    opened = []

    def make(*words, **options):
        opened.append(Seen(tmp_path / "data", *words, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.store.close()


def test_each_moment_has_its_latency_and_its_loss(seen):
    (row,) = seen(1, lambda _, look: None if look == 30 else 2.0).data["rows"]
    assert row["lost"].count(1.0) == 1
    assert all(abs(ms - 2.0) < 0.01 for ms in row["mean"] if ms is not None)


def test_of_more_than_fit_the_worst_are_drawn_by_name(seen):
    data = seen(70, lambda number, _: None if number == 65 else 1.0).data
    assert len(data["rows"]) == pictures.ROWS
    assert "r65 网" in [row["name"] for row in data["rows"]]
    assert "the 60 worst of 70" in data["title"]


def test_interfaces_are_rows_of_their_own_with_their_unit(seen):
    found = seen(1, lambda *_: 1.0)
    found.parts = found.store.monitors.add_parts(found.monitor.number, found.targets[0], ["Gi0/1 in"], "Mbit/s")
    found.recorder.add(found.parts[0].id, NOW.timestamp() + 5, 250.0)
    (row,) = found.data["rows"]
    assert (found.data["unit"], row["name"], round(max(filter(None, row["mean"])))) == ("Mbit/s", "Gi0/1 in", 250)


def test_months_are_drawn_from_few_figures(seen):
    assert len(seen(2, lambda *_: 1.0, every=86_400).data["times"]) <= 130


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "ms"),
    [(2, lambda number, look: None if number and 20 < look < 30 else 1.0 + number),
     (50, lambda number, _: 1.0 + number), (1, lambda *_: None), (12, lambda *_: None), (7, lambda *_: 3.0)],
)  # fmt: skip
def test_what_was_seen_is_drawn_whatever_it_is(seen, count, ms):
    found = seen(count, ms)
    states = ("down", "up", "flapping", "unknown")
    found.events = [MonitorEvent(1, "r0 网", NOW + timedelta(seconds=9), state, "") for state in states]
    assert found.png.startswith(PNG)
