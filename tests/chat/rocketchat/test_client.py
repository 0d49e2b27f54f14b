"""What is Rocket.Chat's own: logging in, being cut off, who reacted, whose rooms, and its limits."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.chat.client import SIGNS, Away, Busy, Down, IdempotencyKey, Rejected, Revoked
from automation_bots.chat.rocketchat.realtime import Realtime
from automation_bots.model import File
from tests.chat.networks.rocketchat import Ears, RocketChat, made
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def net():
    """Give a network."""
    net = RocketChat(heartbeat_seconds=0.2)
    net.ana = net.human("ana")
    yield net
    net.close()


@pytest.fixture
def client(net):
    """Give a connected client with ears, in a room with ana."""
    client = made({"url": net.server.url, "token": net.token})
    client.ears, client.room = Ears(), net.room(net.ana)
    client.connect(client.ears)
    yield client
    client.close()


def hears(client, text):
    wait(lambda: text in client.ears.said(), 10, lambda: f"no {text!r} in {client.ears.said()}")
    return next(message for message in client.ears.messages if message.text == text)


def test_a_message_comes_with_the_ids_of_the_network(net, client):
    mid = net.say(net.ana, client.room, "hello there")
    heard = hears(client, "hello there")
    assert (heard.id, heard.sender, heard.room) == (mid, net.ana.id, client.room)
    assert (heard.direct, heard.mentioned, heard.robot, heard.edited) == (False, False, False, False)
    assert abs(heard.at - datetime.now(UTC)) < timedelta(seconds=10)


def test_a_mention_is_known_by_id_and_taken_off(net, client):
    net.say(net.ana, client.room, "uptime on web1", mention=True)
    assert hears(client, "uptime on web1").mentioned


def test_public_rooms_where_the_bot_is_not_are_not_heard(net, client):
    world = net.server.world
    public = net.server.run(world.room, "c", "public", net.ana.id)["_id"]
    net.say(net.ana, public, "not for you")
    net.say(net.ana, client.room, "for you")
    hears(client, "for you")
    assert "not for you" not in client.ears.said()


def test_a_room_that_the_bot_is_invited_to_is_heard_at_once(net, client):
    net.say(net.ana, net.room(net.ana), "you are new here")
    hears(client, "you are new here")


def test_a_conversation_of_three_is_a_room_and_one_of_two_is_direct(net, client):
    kim = net.human("kim")
    three = net.server.run(net.world.room, "d", "", net.ana.id, kim.id, net.bot)["_id"]
    net.say(net.ana, three, "the three of us")
    net.say(net.ana, "", "the two of us")
    assert not hears(client, "the three of us").direct
    assert hears(client, "the two of us").direct


def test_what_joins_and_topics_say_is_no_message(net, client):
    net.server.run(net.world.system, client.room, "uj", net.ana.id)
    net.say(net.ana, client.room, "after somebody joined")
    hears(client, "after somebody joined")
    assert client.ears.said() == ["after somebody joined"]


def test_integrations_and_borrowed_names_are_robots(net, client):
    world = net.server.world
    net.server.run(world.send, net.ana.id, {"rid": client.room, "msg": "by a webhook", "bot": {"i": "x"}})
    assert hears(client, "by a webhook").robot
    robot = net.human("newbot", robot=True)
    net.say(robot, net.room(robot), "by an account with the role")
    assert hears(client, "by an account with the role").robot


def test_an_old_message_that_changes_is_no_new_one(net, client):
    mid = net.say(net.ana, client.room, "said long ago")
    hears(client, "said long ago")
    net.server.run(net.world.messages[mid].update, {"ts": datetime.now(UTC) - timedelta(days=3)})
    client.ears.messages.clear()
    net.server.run(net.world.react, net.ana.id, mid, "eyes", True)
    net.say(net.ana, client.room, "and now this")
    hears(client, "and now this")
    assert client.ears.said() == ["and now this"]


# -- reactions


def choices(client, count):
    wait(lambda: len(client.ears.choices) >= count, 10, lambda: str(client.ears.choices))
    return [(choice.sender, choice.choice, choice.message) for choice in client.ears.choices]


def question(client):
    mid = client.post(client.room, "go on?")
    client.react(client.room, mid, "Approve")
    return mid


def test_a_reaction_to_a_question_is_told_by_the_id_of_its_person(net, client):
    mid = question(client)
    net.choose(net.ana, client.room, mid, "Approve")
    assert choices(client, 1) == [(net.ana.id, "Approve", mid)]


def test_a_sign_that_the_bot_has_not_offered_is_no_answer_and_costs_no_call(net, client):
    mid, before = client.post(client.room, "just a recap"), net.calls()
    net.choose(net.ana, client.room, mid, "Approve")
    net.say(net.ana, client.room, "next")
    hears(client, "next")
    assert (client.ears.choices, net.calls()) == ([], before)


def test_a_bot_that_is_renamed_while_it_runs_is_called_and_answered_as_before(net, client):
    before = question(client)
    net._do(net.world.rename, client.me, "netbot.new")
    net.say(net.ana, client.room, "@netbot.new whoami")
    heard = hears(client, "whoami")
    assert (heard.text, heard.mentioned) == ("whoami", True)
    after = question(client)
    for mid in (before, after):
        net.choose(net.ana, client.room, mid, "Approve")
    assert set(choices(client, 2)) == {(net.ana.id, "Approve", before), (net.ana.id, "Approve", after)}
    net._do(net.world.rename, client.me, "netbot")


def test_who_takes_anothers_name_does_not_take_their_answer(net, client):
    joe = net.human("joe")
    net.room(joe)
    net.rename(joe, "joe.old")
    other = net.human("joe")
    mid = question(client)
    net.server.run(net.world.join, client.room, other.id)
    net.choose(other, client.room, mid, "Approve")
    assert choices(client, 1)[0][0] == other.id


def test_a_reaction_given_while_the_bot_was_away_is_read_later(net, client):
    mid, since = question(client), datetime.now(UTC) - timedelta(seconds=5)
    client.close()
    net.choose(net.ana, client.room, mid, "Approve")
    again = made({"url": net.server.url, "token": net.token})
    again.ears = Ears()
    again.connect(again.ears)
    list(again.missed(since))
    wait(lambda: (net.ana.id, "Approve", mid) in choices(again, 0), 10)
    again.close()


def test_a_reaction_that_is_given_again_is_another_one_also_after_a_restart(net, client):
    mid, since = question(client), datetime.now(UTC) - timedelta(seconds=5)
    sign = SIGNS["Approve"][1]
    net.choose(net.ana, client.room, mid, "Approve")
    choices(client, 1)
    client.close()
    again = made({"url": net.server.url, "token": net.token})
    again.ears = Ears()
    again.connect(again.ears)
    list(again.missed(since))
    wait(lambda: [one for one in again.ears.choices if one.message == mid and one.is_read], 10)
    for _ in range(2):
        net._do(net.world.react, net.ana.id, mid, sign, False)
        time.sleep(0.2)
        net._do(net.world.react, net.ana.id, mid, sign, True)
        time.sleep(0.3)
    wait(lambda: len([one for one in again.ears.choices if one.message == mid]) == 3, 10)
    mine = [one for one in (*client.ears.choices, *again.ears.choices) if one.message == mid]
    assert len({one.id for one in mine}) == 4
    assert {one.stands for one in mine} == {mine[0].stands}
    again.close()


# -- the link


def test_after_a_cut_the_same_wire_connects_again_and_reads_what_it_missed(net, client):
    since = datetime.now(UTC) - timedelta(seconds=1)
    net.cut()
    with pytest.raises(Away):
        client.wait()
    root = net.say(net.ana, client.room, "said in between")
    net.say(net.ana, client.room, "and in its thread", thread=root)
    client.connect(client.ears)
    missed = [heard for heard in client.missed(since) if heard.room == client.room]
    assert [(heard.text, heard.thread) for heard in missed][-2:] == [
        ("said in between", ""),
        ("and in its thread", root),
    ]


def test_what_was_said_before_the_bot_came_in_is_not_for_it(net, client):
    since, room = datetime.now(UTC) - timedelta(seconds=1), net.room(net.ana)
    net.say(net.ana, room, "!reboot on web1")
    threading.Event().wait(0.01)  # the server counts in milliseconds
    net.server.run(net.world.join, room, net.bot)
    net.say(net.ana, room, "!uptime on web1")
    wait(lambda: room in client._reader.rooms, 10)
    assert [heard.text for heard in client.missed(since) if heard.room == room] == ["!uptime on web1"]


def test_a_server_that_asks_for_a_sign_of_life_gets_one(net, client):
    made_before = net.server.connections
    threading.Event().wait(1.0)  # five heartbeats
    net.say(net.ana, client.room, "still here")
    hears(client, "still here")
    assert net.server.connections == made_before


def test_a_line_that_is_dead_and_not_cut_is_noticed(net):
    link = Realtime(net.server.url, None, 5, pulse=(0.1, 0.4))
    link.run(link.dial(lambda *_: None))
    threading.Event().wait(0.8)  # it answers, so the link lives
    assert not link.cut.done()
    net.world.is_mute = True
    with pytest.raises(Away, match="silent for"):
        link.cut.result(10)
    net.world.is_mute = False
    link.close()


def test_a_token_that_is_taken_back_is_told_as_such(net):
    token = net.server.run(net.world.token, net.bot)
    client = made({"url": net.server.url, "token": token})
    client.connect(Ears())
    net.server.revoke(token)
    with pytest.raises(Away):
        client.wait()
    with pytest.raises(Revoked, match="the token is refused"):
        client.connect(Ears())
    client.close()


def test_a_password_logs_in_and_its_session_is_used_again_and_ended(net):
    client = made({"url": net.server.url, "user": "netbot", "password": "secret"})
    client.connect(Ears())
    session = client._credentials.session
    net.cut()
    client.connect(Ears())
    assert client._credentials.session == session
    client.close()
    assert net.world.owner(session) is None


def test_a_session_that_is_over_is_begun_anew(net):
    client = made({"url": net.server.url, "user": "netbot", "password": "secret"})
    client.connect(Ears())
    net.server.revoke(client._credentials.session)
    client.connect(Ears())
    assert client.me == net.bot
    client.close()


@pytest.mark.parametrize("user", ["netbot", "nobody"])
def test_a_wrong_password_is_told_and_not_tried_again(net, user):
    client = made({"url": net.server.url, "user": user, "password": "wrong"})
    with pytest.raises(Revoked, match="the user or the password is refused"):
        client.connect(Ears())
    client.close()


def test_an_account_with_a_second_factor_needs_a_token(net):
    user = net.server.run(net.world.person, "careful", password="pw")
    net.server.run(net.world.users[user["_id"]].update, {"totp": True})
    client = made({"url": net.server.url, "user": "careful", "password": "pw"})
    with pytest.raises(Revoked, match="personal access token"):
        client.connect(Ears())
    client.close()


def test_close_ends_every_thread_and_everybody_who_waits(net):
    client = made({"url": net.server.url, "token": net.token})
    client.connect(Ears())
    waiting = threading.Thread(target=client.wait)
    waiting.start()
    client.close()
    waiting.join(5)
    assert not waiting.is_alive()
    assert not client._link._thread.is_alive()
    with pytest.raises(Away):
        client.post("room", "too late")


def test_no_server_is_away_and_not_revoked():
    client = made({"url": "http://127.0.0.1:9", "token": "t"})
    with pytest.raises(Away, match="is not reached"):
        client.connect(Ears())
    client.close()


# -- what is said


def test_a_post_whose_answer_was_lost_is_said_once(net, client):
    net.server.run(setattr, net.server.rest, "silent_after", 1)
    with pytest.raises(Away):
        client.post(client.room, "said, and the answer lost", once=IdempotencyKey("k1"))
    id_ = client.post(client.room, "said, and the answer lost", once=IdempotencyKey("k1", datetime.now(UTC)))
    said = [post.id for post in net.seen(net.ana, client.room) if post.text == "said, and the answer lost"]
    assert said == [id_]


def test_a_file_whose_answer_was_lost_is_sent_once(net, client):
    root, file = client.post(client.room, "a root"), File("once.txt", b"x")
    began, first = datetime.now(UTC), client.upload(client.room, file, root)
    assert client.upload(client.room, file, root, IdempotencyKey("k2", began)) == first
    assert client.upload(client.room, file, "", IdempotencyKey("k3", began)) != first
    assert client.upload(client.room, File("other.txt", b"x"), root, IdempotencyKey("k4", began)) != first


def test_a_limit_says_how_long_to_wait(net, client):
    net.limit(1, 7)
    with pytest.raises(Busy) as caught:
        client.post(client.room, "too much")
    assert 5 < caught.value.seconds <= 7


def test_a_server_that_is_away_may_say_for_how_long(net, client):
    net.server.rest.down, net.server.rest.down_seconds = 2, 7
    with pytest.raises(Down) as caught:
        client.post(client.room, "well")
    net.server.rest.down_seconds = 0
    with pytest.raises(Away) as unsaid:
        client.post(client.room, "well")
    assert (caught.value.seconds, isinstance(unsaid.value, Down)) == (7, False)


def test_a_refusal_has_the_servers_words(client):
    with pytest.raises(Rejected, match="error-invalid-room"):
        client.post("no-such-room", "x")
    with pytest.raises(Rejected, match="size exceeds"):
        client.post(client.room, "x" * 5001)


def test_as_many_characters_as_are_promised_are_taken(client):
    assert client.post(client.room, "x" * client.capabilities.message_size)


def test_links_in_a_text_are_not_fetched_by_the_server(net, client):
    mid = client.post(client.room, "see http://core1.example/secret")
    assert [url["ignoreParse"] for url in net.world.messages[mid]["urls"]] == [True]


def test_a_file_in_a_thread_and_taken_back(net, client):
    root = client.post(client.room, "the root")
    mid = client.upload(client.room, File("rückmeldung.txt", "grün\n".encode()), root)
    (post,) = [post for post in net.seen(net.ana, client.room) if post.id == mid]
    assert (post.thread, post.files) == (root, (("rückmeldung.txt", "grün\n".encode()),))
    client.delete(client.room, mid)
    assert mid not in net.world.messages


def test_a_direct_room_is_opened_once(net, client):
    eve = net.human("eve")
    room, calls = client.direct_room(eve.id), net.calls()
    assert net.world.rooms[room]["uids"] == sorted([eve.id, net.bot])
    assert (client.direct_room(eve.id), net.calls()) == (room, calls)
