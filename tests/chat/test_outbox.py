"""The outbox: order, budget, retries, and nothing lost."""

import threading
import time

import pytest

from automation_bots.chat.client import Away, Busy, Rejected
from automation_bots.chat.outbox import Outbox
from automation_bots.surface import Waiting
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow  # waits as networks do


@pytest.fixture
def outbox():
    box = Outbox(edit_seconds=0.2, workers=3)
    yield box
    box.close(0)


class Network:
    """Takes what it is given, after the errors that it was told to raise."""

    def __init__(self, *errors):
        self.errors, self.said, self.times = list(errors), [], []

    def post(self, text):
        def work():
            self.times.append(time.monotonic())
            if self.errors and (error := self.errors.pop(0)):
                raise error
            self.said.append(text)
            return f"id of {text}"

        return work


def test_a_room_hears_everything_in_its_order_whatever_fails_between(outbox):
    network = Network(None, Away("503"), None, Busy(0.1), None)
    posts = [outbox.put("room", n, network.post(n)) for n in range(6)]
    assert posts[-1].done.wait(10)
    assert network.said == list(range(6))
    assert outbox.failed == outbox.waiting == 0


def test_the_network_s_own_time_is_kept(outbox):
    network = Network(Busy(0.3))
    assert outbox.put("room", 1, network.post("a")).done.wait(5)
    assert network.times[1] - network.times[0] >= 0.3


def test_a_room_that_has_to_wait_keeps_no_other_waiting(outbox):
    network = Network(Busy(30))
    outbox.put("slow", 1, network.post("a"))
    wait(lambda: network.times, 5)
    post = outbox.put("other", 1, network.post("b"))
    assert outbox.wait("other", post, 5) == "id of b"


def test_who_speaks_in_a_room_that_waits_is_not_kept(outbox):
    network = Network(Busy(30))
    outbox.put("slow", 1, network.post("a"))
    wait(lambda: outbox._is_held("slow"), 5)
    began = time.monotonic()
    with pytest.raises(Waiting):
        outbox.wait("slow", outbox.put("slow", 2, network.post("b")), 25)
    assert time.monotonic() - began < 20


def test_a_caller_that_gave_up_finds_what_was_said_meanwhile(outbox):
    go, network = threading.Event(), Network()
    work = network.post("a")
    post = outbox.put("room", "a", lambda: go.wait(5) and work())
    with pytest.raises(Waiting):
        outbox.wait("room", post, 0.05)
    go.set()
    wait(lambda: network.said, 5)
    assert outbox.wait("room", outbox.put("room", "a", work), 5) == "id of a"
    assert network.said == ["a"]


def test_the_same_words_said_twice_are_said_twice(outbox):
    network = Network()
    for _ in range(2):
        outbox.wait("room", outbox.put("room", "a", network.post("a")), 5)
    assert network.said == ["a", "a"]


def test_progress_keeps_its_budget_and_only_the_newest_is_shown(outbox):
    network = Network()
    for number in range(30):
        outbox.pass_by("room", ("edit", 1), network.post(number))
        time.sleep(0.02)
    wait(lambda: network.said[-1] == 29, 5)
    assert len(network.said) <= 5


def test_the_final_state_waits_for_no_budget_and_no_progress_comes_after_it(outbox):
    network = Network()
    for job in range(50):
        outbox.pass_by("room", ("edit", job), network.post(f"progress {job}"))
    last = outbox.put("room", ("edit", 49), network.post("final"), replace=True)
    outbox.wait("room", last, 5)
    assert len(network.said) < 10  # all progress, at its budget, would take ten seconds more
    time.sleep(0.3)
    assert "progress 49" not in network.said


def test_answers_go_before_edits_that_wait_and_both_keep_their_order(outbox):
    network = Network(Busy(0.3))
    outbox.put("room", "first", network.post("first"))
    wait(lambda: network.times, 5)
    for n in (1, 2):
        outbox.put("room", ("edit", n), network.post(f"edit {n}"))
        post = outbox.put("room", ("say", n), network.post(f"answer {n}"))
    assert post.done.wait(5)
    wait(lambda: len(network.said) == 5, 5)
    assert network.said == ["first", "answer 1", "answer 2", "edit 1", "edit 2"]


def test_what_will_never_work_fails_alone_is_counted_and_in_the_log(outbox, caplog):
    network = Network(Rejected("no such room"))
    post, other = outbox.put("room", 1, network.post("a")), outbox.put("room", 2, network.post("b"))
    with pytest.raises(Rejected):
        outbox.wait("room", post, 5)
    assert outbox.wait("room", other, 5)
    assert (outbox.failed, outbox.problem) == (1, "in room: no such room")
    assert "room: this was never said" in caplog.text


def test_what_is_left_at_the_end_is_counted_as_never_said():
    box, network = Outbox(workers=1), Network(Busy(60))
    box.put("room", 1, network.post("a"))
    wait(lambda: network.times, 5)
    box.close(0.1)
    assert box.failed == 1
    assert not any(thread.is_alive() for thread in box._threads)
