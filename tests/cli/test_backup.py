"""`automation-bots backup` and `restore`: all of a bot in one file."""

import sqlite3
import tarfile

import pytest

from automation_bots.cli import main as cli
from automation_bots.config.bot_folder import BotFolder
from automation_bots.model import Place
from automation_bots.store import AuditKind, Store, Subject
from tests.support.program import write_bot

pytestmark = pytest.mark.works


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Run the command, with the data of bots in a folder that `home` names; gives the exit code and what was said."""

    def run(*words, home="old"):
        monkeypatch.setenv("AUTOMATION_BOTS_DATA", str(tmp_path / home))
        code = cli.main([str(word) for word in words])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run


@pytest.fixture
def bot(tmp_path, run):
    """A bot with a record, keys, kept configurations, a database of its chat network, and what is made anew."""
    folder = write_bot(tmp_path / "mine", files={"vault-password": "s3cret\n", "playbooks/p.yml": "- hosts: all\n"})
    (folder / "vault-password").chmod(0o600)
    data = BotFolder(folder, {"AUTOMATION_BOTS_DATA": str(tmp_path / "old")}).data
    store = Store.open(data)
    store.record(AuditKind.DENIED, {"reason": "x"}, Subject("ana", None, Place("text", "#a")))
    store.close()
    for name in ("keys/record.key", "network/configs/.git/HEAD", "network/configs/core1", "cache/x", "log/bot.log"):
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(name)
    (data / "matrix").mkdir()
    with sqlite3.connect(data / "matrix" / "nio.db") as other:
        other.execute("CREATE TABLE t (x)")
        other.execute("INSERT INTO t VALUES (42)")
    other.close()
    return folder


def restored(run, tmp_path, bot):
    assert run("backup", bot, tmp_path / "b.tar.gz")[0] == 0
    code, said = run("restore", tmp_path / "b.tar.gz", tmp_path / "again", home="new")
    assert code == 0, said
    return tmp_path / "again", next((tmp_path / "new").iterdir())


def test_a_restored_bot_has_its_settings_its_record_and_its_keys(run, tmp_path, bot):
    folder, data = restored(run, tmp_path, bot)
    assert (folder / "policy.yml").read_text() == (bot / "policy.yml").read_text()
    assert run("audit", "verify", folder, home="new")[0] == 0
    assert (data / "keys/record.key").read_text() == "keys/record.key"
    assert (data / "network/configs/.git/HEAD").exists()
    assert run("check", folder, home="new")[1].endswith("all is well\n")


def test_databases_are_copied_whole_and_what_is_made_anew_is_left(run, tmp_path, bot):
    _, data = restored(run, tmp_path, bot)
    with sqlite3.connect(data / "matrix" / "nio.db") as other:
        assert other.execute("SELECT x FROM t").fetchall() == [(42,)]
    assert not (data / "cache/x").exists() and not (data / "log").exists()


def test_nobody_else_can_read_what_is_in_it(run, tmp_path, bot):
    folder, data = restored(run, tmp_path, bot)
    private = (tmp_path / "b.tar.gz", folder, folder / "vault-password", data / "keys/record.key", data / "bot.db")
    assert [path.stat().st_mode & 0o077 for path in private] == [0] * len(private)


def test_a_record_in_use_is_backed_up_beside_its_bot(run, tmp_path, bot):
    store = Store.open(next((tmp_path / "old").iterdir()))
    try:
        assert run("backup", bot, tmp_path / "b.tar.gz")[0] == 0
    finally:
        store.close()


def test_files_that_lie_elsewhere_are_named(run, tmp_path, bot):
    (tmp_path / "hosts").write_text("web1\n")
    text = (bot / "bot.toml").read_text() + f'[inventory]\nsources = ["{tmp_path}/hosts"]\n'
    (bot / "bot.toml").write_text(text)
    (bot / "playbooks/linked.yml").symlink_to(tmp_path / "hosts")
    said = run("backup", bot, tmp_path / "b.tar.gz")[1]
    assert f"elsewhere or are links: {tmp_path}/hosts, {bot}/playbooks/linked.yml" in said


@pytest.mark.parametrize("at", [100, 700, -200])
def test_a_damaged_backup_restores_nothing(run, tmp_path, bot, at):
    run("backup", bot, tmp_path / "b.tar.gz")
    content = bytearray((tmp_path / "b.tar.gz").read_bytes())
    content[at] ^= 0x55
    (tmp_path / "b.tar.gz").write_bytes(content)
    code, said = run("restore", tmp_path / "b.tar.gz", tmp_path / "again", home="new")
    assert (code, (tmp_path / "again").exists(), "nothing was restored" in said) == (1, False, True)


def test_what_is_there_is_never_overwritten(run, tmp_path, bot):
    run("backup", bot, tmp_path / "b.tar.gz")
    assert "nothing was overwritten" in run("backup", bot, tmp_path / "b.tar.gz")[1]
    assert "nothing was overwritten" in run("restore", tmp_path / "b.tar.gz", bot)[1]
    code, said = run("restore", tmp_path / "b.tar.gz", tmp_path / "mine2")  # its data is there
    assert (code, (tmp_path / "mine2").exists(), "is not empty" in said) == (1, False, True)


def test_an_archive_that_leads_elsewhere_is_none(run, tmp_path):
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../evil"))
    assert "is no whole backup" in run("restore", tmp_path / "b.tar.gz", tmp_path / "again")[1]
    assert not (tmp_path.parent / "evil").exists()
