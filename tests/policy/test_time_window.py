"""Time windows as people write them."""

from datetime import UTC, datetime

import pytest

from automation_bots.policy.time_window import window

MONDAY_NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment", "inside"),
    [
        ("Mon-Fri 08:00-18:00", MONDAY_NOON, True),
        ("Mon-Fri 08:00-18:00", MONDAY_NOON.replace(hour=18), False),
        ("Sat,Sun", MONDAY_NOON, False),
        ("22:00-06:00", MONDAY_NOON.replace(hour=23), True),
        ("22:00-06:00", MONDAY_NOON.replace(hour=5), True),
        ("Mon 22:00-06:00", MONDAY_NOON.replace(day=3, hour=5), True),
        ("Mon 22:00-06:00", MONDAY_NOON.replace(hour=5), False),
        ("12:00-13:00 Europe/Madrid", MONDAY_NOON, False),
        ("13:00-14:00 Europe/Madrid", MONDAY_NOON, True),
        ("Fri-Mon", MONDAY_NOON, True),
    ],
)
def test_a_moment_is_inside_or_not(text, moment, inside):
    assert window(text).contains(moment) is inside


@pytest.mark.parametrize("text", ["Mon-Foo", "8-18", "25:00-26:00", "Mars/Base"])
def test_a_wrong_window_says_how_to_write_it(text):
    with pytest.raises(ValueError, match=r"is no|must be in"):
        window(text)
