"""`check --live` on whole networks: it finds them well, and leaves rooms and accounts as they were."""

import pytest

from automation_bots.doctor import chat_trial
from tests.chat.harness import toml_of
from tests.chat.networks.matrix import Matrix
from tests.chat.networks.rocketchat import RocketChat
from tests.support.chatbot import write_folder

pytestmark = pytest.mark.slow


def tried(net, folder, ana, secret, *second):
    """What the trial says, with ana as the second account, and what she sees in the room afterwards."""
    room = net.room(ana)
    environment = {"AUTOMATION_BOTS_DATA": str(folder / "data"), "OTHER": secret, **net.environment()}
    lines = list(chat_trial.lines(write_folder(folder, toml=toml_of(net)), room, list(second), environment))
    return lines, net.seen(ana, room)


def problems(lines):
    return [text for mark, text in lines if mark != "ok"]


@pytest.mark.parametrize("encrypted", [False, True], ids=["in clear", "encrypted"])
def test_matrix_is_found_well_and_left_as_it_was(synapse, tmp_path, encrypted):
    net = Matrix(synapse, encrypted=encrypted)
    ana = net.human("ana")
    second = (f"user={ana.id}", "password=env:OTHER", f"invites={net.bot}")
    lines, left = tried(net, tmp_path, ana, net.password, *second)
    sessions = net.sessions(ana)
    net.close()
    assert (problems(lines), left) == ([], [])
    assert "clean up: all " in lines[-1][1]
    assert "Automation Bots" not in sessions


def test_rocketchat_is_found_well_and_left_as_it_was(tmp_path):
    net = RocketChat()
    ana = net.human("ana")
    lines, left = tried(net, tmp_path, ana, net.server.run(net.world.token, ana.id), "token=env:OTHER")
    net.close()
    assert (problems(lines), left) == ([], [])
    assert "clean up: all " in lines[-1][1]
