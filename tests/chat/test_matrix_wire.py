"""The Matrix wire on a real Synapse: what it never does again, what it never loses, and whom it believes."""

import stat
from datetime import UTC, datetime, timedelta

import pytest

from automation_bots.model import File
from backends.matrix_wire import wire
from backends.wire import Away, Busy, Rejected, Revoked
from tests.chat.matrix import together
from tests.chat.matrix_scene import PASSWORD, Bot, Ear, Scene
from tests.chatbot import wait
from tests.lab import certificates
from tests.lab.matrix_gate import Gate
from tests.lab.matrix_person import on_screen, replaced, typed
from tests.lab.proxy import Proxy, Socks

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scene(synapse):
    scene = Scene(synapse)
    yield scene
    scene.close()


@pytest.fixture
def bot(scene, tmp_path):
    bot = Bot(scene, tmp_path)
    yield bot
    bot.stop()


# -- nothing old, nothing lost


def test_nothing_that_was_said_before_the_first_start_is_heard(scene, bot):
    room = scene.do(scene.ana.make_room([bot.id]))
    scene.say(scene.ana, room, "!reboot all")
    scene.synapse.call(scene.ana.client.access_token, "GET", "/_matrix/client/v3/account/whoami")
    scene.synapse.call(token_of(scene, bot), "POST", f"/_matrix/client/v3/join/{room}", {})
    ear = bot.start()
    scene.say(scene.ana, room, "hello")
    ear.hears("hello")
    assert ear.texts == ["hello"]


def token_of(scene, bot):
    return scene.synapse.login(bot.id, PASSWORD)["access_token"]


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


@pytest.mark.parametrize(("count", "encrypted"), [(500, False), (220, True)], ids=["in clear", "encrypted"])
def test_a_flood_of_messages_said_while_the_bot_was_away_is_all_read_in_order(scene, bot, count, encrypted):
    bot.start()
    room = bot.room(encrypted=encrypted)
    bot.stop()
    scene.do(together([scene.ana.say(room, typed(f"number {number}")) for number in range(count)]), 120)
    there = [one.content["body"] for one in scene.do(scene.ana.seen(room))]
    ear = bot.start()
    read = [one.text for one in bot.missed()]
    assert (len(read), read, ear.texts) == (count, there, [])


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
    read = [one.text for one in bot.wire.missed(before - timedelta(seconds=1))]
    wait(lambda: [*read, *ear.texts] == ["while away"], 10)  # Synapse repeats a first answer: then it comes by itself


def test_a_reaction_put_while_the_bot_was_away_is_an_answer_all_the_same(scene, bot):
    bot.start()
    room = bot.room()
    question = bot.wire.post(room, "Shall I?")
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
        bot.wire.wait()
    with pytest.raises(Away):
        bot.wire.post(room, "nobody hears this")
    scene.synapse.start()
    bot.wire.connect(ear)
    scene.say(scene.ana, room, "again")
    ear.hears("again")


# -- what goes out


def test_a_post_of_which_nobody_knows_whether_it_arrived_stands_there_once(scene, bot):
    bot.start()
    room = bot.room()
    with scene.gate.swallowing("/send/m.room.message"), pytest.raises(Away):
        bot.wire.post(room, "only once")
    bot.wire.post(room, "only once")
    scene.sees(scene.ana, room, "only once")
    assert [one.content["body"] for one in scene.do(scene.ana.seen(room))] == ["only once"]


def test_the_servers_own_limit_says_how_long_to_wait(scene, bot):
    bot.start()
    room = bot.room()
    scene.synapse.limit(bot.id, 1, 1)

    def say_much() -> None:
        for number in range(10):
            bot.wire.post(room, f"number {number}")

    with pytest.raises(Busy) as refused:
        say_much()
    assert 0 < refused.value.seconds <= 5


def test_a_refusal_is_a_refusal_of_this_call_alone(scene, bot):
    bot.start()
    with pytest.raises(Rejected, match="not in"):
        bot.wire.post("!nowhere:lab.test", "hello")
    bot.wire.post(bot.room(), "hello")


