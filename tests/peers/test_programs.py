"""Two bots as their people run them: keys exchanged by files, then asked; looked at by check and doctor."""

import re

import pytest

from automation_bots.cli.main import main
from tests.support.chatbot import wait
from tests.support.program import Program, surroundings, write_bot

POLICY = """
people:
  admin: {text: "@admin", groups: [admins]}
rules:
  - {name: admins, who: admins, may: [everything]}
"""


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """linuxbot and winbot, of which neither trusts the other yet."""
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    monkeypatch.setenv("AUTOMATION_BOTS_DATA", surroundings(data)["AUTOMATION_BOTS_DATA"])
    for me, other in (("linuxbot", "winbot"), ("winbot", "linuxbot")):
        more = f'[peers]\nqueue = "{tmp_path}/queue"\n[peers.{other}]\n'
        write_bot(tmp_path / me, more=more, files={"policy.yml": POLICY})
    return tmp_path / "linuxbot", tmp_path / "winbot"


def run(capsys, *words):
    """Run a command in this process; its exit code, and what it said."""
    code = main([str(word) for word in words])
    said = capsys.readouterr()
    return code, said.out + said.err


def fingerprint(text):
    return re.search(r"SHA256:\S+", text)[0]


def test_a_key_is_trusted_when_its_fingerprint_is_the_one_that_was_told(folders, capsys, tmp_path):
    lin, win = folders
    own = fingerprint(run(capsys, "peer", "key", win, "--out", tmp_path / "win.peer")[1])
    assert run(capsys, "peer", "trust", lin, tmp_path / "win.peer", "--fingerprint", "SHA256:x")[0] == 1
    assert run(capsys, "peer", "trust", lin, tmp_path / "win.peer", "--fingerprint", own)[0] == 0
    assert f"winbot {own} trusted by" in run(capsys, "peer", "list", lin)[1]


def test_the_key_of_a_bot_goes_over_to_a_new_one_and_can_be_revoked(folders, capsys, tmp_path):
    lin, win = folders
    first = fingerprint(run(capsys, "peer", "key", win, "--out", tmp_path / "win.peer")[1])
    run(capsys, "peer", "trust", lin, tmp_path / "win.peer", "--fingerprint", first)
    (tmp_path / "new.peer").write_text(run(capsys, "peer", "rotate", win)[1].partition("This file")[0])
    second = fingerprint((tmp_path / "new.peer").read_text())
    assert run(capsys, "peer", "trust", lin, tmp_path / "new.peer", "--fingerprint", second)[0] == 0
    assert second in run(capsys, "peer", "rotate", win, "--finish")[1]
    assert run(capsys, "peer", "revoke", lin, "winbot")[0] == 0
    assert "revoked" in run(capsys, "peer", "trust", lin, tmp_path / "new.peer", "--fingerprint", second)[1]


@pytest.mark.parametrize(
    "text",
    ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGP ana@host\n", "-----BEGIN PUBLIC KEY-----\nMCow\n", '{"kty": "OKP"}'],
)
def test_a_key_of_another_kind_is_told_from_one_of_a_bot(folders, capsys, tmp_path, text):
    (tmp_path / "key").write_text(text)
    assert "no key of a bot" in run(capsys, "peer", "trust", folders[0], tmp_path / "key")[1]


def test_its_own_key_is_for_the_others(folders, capsys, tmp_path):
    run(capsys, "peer", "key", folders[0], "--out", tmp_path / "lin.peer")
    assert "of this bot itself" in run(capsys, "peer", "trust", folders[0], tmp_path / "lin.peer")[1]


@pytest.mark.slow
def test_check_names_a_bot_whose_key_is_not_trusted_and_the_doctor_who_is_away(folders, capsys, tmp_path):
    lin, win = folders
    assert "WRONG other bots: the key of winbot is not trusted" in run(capsys, "check", lin)[1]
    own = fingerprint(run(capsys, "peer", "key", win, "--out", tmp_path / "win.peer")[1])
    run(capsys, "peer", "trust", lin, tmp_path / "win.peer", "--fingerprint", own)
    assert "other bots: winbot is away" in run(capsys, "doctor", lin)[1]


@pytest.mark.slow
@pytest.mark.works
def test_two_bots_as_programs_ask_each_other_and_hear_that_one_was_killed(folders, capsys, tmp_path):
    lin, win = folders
    data = tmp_path / "data"
    for me, other in ((lin, win), (win, lin)):
        own = fingerprint(run(capsys, "peer", "key", me, "--out", tmp_path / "key")[1])
        run(capsys, "peer", "trust", other, tmp_path / "key", "--fingerprint", own)
    with Program("run", lin, data=data) as linuxbot, Program("run", win, data=data) as winbot:
        for bot in (linuxbot, winbot):
            bot.hears("keys of other bots were changed")
        wait(lambda: re.search(r"winbot +here", linuxbot.asks("!peers", r"1 other bot[\s\S]*winbot ")), 60)
        linuxbot.asks("!@winbot uptime on here", r"winbot #1 uptime on here done in .*1 ok")
        winbot.asks("!@linuxbot,nobody status", r"1 bot answered, 1 did not: nobody")
        winbot.kill()
        linuxbot.asks("!@winbot uptime on here", r"did not take it within|cannot be asked: away")
