"""Buttons, and calls that are none."""

import pytest
import requests

from tests.chat.mattermost.ear import Ear

pytestmark = pytest.mark.slow


def test_a_click_says_who_by_id_and_what(net, client, ear):
    asked = client.post(net.here, "well?", "", ("Approve", "Deny"))
    net.choose(net.joe, net.here, asked, "Deny")
    ear.until(lambda: any(one.message == asked for one in ear.choices))
    chosen = next(one for one in ear.choices if one.message == asked)
    assert (chosen.sender, chosen.choice, chosen.room) == (net.joe.id, "Deny", net.here)


def click(net, asked, **changed):
    """Call the endpoint as the server does, with a button's own context."""
    post = net.server.api.posts.posts[asked]
    context = post["props"]["attachments"][0]["actions"][0]["integration"]["context"]
    call = {"user_id": net.joe.id, "post_id": asked, "channel_id": post["channel_id"], "context": dict(context)}
    call["context"].update(changed.pop("context", {}))
    return requests.post(net.callback, json={**call, **changed}, timeout=5)


@pytest.mark.parametrize(
    "changed",
    [{"context": {"secret": "0" * 64}}, {"context": {"secret": None}}, {"context": {"choice": "Deny"}},
     {"context": {"question": "0" * 16}}, {"channel_id": "x" * 26}, {"context": {"secret": "é"}}],
)  # fmt: skip
def test_a_forged_click_is_refused(net, client, ear, changed):
    asked, before = client.post(net.here, "well?", "", ("Approve", "Deny")), len(ear.choices)
    assert click(net, asked, **changed).status_code == 403
    assert len(ear.choices) == before


def test_who_clicks_while_the_bot_is_stopping_is_told_to_click_again(net, client, ear):
    asked, ear.is_stopping = client.post(net.here, "well?", "", ("Approve",)), True
    answer = click(net, asked).json()["ephemeral_text"]
    ear.is_stopping = False
    assert answer == "The bot could not check that just now; click again, or type the answer."
    assert click(net, asked).json() == {}


def test_the_secret_of_one_question_opens_no_other(net, client, ear):
    one, other = (client.post(net.here, text, "", ("Approve",)) for text in ("first", "second"))
    before = len(ear.choices)
    assert "not open" in click(net, one, post_id=other).json()["ephemeral_text"]
    assert "not open" in click(net, one, post_id="../../users/me").json()["ephemeral_text"]
    assert len(ear.choices) == before


def test_the_buttons_of_an_answered_question_do_nothing_more(net, client, ear):
    asked = client.post(net.here, "well?", "", ("Approve",))
    action = net.server.api.posts.posts[asked]["props"]["attachments"][0]["actions"][0]
    client.edit(net.here, asked, "approved")
    assert next(one for one in net.seen(net.ana, net.here) if one.id == asked).choices == ()
    call = {
        "user_id": net.joe.id,
        "post_id": asked,
        "channel_id": net.here,
        "context": action["integration"]["context"],
    }
    assert "not open" in requests.post(net.callback, json=call, timeout=5).json()["ephemeral_text"]


@pytest.mark.parametrize(("body", "status"), [("no json", 400), ("[]", 403), ("{}", 403), ("x" * 70_000, 413)])
def test_what_is_no_click_is_refused(net, client, body, status):
    assert requests.post(net.callback, data=body, timeout=5).status_code == status


def test_the_endpoint_is_bound_to_its_address_only_and_answers_nothing_else(net, client):
    assert requests.get(net.callback, timeout=5).status_code == 405
    assert requests.post(net.callback + "/x", json={}, timeout=5).status_code == 404
    assert client.settings.listen[0] == "127.0.0.1"


def test_clients_never_see_where_a_click_goes_or_its_secret(net, client):
    asked = client.post(net.here, "well?", "", ("Approve",))
    text = str(net._call("GET", net.ana, f"/posts/{asked}"))
    assert "secret" not in text and net.callback not in text


def test_without_an_address_for_clicks_a_reaction_answers(net, another):
    ear, client = Ear(), another()
    client.connect(ear)
    asked = client.post(net.here, "well?")
    client.react(net.here, asked, "Approve")
    net.choose(net.joe, net.here, asked, "Approve")
    ear.until(lambda: ear.choices)
    assert [(one.sender, one.choice, one.message) for one in ear.choices] == [(net.joe.id, "Approve", asked)]
