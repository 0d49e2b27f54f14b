"""`!jobs` and what narrows it; output that is not there yet."""

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.model import Outcome, Status
from tests.support.chatbot import ChatBot, write_folder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    fake = Fake(seconds={"reboot": 3.0})
    fake.outcomes["web2"] = Outcome("web2", Status.FAILED, "no")
    with ChatBot(write_folder(tmp_path_factory.mktemp("bot")), drivers=(fake,)) as chat:
        chat.asks("!uptime on web1", "#1 .*done", who="joe")
        chat.asks("!uptime on web2", "#2 .*1 failed", who="ana")
        chat.asks("!disk on web1", "#3 .*done", who="ana")
        yield chat


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("", [3, 2, 1]),
        ("all", [3, 2, 1]),
        ("mine", [3, 2]),
        ("joe", [1]),
        ("failed", [2]),
        ("uptime", [2, 1]),
        ("on web1", [3, 1]),
        ("web*", [3, 2, 1]),
        ("uptime ana", [2]),
        ("web1 failed", []),
    ],
)
def test_words_narrow_the_list(chat, words, numbers):
    said = chat.asks(f"!jobs {words}", who="ana")
    assert [number for number in (3, 2, 1) if f"#{number} " in said] == numbers


def test_output_that_is_not_there_yet_is_said_to_be_not_there_yet(chat):
    chat.asks("!reboot on web3", r"#4 ", who="ana")
    assert "yet: it is running" in chat.asks("!job 4 output web3", who="ana")


def test_a_person_whom_one_may_not_see_is_no_other_word_than_nonsense(chat):
    assert "is not one of mine" in chat.asks("!jobs vault1", who="joe")