def test_a_message_can_be_taken_back(scene, bot):
    bot.start()
    room = bot.room()
    id_ = bot.wire.post(room, "soon gone")
    scene.sees(scene.ana, room, "soon gone")
    bot.wire.delete(room, id_)
    wait(lambda: not scene.do(scene.ana.seen(room)), 10)


def test_an_edit_says_so_and_carries_the_new_words(scene, bot):
    ear = bot.start()
    room = bot.room()
    id_ = scene.say(scene.ana, room, "good morning")
    scene.do(scene.ana.say(room, replaced("!reboot all", id_)))
    edit = ear.hears("!reboot all")
    assert (edit.edited, edit.id) == (True, id_)


# -- encryption


def test_in_an_encrypted_room_all_is_encrypted_files_too(scene, bot):
    ear = bot.start()
    room = bot.room(encrypted=True)
    scene.say(scene.ana, room, "!whoami")
    thread = ear.hears("!whoami").id
    bot.wire.post(room, "a secret", thread)
    bot.wire.upload(room, File("notes.txt", b"a secret file"), thread)
    shown, file = scene.sees(scene.ana, room, "a secret"), scene.sees(scene.ana, room, "notes.txt")
    assert (shown.encrypted, shown.thread, file.encrypted) == (True, thread, True)
    assert scene.do(scene.ana.file(file.content)) == b"a secret file"
    assert b"secret" not in raw(scene, file.content["file"]["url"])


def raw(scene, url):
    return scene.do(scene.ana.client.download(url)).body


def test_an_encrypted_file_of_a_person_is_unlocked(scene, bot):
    ear = bot.start()
    room = bot.room(encrypted=True)
    scene.do(scene.ana.attach(room, "!config push on core1", "change.txt", b"vlan 7\n"))
    heard = ear.hears("!config push")
    assert [(file.name, file.size, file.fetch()) for file in heard.files] == [("change.txt", 7, b"vlan 7\n")]


def test_keys_survive_a_restart(scene, bot):
    ear = bot.start()
    room = bot.room(encrypted=True)
    scene.say(scene.ana, room, "before")
    ear.hears("before")
    device = bot.wire._link.client.device_id
    bot.stop()
    scene.say(scene.ana, room, "meanwhile")
    ear = bot.start()
    assert "meanwhile" in [one.text for one in bot.missed()]
    assert bot.wire._link.client.device_id == device
    bot.wire.post(room, "I am back")
    assert scene.sees(scene.ana, room, "I am back").encrypted


def test_keys_survive_a_crash_in_the_middle_of_a_talk(scene, bot):
    ear = bot.start()
    room = bot.room(encrypted=True)
    for word in ("one", "two"):
        scene.say(scene.ana, room, word)
        ear.hears(word)
        bot.wire.post(room, f"heard {word}")
    bot.crash()
    scene.say(scene.ana, room, "three")
    bot.start()
    assert "three" in [one.text for one in bot.missed()]
    bot.wire.post(room, "heard three")
    assert scene.sees(scene.ana, room, "heard three").encrypted


def test_a_token_encrypts_as_a_password_does_also_after_a_restart(scene, bot):
    token = {"token": token_of(scene, bot), "password": ""}
    bot.start(**token)
    room = bot.room(encrypted=True)
    bot.stop()
    scene.say(scene.ana, room, "with a token")
    bot.start(**token)
    assert "with a token" in [one.text for one in bot.missed()]


def test_a_new_device_of_a_person_reads_what_is_said_from_then_on(scene, bot):
    bot.start()
    room = bot.room(encrypted=True)
    bot.wire.post(room, "to the first device")
    second = scene.enter(scene.ana.id)
    wait(lambda: has_device(bot, second), 15)
    bot.wire.post(room, "to both devices")
    assert scene.sees(second, room, "to both devices").encrypted


def has_device(bot, person):
    devices = bot.wire._link.client.device_store
    return person.client.device_id in [device.id for device in devices.active_user_devices(person.id)]


