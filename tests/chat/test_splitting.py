"""Long answers: nothing is lost, every message fits, every block is closed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation_bots.chat.splitting import Piece, Style, compose, compose_markdown, pieces_of, split
from automation_bots.model import Answer, File
from automation_bots.surface import Capabilities
from tests.support.bounds import examples

STYLE = Style(lambda text: text.replace("&", "&amp;"), lambda text: f"```\n{text}\n```")
TEXT = st.text(alphabet=st.sampled_from("ab&\n x"), max_size=400)


@settings(max_examples=examples(100))
@given(text=TEXT, block=TEXT, limit=st.integers(20, 80))
def test_every_message_fits_and_no_character_is_lost(text, block, limit):
    said = list(split([Piece(text), Piece(block, block=True)], limit, STYLE))
    assert all(0 < len(message) <= limit for message in said)
    shown = "".join(said).replace("```", "").replace("&amp;", "&")
    assert sorted(shown.replace("\n", "")) == sorted((text + block).replace("\n", ""))


@settings(max_examples=examples(50))
@given(block=TEXT, limit=st.integers(20, 80))
def test_every_message_closes_its_own_block(block, limit):
    for message in split([Piece(block, block=True)], limit, STYLE):
        assert message.count("```") == 2 and message.startswith("```\n") and message.endswith("\n```")


def test_lines_are_kept_whole_where_they_fit():
    block = "\n".join(f"line {number}" for number in range(9))
    said = list(split([Piece(block, block=True)], 40, STYLE))
    assert [line for m in said for line in m.split("\n") if line != "```"] == block.split("\n")


def test_what_fits_a_screen_stays_one_message():
    found = compose(Answer("said", "a\nb", "→ next"), Capabilities(files=True), STYLE)
    assert found.messages == ("said\n```\na\nb\n```\n→ next",)


def test_more_than_a_screen_becomes_a_file_named_after_its_job():
    block = "\n".join(str(number) for number in range(100))
    found = compose(Answer("#7 done", block), Capabilities(files=True), STYLE)
    assert [(file.name, file.text) for file in found.files] == [("job-7.txt", block)]
    assert "9\n… 90 more lines, all of it in job-7.txt" in found.messages[0]


def test_without_files_it_is_cut_and_says_so():
    block = "\n".join(str(number) for number in range(100))
    found = compose(Answer("#7 done", block, files=(File("p.png", b"\0"),)), Capabilities(screen_lines=20), STYLE)
    assert found.files == () and "… 81 more lines" in found.messages[0]


@pytest.mark.parametrize("control", ["\x1b[31m", "\u202e", "\x07", "\r"])
def test_control_characters_are_not_sent(control):
    assert control[0] not in compose(Answer(f"a{control}b", f"c{control}d"), Capabilities(), STYLE).messages[0]


def test_fences_of_a_plugin_are_kept_as_blocks():
    assert pieces_of("see\n```\na\n```\nthere") == [Piece("see"), Piece("a", block=True), Piece("there")]


@pytest.mark.parametrize("text", ["\n".join(f"line {n}" for n in range(60)), "x" * 40_000, f"```\n{'y' * 90}\n" * 600])
def test_what_a_plugin_from_elsewhere_writes_is_a_file_too_when_it_is_more_than_a_screen(text):
    found = compose_markdown(text, Capabilities(files=True, message_size=3_500), STYLE)
    assert [(file.name, file.text) for file in found.files] == [("answer.txt", text)]
    assert (len(found.messages), "all of it in answer.txt" in found.messages[0]) == (1, True)
    assert compose_markdown(text, Capabilities(), STYLE).files == ()


TURNING = "\u202e\u2066\u200f\u061c"


def test_nothing_that_turns_a_line_round_is_said_nor_in_a_file_of_text():
    many = "\n".join(f"a{TURNING}b" for _ in range(500))
    answer = Answer(f"a{TURNING}b", many, f"→ {TURNING}", files=(File.of_text("a.txt", many), File("a.bin", b"\0\xff")))
    for found in (
        compose(answer, Capabilities(files=True), STYLE),
        compose(answer, Capabilities(), STYLE),
        compose_markdown(many, Capabilities(files=True), STYLE),
    ):
        assert not set(TURNING) & set("".join([*found.messages, *(file.text or "" for file in found.files)]))


def test_of_markup_that_plugins_write_the_words_are_left():
    text = "### Plugins\n\nStatus | Name\n------ | ----\n**A**{:color='green'} | Bot\n```\n**kept** {:x}\n```"
    assert [piece.text for piece in pieces_of(text)] == ["Plugins\n\nStatus | Name\nA | Bot", "**kept** {:x}"]
