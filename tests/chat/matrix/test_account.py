"""The account of a bot on Matrix: its credentials and settings, and what the doctor says of them."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from automation_bots.chat.client import Away, Rejected, Revoked
from automation_bots.chat.registry import NETWORKS
from tests.chat.matrix.scene import Ear
from tests.fakes import certificates
from tests.fakes.matrix_gate import Gate
from tests.fakes.matrix_person import new_name
from tests.fakes.proxy import Proxy, Socks
from tests.fakes.synapse import NAME
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow


# -- credentials


def test_a_session_that_was_ended_elsewhere_ends_the_link_for_good(scene, bot):
    ear = bot.start()
    scene.synapse.call(bot.client._link.client.access_token, "POST", "/_matrix/client/v3/logout", {})
    scene.gate.cut()
    with pytest.raises((Away, Revoked)):  # cut off, or told so before
        bot.client.wait()
    with pytest.raises(Revoked):
        bot.client.connect(ear)
    bot.stop()
    with pytest.raises(Revoked, match=r"delete .*session\.json and start"):
        bot.start()


def test_a_session_that_only_ran_out_is_opened_again_with_the_same_keys(scene, bot):
    bot.start()
    device = bot.client._link.client.device_id
    bot.stop()
    said = {"errcode": "M_UNKNOWN_TOKEN", "error": "Access token has expired", "soft_logout": True}
    scene.gate.refuse("/account/whoami", 401, said)
    bot.start()
    assert bot.client._link.client.device_id == device


def test_a_wrong_password_is_said_and_not_tried_for_ever(scene, bot):
    with pytest.raises(Revoked, match="does not take user and password"):
        bot.start(password="wrong")


def test_a_call_from_the_loops_own_thread_fails_at_once_instead_of_waiting_for_itself(scene, bot):
    class Asking(Ear):
        def heard(self, message):
            try:
                bot.client.post(message.room, "at once")
            except RuntimeError as error:
                self.messages.append(message)
                self.choices.append(str(error))

    bot.start()
    room = bot.room()
    bot.client.connect(asking := Asking())
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
    bot.client.post(room := bot.room(), "by TLS")
    scene.sees(scene.ana, room, "by TLS")
    assert {mark for mark, _ in bot.client.examine()} == {"ok"}


@pytest.mark.parametrize("kind", [Proxy, Socks])
def test_everything_goes_through_the_proxy(scene, bot, door, kind):
    with kind() as proxy:
        bot.start(server=door.url, ca=door.ca, proxy=proxy.url)
        bot.client.post(room := bot.room(), "by a proxy")
        scene.sees(scene.ana, room, "by a proxy")
        before = len(proxy.seen)
        assert {mark for mark, _ in bot.client.examine()} == {"ok"}
        assert len(proxy.seen) > before > 0
        bot.stop()


def test_notices_ring_for_nobody(scene, bot):
    bot.start(notices=True)
    room = bot.room()
    id_ = bot.client.post(room, "one")
    bot.client.edit(room, id_, "two")
    assert scene.sees(scene.ana, room, "two").content["msgtype"] == "m.notice"


def test_without_encryption_the_bot_reads_nothing_that_is_encrypted_and_says_where(scene, bot):
    ear = bot.start(encryption=False)
    sealed, room = bot.room(encrypted=True), bot.room()
    scene.say(scene.ana, sealed, "sealed")
    scene.say(scene.ana, room, "open")
    ear.hears("open")
    assert ear.texts == ["open"]
    with pytest.raises(Rejected, match="nothing is said there in clear"):
        bot.client.post(sealed, "a secret")
    assert any("encryption is off" in text for _, text in bot.client.examine())
    assert "take encryption = false out" in bot.client.examine_room(sealed)
    assert not (bot.folder / "matrix" / "keys.db").exists()


@pytest.mark.parametrize(
    ("chat", "words"),
    [
        ({"server": "matrix.example.org", "token": "t"}, 'write server = "https://matrix.example.org"'),
        ({"user": "netbot", "password": "p"}, 'write user = "@bot:example.org"'),
        ({"token": "t", "invites": ["ana smith"]}, "neither a person .* nor a server"),
        ({"token": "t", "ca": "/no/such"}, "holds no certificate"),
        ({"token": "t", "password": "p"}, "give either a token"),
        ({"password": "p"}, "a password needs user"),
        ({"token": "t", "sever": "x"}, "sever"),
    ],
)
def test_a_wrong_setting_is_told_with_what_to_write(tmp_path, chat, words):
    with pytest.raises(ValueError, match=words):
        NETWORKS["Matrix"]({"server": "https://matrix.example.org", **chat}, tmp_path)


# -- for the doctor


def test_the_doctor_sees_what_works(scene, bot):
    bot.start()
    room = bot.room()
    marks = dict.fromkeys(mark for mark, _ in bot.client.examine())
    assert list(marks) == ["ok"]
    assert bot.client.examine_room(room) == ""
    assert bot.client.examine_person(scene.ana.id) == ""
    assert abs((bot.client.network_time() - datetime.now(UTC)).total_seconds()) < 5


def test_the_doctor_says_what_is_wrong_and_what_to_do(scene, bot):
    first = NETWORKS["Matrix"]({**bot.chat, "invites": []}, bot.folder)
    assert any("once the bot has started" in text for _, text in first.examine())
    bot.start(invites=[])
    assert any(mark == "NOTE" and "nobody can invite" in text for mark, text in bot.client.examine())
    assert "Invite" in bot.client.examine_room("!nowhere:lab.test")
    assert "room settings" in bot.client.examine_room("#alias:lab.test")
    assert "knows nobody" in bot.client.examine_person("@nobody:lab.test")
    (bot.folder / "matrix" / "keys.db").chmod(0o644)
    assert any(mark == "WRONG" and "chmod 600" in text for mark, text in bot.client.examine())


def test_a_room_is_found_by_its_alias_and_shown_by_its_name(scene, bot):
    bot.start()
    room, name = bot.room(), new_name("ops")
    token, quoted = scene.ana.client.access_token, quote(f"#{name}:{NAME}")
    scene.synapse.call(token, "PUT", f"/_matrix/client/v3/directory/room/{quoted}", {"room_id": room})
    assert bot.client.room_ids([name, f"{name}:{NAME}", "gone"]) == dict.fromkeys((name, f"{name}:{NAME}"), room)
    scene.synapse.call(token, "PUT", f"/_matrix/client/v3/rooms/{room}/state/m.room.name", {"name": "The office"})
    wait(lambda: bot.client.room_name(room) == "The office", 15)
    bot.stop()
    bot.start()
    assert bot.client.room_name(room) == "The office"


def test_the_doctor_sees_where_the_bot_may_not_write(scene, bot):
    bot.start()
    room = bot.room()
    path = f"/_matrix/client/v3/rooms/{room}/state/m.room.power_levels"
    levels = scene.synapse.call(scene.ana.client.access_token, "GET", path)
    scene.synapse.call(scene.ana.client.access_token, "PUT", path, {**levels, "events_default": 50})
    assert "may not write there" in bot.client.examine_room(room)


def test_the_doctor_follows_a_room_to_its_new_version(scene, bot):
    bot.start()
    path = f"/_matrix/client/v3/rooms/{bot.room()}/upgrade"
    new = scene.synapse.call(scene.ana.client.access_token, "POST", path, {"new_version": "10"})["replacement_room"]
    assert f"{new} has taken its place" in bot.client.examine_room(path.split("/")[5])


def test_the_doctor_says_when_there_is_no_homeserver(scene, bot):
    with pytest.raises(Rejected, match="is no Matrix homeserver"):
        list(NETWORKS["Matrix"]({**bot.chat, "server": f"{scene.synapse.url}/elsewhere"}, bot.folder).examine())
    with pytest.raises(Away, match="cannot be reached"):
        list(NETWORKS["Matrix"]({**bot.chat, "server": "http://127.0.0.1:9"}, bot.folder).examine())


def test_a_token_without_a_device_cannot_encrypt_and_that_is_said(scene, bot):
    said = scene.synapse.as_admin("POST", f"/_synapse/admin/v1/users/{bot.id}/login", {})
    token = {"token": said["access_token"], "password": ""}
    with pytest.raises(Revoked, match="belongs to no device"):
        bot.start(**token)
    assert any(mark == "WRONG" and "no device" in text for mark, text in bot.client.examine())


def test_the_doctor_leaves_no_session_behind(scene, bot):
    before = devices_of(scene, bot)
    list(NETWORKS["Matrix"](bot.chat, bot.folder).examine())
    assert devices_of(scene, bot) == before


def devices_of(scene, bot):
    devices = scene.synapse.as_admin("GET", f"/_synapse/admin/v2/users/{bot.id}/devices")["devices"]
    return {device["device_id"] for device in devices}
