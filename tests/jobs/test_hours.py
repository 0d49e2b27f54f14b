"""A rule's window counts when a job starts and before each batch: what was accepted in time is asked again."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from automation_bots.jobs import dispatcher
from automation_bots.model import Caller, Canary, Job, Operation, Place, Risk, State, Status
from automation_bots.operations import catalog
from automation_bots.policy.policy import load
from tests.support.chatbot import wait
from tests.support.works import PATCH, Works

pytestmark = pytest.mark.slow  # real threads, real waiting

DAY, NIGHT = datetime(2026, 3, 2, 12, tzinfo=UTC), datetime(2026, 3, 2, 22, tzinfo=UTC)
TUESDAY = datetime(2026, 3, 3, 12, tzinfo=UTC)
POLICY = """
people: {{ana: {{test: ana, groups: [team]}}}}
rules:
  - {{name: look, who: team, may: [reads]}}
  - {{name: fix, who: team, may: [fix], on: web}}
  - {{name: day, who: team, may: [patch], on: web, when: [{when}]}}
"""
HOURS = '"Mon-Fri 08:00-18:00"'
FIX = Operation("fix", "h", Risk.CHANGE, driver="fake")


class Hours(Works):
    """Works with a clock of the test's own."""

    at = DAY

    def __init__(self, folder, when=HOURS):
        super().__init__(folder)
        self.operations["fix"] = FIX
        (folder / "policy.yml").write_text(POLICY.format(when=when))
        self.policy = load(folder / "policy.yml")

    def now(self):
        return self.at

    def batches(self, pause_after=0):
        """A change of two devices, one after the other."""
        job = self.store.add_job(Job(
            number=0, state=State.QUEUED, person="ana", caller=Caller("test", "ana"), place=Place("test", "ops"),
            operation="patch", parameters={}, pattern="", devices=("web1", "web2"), risk=Risk.CHANGE,
            drivers=("fake",), digest=catalog.digest(PATCH, {}, ("web1", "web2")), canary=Canary(("1",), pause_after),
            created=DAY,
        ))  # fmt: skip
        self.dispatcher.submit(job, {})
        return job.number

    def progress(self, number, words):
        wait(lambda: words in self.dispatcher.progress(number), 10, lambda: self.dispatcher.progress(number))


@pytest.fixture
def hours(tmp_path, request):
    made = Hours(tmp_path, getattr(request, "param", HOURS))
    made.dispatcher.start()
    yield made
    made.dispatcher.stop(0)
    made.store.close()


waits = pytest.mark.parametrize("hours", [f"{HOURS}, else wait"], indirect=True)


def test_what_gets_its_turn_after_its_window_ends_with_the_reason(hours):
    hours.pause = "waits"
    number = hours.add(PATCH, "web1")
    hours.at, hours.pause = NIGHT, ""
    error = hours.is_in(number, State.FAILED).error
    assert error.startswith("it got its turn when its time was over. No: patch on web1 is allowed only at Mon-Fri")
    assert hours.fake.ran == []


@waits
def test_where_the_rule_says_else_wait_it_starts_in_the_next_window_and_nobody_queues_up_behind_it(hours):
    hours.pause = "waits"
    number = hours.add(PATCH, "web1")
    hours.at, hours.pause = NIGHT, ""
    wait(lambda: hours.dispatcher.why(number) == 'waits for Mon-Fri 08:00-18:00 (rule "day")', 10)
    hours.is_in(hours.add(FIX, "web1"), State.DONE)
    assert hours.store.job(number).state is State.QUEUED
    hours.at = TUESDAY
    hours.is_in(number, State.DONE, dispatcher._AGAIN_SECONDS + 20)


@waits
def test_else_wait_keeps_nothing_that_is_forbidden_at_every_hour(hours):
    hours.pause = "waits"
    number = hours.add(PATCH, "web1")
    hours.at, hours.policy, hours.pause = NIGHT, replace(hours.policy, rules=hours.policy.rules[:2]), ""
    assert "the rules have changed" in hours.is_in(number, State.FAILED).error


def test_an_acknowledgement_lets_no_old_change_out_of_its_window(hours):
    hours.operations["patch"] = quick = replace(PATCH, time_limit=0.2)
    hours.fake.seconds = 30
    broken = hours.add(quick, "web1")
    hours.is_in(broken, State.INTERRUPTED)
    behind = hours.add(quick, "web1")
    hours.at = NIGHT
    hours.store.acknowledge(broken, "ana")
    hours.dispatcher.released()
    assert "its time was over" in hours.is_in(behind, State.FAILED).error
    assert {number for number, _, _ in hours.fake.ran} == {broken}


def test_a_word_after_the_window_lets_no_further_batch_out(hours):
    number = hours.batches(pause_after=1)
    hours.progress(number, "!continue")
    hours.at = NIGHT
    assert hours.dispatcher.go_on(number)
    assert "its time was over" in hours.is_in(number, State.FAILED).error
    assert [(one.device, one.status) for one in hours.store.outcomes(number)] == [
        ("web1", Status.CHANGED), ("web2", Status.SKIPPED)]  # fmt: skip


@waits
def test_batches_wait_for_the_next_window_where_the_rule_says_so(hours):
    number = hours.batches(pause_after=1)
    hours.progress(number, "!continue")
    hours.at = NIGHT
    hours.dispatcher.go_on(number)
    hours.progress(number, "paused after batch 1 of 2: waits for Mon-Fri 08:00-18:00")
    hours.at = TUESDAY
    hours.is_in(number, State.DONE)


def test_batches_pause_while_the_rules_cannot_be_read(hours):
    number = hours.batches(pause_after=1)
    hours.progress(number, "!continue")
    hours.pause = "waits: the policy is broken"
    hours.dispatcher.go_on(number)
    hours.progress(number, "paused after batch 1 of 2: waits: the policy is broken")
    hours.pause = ""
    hours.is_in(number, State.DONE)
