"""Messages over TCP: counted, a line each, cut anywhere, too long."""

import pytest

from automation_bots.alerts.sources.syslog.framing import Frames

STREAM = b"10 <13>a b c\n<13>one line\r\n7 <13>x\ny<13>two\0 \n"
MESSAGES = [b"<13>a b c\n"[:10], b"<13>one line\r", b"<13>x\ny"[:7], b"<13>two"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_counted_messages_and_lines_are_told_apart_wherever_they_are_cut(size):
    frames = Frames(100)
    parts = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert [message for part in parts for message in frames.feed(part)] == MESSAGES


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("long", [b"30 <13>" + b"x" * 26, b"<13>" + b"x" * 26 + b"\n"])
def test_a_message_that_is_too_long_is_cut_and_the_next_is_whole(size, long):
    frames, stream = Frames(20), long + b"<13>next\n"
    found = [m for at in range(0, len(stream), size) for m in frames.feed(stream[at : at + size])]
    assert found == [b"<13>" + b"x" * 16, b"<13>next"] and frames.cut == 1


def test_nothing_is_kept_of_a_line_that_never_ends():
    frames = Frames(100)
    for _ in range(1000):
        frames.feed(b"x" * 1000)
    assert len(frames._waiting) <= 100


def test_what_came_last_without_an_end_is_a_message():
    frames = Frames(100)
    assert frames.feed(b"<13>last") == [] and frames.end() == [b"<13>last"]


def test_a_text_that_begins_with_a_number_is_a_line():
    assert Frames(100).feed(b"1,2026/10/26 15:05:03,SYSTEM\n12 monkeys\n") == [
        b"1,2026/10/26 15:05:03,SYSTEM",
        b"12 monkeys",
    ]
