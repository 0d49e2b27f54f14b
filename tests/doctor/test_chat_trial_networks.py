"""`automation-bots check --live` on the test servers: every part is well there, and nothing is left in the room."""

import pytest

from automation_bots.doctor import chat_trial
from tests.chat.harness import Human
from tests.chat.networks.mattermost import Mattermost
from tests.chat.networks.slack import SlackNet
from tests.support.chatbot import write_folder

pytestmark = pytest.mark.slow


def tried(net, tmp_path, second=()):
    """Run it as the command does; return its lines, and what stands in the room afterwards."""
    ana = net.human("ana")
    room = net.room(ana, *(who for who, _ in second))
    chat = "\n".join(f'{key} = "{value}"' for key, value in net.settings().items() if isinstance(value, str))
    toml = f'name = "netbot"\nbackend = "{net.backend}"\n[chat]\n{chat}\n[places]\ntest = "{room}"\n'
    folder = write_folder(tmp_path, toml=toml)
    given = {f"SECOND_{key}".upper(): value for _, secrets in second for key, value in secrets.items()}
    words = [f"{key}=env:SECOND_{key.upper()}" for _, secrets in second for key in secrets]
    environment = {"AUTOMATION_BOTS_DATA": str(tmp_path / "data"), **net.environment(), **given}
    lines = list(chat_trial.lines(folder, "#test", words, environment))
    return lines, net.seen(ana, room)


def test_mattermost_with_a_second_account(tmp_path):
    net = Mattermost(buttons=False)
    other = net.human("other", robot=True)
    lines, left = tried(net, tmp_path, [(other, {"token": net._tokens[other.id]})])
    net.close()
    assert {mark for mark, _ in lines} == {"ok"}, lines
    assert left == []


def test_slack_with_a_second_app(tmp_path):
    net = SlackNet()
    other = net.lab.install("other")
    tokens = {"bot_token": other.bot_token, "app_token": other.app_token}
    lines, left = tried(net, tmp_path, [(Human(other.me, "other"), tokens)])
    net.close()
    notes = [text for mark, text in lines if mark == "NOTE"]
    assert notes == ["direct message: left out, Slack has no direct messages between two bots"], lines
    assert ([text for mark, text in lines if mark == "WRONG"], left) == ([], [])


def test_slack_alone(tmp_path):
    net = SlackNet()
    lines, left = tried(net, tmp_path)
    net.close()
    assert [text.split(":")[0] for mark, text in lines if mark == "NOTE"] == [
        "hear", "an edit is no command", "answer", "direct message", "missed",
    ]  # fmt: skip
    assert {mark for mark, _ in lines} == {"ok", "NOTE"}, lines
    assert left == []
