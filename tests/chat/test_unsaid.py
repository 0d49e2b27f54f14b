"""What is logged when something was not said: a line of a network that is slow or refuses, all of a mistake of ours."""

import logging

import pytest

from automation_bots.chat.client import Away, Busy, Rejected
from automation_bots.jobs.announcer import Announcer
from automation_bots.model import Caller, Job, Place, Risk, State
from automation_bots.surface import PlainWays, Waiting

log = logging.getLogger(__name__)
OPS = Place("test", "ops")
JOB = Job(1, State.QUEUED, "joe", Caller("test", "joe"), OPS, "uptime", {}, "web", ("web1",), Risk.READ, ("ssh",))


class Failing(PlainWays):
    """Says nothing."""

    def __init__(self, error):
        self.error = error

    def say(self, place, answer):
        raise self.error


def logged(caplog, error):
    announcer = Announcer(None, lambda _: Failing(error), None, str)
    announcer.expect(1)
    announcer.accepted(JOB, "")
    (record,) = caplog.records
    return record


@pytest.mark.parametrize(
    "error", [Waiting("the chat network is slow"), Away("no answer in 15 s"), Busy(3), Rejected("no such room")]
)
def test_a_network_that_is_slow_away_or_refuses_is_one_line(caplog, error):
    record = logged(caplog, error)
    assert record.exc_info is None
    assert record.message == f"job 1: its first words could not be said; it runs all the same: {error}"


def test_a_mistake_of_ours_is_logged_whole(caplog):
    assert logged(caplog, KeyError("x")).exc_info[0] is KeyError
