"""Logging in over SSH: keys, passwords, host keys and sudo, against a real OpenSSH server."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from automation_bots.drivers.ssh.access import LoginFailed
from automation_bots.drivers.ssh.known_hosts import trust
from automation_bots.drivers.ssh.offered import offered_keys
from automation_bots.model import Status
from tests.drivers.ssh.bench import SshTests, closed_port, device, secrets, verb, with_password
from tests.fakes.sshd import Sshd

pytestmark = pytest.mark.slow


@pytest.fixture
def locked_key(sshd: Sshd, tmp_path: Path) -> Path:
    copy = tmp_path / "locked"
    copy.write_bytes(sshd.key_file.read_bytes())
    copy.chmod(0o600)
    _keygen(f"-p -N {shlex.quote('open sesame')} -f {copy}")
    return copy


@pytest.fixture
def other_key(tmp_path: Path) -> Path:
    _keygen(f"-t ed25519 -N '' -f {tmp_path / 'other'}")
    return tmp_path / "other.pub"


def _keygen(arguments: str) -> None:
    subprocess.run(["ssh-keygen", "-q", *shlex.split(arguments)], check=True, capture_output=True)


class TestLogin(SshTests):
    def test_a_password_from_the_secrets_logs_in(self, run, users):
        outcome = run(verb("id", "-un"), with_password(users), secrets=secrets(ansible_password=users.password))
        assert (outcome.status, outcome.summary) == (Status.OK, users.user)

    def test_a_wrong_password_is_named_without_showing_it(self, run, users):
        outcome = run(verb("id"), with_password(users), secrets=secrets(ansible_password="hunter2"))
        assert outcome.status is Status.UNREACHABLE
        assert f"authentication failed for user {users.user}" in outcome.summary
        assert "tried password" in outcome.summary
        assert "hunter2" not in outcome.summary

    def test_a_key_that_is_not_there_is_named(self, run, sshd):
        outcome = run(verb("id"), device(sshd, ansible_ssh_private_key_file="/nowhere/key"))
        assert "key /nowhere/key: No such file or directory" in outcome.summary

    def test_without_key_and_password_the_message_says_what_the_device_takes(self, run, sshd):
        outcome = run(verb("id"), with_password(sshd))
        assert "no usable key, no password" in outcome.summary
        assert "the device accepts publickey" in outcome.summary

    def test_a_key_of_the_bot_serves_devices_that_name_none(self, bench, sshd):
        bench.driver.options = replace(bench.driver.options, key_files=(sshd.key_file,))
        target = with_password(sshd)
        assert bench.run(verb("id"), target)[target.name].status is Status.OK

    def test_a_locked_key_asks_for_its_passphrase_variable(self, run, sshd, locked_key):
        outcome = run(verb("id"), device(sshd, ansible_ssh_private_key_file=str(locked_key)))
        assert "ansible_ssh_private_key_passphrase" in outcome.summary

    def test_a_locked_key_opens_with_its_passphrase(self, run, sshd, locked_key):
        target = device(sshd, ansible_ssh_private_key_file=str(locked_key))
        outcome = run(verb("id"), target, secrets=secrets(ansible_ssh_private_key_passphrase="open sesame"))
        assert outcome.status is Status.OK

    # --- host keys

    def test_an_unknown_host_key_is_shown_with_what_to_do(self, run, ssh, sshd, tmp_path):
        ssh.known_hosts = tmp_path / "none"
        outcome = run(verb("id"), device(sshd))
        assert outcome.status is Status.UNREACHABLE
        assert sshd.fingerprint() in outcome.summary
        assert "automation-bots trust <bot folder> web1" in outcome.summary

    def test_a_changed_host_key_shows_both_fingerprints(self, run, ssh, sshd, tmp_path, other_key):
        ssh.known_hosts = tmp_path / "known"
        ssh.known_hosts.write_text(f"[{sshd.addresses[0]}]:{sshd.port} {other_key.read_text()}")
        outcome = run(verb("id"), device(sshd))
        assert outcome.status is Status.FAILED
        assert outcome.summary.count("SHA256:") == 2
        assert sshd.fingerprint() in outcome.summary

    def test_the_kind_of_key_that_is_known_is_the_one_asked_for(self, run, ssh, sshd, tmp_path):
        ssh.known_hosts = tmp_path / "known"
        key = (sshd.folder / "host_ecdsa.pub").read_text()
        ssh.known_hosts.write_text(f"[{sshd.addresses[0]}]:{sshd.port} {key}")
        assert run(verb("id"), device(sshd)).status is Status.OK

    def test_offered_keys_can_be_trusted_and_then_work(self, run, ssh, sshd, tmp_path):
        ssh.known_hosts = tmp_path / "new" / "known"
        keys = offered_keys(sshd.addresses[0], sshd.port, 5)
        assert [key.fingerprint for key in keys] == [sshd.fingerprint("ed25519"), sshd.fingerprint("ecdsa")]
        trust(ssh.known_hosts, sshd.addresses[0], sshd.port, [key.line for key in keys])
        assert run(verb("id"), device(sshd)).status is Status.OK

    def test_asking_for_keys_says_why_there_are_none(self):
        with pytest.raises(LoginFailed, match="refused the connection"):
            offered_keys("127.0.0.1", closed_port(), 2)

    # --- sudo

    def test_sudo_without_a_password_becomes_root(self, run, users):
        assert run(verb("/usr/bin/id", "-un", become=True), device(users)).summary == "root"

    def test_sudo_becomes_the_user_that_the_inventory_names(self, run, users):
        target = device(users, ansible_become_user="nobody")
        assert run(verb("/usr/bin/id", "-un", become=True), target).summary == "nobody"

    def test_sudo_that_wants_a_password_says_which_variable_is_missing(self, run, users):
        outcome = run(verb("/usr/bin/whoami", become=True), device(users))
        assert outcome.status is Status.FAILED
        assert "set ansible_become_password" in outcome.summary

    def test_sudo_takes_its_password_from_the_secrets(self, run, users):
        target = device(users, ansible_user=users.admin)
        outcome = run(verb("whoami", become=True), target, secrets=secrets(ansible_become_password=users.password))
        assert (outcome.status, outcome.output) == (Status.OK, "root")

    def test_a_wrong_sudo_password_is_named(self, run, users):
        target = device(users, ansible_user=users.admin)
        outcome = run(verb("whoami", become=True), target, secrets=secrets(ansible_become_password="hunter2"))
        assert outcome.status is Status.FAILED
        assert "sudo refused the password" in outcome.summary

    def test_where_sudo_wants_no_password_the_command_does_not_get_it(self, run, users):
        given = secrets(ansible_become_password=users.password)
        outcome = run(verb("/usr/bin/cat", "/etc/hostname", "-", become=True), device(users), secrets=given)
        assert outcome.status is Status.OK
        assert users.password not in outcome.output

    def test_the_sudo_password_is_in_no_argument_list(self, run, users):
        target = device(users, ansible_user=users.admin)
        look = ("sh", "-c", "for one in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$one 2>&1; echo; done | grep -a sudo")
        outcome = run(verb(*look, become=True), target, secrets=secrets(ansible_become_password=users.password))
        assert "sudo -S" in outcome.output
        assert users.password not in outcome.output
