"""`automation-bots check --live`: every part says what a network makes of it, and nothing is left in the room."""

import os
import socket

import pytest

from automation_bots.chat.trial.account import Party
from automation_bots.doctor import chat_trial
from automation_bots.surface import Capabilities
from tests.support.chatbot import write_folder
from tests.support.paper import Network, PaperClient
from tests.support.program import automation_bots

pytestmark = pytest.mark.slow  # waits as networks do

BARE = Capabilities(message_size=4000)


def tried(network, *, second=True, capabilities=None):
    bot = Party(lambda: PaperClient(network, "U1", capabilities), "C1", "the bot", 0.05)
    them = Party(lambda: PaperClient(network, "U2", capabilities), "C1", "the second account", 0.05)
    return list(chat_trial.run(bot, them if second else None))


def part(lines, name):
    return next((mark, text) for mark, text in lines if text.startswith(f"{name}: "))


def test_a_network_that_does_everything_is_well_and_left_as_it_was():
    network = Network()
    lines = tried(network)
    assert {mark for mark, _ in lines} == {"ok"}
    assert (network.messages, network.clients) == ({}, [])
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
        ("names later", "hear", "people cannot be told apart"),
        ("names later", "answer", "of 'U3' arrived instead"),
        ("ids", "hear", "it could run twice"),
        ("edits are new", "an edit is no command", "it would run a second time"),
        ("edits are new", "edit", "did not hear it"),
        ("spoils", "upload", "1 came back"),
        ("flat", "thread", "in the thread '' instead of 'm"),
        ("calls", "markup", "calls people"),
        ("calls", "block", "calls people"),
        ("eats", "markup", "it arrives as ' stars"),
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


def test_a_room_that_refuses_the_bot_ends_the_trial():
    network = Network()
    bot = Party(lambda: PaperClient(network, "U1"), "C2", "the bot", 0.05)
    lines = list(chat_trial.run(bot, None))
    assert [mark for mark, _ in lines] == ["ok", "WRONG", "NOTE", "ok"]
    assert "say: not in C2" in lines[1][1] and "is the bot in it?" in lines[2][1]


def test_the_room_may_be_named_as_people_call_it():
    network = Network()
    lines = list(chat_trial.run(Party(lambda: PaperClient(network, "U1"), "#ops", "the bot", 0.05), None))
    assert part(lines, "say")[0] == "ok"


def test_rooms_of_rules_are_looked_at_while_connected():
    network = Network()
    bot = Party(lambda: PaperClient(network, "U1"), "C1", "the bot", 0.05)
    lines = list(chat_trial.run(bot, None, lambda client: [("WRONG", str(client.room_ids(["ops", "gone"])))]))
    assert lines[1] == ("WRONG", "{'ops': 'C1'}")


# -- what stands in the way


def said(folder, room="#test", second=()):
    data = {"AUTOMATION_BOTS_DATA": str(folder / "data")}
    return [text for mark, text in chat_trial.lines(folder, room, list(second), data) if mark == "WRONG"]


NETWORK = Network()
PAPER = {"Paper": lambda chat, _: PaperClient(NETWORK, {"bot-token": "U1", "their-token": "U2"}[chat["token"]])}
TOML = 'name = "netbot"\nbackend = "Paper"\n[chat]\ntoken = "env:T1"\n[places]\ntest = "C1"\n'


@pytest.mark.parametrize(("second", "left_out"), [(["token=env:T2"], 0), ([], 5)])
def test_both_accounts_are_made_of_the_bots_settings(tmp_path, second, left_out):
    data = {"AUTOMATION_BOTS_DATA": str(tmp_path / "data"), "T1": "bot-token", "T2": "their-token"}
    folder = write_folder(tmp_path, toml=TOML)
    lines = list(chat_trial.lines(folder, "#test", second, data, PAPER))
    marks = [mark for mark, _ in lines]
    assert (marks.count("WRONG"), marks.count("NOTE")) == (0, left_out)
    assert (NETWORK.messages, NETWORK.clients) == ({}, [])


@pytest.mark.parametrize(
    ("room", "second", "why"),
    [
        ("", [], "name a room to post in"),
        ("#test", ["token=their-token"], "write token=env:NAME; others can see the words of a command"),
        ("#test", ["token=env:T9"], "token: the environment has no T9"),
        ("#test", ["token"], "write token=env:NAME"),
    ],
)
def test_what_stands_in_the_way_is_said(tmp_path, room, second, why):
    data = {"AUTOMATION_BOTS_DATA": str(tmp_path / "data"), "T1": "bot-token"}
    folder = write_folder(tmp_path, toml=TOML)
    lines = list(chat_trial.lines(folder, room, second, data, PAPER))
    assert len(lines) == 1 and why in lines[0][1] and "their-token" not in str(lines)


def test_a_running_bot_loses_no_message_to_a_trial(tmp_path):
    folder = write_folder(tmp_path, toml=TOML)
    data = {"AUTOMATION_BOTS_DATA": str(tmp_path / "data"), "T1": "bot-token"}
    (tmp_path / "data/netbot").mkdir(parents=True, mode=0o700)
    (tmp_path / "data/netbot/store.lock").write_text(f"pid {os.getpid()} on {socket.gethostname()}\n")
    lines = list(chat_trial.lines(folder, "#test", [], data, PAPER))
    assert lines == [("WRONG", f"the bot runs (pid {os.getpid()}), and would lose messages to this; stop it first")]


def test_a_network_of_errbot_has_nothing_to_try(tmp_path):
    assert "is not one of the bot's own networks" in said(write_folder(tmp_path))[0]


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ([], "name a room to post in"),
        (["--room", "test", "--second", "token"], "--second: write token=env:NAME"),
    ],
)
def test_the_words_of_the_command_lead_there(tmp_path, words, problem):
    chat = '[chat]\nbot_token = "env:BOT"\napp_token = "env:APP"\n[places]\ntest = "C1"\n'
    folder = write_folder(tmp_path / "mine", toml=f'name = "mine"\nbackend = "Slack"\n{chat}')
    tokens = {"BOT": "xoxb-1-2-abcdef", "APP": "xapp-1-A0-1-abcdef"}
    ended = automation_bots("check", folder, "--live", *words, data=tmp_path / "data", **tokens)
    assert (ended.returncode, problem in ended.stdout) == (1, True), ended.stdout
