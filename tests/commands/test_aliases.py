"""`!alias`: short forms of commands."""

import pytest

from automation_bots.drivers.fake import Fake
from tests.support.chatbot import BOT_TOML, ChatBot, write_folder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    toml = BOT_TOML + '[aliases]\nupt = "uptime on {devices}"\nup = "uptime on web1"\n'
    with ChatBot(write_folder(tmp_path_factory.mktemp("bot"), toml=toml), drivers=(Fake(),)) as chat:
        yield chat


def test_a_short_form_is_what_it_stands_for(chat):
    assert "is now !service restart {name} on {devices} (for you)" in chat.asks(
        "!alias bounce = service restart {name} on {devices}", who="joe"
    )
    chat.asks("!bounce nginx web1", r"service restart nginx on web1 done", who="joe")
    assert chat.jobs[0].operation == "service"


def test_it_is_judged_as_what_it_stands_for(chat):
    chat.asks("!alias halt = reboot on {devices}", "is now|no command", who="joe")
    assert "No" in chat.asks("!halt web1", "No", who="joe")


def test_it_is_for_its_owner_alone(chat):
    chat.asks("!alias mine1 = uptime on web1", "is now", who="joe")
    assert 'No operation "mine1"' in chat.asks("!mine1", "No operation", who="ana")


def test_a_team_shares_one(chat):
    chat.asks("!alias team support look = uptime on web1", "is now .*for support", who="joe")
    chat.asks("!look", "uptime on web1 done", who="joe")
    assert "No: you are not in 'admins'" in chat.asks("!alias team admins x = uptime", who="joe")


def test_those_of_bot_toml_are_for_everybody(chat):
    chat.asks("!upt web2", "uptime on web2 done", who="joe")


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("!alias jobs = uptime", "jobs is a command already"),
        ("!alias uptime = jobs", "uptime is a command already"),
        ("!alias up = disk on {devices}", "for everybody it stands for !uptime on web1 already"),
        ("!alias x y = uptime", "is one word for a command"),
        ("!alias b = nonsens on web", "There is no command 'nonsens'"),
        ("!alias nope", "is no short form"),
        ("!alias remove nope", "no such short form of yours"),
        ("!alias", "!upt <devices>"),
    ],
)
def test_what_is_wrong_is_said(chat, typed, answer):
    assert answer in chat.asks(typed, who="joe")


def test_of_two_meanings_neither_is_done(chat):
    chat.asks("!alias both = uptime on web1", "is now", who="joe")
    chat.asks("!alias team support both = disk on web1", "is now", who="ana")
    before = len(chat.jobs)
    assert "stands for two things, so I do neither" in chat.asks("!both", who="joe")
    assert len(chat.jobs) == before


def test_one_that_is_removed_is_gone(chat):
    chat.asks("!alias gone = uptime on web1", "is now", who="joe")
    chat.asks("!alias remove gone", "is gone. It was !uptime on web1", who="joe")
    assert 'No operation "gone"' in chat.asks("!gone", who="joe")


def test_commands_of_the_bot_itself_and_schedules_take_them(chat):
    chat.asks("!alias j = jobs mine", "is now", who="joe")
    assert "latest first" in chat.asks("!j", who="joe")
    assert "uptime on web2" in chat.asks("!at 23:59 upt web2", r"^S\d+ ", who="joe")
