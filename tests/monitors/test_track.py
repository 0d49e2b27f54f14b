"""A target's state, look by look; the time is in the samples."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation_bots.monitors.track import Sample, Seen, TargetState, Thresholds, Track, step, unseen

BY = Thresholds()
UP, DOWN, DEGRADED, FLAPPING, UNKNOWN = (
    TargetState.UP, TargetState.DOWN, TargetState.DEGRADED, TargetState.FLAPPING, TargetState.UNKNOWN,
)  # fmt: skip


def after(looks, *, every=5.0, by=BY, track=None):
    """The track after these looks: a number is a latency, x a failure, ? a look that saw nothing, ! a poor answer."""
    track = track or Track()
    start = track.since + 1000 if track.looks else 0.0
    kinds = {"x": Seen.BAD, "?": Seen.NOTHING, "!": Seen.POOR}
    for number, look in enumerate(looks):
        kind = kinds.get(look, Seen.GOOD)
        track = step(track, Sample(start + number * every, kind, look if kind is Seen.GOOD else None, str(look)), by)
    return track


def test_one_lost_look_is_no_outage():
    assert after([1.0, 1.0, "x", "x"]).state is UP


def test_three_lost_in_a_row_are_down_since_the_first_of_them():
    track = after([1.0, 1.0, "x", "x", "x"])
    assert (track.state, track.since, track.downs) == (DOWN, 10.0, 1)


def test_the_first_answer_ends_an_outage_and_its_length_is_known():
    track = after([1.0, "x", "x", "x", "x", 1.0])
    assert (track.state, track.down_seconds) == (UP, 20.0)


def test_an_outage_that_is_over_is_no_loss_of_now():
    assert after([1.0] * 12 + ["x"] * 15 + [1.0] * 12).state is UP


def test_nothing_is_known_before_the_first_look():
    assert (Track().state, after(["x", "x"]).state) == (UNKNOWN, UNKNOWN)


def test_a_look_that_saw_nothing_says_nothing_of_the_target():
    assert after([1.0, "?"]).state is UP
    assert after([1.0, "?", "?"]).state is UNKNOWN
    assert after([1.0, "x", "x", "?", "x"]).state is DOWN


def test_steady_loss_is_degraded_until_it_is_half_as_much():
    lossy = after([1.0, 1.0, 1.0, "x"] * 6)
    assert lossy.state is DEGRADED
    assert after([1.0] * 20, track=lossy).state is UP


def test_much_slower_than_usual_is_degraded_and_a_single_slow_answer_is_not():
    assert after([1.0] * 30 + [200.0]).state is UP
    assert after([1.0] * 30 + [200.0] * 4).state is DEGRADED


def test_a_latency_that_stays_becomes_the_usual_one():
    assert after([1.0] * 30 + [60.0] * 400).state is UP


def test_coming_and_going_is_flapping_and_no_longer_news():
    flapping = after(["x", "x", "x", 1.0] * 4)
    assert flapping.state is FLAPPING
    assert after(["x", "x", "x", 1.0], track=flapping).state is FLAPPING


def test_what_stays_as_it_is_for_long_enough_flaps_no_more():
    flapping = after(["x", "x", "x", 1.0] * 4)
    assert after([1.0] * 70, track=flapping).state is UP


def test_a_poor_answer_is_told_at_once():
    assert after([1.0, "!"]).state is DEGRADED


def test_what_was_seen_without_a_network_is_forgotten():
    track = unseen(after([1.0, "x", "x", "x"]), 100.0, "no network here")
    assert (track.state, after([1.0], track=track).state) == (UNKNOWN, UP)


LOOKS = st.lists(st.sampled_from(["x", "?", "!", 0.5, 5.0, 500.0]), max_size=80)


@given(LOOKS)
def test_loss_and_outages_are_counted_as_they_were(looks):
    track = after(looks)
    assert (track.lost, track.looks) == (looks.count("x"), len(looks) - looks.count("?"))
    assert 0.0 <= track.loss <= 1.0
    assert 0.0 <= track.down_seconds <= 5.0 * len(looks)


@given(LOOKS)
def test_down_is_only_what_failed_three_times_in_a_row(looks):
    said = after(looks).plain is DOWN
    failures = [look for look in looks if look != "?"][-3:]
    assert not said or failures == ["x"] * 3


@given(LOOKS)
def test_since_is_never_after_the_last_look_nor_does_it_go_back(looks):
    since = 0.0
    for number in range(len(looks)):
        track = after(looks[: number + 1])
        assert track.since <= number * 5.0
        assert track.since >= since - 5.0 * BY.failures
        since = track.since


@pytest.mark.parametrize("looks", [[1.0] * 50, ["x"] * 50, ["?"] * 50, ["!"] * 50])
def test_what_never_changes_is_told_once(looks):
    states = [after(looks[:count]).state for count in range(1, len(looks))]
    assert sum(one is not two for one, two in itertools.pairwise(states)) <= 1