def test_keys_that_did_not_arrive_are_sent_again_before_anything_is_said(scene, bot):
    bot.start()
    room = bot.room(encrypted=True)
    for path in ("/sendToDevice/m.room.encrypted", "/keys/claim"):
        scene.gate.refuse(path, 502, {})
    with pytest.raises(Away):
        bot.wire.post(room, "can you read this")
    with pytest.raises(Away):
        bot.wire.post(room, "can you read this")
    bot.wire.post(room, "can you read this")
    assert scene.sees(scene.ana, room, "can you read this").encrypted


def test_a_message_without_its_key_is_answered_with_what_to_do(scene, bot):
    ear = bot.start()
    room = bot.room(encrypted=True)
    scene.do(scene.ana.refresh(force=True))
    scene.do(scene.ana.client.joined_members(room))
    scene.do(scene.ana.distrust(bot.id))
    scene.say(scene.ana, room, "!reboot all")
    assert "say it again" in on_screen(scene.sees(scene.ana, room, "cannot read this message").content)
    assert ear.texts == []


def test_a_cut_while_keys_are_asked_for_loses_no_message(scene, bot):
    bot.start()
    room = bot.room(encrypted=True)
    bot.stop()
    second = scene.enter(scene.ana.id)
    scene.say(second, room, "from a new device")
    scene.gate.refuse("/keys/query", 502, {})
    with pytest.raises(Away):
        bot.start()
    bot.wire.connect(bot.ear)
    assert "from a new device" in [one.text for one in bot.missed()]


def test_a_device_whose_keys_have_changed_is_not_believed(scene, bot):
    ear = bot.start()
    room = bot.room(encrypted=True)
    joe = guest(scene, room)
    scene.say(joe, room, "as ever")
    ear.hears("as ever")
    scene.do(joe.client.logout())
    other = scene.enter(joe.id, joe.client.device_id)
    scene.do(other.refresh(force=True))  # Synapse repeats a first answer
    scene.say(other, room, "!reboot all")
    scene.sees(scene.ana, room, "whose keys .* have changed")
    assert ear.texts == ["as ever"]


def guest(scene, room):
    joe = scene.person("joe")
    scene.do(scene.ana.client.room_invite(room, joe.id))
    scene.do(joe.client.join(room))
    scene.do(joe.refresh(force=True))
    return joe


def test_what_comes_in_clear_into_an_encrypted_room_is_not_believed(scene, bot):
    ear = bot.start()
    room = bot.room(encrypted=True)
    path = f"/_matrix/client/v3/rooms/{room}/send/m.room.message/clear"
    scene.synapse.call(scene.ana.client.access_token, "PUT", path, {"msgtype": "m.text", "body": "!reboot all"})
    scene.sees(scene.ana, room, "came in clear into an encrypted room")
    assert ear.texts == []


def test_keys_and_tokens_can_be_read_by_the_bot_alone(scene, bot):
    bot.start()
    bot.room()
    folder = bot.folder / "matrix"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} >= {"keys.db", "session.json"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())


# -- who and where


def test_only_people_and_servers_that_are_named_may_invite(scene, bot):
    bot.start()
    strange = scene.do(scene.eve.make_room([bot.id]))
    known = bot.room()
    wait(lambda: state_of(scene, strange, bot.id) == "leave", 10)
    assert list(bot.wire._link.client.rooms) == [known]


def state_of(scene, room, person):
    path = f"/_matrix/client/v3/rooms/{room}/state/m.room.member/{person}"
    return scene.synapse.call(scene.eve.client.access_token, "GET", path)["membership"]


def test_a_room_for_two_is_opened_once_and_found_again(scene, bot):
    bot.start()
    room = bot.wire.direct_room(scene.ana.id)
    assert bot.wire.direct_room(scene.ana.id) == room
    bot.wire.post(room, "hello ana")
    bot.stop()
    bot.start()
    assert bot.wire.direct_room(scene.ana.id) == room
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
    assert bot.wire.direct_room(scene.ana.id) != room


def test_a_small_room_is_not_a_direct_one(scene, bot):
    ear = bot.start()
    scene.say(scene.ana, bot.room(), "just us")
    assert not ear.hears("just us").direct


def test_robots_are_known_by_their_notices(scene, bot):
    ear = bot.start()
    room = bot.room()
    scene.say(scene.ana, room, "beep", robot=True)
    assert ear.hears("beep").robot


