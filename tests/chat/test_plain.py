"""Any other network of Errbot: the same words, in a readable way, without edits, buttons and files."""

from types import SimpleNamespace

import pytest

from backends.adapter.plain_surface import PlainSurface
from tests.chat import contract
from tests.chat.contract import (  # noqa: F401 - what a plain network can do
    test_a_command_is_answered_where_it_was_said,
    test_a_long_answer_is_split_between_its_lines,
    test_a_mention_means_the_bot,
    test_a_message_without_a_reference_is_said_anew,
    test_a_missing_value_is_asked_for_and_the_next_words_answer_it,
    test_a_transcript_gives_the_same_answers_on_every_network,
    test_a_whole_output_comes_as_a_file,
    test_in_a_direct_message_nothing_stands_before_a_command,
    test_markup_of_a_device_is_shown_and_calls_nobody,
    test_more_than_a_screen_is_a_file_with_its_beginning_in_front,
    test_who_is_not_known_is_told_so_by_id,
    test_words_always_approve,
)
from tests.chat.networks.plain import Plain, Terminal

pytestmark = [pytest.mark.slow, pytest.mark.wire]
assert contract


@pytest.fixture(scope="module", params=[Plain, Terminal], ids=["test", "text"])
def net(request):
    """Give each of them."""
    net = request.param()
    yield net
    net.close()


def test_tables_are_as_wide_as_the_network_shows_them():
    widths = {mode: PlainSurface(SimpleNamespace(mode=mode)).capabilities.columns for mode in ("irc", "xmpp")}
    assert widths["irc"] < 100 <= widths["xmpp"]
