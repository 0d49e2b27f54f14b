"""Patterns of plugins: the same matches as `re`, whatever the text and in linear time."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation_bots.errors import BadCommand
from automation_bots.text.linear_groups import LinearPattern

PATTERNS = [
    r"good (morning|evening)",
    r"^nginx is down on (?P<devices>\S+)$",
    r"(a+)(b*)?c",
    r"(a|ab)(c|bcd)(d*)",
    r"\b(\w+)\b-(\d{2,3}?)",
    r"(?i)(x)(y)?|z",
    r"(?m)^a.*?b$",
    r"[^ab]+(?:ba)*",
    r"(?:(a)|b)*",
    r"a{2,4}?b",
    r"\Ba",
]
TEXTS = st.text(alphabet="ab bcdxyzXY-1 2\n", max_size=12)


def facts(match):
    return match and (
        match.span(),
        match.group(),
        match.groupdict(),
        [match.span(n) for n in range(match.re.groups + 1)],
    )


@pytest.mark.parametrize("pattern", PATTERNS)
@given(text=TEXTS)
def test_what_matches_and_what_its_groups_hold_is_what_python_says(pattern, text):
    ours, theirs = LinearPattern(pattern).search(text), re.compile(pattern).search(text)
    assert facts(ours) == facts(theirs)
    assert ours is None or ours.groups() == theirs.groups()


def test_groups_are_asked_for_as_of_a_match_of_python():
    match = LinearPattern(r"(?P<what>\w+) on (?P<where>\w+)(?: (now))?").search("please restart on web1")
    assert match["what"] == match.group(1) == "restart"
    assert match.group("what", "where") == ("restart", "web1")
    assert match.groups("later") == ("restart", "web1", "later")
    assert match.groupdict() == {"what": "restart", "where": "web1"}
    assert (match.start("where"), match.end(2), match.span(3)) == (18, 22, (-1, -1))
    with pytest.raises(IndexError):
        match.group(4)


def test_all_matches_are_found_one_behind_the_other():
    assert [one.group() for one in LinearPattern(r"\d+").finditer("1, 22 and 333")] == ["1", "22", "333"]


@pytest.mark.parametrize("pattern", [r"(a+)+b", r"(a|aa)+$", r"(.*)*x", r"(\w+\s?)*!"])
def test_no_pattern_hangs(pattern):
    assert LinearPattern(pattern).search("a" * 1_000 + "?") is None


@pytest.mark.parametrize(
    "pattern", [r"(a)\1", r"(?=a)b", r"(?<!a)b", r"(?>a+)b", r"a++", r"(a", r"a{1000}", r"(a{90}){90}"]
)
def test_what_cannot_be_done_in_linear_time_is_refused(pattern):
    with pytest.raises(BadCommand):
        LinearPattern(pattern)
