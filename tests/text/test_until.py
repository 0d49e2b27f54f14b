"""Times as people type them."""

from datetime import UTC, datetime

import pytest

from automation_bots.errors import BadCommand
from automation_bots.text.until import time_ahead

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday, 13:00 in Madrid


@pytest.mark.parametrize(
    ("words", "moment", "taken"),
    [
        ("18:00 audit", "2026-03-02 17:00", 1),
        ("08:00", "2026-03-03 07:00", 1),
        ("tomorrow 08:00 why", "2026-03-03 07:00", 2),
        ("Fri 8:30", "2026-03-06 07:30", 2),
        ("mon 08:00", "2026-03-09 07:00", 2),
        ("2026-03-29 12:00", "2026-03-29 10:00", 2),
        ("2026-04-01 audit", "2026-03-31 22:00", 1),
        ("2h tests", "2026-03-02 14:00", 1),
        ("45m", "2026-03-02 12:45", 1),
        ("3d", "2026-03-05 12:00", 1),
    ],
)
def test_a_time_lies_ahead(words, moment, taken):
    found = time_ahead(words.split(), NOW, "Europe/Madrid")
    assert (f"{found[0].astimezone(UTC):%Y-%m-%d %H:%M}", found[1]) == (moment, taken)


@pytest.mark.parametrize(
    "words", ["", "soon", "25:00", "today 08:00", "2026-13-40", "2026-01-01 08:00", "monument 08:00"]
)
def test_what_is_no_time_or_over_is_said(words):
    with pytest.raises(BadCommand):
        time_ahead(words.split(), NOW, "Europe/Madrid")
