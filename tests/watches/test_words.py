"""The words of `!watch`."""

import pytest

from automation_bots.errors import BadCommand
from automation_bots.watches import words


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("jobs failed on core", ("jobs failed", "core")),
        ("failed jobs", ("jobs failed", "")),
        ("Jobs ON web:&madrid", ("jobs", "web:&madrid")),
        ("changes", ("changes", "")),
        ("approvals on web", ("approvals", "web")),
    ],
)
def test_what_and_where_are_read(typed, read):
    assert words.read(typed) == read


@pytest.mark.parametrize("typed", ["on core", "everything", "jobs failed on", "jobs on web core", "jobs web"])
def test_what_cannot_be_read_is_said_with_what_to_type(typed):
    with pytest.raises(BadCommand, match=r"none of these.*!watch jobs failed on core"):
        words.read(typed)


@pytest.mark.parametrize(("word", "number"), [("3", 3), ("W3", 3), ("#3", None), ("", None), ("3" * 16, None)])
def test_a_watch_is_named_by_its_number(word, number):
    assert words.number(word) == number
