"""`automation-bots install` and `uninstall`, into a folder as if it were a machine."""

import io
import os
import shutil
import stat
import subprocess
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from automation_bots.cli import main as cli
from automation_bots.cli.install import parts
from automation_bots.config.bot_folder import BotFolder
from tests.support.program import write_bot

pytestmark = pytest.mark.works
MORE = """
[chat]
token = "credential:chat-token"
proxy_password = "env:PROXY_PASSWORD"
[inventory]
vault_password_file = "vault-password"
[drivers.ssh]
key_files = ["keys/id_ed25519", "{outside}"]
"""
HOME = "opt/automation-bots/bots/netbot"


class Installed:
    """A bot, the machine that it is installed on, and the commands typed there; each test leaves it as it was."""

    def __init__(self, folder):
        self.machine, self.outside = folder / "machine", folder / "elsewhere"
        self.machine.mkdir()
        self.bot = written(folder, self.outside)
        self.trial = self.run("install", "--dry-run")
        self.before = standing(self.machine)
        self.first = self.run("install")

    def run(self, command, *words):
        """Run a command; gives the exit code and what was said."""
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            code = cli.main([command, str(self.bot), "--root", str(self.machine), *words])
        return code, said.getvalue()


def written(folder, outside):
    """A bot of somebody who works with a strict umask, and has used ansible-vault."""
    outside.write_text("a key")
    vaulted = {"vault-password": "s3cret\n", "inventory/group_vars/all.yml": "$ANSIBLE_VAULT;1.1;AES256\n00\n"}
    keys = {"keys/id_ed25519": "k", "keys/other": "-----BEGIN OPENSSH PRIVATE KEY-----\n", "run.sh": "#!/bin/sh\n"}
    bot = write_bot(folder / "netbot", more=MORE.format(outside=outside), files={**vaulted, **keys})
    for path in bot.rglob("*"):
        path.chmod(0o700 if path.is_dir() or path.name == "run.sh" else 0o600)
    os.mkfifo(bot / "pipe")
    (bot / "shared").symlink_to("/srv/inventory")
    return bot


def standing(machine):
    found = {str(path.relative_to(machine)): path.lstat() for path in machine.rglob("*")}
    return {name: (one.st_ino, one.st_mode, one.st_uid, one.st_mtime_ns) for name, one in found.items()}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("install"))


@pytest.fixture
def there(whole):
    """The installed bot; what a test has made of it is put right again."""
    yield whole
    code, said = whole.run("install", "--replace", "bot", "--replace", "program")
    assert code == 0, said


def test_a_bot_is_installed_by_one_command_that_says_what_it_did(whole):
    code, said = whole.first
    assert code == 0, said
    for name in ("policy.yml", "inventory/hosts.yml", "../../config.py", "../../errbot-plugins/jobs/jobs.plug"):
        assert (whole.machine / HOME / name).is_file(), name
    for of in ("user", "program", "bot", "secrets", "data", "backups", "unit", "command", "completion"):
        assert f"new      {of}" in said


def test_a_trial_says_the_same_and_does_nothing(whole):
    code, said = whole.trial
    assert (code, whole.before) == (0, {})
    assert "Nothing was done" in said
    assert said.partition("Nothing")[0] == whole.first[1].partition("Done.")[0]


def test_a_second_run_changes_nothing(whole):
    before = standing(whole.machine)
    code, said = whole.run("install")
    assert code == 0
    assert standing(whole.machine) == before
    assert {line.split()[0] for line in said.partition("Done.")[0].splitlines()} == {"same"}


def test_what_was_roots_alone_can_be_read_by_the_bot_and_by_nobody_else(whole):
    found = {part.path: part for part in parts.everything(BotFolder(whole.bot, untouched=True), {})}
    for name in ("vault-password", "keys/id_ed25519", "keys/other"):
        part = found[f"/{HOME}/{name}"]
        assert (part.mode, part.owner) == (0o400, parts.USER), name
    for name, mode in (("inventory/group_vars/all.yml", 0o640), ("policy.yml", 0o640), ("run.sh", 0o750)):
        part = found[f"/{HOME}/{name}"]
        assert (part.mode, part.owner, part.group) == (mode, "root", parts.USER), name


def test_modes_and_owners_are_as_planned_and_mended(there):
    password = there.machine / HOME / "vault-password"
    password.chmod(0o644)
    said = there.run("install")[1]
    assert f"mode     bot        /{HOME}/vault-password: now automation-bots:automation-bots 0400" in said
    assert stat.S_IMODE(password.stat().st_mode) == 0o400
    if os.geteuid() == 0:
        assert password.stat().st_uid != 0
        assert (password.parent.stat().st_uid, password.parent.stat().st_gid != 0) == (0, True)


def test_what_somebody_changed_is_never_overwritten_in_silence(there):
    policy = there.machine / HOME / "policy.yml"
    policy.write_text("mine")
    code, said = there.run("install", "--replace", "program")
    assert (code, policy.read_text()) == (1, "mine")
    assert f"kept     bot        /{HOME}/policy.yml" in said


