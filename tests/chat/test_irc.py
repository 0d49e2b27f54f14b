"""IRC: what a plain network can do of the contract, on Errbot's own backend and a real ngircd."""

import re
import time

import pytest

from automation_bots.model import Answer, Place
from tests.chat import contract
from tests.chat.contract import (  # noqa: F401 - IRC has no ids of messages, edits, files, buttons and threads
    test_a_burst_of_messages_loses_no_command,
    test_a_command_is_answered_where_it_was_said,
    test_a_long_answer_is_split_between_its_lines,
    test_a_mention_means_the_bot,
    test_a_message_without_a_reference_is_said_anew,
    test_a_missing_value_is_asked_for_and_the_next_words_answer_it,
    test_a_transcript_gives_the_same_answers_on_every_network,
    test_a_whole_output_comes_as_a_file,
    test_after_a_cut_the_bot_is_back,
    test_another_name_is_still_the_same_person,
    test_commands_of_one_thread_are_answered_in_their_order,
    test_in_a_direct_message_nothing_stands_before_a_command,
    test_markup_of_a_device_is_shown_and_calls_nobody,
    test_more_than_a_screen_is_a_file_with_its_beginning_in_front,
    test_who_is_not_known_is_told_so_by_id,
    test_words_always_approve,
)
from tests.chat.networks.irc import Irc

pytestmark = pytest.mark.slow
assert contract


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """Give the network."""
    net = Irc(tmp_path_factory.mktemp("ngircd"))
    yield net
    net.close()


def test_a_line_longer_than_irc_takes_is_cut_between_words_and_nothing_of_it_is_lost(talk):
    words = " ".join(f"wörd{number}" for number in range(200))
    talk.surface.say(Place("irc", talk.room), Answer(f"begin {words} finish"))
    post = talk.hears("wörd199 finish")
    assert re.search("begin .* finish", post.text.replace("\n", " "))[0] == f"begin {words} finish"


def test_lines_that_look_like_lists_tables_and_headings_are_said_as_they_are(talk):
    lines = [
        "5. five",
        "- a dash",
        "+ a plus",
        "    four spaces",
        "| a | b |",
        "|---|---|",
        "Title",
        "===",
        "---",
        ": x",
    ]
    talk.surface.say(Place("irc", talk.room), Answer("\n".join(["first line", *lines, "last line"])))
    text = talk.hears("last line").text.replace("\u200b", "")
    assert text[text.index("first line") :].split("\n")[: len(lines) + 2] == ["first line", *lines, "last line"]


def test_a_notice_is_never_answered(talk, net):
    net.people[talk.ana.id].notice(talk.room, "!whoami")
    net.people[talk.ana.id].notice("netbot", "whoami")
    before = len(talk.answers()), len(talk.answers(""))
    time.sleep(1)
    assert (len(talk.answers()), len(talk.answers(""))) == before


def test_the_end_of_a_job_is_told_when_the_network_is_back(talk, net):
    _, first = talk.asks("!reboot on web2", r"#\d+ ")
    net.down(is_down=True)
    time.sleep(2)
    net.down(is_down=False)
    number = re.search(r"#\d+ ", first.text)[0]
    talk.hears(f"{number}.* done in ", seconds=60)
