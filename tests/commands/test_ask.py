"""`!ask`, and sentences that are no command."""

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.jobs.request_context import TypedCommand
from automation_bots.model import Caller, Place
from tests.support.chatbot import BOT_TOML, ChatBot, wait, write_folder

pytestmark = pytest.mark.slow
LOGIN = """# bot:
#   help: Set a login
#   risk: change
#   parameters: {user: {}, password: {secret: true}}
- hosts: all
"""


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("bot"), files={"playbooks/userlogin.yml": LOGIN})
    with ChatBot(folder, drivers=(Fake(), Fake(name="ansible"))) as chat:
        yield chat


@pytest.mark.parametrize(
    ("who", "typed", "said"),
    [
        ("joe", "!ask how full are the file systems on the web servers", "!disk on web"),
        ("joe", "!ask what hogs the cpu on web1", "!processes on web1"),
        ("joe", "!ask make me a coffee", "I do not know a command for that."),
        ("joe", "!ask", "What would you like to know?"),
        ("joe", "!what hogs the cpu on web1", "!processes on web1"),
        ("ana", "!restart nginx on web1", "Did you mean  !service restart nginx on web1 ?"),  # Errbot restarts itself
        ("ana", "!turn it off and on again on web1", "!reboot on web1"),
    ],
)
def test_a_sentence_is_answered_with_the_line_to_type(chat, who, typed, said):
    assert said in chat.asks(typed, who=who)


def test_what_somebody_may_not_use_or_see_is_not_named(chat):
    for typed in ("!ask turn web1 off and on again", "!ask is vault1 alive", "!ask install updates on vault1"):
        said = chat.asks(typed, who="joe")
        assert not {"!reboot", "!patch"} & set(said.split()) and "on vault1" not in said


def test_no_button_hides_a_part_of_what_it_would_do(chat):
    def buttons(line):
        said = TypedCommand(Caller("test", "ana"), Place("test", "ops"), "rnu", line)
        return [(button.label, button.line) for button in chat.automation.pipeline.lookup.unknown(said).buttons]

    assert buttons("uptime on web1") == [("!run uptime on web1", "run uptime on web1")]
    assert buttons(f'"uptime{" " * 60}; rm -r /data" on web1') == buttons("'uptime\n; x' on web1") == []


def test_a_secret_that_was_mistyped_is_not_repeated(chat):
    said = chat.asks("!userlgoin ann hunter2 on web1")
    assert "!userlogin <user> <password> on <devices>" in said and "hunter2" not in said


def test_words_before_a_command_that_takes_a_secret_are_not_learnt(chat):
    chat.asks("!userlgoin ann swordfish on web1")
    chat.asks("!userlogin ann swordfish on web1", r"#\d+ userlogin.* done")
    chat.asks("!uptmie on web1")
    chat.asks("!uptime on web1", r"#\d+ uptime.* done")
    learnt = chat.automation.store.questions.learnt
    wait(lambda: any(one.operation == "uptime" for one in learnt()), 10)
    assert not [one.text for one in learnt() if "swordfish" in one.text]


def test_without_comparing_by_meaning_nothing_is_started(tmp_path):
    toml = BOT_TOML + "[suggestions]\nmeaning = false\n"
    with ChatBot(write_folder(tmp_path, toml=toml), drivers=(Fake(),)) as chat:
        assert "I do not know a command" in chat.asks("!ask what hogs the cpu on web1")
