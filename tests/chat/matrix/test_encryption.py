"""The Matrix client in encrypted rooms of Synapse: keys that last or are missing, and which devices it believes."""

import stat

import pytest

from automation_bots.chat.client import Away
from automation_bots.model import File
from tests.fakes.matrix_person import on_screen
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow


# -- encryption


def test_in_an_encrypted_room_all_is_encrypted_files_too(scene, bot):
    ear = bot.start()
    room = bot.room(encrypted=True)
    scene.say(scene.ana, room, "!whoami")
    thread = ear.hears("!whoami").id
    bot.client.post(room, "a secret", thread)
    bot.client.upload(room, File("notes.txt", b"a secret file"), thread)
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
    device = bot.client._link.client.device_id
    bot.stop()
    scene.say(scene.ana, room, "meanwhile")
    ear = bot.start()
    assert "meanwhile" in [one.text for one in bot.missed()]
    assert bot.client._link.client.device_id == device
    bot.client.post(room, "I am back")
    assert scene.sees(scene.ana, room, "I am back").encrypted


def test_keys_survive_a_crash_in_the_middle_of_a_talk(scene, bot):
    ear = bot.start()
    room = bot.room(encrypted=True)
    for word in ("one", "two"):
        scene.say(scene.ana, room, word)
        ear.hears(word)
        bot.client.post(room, f"heard {word}")
    bot.crash()
    scene.say(scene.ana, room, "three")
    bot.start()
    assert "three" in [one.text for one in bot.missed()]
    bot.client.post(room, "heard three")
    assert scene.sees(scene.ana, room, "heard three").encrypted


def test_a_token_encrypts_as_a_password_does_also_after_a_restart(scene, bot):
    token = {"token": bot.token(), "password": ""}
    bot.start(**token)
    room = bot.room(encrypted=True)
    bot.stop()
    scene.say(scene.ana, room, "with a token")
    bot.start(**token)
    assert "with a token" in [one.text for one in bot.missed()]


def test_a_new_device_of_a_person_reads_what_is_said_from_then_on(scene, bot):
    bot.start()
    room = bot.room(encrypted=True)
    bot.client.post(room, "to the first device")
    second = scene.enter(scene.ana.id)
    wait(lambda: has_device(bot, second), 15)
    bot.client.post(room, "to both devices")
    assert scene.sees(second, room, "to both devices").encrypted


def has_device(bot, person):
    devices = bot.client._link.client.device_store
    return person.client.device_id in [device.id for device in devices.active_user_devices(person.id)]


def test_keys_that_did_not_arrive_are_sent_again_before_anything_is_said(scene, bot):
    bot.start()
    room = bot.room(encrypted=True)
    for path in ("/sendToDevice/m.room.encrypted", "/keys/claim"):
        scene.gate.refuse(path, 502, {})
    with pytest.raises(Away):
        bot.client.post(room, "can you read this")
    with pytest.raises(Away):
        bot.client.post(room, "can you read this")
    bot.client.post(room, "can you read this")
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
    bot.client.connect(bot.ear)
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
