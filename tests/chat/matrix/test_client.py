"""The Matrix client on a real Synapse: what it never does again, what it never loses, and whom it lets in."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.chat.client import Away, Busy, Down, IdempotencyKey, Rejected
from tests.chat.networks.matrix import together
from tests.fakes.matrix_person import replaced, typed
from tests.fakes.proxy import Proxy
from tests.support.bounds import rounds
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow


# -- nothing old, nothing lost


def test_nothing_that_was_said_before_the_first_start_is_heard(scene, bot):
    room = scene.do(scene.ana.make_room([bot.id]))
    scene.say(scene.ana, room, "!reboot all")
    scene.synapse.call(scene.ana.client.access_token, "GET", "/_matrix/client/v3/account/whoami")
    scene.synapse.call(bot.token(), "POST", f"/_matrix/client/v3/join/{room}", {})
    ear = bot.start()
    scene.say(scene.ana, room, "hello")
    ear.hears("hello")
    assert ear.texts == ["hello"]


def test_what_was_said_before_the_bot_was_asked_in_is_not_for_it(scene, bot):
    ear = bot.start()
    room = scene.do(scene.ana.make_room([]))
    for number in range(3):
        scene.say(scene.ana, room, f"!reboot web{number}")
    scene.do(scene.ana.client.room_invite(room, bot.id))
    bot.wait_in(room)
    scene.say(scene.ana, room, "hello")
    ear.hears("hello")
    assert ear.texts == ["hello"]


def test_the_message_with_which_a_direct_room_begins_is_heard(scene, bot):
    ear = bot.start()
    room = scene.do(scene.ana.make_room([bot.id], direct=True))
    scene.say(scene.ana, room, "whoami")
    assert ear.hears("whoami").direct


FLOODS = [(rounds(160, 500), False), (rounds(60, 120), True)]


@pytest.mark.parametrize(("count", "encrypted"), FLOODS, ids=["in clear", "encrypted"])
def test_a_flood_of_messages_said_while_the_bot_was_away_is_all_read_in_order(scene, bot, count, encrypted):
    bot.start()
    room = bot.room(encrypted=encrypted)
    bot.stop()
    for first in range(0, count, 20):  # what is said at the same moment has no order of its own
        scene.do(together([scene.ana.say(room, typed(f"number {first + more}")) for more in range(20)]), 120)
    ear = bot.start()
    read = [int(one.text.removeprefix("number ")) for one in bot.missed()]
    assert (sorted(read), ear.texts) == (list(range(count)), [])
    assert [number // 20 for number in read] == [number // 20 for number in range(count)]


def test_what_cannot_be_read_at_once_is_read_at_the_next_try(scene, bot):
    bot.start()
    room = bot.room()
    bot.stop()
    shutil.rmtree(bot.folder / "matrix")  # so there is no token from which the server would go on
    scene.say(scene.ana, room, "said meanwhile")
    bot.start()
    scene.gate.refuse("/messages", 503, {})
    with pytest.raises(Away):
        bot.missed()
    assert "said meanwhile" in [one.text for one in bot.missed()]


def test_after_a_restart_only_what_is_new_comes(scene, bot):
    ear = bot.start()
    room = bot.room()
    scene.say(scene.ana, room, "first")
    ear.hears("first")
    scene.say(scene.ana, room, "second")
    ear.hears("second")
    bot.stop()
    scene.say(scene.ana, room, "third")
    bot.start()
    assert "first" not in (said := [one.text for one in bot.missed()])
    assert said[-1] == "third"


def test_a_lost_note_of_where_it_was_costs_nothing_that_is_asked_for(scene, bot):
    bot.start()
    room = bot.room()
    bot.stop()
    (bot.folder / "matrix" / "since").unlink(missing_ok=True)
    before = datetime.now(UTC)
    scene.say(scene.ana, room, "while away")
    ear = bot.start()
    read = [one.text for one in bot.client.missed(before - timedelta(seconds=1))]
    wait(lambda: [*read, *ear.texts] == ["while away"], 10)  # Synapse repeats a first answer: then it comes by itself


def test_a_reaction_put_while_the_bot_was_away_is_an_answer_all_the_same(scene, bot):
    bot.start()
    room = bot.room()
    question = bot.client.post(room, "Shall I?")
    bot.stop()
    relation = {"rel_type": "m.annotation", "event_id": question, "key": "✅"}
    scene.do(scene.ana.say(room, {"m.relates_to": relation}, "m.reaction"))
    ear = bot.start()
    bot.missed()
    assert [(one.sender, one.message, one.choice) for one in ear.choices] == [(scene.ana.id, question, "Approve")]


def test_a_restart_of_the_server_ends_the_link_and_the_next_one_goes_on(scene, bot):
    ear = bot.start()
    room = bot.room()
    scene.synapse.stop()
    with pytest.raises(Away):
        bot.client.wait()
    with pytest.raises(Away):
        bot.client.post(room, "nobody hears this")
    scene.synapse.start()
    bot.client.connect(ear)
    scene.say(scene.ana, room, "again")
    ear.hears("again")


def test_a_line_that_goes_dead_without_a_cut_is_noticed(scene, bot):
    with Proxy() as proxy:
        ear = bot.start(proxy=proxy.url)
        bot.client._link.poll_seconds = 1  # until the server has to answer although nothing happens
        scene.say(scene.ana, bot.room(), "still there")
        ear.hears("still there")
        proxy.freeze()
        with pytest.raises(Away):
            bot.client.wait()
        bot.client.connect(ear)
        bot.stop()


# -- what goes out


def test_a_post_of_which_nobody_knows_whether_it_arrived_stands_there_once(scene, bot):
    bot.start()
    room = bot.room()
    once = IdempotencyKey("onlyonce")
    with scene.gate.swallowing("/send/m.room.message"), pytest.raises(Away):
        bot.client.post(room, "only once", once=once)
    bot.client.post(room, "only once", once=once)
    scene.sees(scene.ana, room, "only once")
    assert [one.content["body"] for one in scene.do(scene.ana.seen(room))] == ["only once"]


def test_the_servers_own_limit_says_how_long_to_wait(scene, bot):
    bot.start()
    room = bot.room()
    scene.synapse.limit(bot.id, 1, 1)

    def say_much() -> None:
        for number in range(10):
            bot.client.post(room, f"number {number}")

    with pytest.raises(Busy) as refused:
        say_much()
    assert 0 < refused.value.seconds <= 5


def test_a_server_that_is_away_may_say_for_how_long(scene, bot):
    bot.start()
    room = bot.room()
    scene.gate.refuse("/send/", 503, {}, retry_after=7)
    with pytest.raises(Down) as refused:
        bot.client.post(room, "well")
    assert refused.value.seconds == 7


def test_a_refusal_is_a_refusal_of_this_call_alone(scene, bot):
    bot.start()
    with pytest.raises(Rejected, match="not in"):
        bot.client.post("!nowhere:lab.test", "hello")
    bot.client.post(bot.room(), "hello")


def test_a_message_can_be_taken_back(scene, bot):
    bot.start()
    room = bot.room()
    id_ = bot.client.post(room, "soon gone")
    scene.sees(scene.ana, room, "soon gone")
    bot.client.delete(room, id_)
    wait(lambda: not scene.do(scene.ana.seen(room)), 10)


def test_an_edit_says_so_and_carries_the_new_words(scene, bot):
    ear = bot.start()
    room = bot.room()
    id_ = scene.say(scene.ana, room, "good morning")
    scene.do(scene.ana.say(room, replaced("!reboot all", id_)))
    edit = ear.hears("!reboot all")
    assert (edit.edited, edit.id) == (True, id_)


# -- who and where


def test_only_people_and_servers_that_are_named_may_invite(scene, bot):
    bot.start()
    strange = scene.do(scene.eve.make_room([bot.id]))
    known = bot.room()
    wait(lambda: state_of(scene, strange, bot.id) == "leave", 10)
    assert list(bot.client._link.client.rooms) == [known]


def test_an_invitation_that_the_servers_limit_delays_is_not_given_up(scene, bot):
    bot.start()
    other, said = bot.room(), {"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 100}
    for _ in range(7):
        scene.gate.refuse("/join/", 429, said)
    room = scene.do(scene.ana.make_room([bot.id]))
    for number in range(8):  # each wakes the bot, which tries again
        scene.say(scene.ana, other, f"number {number}")
        bot.ear.hears(f"number {number}")
    bot.wait_in(room)


def state_of(scene, room, person):
    path = f"/_matrix/client/v3/rooms/{room}/state/m.room.member/{person}"
    return scene.synapse.call(scene.eve.client.access_token, "GET", path)["membership"]


def test_a_room_for_two_is_opened_once_and_found_again(scene, bot):
    bot.start()
    room = bot.client.direct_room(scene.ana.id)
    assert bot.client.direct_room(scene.ana.id) == room
    bot.client.post(room, "hello ana")
    bot.stop()
    bot.start()
    assert bot.client.direct_room(scene.ana.id) == room
    scene.do(scene.ana.refresh(force=True))
    assert scene.sees(scene.ana, room, "hello ana").encrypted


def test_a_room_in_which_somebody_else_sits_is_no_direct_room(scene, bot):
    ear = bot.start()
    room = bot.room(direct=True)
    scene.say(scene.ana, room, "alone")
    assert ear.hears("alone").direct
    scene.do(scene.ana.client.room_invite(room, scene.eve.id))
    scene.do(scene.eve.client.join(room))
    scene.say(scene.ana, room, "in company")
    assert not ear.hears("in company").direct
    assert bot.client.direct_room(scene.ana.id) != room


def test_after_restarts_a_direct_room_is_the_same_one(scene, bot):
    bot.start()
    room = bot.room(direct=True)
    for number in range(3):
        scene.say(scene.ana, room, f"again {number}")
        assert bot.ear.hears(f"again {number}").direct
        assert bot.client.direct_room(scene.ana.id) == room
        bot.stop()
        bot.start()


def test_a_room_into_which_somebody_came_before_a_restart_is_no_direct_room(scene, bot):
    ear = bot.start()
    room = bot.room(direct=True)
    scene.do(scene.ana.client.room_invite(room, scene.eve.id))
    scene.do(scene.eve.client.join(room))
    scene.say(scene.ana, room, "in company")
    assert not ear.hears("in company").direct
    for _ in range(2):
        bot.stop()
        ear = bot.start()
    scene.say(scene.ana, room, "in company again")
    assert not ear.hears("in company again").direct


def test_a_small_room_is_not_a_direct_one(scene, bot):
    ear = bot.start()
    scene.say(scene.ana, bot.room(), "just us")
    assert not ear.hears("just us").direct


def test_robots_are_known_by_their_notices(scene, bot):
    ear = bot.start()
    room = bot.room()
    scene.say(scene.ana, room, "beep", robot=True)
    assert ear.hears("beep").robot
