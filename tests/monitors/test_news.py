"""What a room hears of changes: together what happened together, and the bot's own loss as that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation_bots.monitors.news import Change, Evidence, Settling, loss_beyond, own_loss
from automation_bots.monitors.track import TargetState
from automation_bots.text.together import together

UP, DOWN = TargetState.UP, TargetState.DOWN


def change(target, was=UP, now=DOWN, at=100.0):
    return Change(target, was, now, at)


def test_changes_of_one_moment_are_told_together():
    settling = Settling()
    for number in range(2800):
        settling.add(change(f"r{number}"), 100.0 + number / 1000)
    assert not settling.due(102.9)
    assert settling.due(104.0)
    assert len(settling.take()) == 2800


def test_a_single_change_waits_for_no_others_for_long():
    settling = Settling()
    settling.add(change("core1"), 100.0)
    assert not settling.due(100.5)
    assert settling.due(101.0)


def test_what_came_back_before_it_was_told_is_no_news():
    settling = Settling()
    settling.add(change("core1"), 100.0)
    settling.add(change("core1", DOWN, UP), 101.0)
    assert not settling.due(200.0)


def test_of_several_turns_the_first_and_the_last_count():
    settling = Settling()
    settling.add(change("core1"), 100.0)
    settling.add(change("core1", DOWN, TargetState.FLAPPING), 101.0)
    assert [(one.was, one.now) for one in settling.take()] == [(UP, TargetState.FLAPPING)]


def test_silence_of_all_with_the_gateway_is_a_loss_of_the_own_network():
    assert "gateway" in own_loss(Evidence(12, 100.0, heard=99.0, gateway=False))


def test_somebody_who_answered_since_rules_a_loss_of_the_own_network_out():
    assert not own_loss(Evidence(2800, 100.0, heard=101.0, gateway=False))
    assert not own_loss(Evidence(2800, 100.0, heard=100.0, gateway=None))


def test_without_a_gateway_one_silent_host_is_an_outage_and_many_are_not():
    assert not own_loss(Evidence(1, 100.0, heard=0.0, gateway=None))
    assert "none of 12 hosts" in own_loss(Evidence(12, 100.0, heard=0.0, gateway=None))


def test_a_gateway_that_answers_leaves_the_outages_what_they_are():
    assert not own_loss(Evidence(2800, 100.0, heard=99.0, gateway=True))


@pytest.mark.parametrize(
    ("more", "is_lost"),
    [
        ({}, True),
        ({"references": False, "beyond": 1}, True),
        ({"references": True}, False),
        ({"heard_beyond": 100.0}, False),
        ({"beyond": 2, "known_beyond": 2}, False),  # two may well be down
        ({"known_beyond": 20}, False),  # the others have not been looked at since
        ({"gateway": None}, False),  # then the own link may be what is lost
        ({"gateway": None, "heard": 101.0}, True),
        ({"beyond": 0, "references": False}, False),
    ],
)
def test_nothing_beyond_the_gateway_is_said_as_that_where_it_explains_what_fails(more, is_lost):
    usual = {"failing": 12, "since": 100.0, "heard": 99.0, "gateway": True, "beyond": 12, "known_beyond": 12}
    assert bool(loss_beyond(Evidence(**{**usual, **more}))) is is_lost


def test_nothing_that_fails_is_no_loss():
    assert not own_loss(Evidence(0, 0.0, heard=0.0, gateway=False))


def test_a_site_that_is_down_is_named():
    groups = {"site madrid": [f"m{n}" for n in range(50)], "site paris": [f"p{n}" for n in range(50)]}
    down = [f"m{n}" for n in range(50)] + ["p1", "p2"]
    assert together(down, groups) == ["site madrid: all 50"]


def test_a_small_group_within_a_large_one_is_not_named_besides():
    groups = {"core": ["c1", "c2"], "site madrid": ["c1", "c2", "c3", "c4"]}
    assert together(["c1", "c2", "c3", "c4"], groups) == ["site madrid: all 4"]


@given(st.lists(st.sets(st.integers(0, 30), max_size=20), max_size=6), st.sets(st.integers(0, 30)))
def test_what_is_said_of_groups_is_true(groups, down):
    named = {f"g{number}": [f"t{one}" for one in sorted(members)] for number, members in enumerate(groups)}
    for text in together({f"t{one}" for one in down}, named):
        name, _, counts = text.partition(": ")
        hit = len({f"t{one}" for one in down} & set(named[name]))
        assert counts in {f"all {hit}", f"{hit} of {len(named[name])}"}
