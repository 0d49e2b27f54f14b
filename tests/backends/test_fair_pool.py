"""Turns between people in front of Errbot's thread pool."""

import threading
from multiprocessing.pool import ThreadPool
from types import SimpleNamespace

from backends.adapter.fair_pool import AT_ONCE, FairPool
from tests.support.chatbot import wait


def message(who):
    return SimpleNamespace(frm=SimpleNamespace(person=who))


def test_a_flood_of_one_person_leaves_threads_to_the_others():
    pool, go, done = FairPool(ThreadPool(AT_ONCE + 1)), threading.Event(), []
    for number in range(50):
        pool.apply_async(lambda _bot, _msg, n: (go.wait(20), done.append(n)), (None, message("joe"), number))
    pool.apply_async(done.append, ["ana"], {})
    wait(lambda: done == ["ana"], 10)
    go.set()
    wait(lambda: len(done) == 51, 10)
    assert not pool._busy and not pool._waiting
    pool.terminate()


def test_what_fails_gives_its_turn_to_the_next():
    pool, done = FairPool(ThreadPool(2)), []
    for number in range(10):
        pool.apply_async(lambda _bot, _msg, n: done.append(n) if n % 2 else 1 / 0, (None, message("joe"), number))
    wait(lambda: sorted(done) == [1, 3, 5, 7, 9] and not pool._busy, 10)
    pool.terminate()


def test_what_waits_is_done_though_errbot_closes_the_pool_for_a_command_of_its_own():
    pool, go, done = FairPool(ThreadPool(2)), threading.Event(), []
    for number in range(9):
        pool.apply_async(lambda *_, msg, n: (go.wait(20), done.append(n)), [], {"msg": message("joe"), "n": number})
    pool.close()
    go.set()
    pool.join()
    assert sorted(done) == list(range(9))
