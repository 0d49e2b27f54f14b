"""What the published Mattermost backend for Errbot does wrong cannot happen here; over TLS and without buttons."""

import re
import sys
import threading
import time

import pytest
from errbot.backends.base import Card

from automation_bots.chat.client import Away
from automation_bots.model import Answer, Place, State
from backends.adapter import installed
from tests.chat.contract import (  # noqa: F401 - the contract's questions, here answered by reactions
    test_an_approver_clicks_and_it_runs,
    test_nobody_approves_their_own_by_a_click,
    test_words_always_approve,
)
from tests.chat.networks.mattermost import Mattermost
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    net = Mattermost(tls=tmp_path_factory.mktemp("tls"), buttons=False)
    yield net
    net.close()


def test_it_starts_on_this_python_and_is_found_by_its_name(talk):
    assert sys.version_info >= (3, 11)
    assert installed.named("Mattermost") == "Mattermost"
    talk.asks("!whoami", "ana")


def test_it_works_over_an_encrypted_link(talk, net):
    assert net.server.url.startswith("https://")
    assert talk.bot.errbot.client.socket._url.startswith("https://")
    assert net.server.sockets("netbot") == 1


def test_a_group_message_is_answered(talk, net):
    group = net.post(talk.ana, "/channels/group", [talk.ana.id, talk.joe.id, net.bot.id])["id"]
    talk.asks("whoami", "joe", who=talk.joe, room=group, mention=True)


def test_a_second_team_is_answered_too(talk, net):
    team = net.post(net.admin, "/teams", {"name": "second", "display_name": "Second"})["id"]
    for who in (net.bot, talk.ana):
        net.post(net.admin, f"/teams/{team}/members", {"team_id": team, "user_id": who.id})
    room = net.post(talk.ana, "/channels", {"team_id": team, "name": "r", "display_name": "R", "type": "P"})["id"]
    net.post(talk.ana, f"/channels/{room}/members", {"user_id": net.bot.id})
    talk.asks("!whoami", "ana", room=room)


def test_an_answer_stays_in_the_thread_of_its_question(talk):
    first = talk.say("something is slow")
    _, answer = talk.asks("!uptime on web1", r"#\d+", thread=first)
    assert answer.thread == first


def test_a_card_of_a_plugin_needs_no_webhook(talk):
    errbot = talk.bot.errbot
    room = errbot.build_identifier(talk.room)
    errbot.send_card(Card(body="the body of a card", to=room, frm=errbot.bot_identifier, title="A card"))
    talk.hears("the body of a card")


def test_whoever_takes_the_name_of_somebody_gets_none_of_the_rights(talk, net):
    eve = net.human("eve")
    net.post(net.admin, f"/channels/{talk.room}/members", {"user_id": eve.id})
    net.rename(talk.ana, "somebody-else")
    net.rename(eve, "ana")
    talk.asks("!service restart nginx on vault1", f"do not know you|{eve.id}", who=eve)
    talk.asks("!whoami", "ana", who=talk.ana)


def test_while_one_call_hangs_messages_are_heard_all_the_same(talk, net):
    limiter = net.server.api.limiter
    heard, client = [], talk.bot.errbot.client
    limiter.hang_seconds = 6.0
    slow = threading.Thread(target=lambda: client.rest.get("/users/me"))
    slow.start()
    before = client._heard_until
    talk.say("chatter while a call hangs")
    wait(lambda: client._heard_until > before, 20, lambda: heard)
    assert slow.is_alive()
    limiter.hang_seconds = 0.0
    slow.join()


def test_a_server_that_was_away_for_a_while_does_not_lose_the_bot(talk, net):
    net.server.stop()
    wait(lambda: talk.bot.errbot.link.trouble, 10)
    time.sleep(2.5)  # several tries fail
    net.server.start()
    wait(lambda: not talk.bot.errbot.link.trouble, 30)
    talk.asks("!whoami", "ana")


def test_what_is_asked_with_reactions_shows_which_sign_means_what(talk):
    _, answer = talk.asks("!service restart nginx on db1", "waits for approval", who=talk.joe)
    number = re.search(r"#(\d+)", answer.text)[1]
    question = talk.hears(f"#{number} joe asks for approval")
    wait(lambda: talk.hears(f"#{number} joe asks").reactions == ("white_check_mark", "x", "mag"), 10)
    assert "✅ Approve · ❌ Deny" in question.text
    talk.asks(f"!deny {number} no", "is denied", who=talk.kim)


def test_a_room_is_called_by_its_name_where_approvers_are_asked(talk, net):
    _, answer = talk.asks("!service restart named on db1", "waits for approval", who=talk.joe)
    number = re.search(r"#(\d+)", answer.text)[1]
    assert f"in #{net.server.api.world.channels[talk.room]['name']}" in talk.hears(f"#{number} joe asks").text
    talk.asks(f"!deny {number} no", "is denied", who=talk.kim)


def test_a_reaction_taken_by_a_stranger_decides_nothing(talk, net):
    mallory = net.human("mallory")
    net.post(net.admin, f"/channels/{talk.room}/members", {"user_id": mallory.id})
    _, answer = talk.asks("!service restart nginx on db1", "waits for approval", who=talk.joe)
    number = int(re.search(r"#(\d+)", answer.text)[1])
    question = talk.hears(f"#{number} joe asks for approval")
    net.choose(mallory, talk.room, question.id, "Approve")
    talk.settled()
    assert talk.bot.automation.store.job(number).state is State.WAITING
    talk.asks(f"!deny {number} no", "is denied", who=talk.kim)


def test_an_answer_below_a_deleted_command_is_said_in_the_room(talk, net):
    message, first = talk.asks("!reboot on web1", r"#\d+ ")
    number = re.search(r"#\d+ ", first.text)[0]
    net._call("DELETE", talk.ana, f"/posts/{message}")
    said = talk.hears(f"{number}.* done in ")
    assert said.thread == ""


def test_an_id_of_a_room_that_is_none_fails_for_good_and_says_so(talk):
    with pytest.raises(Exception, match=r"api\.context\.permissions") as caught:
        talk.surface.say(Place("mattermost", "nowhere"), Answer("x"))
    assert not isinstance(caught.value, Away)
