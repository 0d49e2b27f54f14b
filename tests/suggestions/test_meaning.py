"""Sentences compared by meaning, by the child that does it."""

import os
import signal

import pytest

from automation_bots.operations.own_commands import OWN
from automation_bots.suggestions.meaning import Meaning
from automation_bots.suggestions.synonyms import SYNONYMS
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow
ENTRIES = {name: (name.replace("-", " "), *texts) for name, texts in SYNONYMS.items()}


@pytest.fixture(scope="module")
def meaning():
    made = Meaning()
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("how full are the file systems", "disk"),
        ("what hogs the processor", "processes"),
        ("how much ram is left", "memory"),
        ("no changes over christmas please", "freeze"),
        ("what did joe do yesterday", "audit"),
        ("roll back my last change", "config-rollback"),
    ],
)
def test_a_sentence_is_near_what_answers_it(meaning, question, name):
    assert name in [found for found, _ in meaning.nearest(question, ENTRIES)[:3]]


def test_nonsense_is_near_nothing(meaning):
    assert meaning.nearest("make me a coffee", ENTRIES)[0][1] < 0.36


def test_only_what_is_given_is_compared(meaning):
    assert [name for name, _ in meaning.nearest("how full are the disks", {"memory": ("free memory",)})] == ["memory"]


def test_a_child_that_was_killed_is_started_again(meaning):
    meaning.nearest("x", ENTRIES)
    os.kill(meaning._group.pid, signal.SIGKILL)
    wait(meaning._group.ended, 10)
    assert meaning.nearest("free memory", ENTRIES)[0][0] == "memory"


def test_other_words_are_of_commands_that_are_shipped(tmp_path):
    from automation_bots.app.bot import Bot
    from tests.support.program import write_bot

    live = Bot(write_bot(tmp_path / "x"), {"AUTOMATION_BOTS_DATA": str(tmp_path / "d")}, read_only=True).live
    of_the_demo = {"port", "resolve", "subnet", "time-sync", "disk-clean", "facts", "patch"}
    assert set(SYNONYMS) - set(OWN) - set(live.catalog.operations) - of_the_demo == set()