def test_what_is_replaced_is_kept_aside(there):
    policy = there.machine / HOME / "policy.yml"
    policy.write_text("mine")
    code, said = there.run("install", "--replace", "bot")
    aside = said.split("What stood there lies in ")[1].splitlines()[0].rstrip(".")
    assert code == 0
    assert Path(aside, HOME, "policy.yml").read_text() == "mine"
    assert "mine" not in policy.read_text()


def test_an_upgrade_takes_away_code_that_the_new_version_has_not(there):
    old = there.machine / "opt/automation-bots/automation_bots/gone.py"
    old.write_text("")
    assert there.run("install")[0] == 1
    assert old.exists()
    assert there.run("install", "--replace", "program")[0] == 0
    assert not old.exists()


def test_half_of_a_version_is_never_put_beside_another(there):
    program = there.machine / "opt/automation-bots"
    (program / "config.py").write_text("another version")
    (program / "docs/start.md").unlink()
    code, said = there.run("install")
    assert code == 1
    assert not (program / "docs/start.md").exists()
    assert "kept     program    /opt/automation-bots/docs/start.md" in said


def test_a_link_in_the_place_of_a_file_is_not_followed(there):
    target, precious = there.machine / "usr/local/bin/automation-bots", there.machine / "precious"
    target.unlink()
    target.symlink_to(precious)
    assert there.run("install")[0] == 1
    assert target.is_symlink()
    assert not precious.exists()


def test_what_only_people_can_do_is_left_to_them(whole):
    left = whole.first[1].partition("Left to do:")[2]
    for words in (
        'backend = "…"',
        "chat-token (paste it",
        "PROXY_PASSWORD",
        "shared is a link to /srv/inventory",
        "elsewhere: the service cannot see it there",
        "systemctl enable --now automation-bots@netbot",
    ):
        assert words in left


def test_the_unit_is_given_the_secrets_that_bot_toml_names(whole):
    folder = whole.machine / "etc/systemd/system/automation-bots@netbot.service.d"
    text = (folder / "secrets.conf").read_text()
    assert "LoadCredential=chat-token:/etc/automation-bots/netbot/chat-token\n" in text
    assert "EnvironmentFile=/etc/automation-bots/netbot/environment\n" in text


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="needs systemd-analyze")
def test_systemd_understands_what_was_installed(there, tmp_path):
    machine = tmp_path / "machine"
    shutil.copytree(there.machine / "etc", machine / "etc")
    program = machine / "opt/automation-bots/.venv/bin/automation-bots"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    for name in ("sysinit", "basic", "shutdown", "network-online", "multi-user"):
        (machine / f"etc/systemd/system/{name}.target").write_text("[Unit]\n")
    command = ["systemd-analyze", "verify", "--man=no", f"--root={machine}", "automation-bots@netbot.service"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert [line for line in done.stderr.splitlines() if "automation-bots" in line] == []
    dropped = next(machine.glob("etc/systemd/system/*.d/secrets.conf"))
    dropped.write_text(f"{dropped.read_text()}NoSuchKey=yes\n")
    assert "NoSuchKey" in subprocess.run(command, capture_output=True, text=True).stderr


def test_the_command_is_one_for_any_shell():
    assert subprocess.run(["sh", "-n", parts.ROOT / "deploy/automation-bots"]).returncode == 0


def test_an_uninstallation_takes_away_the_service_and_leaves_what_somebody_wrote(there):
    before = set(standing(there.machine))
    code, said = there.run("uninstall")
    gone = before - set(standing(there.machine))
    assert code == 0
    assert {name.rpartition("/")[2] for name in gone} >= {"automation-bots@.service", "secrets.conf"}
    assert not [name for name in gone if name.startswith(("opt/", "var/", "etc/automation-bots/"))]
    assert "rm -r /var/lib/automation-bots/netbot" in said


def test_the_unit_stays_while_another_bot_uses_it(there):
    other = there.machine / HOME / "../other"
    other.mkdir()
    (other / "bot.toml").touch()
    assert "other still uses it" in there.run("uninstall")[1]
    assert (there.machine / "etc/systemd/system/automation-bots@.service").exists()
    assert not list(there.machine.glob("etc/systemd/system/*.d"))
    shutil.rmtree(other)


def test_a_bot_that_still_starts_is_not_taken_apart(there):
    wants = there.machine / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir()
    (wants / "automation-bots@netbot.service").symlink_to("../automation-bots@.service")
    code, said = there.run("uninstall")
    shutil.rmtree(wants)
    assert code == 1
    assert "systemctl disable --now automation-bots@netbot" in said


def test_a_bot_that_is_not_installed_is_not_uninstalled(tmp_path, capsys):
    assert cli.main(["uninstall", "bots/netbot", "--root", str(tmp_path)]) == 1
    assert "is not installed" in capsys.readouterr().err
