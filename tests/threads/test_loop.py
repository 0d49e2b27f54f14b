"""A loop takes its turns at their times and when woken, and no failure ends it."""

import logging
import threading

import pytest

from automation_bots.threads.loop import Loop


class Turns:
    """Work that goes as it was told, and a clock on which every wait is over at once; both end the loop when done."""

    def __init__(self, *ends, last=False):
        self.ends, self.waits, self.done = list(ends), [], 0
        self.loop = Loop("work", self.work, 600.0, last=last, wait=lambda _event, seconds: self.waits.append(seconds))

    def work(self):
        self.done += 1
        if not self.ends:
            self.loop.stop()
            return 0.0
        end = self.ends.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    def run(self):
        self.loop.start()
        self.loop._thread.join(5)
        return self.waits


def test_the_work_says_how_long_the_next_wait_is():
    assert Turns(3.0, 4.0).run() == [600.0, 3.0, 4.0]


def test_after_failures_the_pauses_grow_and_then_all_is_as_before():
    assert Turns(OSError(), OSError(), OSError(), OSError(), 7.0).run() == [600.0, 1.0, 2.0, 5.0, 5.0, 7.0]


def test_each_kind_of_failure_is_logged_once_until_it_goes_well(caplog):
    caplog.set_level(logging.INFO)
    Turns(OSError("away"), OSError("away"), ValueError("odd"), 1.0, OSError("again")).run()
    assert [record.message for record in caplog.records] == [
        "work: failed, and is tried again: away",
        "work: failed, and is tried again: odd",
        "work: goes on",
        "work: failed, and is tried again: again",
        "work: goes on",
    ]


@pytest.mark.parametrize(("last", "turns"), [(False, 1), (True, 2)])
def test_a_last_turn_is_taken_only_where_it_is_wanted(last, turns):
    one = Turns(last=last)
    one.run()
    assert one.done == turns


def test_who_wakes_it_need_not_wait():
    woken = threading.Event()

    def work():
        woken.set()
        return 600.0

    loop = Loop("work", work, 600.0)
    loop.start()
    loop.wake()
    assert woken.wait(5)
    loop.stop()
    assert not loop._thread.is_alive()


def test_stopping_waits_for_the_turn_that_goes_on():
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def work():
        begun.set()
        may_end.wait(5)
        ended.set()
        return 600.0

    loop = Loop("work", work)
    loop.start()
    begun.wait(5)
    threading.Timer(0.05, may_end.set).start()
    loop.stop()
    assert ended.is_set()


def test_one_that_never_began_can_be_stopped():
    Loop("work", lambda: 1.0).stop()
