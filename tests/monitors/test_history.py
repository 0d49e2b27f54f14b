"""Looks in four bytes, figures in ten; what is kept, for how long, and how large it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation_bots.model import Caller, Monitor, MonitorTarget, Place
from automation_bots.monitors import history
from automation_bots.monitors.history import COARSE, FINE, RAW, Kept
from automation_bots.monitors.recorder import Recorder
from automation_bots.store import Store

DAY = 86_400
MS = st.floats(0.0011, 1_000_000.0)


@given(st.floats(0, 299), MS)
def test_a_look_comes_back_nearly_as_it_was(after, ms):
    (look,) = history.looks(900, history.packed(900, 900 + after, ms))
    assert look.at == pytest.approx(900 + after, abs=0.051)
    assert look.value == pytest.approx(ms, rel=0.0005)


def test_nothing_at_all_is_kept_as_that():
    assert list(history.looks(0, history.packed(0, 1.0, 0.0))) == [Kept(1.0, 0.0)]


def test_lost_and_unseen_are_told_apart():
    data = history.packed(0, 1.0, None) + history.packed(0, 2.0, None, blind=True)
    assert list(history.looks(0, data)) == [Kept(1.0, None), Kept(2.0, None, blind=True)]


@given(st.binary(max_size=99))
def test_a_chunk_that_is_torn_or_strange_is_read_as_far_as_it_goes(data):
    assert len(list(history.looks(0, data))) == len(data) // 4
    assert len(list(history.figures(0, 300, data))) <= len(data) // 10


@given(st.lists(st.one_of(st.none(), MS), min_size=1, max_size=50))
def test_a_figure_says_what_its_looks_were(times):
    found = history.figure(0, [Kept(1.0, ms) for ms in times])
    answered = [ms for ms in times if ms is not None]
    assert (found.looks, found.lost) == (len(times), times.count(None))
    assert found.least == min(answered, default=0.0)
    assert found.most == max(answered, default=0.0)


@given(st.lists(st.lists(st.one_of(st.none(), MS), min_size=1, max_size=9), min_size=1, max_size=9))
def test_figures_of_parts_come_to_the_figure_of_all(parts):
    looks = [[Kept(1.0, ms) for ms in part] for part in parts]
    both = history.joined(0, [history.figure(0, part) for part in looks])
    whole = history.figure(0, [look for part in looks for look in part])
    assert (both.looks, both.lost, both.least, both.most) == (whole.looks, whole.lost, whole.least, whole.most)
    assert both.mean == pytest.approx(whole.mean)


class Clock:
    def __init__(self):
        self.now = 1_796_083_200.0  # the beginning of a day

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def kept(tmp_path, clock):
    """A store with a monitor of one target, and its recorder."""
    store = Store.open(tmp_path / "data")
    ana = Monitor(0, "ana", Caller("test", "ana"), Place("test", "#x"), "ping", "ping core1", "ping")
    store.monitors.add(ana, [MonitorTarget(0, 0, "core1", "core1", {})])
    yield store, Recorder(store, clock)
    store.close()


def watched(recorder, clock, seconds, *, every=10, target=1):
    """Let that much time pass, with a look every ten seconds, and the recorder's turns."""
    for number in range(int(seconds / every)):
        recorder.add(target, clock.now, None if number % 10 == 0 else 2.0)
        clock.now += every
        if number % 90 == 89:
            recorder._round()


def test_looks_of_now_and_of_before_are_read_together(kept, clock):
    store, recorder = kept
    began = clock.now
    watched(recorder, clock, 3_000)
    assert len(recorder.looks(1, began)) == 300
    assert store.monitors.seen(1, RAW, 0, int(clock.now))


def test_a_chunk_goes_on_after_a_restart(kept, clock):
    store, recorder = kept
    watched(recorder, clock, 100)
    recorder.flush(everything=True)
    again = Recorder(store, clock)
    watched(again, clock, 100)
    again.flush(everything=True)
    assert len(again.looks(1, clock.now - 200)) == 20


def test_looks_are_kept_a_day_then_five_minutes_then_hours(kept, clock):
    store, recorder = kept
    watched(recorder, clock, 2.2 * DAY)
    levels = {level: store.monitors.seen(1, level, 0, int(clock.now)) for level in (RAW, FINE, COARSE)}
    assert clock.now - levels[RAW][0][0] < 1.1 * DAY
    assert len(levels[FINE]) >= 52
    assert len(levels[COARSE]) == 2
    hours = recorder.figures(1, clock.now - 2 * DAY, COARSE)
    assert {(one.looks, one.lost) for one in hours[:24]} == {(360, 36)}


def test_figures_reach_up_to_now(kept, clock):
    _, recorder = kept
    began = clock.now
    watched(recorder, clock, 2 * 3_600 + 900)
    assert sum(one.looks for one in recorder.figures(1, began, FINE)) == 2 * 360 + 90


def test_a_thousand_targets_each_ten_seconds_for_a_month_are_less_than_a_gigabyte(tmp_path, clock):
    """What docs/monitoring.md states: here 20 targets for so long that each row of each kind is paid for once."""
    with_, count = Store.open(tmp_path / "data"), 20
    chunk = b"".join(history.packed(0, at * 10.0, 2.0) for at in range(30))
    hour = history.hour(0, [(at, chunk) for at in range(0, 3_600, 300)])
    for target in range(count):
        with_.monitors.keep(RAW, [(target, at, chunk) for at in range(0, DAY, 300)])
        with_.monitors.keep(FINE, [(target, at, hour) for at in range(0, 30 * DAY, 3_600)])
        with_.monitors.keep(COARSE, [(target, at, hour + hour) for at in range(0, 30 * DAY, DAY)])
    with_.close()
    size = sum(path.stat().st_size for path in (tmp_path / "data").glob("bot.db*"))
    assert size / count * 1_000 < 300_000_000
