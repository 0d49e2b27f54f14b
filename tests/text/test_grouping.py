"""Identical answers are told once, with the devices that gave them."""

import pytest

from automation_bots.model import Outcome, Status
from automation_bots.text import grouping
from automation_bots.text.grouping import Alike, block, grouped, sentence, short


def names(count, prefix="web"):
    return tuple(f"{prefix}{number}" for number in range(1, count + 1))


def outcomes(texts, status=Status.OK):
    return [Outcome(device, status, output=text) for device, text in texts.items()]


def groups_of(texts):
    found = grouped(outcomes(texts), texts)
    return tuple(Alike(group.devices, texts[group.devices[0]]) for group in found)


MANY = {**dict.fromkeys(names(42), "a\nb\nc"), **dict.fromkeys(names(2, "db"), "a\nx\nc"), "nas1": "other"}


def test_the_most_common_answer_comes_first():
    assert [len(group.devices) for group in groups_of(MANY)] == [42, 2, 1]


def test_the_sentence_says_how_many_are_the_same_and_which_differ():
    assert sentence(groups_of(MANY)) == "42 devices: same; 3 differ: db1, db2, nas1"
    assert sentence(groups_of(dict.fromkeys(names(3), "a"))) == "3 devices: same"
    assert sentence(groups_of({**dict.fromkeys(names(2), "a"), "db1": "b"})) == "2 devices: same; 1 differs: db1"


def test_an_answer_that_differs_a_little_shows_only_the_other_lines():
    shown = block(groups_of(MANY), 40).split("\n")
    assert shown[:4] == ["── 42 devices: same: web1–web42", "a", "b", "c"]
    assert shown[4:7] == ["── 2 differ, only what is other (- there, + here): db1, db2", "- b", "+ x"]
    assert shown[7:] == ["── 1 differs: nas1", "other"]


def test_answers_of_one_line_are_a_table():
    texts = {**dict.fromkeys(names(9), "6.1.0-18"), "db1": "6.1.0-9"}
    assert block(groups_of(texts), 40) == "9×  6.1.0-18  web1–web9\n1×  6.1.0-9   db1"


@pytest.mark.parametrize("length", [1, 30, 5000])
def test_groups_fit_a_screen(length):
    texts = {name: f"{number % 5}\n" + "line\n" * length for number, name in enumerate(names(50))}
    assert block(groups_of(texts), 40).count("\n") < 40


def test_where_everything_differs_nothing_is_grouped():
    assert groups_of({name: name for name in names(20)}) == ()
    assert groups_of({f"web{n}": str(n // 2) for n in range(100)}) == ()


def test_failures_are_in_no_group():
    texts = dict.fromkeys(names(3), "same")
    assert grouped(outcomes(texts, Status.FAILED), texts) == ()


def test_only_white_space_at_the_ends_is_left_out():
    assert grouping.plain("a  \r\n b\n\n\n") == "a\n b"


def test_too_many_kinds_of_answers_end_with_their_number():
    texts = {**dict.fromkeys(names(40), "a\nb"), **{f"db{n}": f"a\nb{n}" for n in range(12)}}
    assert block(groups_of(texts), 40).endswith("… and 5 more answers")


@pytest.mark.parametrize(
    ("devices", "text"),
    [
        (("web1", "web2"), "web1, web2"),
        (("web10", "web8", "web9", "db1"), "db1, web8–web10"),
        (("sw-01.a", "sw-02.a", "sw-03.a", "sw-03.b"), "sw-01.a–sw-03.a, sw-03.b"),
        (("web9", "web010", "web11"), "web9, web010, web11"),
        (tuple("abcdefghij"), "a, b, c, d, e, f, g and 3 more"),
        ((), ""),
    ],
)
def test_devices_are_listed_in_little_room(devices, text):
    assert short(devices) == text
