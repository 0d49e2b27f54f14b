"""The pace: so many packets a second, never many at once."""

from automation_bots.sweep.pace import UNLIMITED, Pace


def test_a_second_lets_out_what_was_set():
    pace, sent = Pace(500), 0
    for tick in range(1001):
        allowed = pace.allowed(1 + tick / 1000)
        pace.sent(allowed)
        sent += allowed
    assert 495 <= sent <= 510


def test_after_a_pause_not_everything_leaves_at_once():
    pace = Pace(500)
    pace.sent(pace.allowed(0))
    assert pace.allowed(100) == 5


def test_a_pace_of_less_than_one_a_second_still_moves():
    pace = Pace(0.5)
    pace.sent(pace.allowed(10))
    assert pace.allowed(11) == 0
    assert pace.allowed(12.1) == 1


def test_no_pace_is_no_limit():
    assert Pace(0).allowed(1) == UNLIMITED
