"""What the client of Mattermost hears."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.chatbot import wait

pytestmark = pytest.mark.slow


def test_a_message_comes_with_ids_and_the_time_of_the_server(net, client, ear):
    began = datetime.now(UTC)
    heard = ear.message(net.say(net.ana, net.here, "!ping all"))
    assert (heard.sender, heard.room, heard.text, heard.thread) == (net.ana.id, net.here, "!ping all", "")
    assert abs(heard.at - began) < timedelta(seconds=5)
    assert not (heard.direct or heard.robot or heard.mentioned or heard.edited)


@pytest.mark.parametrize("words", ["@netbot help", "@NetBot: help", " @netbot, help"])
def test_the_name_of_the_bot_at_the_beginning_means_the_bot(net, client, ear, words):
    heard = ear.message(net.say(net.ana, net.here, words))
    assert (heard.mentioned, heard.text) == (True, "help")


@pytest.mark.parametrize("words", ["@netbot2 help", "@netbot.x help", "ask @netbot help"])
def test_a_name_that_is_longer_or_stands_elsewhere_does_not(net, client, ear, words):
    heard = ear.message(net.say(net.ana, net.here, words))
    assert (heard.mentioned, heard.text) == (False, words)


def test_group_messages_are_heard_and_are_not_direct(net, client, ear):
    group = net.post(net.ana, "/channels/group", [net.ana.id, net.joe.id, net.bot.id])["id"]
    heard = ear.message(net.say(net.ana, group, "@netbot help"))
    assert (heard.room, heard.direct, heard.mentioned) == (group, False, True)
    answer = client.post(group, "here I am", heard.id)
    assert [(one.id, one.thread) for one in net.seen(net.joe, group)][-1] == (answer, heard.id)


def test_a_direct_message_is_direct(net, client, ear):
    heard = ear.message(net.say(net.ana, "", "help"))
    assert heard.direct and heard.room == client.direct_room(net.ana.id)


def test_every_team_that_the_bot_is_in_is_heard(net, client, ear):
    team = net.post(net.admin, "/teams", {"name": "second", "display_name": "Second"})["id"]
    for who in (net.bot, net.ana):
        net.post(net.admin, f"/teams/{team}/members", {"team_id": team, "user_id": who.id})
    other = net.post(net.admin, "/channels", {"team_id": team, "name": "o", "display_name": "O", "type": "O"})["id"]
    for who in (net.bot, net.ana):
        net.post(net.admin, f"/channels/{other}/members", {"user_id": who.id})
    heard = ear.message(net.say(net.ana, other, "from the second team"))
    assert client.post(other, "answer", heard.id) in {one.id for one in net.seen(net.ana, other)}
    assert heard.id in {one.id for one in client.missed(datetime.now(UTC) - timedelta(minutes=1))}


def test_what_a_webhook_says_is_not_said_by_who_made_the_webhook(net, client, ear):
    body = {"channel_id": net.here, "message": "!reboot all", "props": {"from_webhook": "true"}}
    heard = ear.message(net.post(net.ana, "/posts", body)["id"])
    assert heard.robot
    assert heard.sender != net.ana.id


def test_what_the_server_says_about_a_room_is_no_message(net, client, ear):
    eve = net.human("eve")
    net.post(net.admin, f"/channels/{net.here}/members", {"user_id": eve.id})
    last = ear.message(net.say(net.ana, net.here, "after that"))
    assert not any("added to the channel" in one.text for one in ear.messages), last


def test_a_file_is_fetched_only_when_it_is_wanted(net, client, ear):
    heard = ear.message(net.send(net.ana, net.here, "look", "a.json", b'{"a": 1}'))
    before = net.calls()
    assert [(one.name, one.size) for one in heard.files] == [("a.json", 8)]
    assert net.calls() == before
    assert heard.files[0].fetch() == b'{"a": 1}'


def test_another_name_of_the_bot_is_known_at_once(net, client, ear):
    net.rename(net.bot, "opsbot")
    wait(lambda: client.my_name == "opsbot", 5)
    assert ear.message(net.say(net.ana, net.here, "@opsbot help")).mentioned
    net.rename(net.bot, "netbot")
    wait(lambda: client.my_name == "netbot", 5)
