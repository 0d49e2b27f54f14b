"""`!help`: a page, groups, a search, one command."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from automation_bots.commands import help_text
from automation_bots.commands.help_text import Entry, Topic, job_facts
from automation_bots.drivers.fake import Fake
from tests.support import big
from tests.support.chatbot import ChatBot, write_folder

ENTRIES = (
    Entry("service", "Look at, start or restart a service", "!service <start|restart> <name> on <devices>",
          choices=("start", "restart")),
    Entry("reboot", "Restart the whole machine", "!reboot on <devices>"),
    Entry("memory", "How much memory is used", "!memory on <devices>"),
)  # fmt: skip


def lines(answer):
    return answer.block.splitlines()


def test_what_one_wants_to_do_finds_the_command_with_its_value_filled_in():
    found = help_text.found(ENTRIES, ["how", "do", "i", "restart", "nginx"])
    assert lines(found)[0].startswith("!service restart <name> on <devices>")
    assert not any("memory" in line for line in lines(found))


def test_words_that_fit_nothing_find_nothing():
    assert help_text.found(ENTRIES, ["coffee"]) is None


def test_a_row_shows_what_somebody_uses_first_and_says_how_many_more_there_are():
    entries = tuple(Entry(f"command{number:02}", "") for number in range(40))
    page = help_text.overview({"look": Topic("look", "", entries)}, ["command33"], None, {})
    assert lines(page)[0].startswith("look  command33, command00, ")
    assert lines(page)[0].endswith(f"{40 - lines(page)[0].count(',') - 1} more")


def test_each_topic_is_a_button():
    page = help_text.overview({"look": Topic("look", "", ENTRIES)}, [], None, {})
    assert [(button.label, button.line) for button in page.buttons] == [("look", "help look")]


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    with ChatBot(write_folder(tmp_path_factory.mktemp("bot")), drivers=(Fake(),)) as chat:
        yield chat


@pytest.mark.slow
def test_help_is_a_page(chat):
    assert len(chat.asks("!help", "What you may do here").splitlines()) < 16


@pytest.mark.slow
def test_the_page_says_what_was_typed_last_and_most(chat):
    chat.asks("!uptime on web1", "done in", who="joe")
    said = chat.asks("!help", "What you may do", who="joe")
    assert "You use most: !uptime" in said and "Last:  !uptime on web1" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("who", "text", "there", "absent"),
    [
        ("joe", "!help people", "usage    !people", "!invite"),
        ("joe", "!help bot", "!whoami", "!repos"),
        ("joe", "!help freezes", "!locks", "!freeze"),
        ("ana", "!help freezes", "!freeze", "nothing"),
        ("ana", "!help look", "!uptime", "minions"),  # there is no master
        ("ana", "!help plugins", "!plugin reload", "!uptime"),
        ("joe", "!help verbs", "!uptime", "!reboot"),
        ("joe", "!help flags", '--canary 1,10%', "!"),
        ("joe", "!help restart the web server", "!service restart <name>", "!reboot"),
        ("ana", "!help reboot", "flags    --reason", "str"),
    ],
)  # fmt: skip
def test_help_answers_for_this_person_only(chat, who, text, there, absent):
    said = chat.asks(text, who=who)
    assert there in said
    assert absent not in said.replace(there, "").replace("→ !", "").replace("for !continue", "")


@pytest.mark.slow
def test_examples_stay_as_their_author_wrote_them(chat):
    assert "example  !service restart nginx on web1" in chat.asks("!help service", "usage", who="ana")


NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_job_that_named_no_devices_is_said_to_have_none_typed():
    job = replace(big.JOB, devices=("web1", "web2"), created=NOW)
    assert dict(job_facts(job, "dm", NOW, "UTC"))["devices"] == "web1, web2 (2)"
    assert dict(job_facts(replace(job, pattern="web"), "dm", NOW, "UTC"))["devices"] == "web1, web2 (2, from web)"
