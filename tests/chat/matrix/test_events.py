"""What Matrix tells, read without a server."""

import pytest

from automation_bots.chat.matrix.events import Around, chosen

HERE = Around(me="@bot:x", my_names=(), room="!r:x", sender_name="Kim", direct=False)


def reaction(sign):
    content = {"m.relates_to": {"rel_type": "m.annotation", "event_id": "$q", "key": sign}}
    return {"event_id": "$1", "sender": "@kim:x", "origin_server_ts": 1_700_000_000_000, "content": content}


@pytest.mark.parametrize(
    ("sign", "choice"), [("\u2705", "Approve"), ("\u274c\ufe0f", "Deny"), ("\U0001f50d", "Details")]
)
def test_the_sign_of_a_choice_is_one(sign, choice):
    assert chosen(reaction(sign), HERE).choice == choice


@pytest.mark.parametrize("sign", ["\U0001f389", "\U0001f44d", "Approve", "", 7, None])
def test_a_sign_that_is_no_choice_is_nobodys_vote(sign):
    assert chosen(reaction(sign), HERE) is None
