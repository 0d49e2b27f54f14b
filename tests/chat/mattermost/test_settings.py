"""Settings, and what the doctor says."""

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from automation_bots.chat.mattermost.settings import MattermostSettings
from tests.support.chatbot import ROOT

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"url": "chat.example.com"}, "is no address"), ({"url": "https://c.example/api/v4"}, "without /api/v4"),
     ({"url": "https://me:pw@c.example"}, "is no address"), ({"ca": "/no/such.pem"}, "there is no file /no/such.pem"),
     ({"callback_listen": "127.0.0.1:1"}, "needs callback"), ({"callback": "https://b.example/c"}, "ends at a proxy"),
     ({"callback": "http://b:1", "callback_listen": "8066"}, "to listen on"), ({"tokken": "x"}, "Extra inputs")],
)  # fmt: skip
def test_a_wrong_setting_is_said(wrong, said):
    with pytest.raises(ValidationError, match=said):
        MattermostSettings.model_validate({"url": "https://c.example", "token": "x", **wrong})


def test_the_doctor_finds_nothing_wrong_with_a_good_account(net, another):
    found = dict(enumerate(another().examine()))
    assert not [text for level, text in found.values() if level == "WRONG"]
    said = "\n".join(f"{level} {text}" for level, text in found.values())
    for part in ("Mattermost 9.8.1", "the token is that of @netbot", "websocket opens", "team lab", net.here):
        assert part in said


def test_the_doctor_names_what_is_wrong(net, another):
    lonely = net.post(net.admin, "/bots", {"username": "lonely", "display_name": "Lonely"})["user_id"]
    token = net.post(net.admin, f"/users/{lonely}/tokens", {"description": "x"})["token"]
    assert ("WRONG", "the bot is in no team; invite it: team menu, Invite people, the bot's name") in list(
        another(token=token).examine()
    )
    assert "does not accept the token" in next(iter(another(token="x" * 26).examine()))[1]
    assert "cannot be reached" in next(iter(another(url="http://127.0.0.1:9").examine()))[1]


def test_the_doctor_looks_at_every_room_and_person_that_is_named(net, client):
    elsewhere = net.post(net.admin, "/channels", {"team_id": net.team, "name": "x1", "display_name": "X", "type": "P"})
    old, gone = net.room(net.ana), net.human("gone")
    net.server.api.world.channels[old]["delete_at"] = net.server.api.world.users[gone.id]["delete_at"] = 1
    assert client.examine_room(net.here) == client.examine_person(net.ana.id) == ""
    for ask, id_, why in (
        (client.examine_room, elsewhere["id"], "or the bot is not in it; type /invite there"),
        (client.examine_room, old, "the channel is archived"),
        (client.examine_room, "#ops", "is no id of a channel"),
        (client.examine_person, gone.id, "@gone is deactivated"),
        (client.examine_person, "b" * 26, "nobody has this id"),
        (client.examine_person, "ana", "is no id of a person"),
    ):
        assert why in ask(id_)
    net.server.api.world.channels[old]["delete_at"] = 0


def test_the_doctor_compares_the_clocks(net, another):
    net.set_clock(-90)
    behind = datetime.now(UTC) - another().network_time()
    net.set_clock(0)
    assert 87 < behind.total_seconds() < 91


def test_every_setting_stands_in_the_docs():
    page = (ROOT / "docs" / "mattermost.md").read_text()
    assert [name for name in MattermostSettings.model_fields if f"`{name}`" not in page] == []
