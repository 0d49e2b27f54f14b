"""Which of the bot's own commands run at times."""

import pytest

from automation_bots.operations import own_at_times
from automation_bots.operations.own_commands import OWN


@pytest.mark.parametrize(
    "line",
    ["jobs failed", "jobs mine | include web", "audit since=7d", "monitor 3", "monitor M3 csv", "change",
     "change 2 diff core1", "device core1", "person", "person ana", "playbook list", "schedule 7", "monitors", "locks"],
)  # fmt: skip
def test_what_looks_runs_at_times_and_once_late(line):
    name, _, rest = line.partition(" ")
    assert own_at_times.only_looks(name, rest)
    assert own_at_times.refused(name, rest) == ""


@pytest.mark.parametrize(
    "line",
    ["freeze core until 18:00 audit", "unmonitor 3", "change end", "change start core card", "monitor ping core",
     "schedule 7 pause", "cancel 42", "retry 42 failed", "withdraw 42", "mute 3 2h"],
)  # fmt: skip
def test_what_changes_something_runs_at_times_and_never_late(line):
    name, _, rest = line.partition(" ")
    assert not own_at_times.only_looks(name, rest)
    assert own_at_times.refused(name, rest) == ""


@pytest.mark.parametrize(
    "line",
    ["approve 42", "deny 42 no", "ack 42", "review 42 x", "continue all", "withdraw all", "totp 123456",
     "person code x", "person Code x", "repos install x", "device trust core1", "schedule 7 run", "schedule 7 accept",
     "monitor 3 ack core1", "at 22:00 x", "do 12", "oncall take until 18:00", "events follow", "playbook run patch"],
)  # fmt: skip
def test_what_is_for_somebody_who_is_there_does_not_run_at_times(line):
    name, _, rest = line.partition(" ")
    assert own_at_times.refused(name, rest)


def test_of_every_command_it_is_known_whether_it_runs_at_times():
    assert set(own_at_times.TIMED) <= set(OWN)
    for name in OWN:
        timed = own_at_times.of(name)
        assert timed.looks or timed.changes or timed.why


def test_the_devices_that_it_is_about_are_known():
    assert own_at_times.devices("freeze", "core until 18:00 x") == "core"
    assert own_at_times.devices("change", "start core card") == "core"
    assert own_at_times.devices("jobs", "failed") == ""
