"""The account of a bot on Rocket.Chat: its settings, what the server allows it, and what the doctor says of both."""

import logging

import pytest

from automation_bots.chat.client import Away, Rejected
from automation_bots.chat.rocketchat.settings import RocketChatSettings
from tests.chat.harness import Talk
from tests.chat.networks.rocketchat import Ears, RocketChat, made
from tests.fakes import certificates

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def net():
    """Give a network."""
    net = RocketChat()
    net.ana = net.human("ana")
    yield net
    net.close()


@pytest.fixture
def client(net):
    """Give a connected client with ears, in a room with ana."""
    client = made({"url": net.server.url, "token": net.token})
    client.room = net.room(net.ana)
    client.connect(Ears())
    yield client
    client.close()


def test_a_private_authority_is_believed_when_it_is_named(tmp_path):
    certificates.make(tmp_path)
    net = RocketChat(certificates=tmp_path)
    strict = made({"url": net.server.url, "token": net.token})
    with pytest.raises(Away, match=r"is not trusted.*say ca ="):
        strict.connect(Ears())
    client = made({"url": net.server.url, "token": net.token, "ca": str(tmp_path / "ca.pem")})
    client.connect(Ears())
    assert client.me == net.bot
    for one in (strict, client, net):
        one.close()


@pytest.mark.parametrize(
    ("chat", "words"),
    [
        ({"url": "http://chat.example.com", "token": "t"}, "begin with https"),
        ({"url": "chat.example.com", "token": "t"}, "write https://chat.example.com"),
        ({"url": "https://chat.example.com/api/v1", "token": "t"}, "without what stands behind it"),
        ({"url": "https://chat.example.com"}, "give a token"),
        ({"url": "https://chat.example.com", "token": "t", "ca": "/no/such"}, "there is no file /no/such"),
        ({"url": "https://chat.example.com", "tokn": "t"}, "tokn"),
    ],
)
def test_a_wrong_setting_is_told_with_what_to_write(chat, words):
    with pytest.raises(ValueError, match=words):
        RocketChatSettings.model_validate(chat)


def test_the_token_is_in_no_log(net, caplog):
    caplog.set_level(logging.DEBUG)
    client = made({"url": net.server.url, "token": net.token})
    client.connect(Ears())
    net.cut()
    with pytest.raises(Away):
        client.wait()
    client.close()
    assert net.token not in caplog.text + repr(client._credentials)


def examined(net, **chat):
    client = made({"url": net.server.url, **chat})
    try:
        return list(client.examine())
    finally:
        client.close()


def test_the_doctor_finds_a_good_account_well(net, client):
    lines = examined(net, token=net.token)
    assert {mark for mark, _ in lines} == {"ok"}
    assert any("logged in as @netbot" in text for _, text in lines)


def test_the_doctor_says_what_is_missing_and_where_to_mend_it(net):
    poor = net.server.run(net.world.person, "poor")["_id"]
    token = net.server.run(net.world.token, poor)
    net.server.run(net.world.room, "p", "sealed", poor, encrypted=True)
    text = "\n".join(f"{mark} {line}" for mark, line in examined(net, token=token))
    assert "WRONG the account lacks the role bot" in text
    assert "WRONG room sealed: it is end-to-end encrypted" in text


OFF = {
    "Threads_enabled": False, "Message_AllowEditing": False, "FileUpload_Enabled": False,
    "Message_MaxAllowedSize": 1000, "Message_AllowEditing_BlockEditInMinutes": 5,
    "Katex_Enabled": True, "Katex_Dollar_Syntax": True,
}  # fmt: skip


def test_what_the_server_has_switched_off_is_not_promised_and_told(bare):
    bare.server.run(bare.world.settings.update, OFF)
    client = made({"url": bare.server.url, "token": bare.token})
    client.connect(Ears())
    text, can = "\n".join(line for _, line in client.examine()), client.capabilities
    client.close()
    assert (can.threads, can.edits, can.files, can.reactions, can.message_size) == (False, False, False, True, 900)
    for words in (
        "editing is off",
        "edited after 5 minutes",
        "threads are off",
        "files are off",
        "at most 1000",
        "formula",
    ):
        assert words in text


@pytest.fixture
def bare():
    """Give a network of one test."""
    net = RocketChat()
    yield net
    net.close()


def test_where_who_is_a_bot_cannot_be_read_the_bot_works_and_the_doctor_says_so(bare):
    bare.server.rest.forbidden.add("users.listByStatus")
    assert ("NOTE", True) in [
        (mark, "who is a bot cannot be read" in text) for mark, text in examined(bare, token=bare.token)
    ]


def test_where_editing_is_off_each_state_of_a_job_is_a_message(bare, driver, tmp_path):
    bare.server.run(bare.world.settings.update, {"Message_AllowEditing": False, "Threads_enabled": False})
    with Talk(bare, tmp_path, (driver,)) as talk:
        _, first = talk.asks("!reboot on web1", r"#\d+ ")
        last = talk.hears("reboot on web1.* done in")
    assert (first.thread, last.thread, last.edited) == ("", "", False)
    assert first.id != last.id


def test_the_doctor_asks_for_rooms_and_people_one_by_one(net, client):
    assert client.examine_room(client.room) == ""
    assert "/invite" in client.examine_room("elsewhere")
    assert client.examine_person(net.ana.id) == ""
    with pytest.raises(Rejected, match="User not found"):
        client.examine_person("nobody")
