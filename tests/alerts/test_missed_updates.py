"""What Zabbix could not tell: found out by asking; nothing that it does not show is guessed."""

from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.alerts.missed_updates import MissedUpdates
from automation_bots.drivers.alerts.zabbix import Problem
from automation_bots.model import Alert, Phase

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
OLD = NOW - timedelta(minutes=5)


class Server:
    def __init__(self, problems=(), ended=()):
        self._problems, self._ended, self.asked = problems, dict(ended), []

    def problems(self, numbers):
        self.asked += numbers
        return {one.number: one for one in self._problems}

    def ended(self, numbers):
        return {number: at for number, at in self._ended.items() if number in numbers}


def alert(number="7", last=OLD, **more):
    return Alert(1, "zb", "zabbix", number, OLD, "BGP", OLD, last, **more)


def other(server, *alerts):
    return [(one.phase, one.done or one.ended, one.by) for one in MissedUpdates(server, lambda: NOW).other(alerts)]


@pytest.mark.parametrize(
    ("there", "here", "events"),
    [
        (True, "", [(Phase.UPDATED, "acknowledged", "maria")]),
        (False, "ana: on it", [(Phase.UPDATED, "unacknowledged", "")]),
        (True, "ana: on it", []),
        (False, "", []),
    ],
)
def test_an_acknowledgement_is_as_it_is_there(there, here, events):
    assert other(Server([Problem("7", there, "maria", "known")]), alert(acknowledged=here)) == events


def test_a_problem_that_is_over_there_is_over_here_since_then():
    assert other(Server(ended={"7": OLD}), alert()) == [(Phase.RESOLVED, OLD, "")]


def test_what_it_does_not_show_stays_as_it_is():
    assert other(Server(), alert()) == []


@pytest.mark.parametrize("one", [alert(last=NOW), alert(fields={"event_source": "3"})])
def test_what_may_be_on_its_way_and_what_its_api_calls_no_problem_is_not_asked_for(one):
    server = Server(ended={"7": OLD})
    assert (other(server, one), server.asked) == ([], [])


def test_very_many_are_asked_for_in_parts():
    server = Server([Problem(str(number), False, "", "") for number in range(1_200)])
    assert other(server, *(alert(str(number)) for number in range(1_200))) == []
    assert len(server.asked) == 1_200