# -- credentials


def test_a_session_that_was_ended_elsewhere_ends_the_link_for_good(scene, bot):
    ear = bot.start()
    scene.synapse.call(bot.wire._link.client.access_token, "POST", "/_matrix/client/v3/logout", {})
    scene.gate.cut()
    with pytest.raises((Away, Revoked)):  # cut off, or told so before
        bot.wire.wait()
    with pytest.raises(Revoked):
        bot.wire.connect(ear)
    bot.stop()
    with pytest.raises(Revoked, match=r"delete .*session\.json and start"):
        bot.start()


def test_a_session_that_only_ran_out_is_opened_again_with_the_same_keys(scene, bot):
    bot.start()
    device = bot.wire._link.client.device_id
    bot.stop()
    said = {"errcode": "M_UNKNOWN_TOKEN", "error": "Access token has expired", "soft_logout": True}
    scene.gate.refuse("/account/whoami", 401, said)
    bot.start()
    assert bot.wire._link.client.device_id == device


def test_a_wrong_password_is_said_and_not_tried_for_ever(scene, bot):
    with pytest.raises(Revoked, match="does not take user and password"):
        bot.start(password="wrong")


def test_a_call_from_the_loops_own_thread_fails_at_once_instead_of_waiting_for_itself(scene, bot):
    class Asking(Ear):
        def heard(self, message):
            try:
                bot.wire.post(message.room, "at once")
            except RuntimeError as error:
                self.messages.append(message)
                self.choices.append(str(error))

    bot.start()
    room = bot.room()
    bot.wire.connect(asking := Asking())
    scene.say(scene.ana, room, "hello")
    asking.hears("hello")
    assert asking.choices == ["the loop would wait for itself"]


# -- settings


@pytest.fixture
def door(scene, tmp_path):
    """Give the homeserver behind TLS, with the certificate of a private authority."""
    certificates.make(tmp_path)
    gate = Gate(scene.synapse.url, tmp_path)
    gate.ca = str(tmp_path / "ca.pem")
    yield gate
    gate.close()


def test_a_private_authority_is_believed_when_it_is_named(scene, bot, door):
    with pytest.raises(Away, match=r"not trusted.*say ca ="):
        bot.start(server=door.url)
    bot.start(server=door.url, ca=door.ca)
    bot.wire.post(room := bot.room(), "by TLS")
    scene.sees(scene.ana, room, "by TLS")
    assert {mark for mark, _ in bot.wire.examine()} == {"ok"}


@pytest.mark.parametrize("kind", [Proxy, Socks])
def test_everything_goes_through_the_proxy(scene, bot, door, kind):
    with kind() as proxy:
        bot.start(server=door.url, ca=door.ca, proxy=proxy.url)
        bot.wire.post(room := bot.room(), "by a proxy")
        scene.sees(scene.ana, room, "by a proxy")
        before = len(proxy.seen)
        assert {mark for mark, _ in bot.wire.examine()} == {"ok"}
        assert len(proxy.seen) > before > 0
        bot.stop()


def test_notices_ring_for_nobody(scene, bot):
    bot.start(notices=True)
    room = bot.room()
    id_ = bot.wire.post(room, "one")
    bot.wire.edit(room, id_, "two")
    assert scene.sees(scene.ana, room, "two").content["msgtype"] == "m.notice"


def test_without_encryption_the_bot_reads_nothing_that_is_encrypted_and_says_where(scene, bot):
    ear = bot.start(encryption=False)
    sealed, room = bot.room(encrypted=True), bot.room()
    scene.say(scene.ana, sealed, "sealed")
    scene.say(scene.ana, room, "open")
    ear.hears("open")
    assert ear.texts == ["open"]
    with pytest.raises(Rejected, match="nothing is said there in clear"):
        bot.wire.post(sealed, "a secret")
    assert any("encryption is off" in text for _, text in bot.wire.examine())
    assert "take encryption = false out" in bot.wire.examine_room(sealed)
    assert not (bot.folder / "matrix" / "keys.db").exists()


