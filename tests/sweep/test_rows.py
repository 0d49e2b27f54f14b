"""What crosses the pipe of a sweep."""

import json

import pytest

from automation_bots.sweep.plan import Result, row_of, rows_of

HOSTS = ("192.0.2.7", "web1")
PLAIN = Result(0, "192.0.2.7", 1, 1, [0.4])


@pytest.mark.parametrize("found", [
    PLAIN, Result(1, "192.0.2.8", 1, 1, [0.4]), Result(0, "192.0.2.7", 2, 1, [0.4], "", [], 1),
    Result(0, "192.0.2.7", 3, 0, [], "no answer"), Result(1, "192.0.2.8", 1, 1, [2.0], "", [(22, "open")]),
])  # fmt: skip
def test_what_came_of_a_host_is_the_same_on_the_other_side(found):
    line = json.dumps([row_of(found, HOSTS[found.number])]).encode()
    number, address, sent, received, times, reason, ports, extra = rows_of(line, HOSTS)[0]
    there = Result(number, address, sent, received, times, reason, [(port, word) for port, word in ports], extra)
    assert there == found


def test_an_answer_to_the_one_ping_takes_little_room():
    assert row_of(PLAIN, "192.0.2.7") == (0, 0.4)
