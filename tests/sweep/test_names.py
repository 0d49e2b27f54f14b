"""Names: literal addresses need no looking up, and silent name servers are given up."""

import asyncio

import pytest

from automation_bots.sweep.names import Names, literal, look_up
from automation_bots.sweep.packets import V4, V6
from automation_bots.sweep.plan import NO_NAME, NO_NAME_SERVER


def resolved(names, look):
    found = {}
    asyncio.run(Names(found.__setitem__, look).resolve(enumerate(names)))
    return found


@pytest.mark.parametrize(
    ("host", "family"), [("10.0.0.1", V4), ("::1", V6), ("fe80::1%lo", V6), ("web1", None), ("1.2.3", None), ("", None)]
)
def test_an_address_is_known_as_one(host, family):
    assert literal(host) == ((family, host) if family else None)


@pytest.mark.parametrize("name", ["nosuch.invalid", "a..b", "x" * 300, "-"])
def test_what_is_no_name_says_so(name):
    assert look_up(name) in {NO_NAME, NO_NAME_SERVER}


def test_a_name_of_this_machine_is_found():
    assert look_up("localhost") in {(V4, "127.0.0.1"), (V6, "::1")}


def test_each_name_is_told_by_itself():
    found = resolved(["a", "b"], lambda name: (V4, "10.0.0.1") if name == "a" else NO_NAME)
    assert found == {0: (V4, "10.0.0.1"), 1: NO_NAME}


def test_when_no_name_server_answers_the_rest_is_not_asked_for():
    asked = []
    found = resolved([str(n) for n in range(5000)], lambda name: asked.append(name) or NO_NAME_SERVER)
    assert set(found.values()) == {NO_NAME_SERVER}
    assert len(found) == 5000
    assert len(asked) < 200


def test_one_answer_shows_that_the_name_servers_are_there():
    asked = []
    look = lambda name: asked.append(name) or (NO_NAME if name == "0" else NO_NAME_SERVER)  # noqa: E731
    resolved([str(n) for n in range(300)], look)
    assert len(asked) == 300
