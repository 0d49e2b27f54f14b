"""Reach from chat: what is typed, on whose devices, and what is said; real pings of this machine."""

import pytest

from automation_bots.drivers import own_operations
from automation_bots.errors import BadCommand, BadParameter
from automation_bots.model import typed_words
from automation_bots.operations import catalog
from automation_bots.pipeline import parser as grammar
from tests.support.chatbot import ChatBot, write_folder

OPERATIONS = catalog.load(catalog.Folders(own=own_operations.operations())).operations
HOSTS = """
all:
  children:
    web: {hosts: {web1: {ansible_host: 127.0.0.1}, web2: {ansible_host: 127.0.0.2}}}
    db: {hosts: {db1: {ansible_host: nosuch.invalid}}}
    vault: {hosts: {vault1: {ansible_host: 127.0.0.3}}}
"""


def parsed(name, line):
    typed = grammar.parse(OPERATIONS[name], grammar.clean(line))
    return typed.pattern, grammar.checked(OPERATIONS[name], typed)


@pytest.mark.parametrize(
    ("line", "pattern", "values"),
    [
        ("", "", {"count": 1}),
        ("core", "core", {"count": 1}),
        ("core --tcp 22,443", "core", {"tcp": (22, 443), "count": 1}),
        ("--count 3 --size 1400 --df on core", "core", {"count": 3, "size": 1400, "df": True}),
        ("all —plot", "all", {"count": 1, "plot": True}),
    ],
)
def test_flags_of_reach_are_read_as_the_help_says(line, pattern, values):
    assert parsed("reach", line) == (pattern, values)


@pytest.mark.parametrize("line", ["web1 22", "22 on web1", "web1 ports=22", "on web1 ports=22"])
def test_the_port_of_tcp_stands_behind_the_device_or_before_on(line):
    assert parsed("tcp", line) == ("web1", {"ports": (22,)})


@pytest.mark.parametrize(("line", "asked"), [("", "ports"), ("web1", "ports"), ("22", None)])
def test_what_tcp_misses_is_asked_for(line, asked):
    missing = parsed("tcp", line)[1]
    assert (missing.parameter.name if missing.parameter else None) == asked


@pytest.mark.parametrize(
    ("name", "line"), [("tcp", "web1 ssh"), ("tcp", "web1 0"), ("reach", "--tcp 22,99999"), ("reach", "--count 99")]
)
def test_a_wrong_number_is_refused(name, line):
    with pytest.raises((BadParameter, BadCommand), match=r"whole number|1–"):
        parsed(name, line)


def test_ports_are_written_as_they_are_typed():
    operation = OPERATIONS["reach"]
    assert typed_words(operation, {"tcp": (22, 443), "count": 1}) == ("tcp=22,443",)


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("reach") / "bot", hosts=HOSTS)
    with ChatBot(folder) as bot:
        yield bot


@pytest.mark.slow
def test_without_devices_reach_takes_all_that_are_mine_and_no_others(chat):
    heard = chat.asks("!reach", "done in", who="joe")  # whose rules leave the vault out
    assert "2 ok, 1 failed" in heard
    assert "db1  failed  name" in heard
    assert "vault" not in heard
    assert chat.jobs[0].devices == ("web1", "web2", "db1")


@pytest.mark.slow
def test_a_stranger_reaches_nothing(chat):
    assert "I do not know you" in chat.asks("!reach", "No", who="eve")


@pytest.mark.slow
def test_the_next_time_says_what_changed(chat):
    chat.asks("!reach web --count 2", "done in")
    assert "Nothing has changed since the last time" in chat.asks("!reach web --count 2", "done in")


@pytest.mark.slow
def test_one_device_is_one_answer(chat):
    heard = chat.asks("!ping web1", "done in")
    assert "3 sent, 3 received" in heard
    assert "web1 (127.0.0.1)" in heard


@pytest.mark.slow
def test_the_outcome_of_each_device_is_stored(chat):
    chat.asks("!reach web", "done in")
    found = chat.automation.store.outcomes(chat.jobs[0].number)
    assert [(o.device, o.status.value) for o in found] == [("web1", "ok"), ("web2", "ok")]
    assert all(o.summary.startswith("0% loss") for o in found)
