"""Every end is told, once, whatever one place or the store does meanwhile."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from automation_bots.jobs.announcer import Announcer
from automation_bots.surface import MessageRef, Waiting
from tests.support.chatbot import Surface, wait
from tests.support.cost import in_yardsticks
from tests.support.works import LOOK, Works

pytestmark = pytest.mark.slow  # real threads, real waiting


class Moody(Surface):
    """Raises what `moods` holds for a job, which is named in what is said."""

    def __init__(self):
        super().__init__()
        self.moods, self.edits_fail = {}, False

    def say(self, place, answer):
        if error := self.moods.get(answer.text.split()[0]):
            raise error
        return super().say(place, answer)

    def edit(self, message, answer, choices=()):
        if self.edits_fail:
            raise OSError("no such message")
        super().edit(message, answer)


@pytest.fixture
def works(tmp_path):
    made = Works(tmp_path)
    made.surface = Moody()
    made.announcer = Announcer(made.store, lambda _place: made.surface, lambda: datetime.now(UTC), lambda _n: "")
    made.dispatcher.listen(made.announcer.ended)
    made.dispatcher.start()
    made.announcer.start()
    yield made
    made.store.away = False
    made.dispatcher.stop(0)
    made.announcer.stop()
    made.store.close()


def run(works):
    job = works.stored(LOOK, "web1")
    works.announcer.expect(job.number)
    works.dispatcher.submit(job, {})
    works.announcer.accepted(job, "")
    return job.number


def told(works, number):
    return [text for _, text in works.surface.said if text.startswith(f"#{number} ") and "done" in text]


@pytest.mark.parametrize("error", [OSError("away"), ValueError("no such room"), KeyError("room")])
def test_a_place_that_cannot_be_told_keeps_no_other_waiting(works, error):
    works.surface.moods["#1"] = error
    first, second = run(works), run(works)
    wait(lambda: told(works, second), 5)
    works.surface.moods.clear()
    wait(lambda: told(works, first), 10)


def test_an_end_is_told_once_though_the_store_cannot_note_it(works):
    works.store.away = {"mark_told"}
    number = run(works)
    wait(lambda: told(works, number), 10)
    time.sleep(2.5)
    works.store.away = False
    wait(lambda: works.store.job(number).told, 10)
    assert len(told(works, number)) == 1


def test_an_end_is_said_anew_where_the_message_is_gone(works):
    works.surface.edits_fail = True
    number = run(works)
    wait(lambda: told(works, number), 20)


def test_an_end_is_told_in_the_message_that_the_network_took_late(works):
    works.surface.capabilities = replace(works.surface.capabilities, once=True)
    works.surface.moods["#1"] = Waiting("the chat network is slow")
    number = run(works)
    works.surface.moods.clear()
    wait(lambda: told(works, number), 10)
    assert [text for _, text in works.surface.edited if "done" in text] == told(works, number)
    assert len(works.surface.said) - len(works.surface.edited) == 1


def test_first_words_that_come_late_do_no_harm(works):
    job = works.stored(LOOK, "web1")
    works.announcer.accepted(job, "")
    assert works.surface.said == []


def test_an_end_that_nobody_reported_is_told_all_the_same(works):
    works.dispatcher.listen(lambda _number: None)
    number = run(works)
    wait(lambda: told(works, number), 15)


def test_many_waiting_jobs_cost_a_round_nothing(works):
    works.pause = "waits"
    job = works.stored(LOOK, "web1")
    for number in range(job.number, job.number + 3_000):
        works.announcer.expect(number)
        works.announcer._live[number].opened = True
        works.announcer._live[number].message = MessageRef(job.place, "x")
    assert in_yardsticks(works.announcer._round, 4) < 4
