"""`!watch` in a running bot."""

from dataclasses import replace

import pytest

from automation_bots.commands.context import CommandCall
from automation_bots.drivers.fake import Fake
from automation_bots.model import Caller, Place
from tests.support.chatbot import ChatBot, write_folder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    with ChatBot(write_folder(tmp_path_factory.mktemp("bot")), drivers=(Fake(),)) as chat:
        yield chat


def heard(chat, room):
    return [text for place, text in chat.surface.said if room in place]


def test_a_room_hears_of_jobs_elsewhere_that_its_watcher_may_see_and_of_no_others(chat):
    chat.say("!watch jobs", who="joe", room="#noc")
    chat.hears(r"W1: I tell here of jobs that end, as far as joe may see it")
    chat.asks("!uptime on vault1", "done", who="ana")
    chat.asks("!uptime on web1", "done", who="ana")
    chat.hears(r"#2 uptime on web1 done.* · ana\n\(watch W1 of joe\)\n→ !job 2")
    assert not [text for text in heard(chat, "noc") if "vault1" in text]


def test_they_are_listed_where_they_are_and_ended_by_whom_they_belong_to(chat):
    chat.asks("!watch changes on web", "W2: I tell here of changes on web that end", who="joe")
    assert "W1" not in chat.asks("!watches", "Nothing is watched here", who="kim")
    assert "direct messages of joe" in chat.asks("!watches", "W2", who="ana")
    chat.say("!unwatch 1", who="kim", room="#noc")
    chat.hears("No: joe or an admin ends W1")
    chat.asks("!unwatch 2", "W2 ended: changes on web", who="ana")


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("!watch", "Nothing is watched here|W"),
        ("!watch nonsense", "none of these"),
        ("!watch jobs on vault", "vault"),
        ("!unwatch", "Which one"),
        ("!unwatch 99", "no watch W99"),
        ("!at 22:00 watch jobs", "type it once"),
    ],
)
def test_what_is_wrong_is_said(chat, typed, answer):
    chat.asks(typed, answer, who="kim")


def test_the_same_twice_is_one(chat):
    chat.asks("!watch approvals", "requests that wait for approval", who="kim")
    chat.asks("!watch approvals", "tells that here already", who="kim")


@pytest.mark.parametrize(("opened", "thread"), [(True, ""), (False, "5.1")])
def test_a_thread_that_is_there_for_the_answer_alone_is_not_what_is_meant(chat, opened, thread):
    place = Place("test", "#dba", "5.1")
    chat.automation.commands["watch"](CommandCall(Caller("test", "ana"), place, "jobs on db", opened=opened))
    assert chat.automation.store.watches.all()[-1].place == replace(place, thread=thread)