@pytest.mark.parametrize(
    ("chat", "words"),
    [
        ({"server": "matrix.example.org", "token": "t"}, 'write server = "https://matrix.example.org"'),
        ({"user": "netbot", "password": "p"}, 'write user = "@bot:example.org"'),
        ({"token": "t", "invites": ["ana smith"]}, "neither a person .* nor a server"),
        ({"token": "t", "ca": "/no/such"}, "holds no certificate"),
        ({"token": "t", "password": "p"}, "say either token"),
        ({"password": "p"}, "a password needs user"),
        ({"token": "t", "sever": "x"}, "sever"),
    ],
)
def test_a_wrong_setting_is_told_with_what_to_write(tmp_path, chat, words):
    with pytest.raises(ValueError, match=words):
        wire({"server": "https://matrix.example.org", **chat}, tmp_path)


# -- for the doctor


def test_the_doctor_sees_what_works(scene, bot):
    bot.start()
    room = bot.room()
    marks = dict.fromkeys(mark for mark, _ in bot.wire.examine())
    assert list(marks) == ["ok"]
    assert bot.wire.examine_room(room) == ""
    assert bot.wire.examine_person(scene.ana.id) == ""
    assert abs((bot.wire.network_time() - datetime.now(UTC)).total_seconds()) < 5


def test_the_doctor_says_what_is_wrong_and_what_to_do(scene, bot):
    first = wire({**bot.chat, "invites": []}, bot.folder)
    assert any("once the bot has started" in text for _, text in first.examine())
    bot.start(invites=[])
    assert any(mark == "NOTE" and "nobody can invite" in text for mark, text in bot.wire.examine())
    assert "Invite" in bot.wire.examine_room("!nowhere:lab.test")
    assert "room settings" in bot.wire.examine_room("#alias:lab.test")
    assert "knows nobody" in bot.wire.examine_person("@nobody:lab.test")
    (bot.folder / "matrix" / "keys.db").chmod(0o644)
    assert any(mark == "WRONG" and "chmod 600" in text for mark, text in bot.wire.examine())


def test_the_doctor_sees_where_the_bot_may_not_write(scene, bot):
    bot.start()
    room = bot.room()
    path = f"/_matrix/client/v3/rooms/{room}/state/m.room.power_levels"
    levels = scene.synapse.call(scene.ana.client.access_token, "GET", path)
    scene.synapse.call(scene.ana.client.access_token, "PUT", path, {**levels, "events_default": 50})
    assert "may not write there" in bot.wire.examine_room(room)


def test_the_doctor_follows_a_room_to_its_new_version(scene, bot):
    bot.start()
    path = f"/_matrix/client/v3/rooms/{bot.room()}/upgrade"
    new = scene.synapse.call(scene.ana.client.access_token, "POST", path, {"new_version": "10"})["replacement_room"]
    assert f"{new} has taken its place" in bot.wire.examine_room(path.split("/")[5])


def test_the_doctor_says_when_there_is_no_homeserver(scene, bot):
    with pytest.raises(Rejected, match="is no Matrix homeserver"):
        list(wire({**bot.chat, "server": f"{scene.synapse.url}/elsewhere"}, bot.folder).examine())
    with pytest.raises(Away, match="cannot be reached"):
        list(wire({**bot.chat, "server": "http://127.0.0.1:9"}, bot.folder).examine())


def test_a_token_without_a_device_cannot_encrypt_and_that_is_said(scene, bot):
    said = scene.synapse.as_admin("POST", f"/_synapse/admin/v1/users/{bot.id}/login", {})
    token = {"token": said["access_token"], "password": ""}
    with pytest.raises(Revoked, match="belongs to no device"):
        bot.start(**token)
    assert any(mark == "WRONG" and "no device" in text for mark, text in bot.wire.examine())


def test_the_doctor_leaves_no_session_behind(scene, bot):
    before = devices_of(scene, bot)
    list(wire(bot.chat, bot.folder).examine())
    assert devices_of(scene, bot) == before


def devices_of(scene, bot):
    devices = scene.synapse.as_admin("GET", f"/_synapse/admin/v2/users/{bot.id}/devices")["devices"]
    return {device["device_id"] for device in devices}
