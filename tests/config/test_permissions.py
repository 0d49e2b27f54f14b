"""Configuration that others can write is none: the bot does not start with it, and says what to type."""

import os
import stat

import pytest

from automation_bots.app.bot import Bot
from automation_bots.cli.main import main
from automation_bots.config import permissions
from automation_bots.errors import ConfigError
from tests.support.chatbot import write_folder

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path):
    folder = write_folder(tmp_path / "bot", files={"playbooks/patch.yml": "- hosts: all\n", "known_hosts": ""})
    start(folder)
    return folder


def start(folder):
    return Bot(folder, {"AUTOMATION_BOTS_DATA": str(folder / "data")}, read_only=True)


def data(folder):
    return start(folder).data


@pytest.mark.parametrize(
    ("path", "mode", "said"),
    [
        (".", 0o777, "others can change .*/bot .mode 0777.. Run: chmod go-w"),
        ("bot.toml", 0o646, "others can change .*bot.toml"),
        ("policy.yml", 0o666, "others can change .*policy.yml .mode 0666.. Run: chmod go-w .*policy.yml"),
        ("playbooks", 0o777, "others can change .*playbooks"),
        ("playbooks/patch.yml", 0o666, "others can change .*patch.yml"),
        ("inventory", 0o777, "others can change .*inventory"),
    ],
)
def test_what_others_can_change_keeps_the_bot_from_starting(folder, path, mode, said):
    assert start(folder)
    (folder / path).chmod(mode)
    with pytest.raises(ConfigError, match=said) as refused:
        start(folder)
    assert "check --fix-permissions" in str(refused.value)


@pytest.mark.parametrize("name", ["bot.db", "bot.db-wal", "log/audit.jsonl", "keys/seal.key"])
def test_a_record_that_others_can_read_keeps_the_bot_from_starting(folder, name):
    file = data(folder) / name
    file.parent.mkdir(mode=0o700, exist_ok=True)
    file.touch(mode=0o600)
    start(folder)
    file.chmod(0o644)
    with pytest.raises(ConfigError, match=f"others can read .*{name}.*chmod go="):
        start(folder)


def test_known_hosts_that_others_can_change_trusts_nobody(folder):
    known = start(folder).bot_folder.known_hosts
    known.parent.mkdir(exist_ok=True, parents=True)
    known.touch()
    known.chmod(0o666)
    with pytest.raises(ConfigError, match=f"others can change {known}"):
        start(folder)


def test_a_link_in_place_of_the_data_folder_is_refused(folder, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    real = data(folder)
    real.rename(tmp_path / "elsewhere/data")
    real.symlink_to(tmp_path / "elsewhere/data")
    with pytest.raises(ConfigError, match=r"is a link\. Name the folder itself"):
        start(folder)


def test_a_data_folder_that_others_can_change_keeps_the_bot_from_starting(folder):
    data(folder).chmod(0o777)
    with pytest.raises(ConfigError, match=r"others can change .*data.* .mode 0777."):
        start(folder)


def test_check_takes_the_permissions_away_and_says_so(folder, capsys, monkeypatch):
    monkeypatch.setenv("AUTOMATION_BOTS_DATA", str(folder / "data"))
    (folder / "policy.yml").chmod(0o666)
    folder.chmod(0o777)
    main(["check", "--fix-permissions", str(folder)])
    assert f"chmod go-w {folder}/policy.yml" in capsys.readouterr().out
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "policy.yml")] == [0o755, 0o644]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_the_group_of_the_owner_alone_may_write_as_debian_makes_files(tmp_path):
    file = tmp_path / "policy.yml"
    file.touch()
    file.chmod(0o664)
    assert list(permissions.changeable([file])) == []  # root:root
    os.chown(file, 0, 1)  # daemon's
    assert [found.bits for found in permissions.changeable([file])] == [stat.S_IWGRP]
