"""Words on their way to Slack and back."""

import html

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation_bots.chat.client import Field, Form
from automation_bots.chat.slack import text as slack_text
from tests.fakes.slack import blocks as kit
from tests.support.bounds import examples

NAMES = {"U1": "joe", "C1": "netops"}


@pytest.mark.parametrize(
    ("sent", "typed"),
    [
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("&amp;lt; stays", "&lt; stays"),
        ("on <http://web1.example.com|web1.example.com>", "on web1.example.com"),
        ("see <https://x.example/a?b=1&amp;c=2>", "see https://x.example/a?b=1&c=2"),
        ("to <mailto:ops@corp.example|ops@corp.example>", "to ops@corp.example"),
        ("<@U1> in <#C1|> and <#C2|lab>", "@joe in #netops and #lab"),
        ("<!here> <!subteam^S1|@leads>", "@here @leads"),
    ],
)
def test_what_slack_sends_is_what_was_typed(sent, typed):
    assert slack_text.plain(sent, lambda id_: NAMES.get(id_, id_)) == typed


@pytest.mark.parametrize("text", ["<@U0> ping", " <@U0|netbot>: ping", "<@U0>, ping"])
def test_a_mention_at_the_beginning_goes(text):
    assert slack_text.without_mention(text, "U0") == ("ping", True)


def test_a_mention_of_somebody_else_or_in_the_middle_stays():
    assert slack_text.without_mention("<@U1> ping", "U0") == ("<@U1> ping", False)
    assert slack_text.without_mention("ask <@U0>", "U0") == ("ask <@U0>", False)


@settings(max_examples=examples(50))
@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_makes_blocks_that_slack_takes_and_that_show_it(words, block):
    shown = "\n".join(part for part in (slack_text.escape(words), slack_text.fence(block)) if part)
    blocks = slack_text.blocks(shown, ("yes", "no"))
    kit.check_message(blocks)
    seen = "".join(kit.texts(blocks[:-1]))
    assert slack_text.escape(block).strip("\n") in seen
    assert slack_text.escape(words).strip("\n") in seen


@given(st.text(max_size=1000), st.integers(1, 40))
def test_the_text_beside_the_blocks_calls_nobody_and_is_whole_where_slack_takes_it(text, times):
    beside, whole = slack_text.notice(text * times), html.escape(text * times, quote=False)
    assert "<" not in beside
    assert len(beside) <= 4_000
    assert beside == whole or (len(whole) > 3_900 and whole.startswith(beside.removesuffix(" …")))


def test_the_text_beside_the_blocks_ends_in_no_half_character():
    assert slack_text.notice("x" * 3_897 + "<here>") == "x" * 3_897 + " …"


def test_choices_are_buttons_that_say_what_was_offered():
    row = slack_text.blocks("well?", ("x" * 100, "no"))[1]
    kit.check_message([row])
    assert [button["value"] for button in row["elements"]] == ["x" * 100, "no"]


def test_a_form_is_a_window_that_slack_takes():
    fields = (
        Field("action", "Action", ("restart", "stop")),
        Field("lines", "Lines", lines=True, required=False, hint="h" * 300),
        Field("many", "Many", tuple(str(number) for number in range(200))),
    )
    view = slack_text.view(Form("key", "a long title " * 5, fields), "key", "C1")
    assert kit.check_view(view) == []
    kinds = [block["element"]["type"] for block in view["blocks"]]
    assert kinds == ["static_select", "plain_text_input", "plain_text_input"]
