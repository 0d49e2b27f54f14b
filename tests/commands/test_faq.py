"""`!faq`, and what is learnt from what people typed before they found the right command."""

import pytest

from automation_bots.drivers.fake import Fake
from automation_bots.store import AuditKind
from tests.support.chatbot import ChatBot, wait, write_folder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    with ChatBot(write_folder(tmp_path_factory.mktemp("bot")), drivers=(Fake(),)) as chat:
        yield chat


def forget_all(chat):
    for line in chat.asks("!faq").split("\n"):
        if line[:1].isdigit():
            chat.asks(f"!faq forget {line.split()[0]}", "is forgotten")


@pytest.fixture(autouse=True)
def empty(chat):
    yield
    forget_all(chat)


def learnt(chat):
    return {(one.text, one.operation): one for one in chat.automation.store.questions.learnt()}


def runs(chat, line, who):
    chat.asks(f"!{line}", "done", who=who)


def test_words_that_were_no_command_are_learnt_from_what_the_same_person_ran_then(chat):
    chat.asks("!howlongup web1", who="joe")
    runs(chat, "uptime on web1", "kim")
    runs(chat, "uptime on web1", "joe")
    wait(lambda: ("howlongup {devices}", "uptime") in learnt(chat), 5)
    assert learnt(chat)["howlongup {devices}", "uptime"].person == "joe"


def test_what_was_learnt_answers_others(chat):
    question = "!ask whither goest thou blithe spirit on web2"
    assert "!memory" not in chat.asks(question, who="kim")
    for times in (1, 2):
        chat.asks(question, who="joe")
        runs(chat, "memory on web2", "joe")
        wait(lambda times=times: (times, "joe") in {(one.times, one.person) for one in learnt(chat).values()}, 5)
    assert "!memory on web2" in chat.asks(question, who="kim")
    assert "blithe" in chat.asks("!faq", who="joe")
    assert "blithe" not in chat.asks("!faq", who="kim")  # the words are joe's alone


def test_a_question_is_answered_with_what_somebody_wrote(chat):
    said = chat.asks("!faq add who restarts nginx? = the web team · !service status nginx on web")
    assert "!service status nginx on web" in said
    assert "the web team" in chat.asks("!ask Who restarts nginx", who="joe")
    assert "the web team" in chat.asks("!ask who is it that restarts nginx", who="joe")
    assert chat.automation.store.audit_rows(kind=AuditKind.FAQ, limit=1)


def test_only_those_whom_a_rule_lets_write(chat):
    assert chat.asks("!faq add is it up? = look", who="joe").startswith("No")
    assert "is it up" not in chat.asks("!faq")


def test_what_somebody_may_not_use_or_see_is_left_out(chat):
    chat.asks("!faq add how do I patch? = at night · !patch on web")
    chat.asks("!faq add where are the passwords? = on vault1")
    said = chat.asks("!faq", who="joe")
    assert "at night" in said and "!patch" not in said and "vault1" not in said
    assert "!patch on web" in chat.asks("!faq")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("!faq add x", "A question of at most"),
        ("!faq add what? = !nonsense on web", "There is no command 'nonsense'"),
        ("!faq add code? = password: hunter2-hunter2", "No: there is a secret in it"),
        ("!faq edit 77 a = b", "There is no question '77'"),
        ("!faq forget L77", "Nothing was learnt under L77"),
        ("!faq 77", "There is no question 77"),
    ],
)
def test_what_cannot_be_written_is_said(chat, typed, said):
    assert said in chat.asks(typed)
