"""`automation-bots check --live`: every part says what a network makes of it, and nothing is left in the room."""

import pytest

from automation_bots import cli
from automation_bots.surface import Capabilities
from backends import live
from backends.live_party import Party
from tests.chatbot import write_folder
from tests.paper import Network, PaperWire

BARE = Capabilities(message_size=4000)


def tried(network, *, second=True, capabilities=None):
    bot = Party(lambda: PaperWire(network, "U1", capabilities), "C1", "the bot", 0.05)
    them = Party(lambda: PaperWire(network, "U2", capabilities), "C1", "the second account", 0.05)
    return list(live.run(bot, them if second else None))


def part(lines, name):
    return next((mark, text) for mark, text in lines if text.startswith(f"{name}: "))


def test_a_network_that_does_everything_is_well_and_left_as_it_was():
    network = Network()
    lines = tried(network)
    assert {mark for mark, _ in lines} == {"ok"}
    assert (network.messages, network.wires) == ({}, [])
    assert part(lines, "rate")[1].endswith("all in order")


def test_without_a_second_account_it_is_said_which_parts_were_left_out():
    lines = tried(Network(), second=False)
    out = [text for mark, text in lines if mark == "NOTE"]
    assert [text.split(":")[0] for text in out] == [
        "hear", "an edit is no command", "answer", "direct message", "missed",
    ]  # fmt: skip
    assert all("second account" in text for text in out)


def test_what_a_network_cannot_do_is_left_out():
    lines = tried(Network(), capabilities=BARE)
    assert part(lines, "thread") == ("NOTE", "thread: left out, this network has no threads")
    assert not [text for mark, text in lines if mark == "WRONG"]


@pytest.mark.parametrize(
    ("fault", "name", "said"),
    [
        ("names", "say", "people cannot be told apart"),
        ("names", "hear", "people cannot be told apart"),
        ("names", "answer", "of 'U3' arrived instead"),
        ("ids", "hear", "it could run twice"),
        ("edits are new", "an edit is no command", "it would run a second time"),
        ("edits are new", "edit", "did not hear it"),
        ("spoils", "upload", "1 came back"),
        ("flat", "thread", "in the thread '' instead of 'm"),
        ("calls", "markup", "calls people"),
        ("calls", "block", "calls people"),
        ("eats", "markup", "it is shown as 'stars"),
        ("cuts", "long", "4000 characters were sent and 1000 arrived"),
        ("open", "direct message", "others read along"),
        ("forgets", "missed", "during a restart of the bot is lost"),
        ("keeps", "clean up", "could not be deleted (may not delete)"),
    ],
)
def test_what_a_network_does_wrong_is_named(fault, name, said):
    mark, text = part(tried(Network(fault)), name)
    assert (mark, said in text) == ("WRONG", True), text


def test_a_network_that_asks_to_wait_is_waited_for():
    mark, text = part(tried(Network("busy")), "rate")
    assert mark == "ok" and "asked to wait" in text


@pytest.mark.parametrize(("fault", "said"), [("revoked", "are not taken: invalid_auth"), ("away", "cannot connect")])
def test_without_a_connection_nothing_is_tried(fault, said):
    lines = tried(Network(fault))
    assert lines[0][0] == "WRONG" and said in lines[0][1]
    assert not any(text.startswith("say") for _, text in lines)


def test_a_room_that_refuses_the_bot_is_named_for_each_part():
    network = Network()
    bot = Party(lambda: PaperWire(network, "U1"), "C2", "the bot", 0.05)
    assert part(list(live.run(bot, None)), "say") == ("WRONG", "say: not in C2")


# -- what stands in the way


def said(folder, room="#test", second=()):
    data = {"AUTOMATION_BOTS_DATA": str(folder / "data")}
    return [text for mark, text in live.lines(folder, room, list(second), data) if mark == "WRONG"]


def test_a_network_of_errbot_has_nothing_to_try(tmp_path):
    assert "is not one of the bot's own networks" in said(write_folder(tmp_path))[0]


@pytest.mark.parametrize("words", [["--room", "#test"], ["--second", "token=env:X"]])
def test_the_words_of_the_command_lead_there(tmp_path, monkeypatch, words):
    went = []
    monkeypatch.setattr("os.execve", lambda program, command, environment: went.append(command) or 0)
    cli.main(["check", "--live", str(tmp_path), *words])
    assert went[0][2] == "backends.live" and went[0][-1] in {"#test", "token=env:X"}
