"""An approval that is given once for all times of a schedule: how long it counts, and what ends it."""

from datetime import timedelta

import pytest

from automation_bots.errors import ConfigError
from automation_bots.model import Caller, Occurrence, Request, Schedule, State
from automation_bots.policy import gate
from tests.approvals.test_approvals_time import OPS, PATCH, POLICY, Waiting
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow
ONCE = POLICY.replace("quorum: 2, within: 4h", "quorum: 2, schedules: once for 30d, within: 4h")
JOE, DAY = Caller("test", "joe"), timedelta(days=1)


class Scheduled(Waiting):
    """The same with one schedule of joe's: patch on web, each day."""

    def __init__(self, folder):
        super().__init__(folder)
        self.live.write(ONCE)
        self.schedules = self.store.schedules
        self.schedules.add(Schedule(0, "joe", JOE, OPS, "patch", "on web", due=self.at))

    def comes(self, pattern="web"):
        """Let its next time come; returns the job."""
        self.at += DAY
        seen = self.schedules.find(1)
        assert self.schedules.take(seen, self.at, self.at + DAY)
        devices = self.live.inventory.expand(pattern)
        request = Request(JOE, OPS, PATCH, {}, pattern, devices, occurrence=Occurrence(1, self.at))
        decision = gate.typed_before(self.live.scope, request, self.at)
        self.approvals.park(self.live.policy.person(JOE), request, decision)
        self.look()
        return self.schedules.history(1, 1)[0].job

    def approved(self):
        """Let its first time be approved and run."""
        number = self.comes()
        self.approve(number, "kim", "lee")
        self.is_done(number)
        return number

    def is_done(self, number):
        wait(lambda: self.state(number) is State.DONE, 10, lambda: str(self.store.job(number)))


@pytest.fixture
def scheduled(tmp_path):
    scheduled = Scheduled(tmp_path / "bot")
    yield scheduled
    scheduled.dispatcher.stop(0)
    scheduled.store.close()


def test_an_approval_once_counts_for_later_times_until_something_changes(scheduled):
    first = scheduled.approved()
    for _ in range(2):
        number = scheduled.comes()
        scheduled.is_done(number)
        assert scheduled.kinds(number)[:3] == ["approved", "approved", "accepted"]
        assert [vote.person for vote in scheduled.store.approvals.find(number).votes] == ["kim", "lee"]
    assert scheduled.schedules.find(1).approval == first
    scheduled.live.inventory.variables["web1"] = {"ansible_host": "192.0.2.9"}
    number = scheduled.comes()
    assert scheduled.state(number) is State.WAITING
    said = f"the approval of #{first} counts no longer: the inventory, or the request itself, was changed since"
    wait(lambda: [text for text in scheduled.texts("ops") if text.startswith(f"#{number} ") and said in text], 5)
    assert scheduled.store.verify_audit()


def test_the_question_says_that_a_yes_counts_for_all_times(scheduled):
    scheduled.comes()
    assert "a yes counts for all times of S1 for 30 d, while nothing of it changes" in scheduled.texts("leads")[0]


def test_it_ends_on_its_day(scheduled):
    first = scheduled.approved()
    assert "counts until" in scheduled.approvals.once(first)
    scheduled.at += 29 * DAY
    scheduled.is_done(scheduled.comes())
    assert scheduled.state(scheduled.comes()) is State.WAITING


@pytest.mark.parametrize(("days", "given"), [(29, True), (31, False)])
def test_approvers_are_asked_ahead_where_it_will_not_count_at_the_time_itself(scheduled, days, given):
    scheduled.approved()
    at = scheduled.at + days * DAY
    request = Request(JOE, OPS, PATCH, {}, "web", scheduled.live.inventory.expand("web"), occurrence=Occurrence(1, at))
    decision = gate.typed_before(scheduled.live.scope, request, scheduled.at, at)
    assert scheduled.approvals.is_given(scheduled.live.policy.person(JOE), request, decision, at) is given


def test_it_ends_when_who_gave_it_counts_no_longer(scheduled):
    scheduled.approved()
    scheduled.live.write(ONCE.replace("lee: {test: lee, groups: [leads]}", "lee: {test: lee}"))
    assert scheduled.state(scheduled.comes()) is State.WAITING


def test_other_devices_are_asked_for(scheduled):
    scheduled.approved()
    assert scheduled.state(scheduled.comes("web1")) is State.WAITING


def test_what_was_denied_counts_for_nothing(scheduled):
    number = scheduled.comes()
    scheduled.approve(number, "kim")
    scheduled.approvals.deny(Caller("test", "lee"), OPS, number, "no")
    assert scheduled.state(scheduled.comes()) is State.WAITING


def test_without_the_rules_word_each_time_is_asked_for(scheduled):
    scheduled.live.write(POLICY)
    scheduled.approved()
    assert scheduled.state(scheduled.comes()) is State.WAITING
    assert "one time of the schedule S1; each is asked for" in scheduled.texts("leads")[-1]


@pytest.mark.parametrize("text", ["once", "often", "once for ever"])
def test_a_rule_that_does_not_say_how_long_is_refused(scheduled, text):
    with pytest.raises(ConfigError, match=r"once for 30d|is no length of time"):
        scheduled.live.write(ONCE.replace("once for 30d", text))
