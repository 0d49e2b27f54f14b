"""What it says, and how refusals are told apart."""

from datetime import UTC, datetime

import pytest

from automation_bots.chat import calls
from automation_bots.chat.client import Away, Busy, Down, IdempotencyKey, Rejected
from automation_bots.model import File, Mention

pytestmark = pytest.mark.slow


def test_an_answer_below_a_deleted_message_goes_to_the_room(net, client):
    root = net.say(net.ana, net.here, "!ping all")
    net._call("DELETE", net.ana, f"/posts/{root}")
    answer = client.post(net.here, "pong", root)
    assert next(one for one in net.seen(net.ana, net.here) if one.id == answer).thread == ""


def test_a_post_that_may_have_arrived_is_not_said_twice(net, client, another):
    slow, once = another(timeout_seconds=0.2), IdempotencyKey("once1")
    slow._introduce()
    net.server.api.limiter.late_seconds = 0.5
    with pytest.raises(Away):
        slow.post(net.here, "said once", once=once)
    net.server.api.limiter.late_seconds = 0
    slow.post(net.here, "said once", once=once)
    assert [one.text for one in net.seen(net.ana, net.here)].count("said once") == 1


def test_nor_when_the_server_has_forgotten_its_number(net, client):
    began, first = datetime.now(UTC), client.post(net.here, "said long ago", once=IdempotencyKey("once2"))
    net.server.api.posts.pending.clear()
    assert client.post(net.here, "said long ago", once=IdempotencyKey("once2", began)) == first
    assert client.post(net.here, "said long ago", once=IdempotencyKey("once3", began)) != first


def test_a_file_that_may_have_arrived_is_not_sent_twice(net, client):
    began, first = datetime.now(UTC), client.upload(net.here, File("once.txt", b"x"), once=IdempotencyKey("once4"))
    net.server.api.posts.pending.clear()
    assert client.upload(net.here, File("once.txt", b"x"), once=IdempotencyKey("once4", began)) == first


@pytest.mark.parametrize(
    ("trouble", "error"),
    [({"busy_calls": 1, "busy_seconds": 7}, Busy), ({"broken_calls": 1, "broken_status": 503}, Away),
     ({"broken_calls": 1, "broken_status": 502}, Away),
     ({"broken_calls": 1, "broken_status": 503, "broken_seconds": 7}, Down)],
)  # fmt: skip
def test_refusals_are_told_apart(net, another, trouble, error):
    client = another()
    client._introduce()
    for name, value in trouble.items():
        setattr(net.server.api.limiter, name, value)
    with pytest.raises(error) as caught:
        client.post(net.here, "x")
    assert getattr(caught.value, "seconds", 7) == 7


@pytest.mark.parametrize("room", ["aaaaaaaaaaaaaaaaaaaaaaaaaa", "no-such-room"])
def test_a_room_where_the_bot_is_not_is_refused_for_good(client, room):
    with pytest.raises(Rejected, match=r"api\.context\.permissions"):
        client.post(room, "x")


def test_one_character_too_many_is_refused_and_the_most_is_not(net, client):
    assert client.post(net.here, "x" * client.capabilities.message_size)
    with pytest.raises(Rejected, match=r"model\.post\.is_valid"):
        client.post(net.here, "x" * (client.capabilities.message_size + 1))


def test_a_file_goes_into_the_thread(net, client):
    root = net.say(net.ana, net.here, "!output")
    sent = client.upload(net.here, File("o.txt", b"x" * 5000), root)
    post = next(one for one in net.seen(net.ana, net.here) if one.id == sent)
    assert (post.thread, post.files) == (root, (("o.txt", b"x" * 5000),))


def test_an_own_message_can_be_taken_back(net, client):
    said = client.post(net.here, "for a moment")
    client.delete(net.here, said)
    assert said not in {one.id for one in net.seen(net.ana, net.here)}


def test_somebody_is_called_by_the_name_of_now(net, client):
    net.say(net.joe, net.here, "my old name is known now")
    net.rename(net.joe, "joe.new")
    (line,) = calls.lines([Mention(net.joe.id, "joe")], 1000)
    post = client.post(net.here, line)
    net.rename(net.joe, "joe")
    assert next(seen.pings for seen in net.seen(net.ana, net.here) if seen.id == post) == (net.joe.id,)
