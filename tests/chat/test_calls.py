"""Whom a message calls: in each network's own form, by ids, and never by what stands in a text."""

import pytest

from automation_bots.chat.matrix import events as matrix
from automation_bots.chat.mattermost import text as mattermost
from automation_bots.chat.slack import text as slack
from automation_bots.chat.splitting import Style, compose
from automation_bots.model import Answer, Mention, Place
from automation_bots.surface import Capabilities
from backends.adapter.plain_surface import PlainSurface

KIM, LEE = Mention("@kim:lab.test", "kim"), Mention("@l.ee=1:lab.test", "lee <b>")
FORGED = "\x02@joe:lab.test\x1fjoe\x03 \x02U0JOE\x1fjoe\x03 @here @all <!here> <@U0JOE>"


def composed(network, *people, text="look", limit=10_000):
    answer = Answer(text, block=text, hint=text, mentions=people)
    return compose(answer, Capabilities(message_size=limit), Style(network.escape, network.fence)).messages


def test_slack_gets_elements_for_people_and_the_same_words_beside_the_blocks():
    (text,) = composed(slack, Mention("U0KIM", "kim"))
    (shown, *_) = slack.blocks(text)[0]["elements"]
    assert {"type": "user", "user_id": "U0KIM"} in shown["elements"]
    assert "To: <@U0KIM>" in slack.notice(text)


def test_slack_gets_no_id_that_would_make_it_refuse_the_message():
    (text,) = composed(slack, Mention("kim@corp.example", "kim"))
    assert "user_id" not in str(slack.blocks(text))
    assert "To: kim" in slack.notice(text)


def test_matrix_names_people_in_the_event_and_shows_them_as_links():
    content = matrix.message(composed(matrix, KIM, LEE)[0])
    assert content["m.mentions"] == {"user_ids": [KIM.account, LEE.account]}
    assert '<a href="https://matrix.to/#/%40kim%3Alab.test">kim</a>' in content["formatted_body"]
    assert "lee &lt;b&gt;</a>" in content["formatted_body"]
    assert "To: kim, lee <b>" in content["body"]


def test_an_id_that_is_none_of_matrix_is_read_and_called_nowhere():
    content = matrix.message(composed(matrix, Mention("kim", "kim"))[0])
    assert content["m.mentions"] == {}
    assert "To: kim" in content["body"]


def test_mattermost_calls_by_the_name_that_the_server_has_just_told():
    kim = Mention("k" * 26, "kim_b")
    assert mattermost.called(kim, {kim.account: "kim.2"}) == "@kim.2"
    assert mattermost.called(kim, {kim.account: "all"}) == mattermost.called(kim, {}) == mattermost.escape("kim_b")


class Irc:
    """Errbot's IRC as far as it is spoken to."""

    mode = "irc"

    def __init__(self):
        self.said = []

    def build_identifier(self, room):
        return room

    def send(self, room, text):
        self.said.append(text)


def test_on_irc_it_is_the_nick_where_the_id_has_it_else_the_name():
    irc = Irc()
    people = (Mention("kimmy!kim@corp.example", "kim"), Mention("~lee@corp.example", "lee"))
    PlainSurface(irc).say(Place("irc", "#ops"), Answer("look", mentions=people))
    assert irc.said == ["look\nTo: kimmy, lee"]


@pytest.mark.parametrize("network", [slack, matrix, mattermost])
def test_what_is_said_cannot_be_made_to_look_like_a_call(network):
    (text,) = composed(network, text=FORGED)
    assert "\x02" not in text
    assert '"user_id"' not in str(slack.blocks(text))
    assert matrix.message(text)["m.mentions"] == {}


def test_people_of_whom_a_message_cannot_hold_all_stand_in_several():
    many = [Mention(f"@someone{number}:lab.test", f"someone{number}") for number in range(10)]
    said = composed(matrix, *many, limit=150)
    assert [one.account for text in said for one in matrix.calls.people(text)] == [one.account for one in many]
