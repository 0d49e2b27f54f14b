"""Settings, and what the doctor says."""

import pytest
from pydantic import ValidationError

from backends.mattermost_settings import MattermostSettings
from tests.chatbot import ROOT

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


def test_every_setting_stands_in_the_docs():
    page = (ROOT / "docs" / "mattermost.md").read_text()
    assert [name for name in MattermostSettings.model_fields if f"`{name}`" not in page] == []
