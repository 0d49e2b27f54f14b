"""Every way to a device: certificates, agents, jump hosts, ssh_config, and servers with settings of their own."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from automation_bots.drivers.ssh.access import LoginSources, access_to
from automation_bots.drivers.ssh.offered import offered_to
from automation_bots.drivers.ssh.ssh_config import SshConfig
from automation_bots.model import NOTHING, Device, Status
from tests.drivers.ssh.bench import SshTests, device, secrets, verb, with_password
from tests.fakes.sshd import Sshd
from tests.fakes.sshd_ways import agent, keygen, sshd_with

pytestmark = pytest.mark.slow


@pytest.fixture
def server(sshd: Sshd, tmp_path: Path):
    """Start one more OpenSSH with lines of its own; return its port."""
    with contextlib.ExitStack() as stack:
        (tmp_path / "sshd").mkdir()
        yield lambda more: stack.enter_context(sshd_with(sshd, tmp_path / "sshd", more))


@pytest.fixture
def certified(server, sshd: Sshd, tmp_path: Path):
    """Return a key with a certificate, and the port of a server that knows nothing but the authority's key."""
    keygen("-t", "ed25519", "-N", "", "-f", str(tmp_path / "authority"))
    keygen("-t", "ed25519", "-N", "", "-f", str(tmp_path / "person"))
    keygen("-s", str(tmp_path / "authority"), "-I", "ana", "-n", sshd.user, str(tmp_path / "person.pub"))
    authority = sshd.home / f"authority-{tmp_path.name}.pub"
    authority.write_text((tmp_path / "authority.pub").read_text())
    return tmp_path / "person", server(f"AuthorizedKeysFile none\nTrustedUserCAKeys {authority}")


def logins(sshd: Sshd) -> int:
    return sshd.log.read_text().count("Accepted ")


def bastions(sshd: Sshd, *, first: int = 1) -> dict[str, Device]:
    return {f"bastion{n}": replace(device(sshd, n), name=f"bastion{n}") for n in (first, first + 1)}


class TestWays(SshTests):
    def test_a_certificate_beside_the_key_logs_in(self, run, sshd, certified):
        key, port = certified
        outcome = run(verb("id", "-un"), device(sshd, ansible_port=port, ansible_ssh_private_key_file=str(key)))
        assert (outcome.status, outcome.summary) == (Status.OK, sshd.user)

    def test_a_certificate_may_lie_elsewhere(self, run, sshd, certified, tmp_path):
        key, port = certified
        (tmp_path / "person-cert.pub").rename(tmp_path / "signed.pub")
        known = {"ansible_port": port, "ansible_ssh_private_key_file": str(key)}
        assert run(verb("id"), device(sshd, **known)).status is Status.UNREACHABLE
        assert run(verb("id"), device(sshd, **known, ssh_certificate=str(tmp_path / "signed.pub"))).status is Status.OK

    def test_a_certificate_of_another_key_is_named(self, run, sshd, certified, tmp_path):
        _, port = certified
        outcome = run(verb("id"), device(sshd, ansible_port=port, ssh_certificate=str(tmp_path / "person-cert.pub")))
        assert "belongs to another key" in outcome.summary

    def test_a_key_of_the_agent_logs_in(self, bench, sshd, monkeypatch):
        bench.driver.options = replace(bench.driver.options, allow_agent=True)
        target = with_password(sshd)
        with agent(sshd.key_file) as path:
            monkeypatch.setenv("SSH_AUTH_SOCK", path)
            assert bench.run(verb("id"), target)[target.name].status is Status.OK

    def test_a_key_out_of_the_vault_logs_in(self, run, sshd):
        given = secrets(ansible_ssh_private_key=sshd.key_file.read_text())
        assert run(verb("id"), with_password(sshd), secrets=given).status is Status.OK

    # --- jump hosts

    def test_a_device_is_reached_through_two_jump_hosts(self, run, ssh, sshd):
        ssh.around = LoginSources(device=bastions(sshd).get)
        before = logins(sshd)
        outcome = run(verb("echo", "hello"), device(sshd, jump=["bastion1", "bastion2"]))
        assert (outcome.status, outcome.output, logins(sshd) - before) == (Status.OK, "hello", 3)

    def test_many_devices_share_the_connection_to_their_jump_host(self, bench, ssh, sshd):
        ssh.around = LoginSources(device=bastions(sshd).get)
        before = logins(sshd)
        many = [replace(device(sshd, jump="bastion1"), name=f"d{n}") for n in range(8)]
        assert {outcome.status for outcome in bench.run(verb("id"), *many).values()} == {Status.OK}
        assert logins(sshd) - before == 9

    def test_ansibles_own_arguments_name_a_jump_host(self, run, sshd):
        hop = f"{sshd.user}@{sshd.addresses[1]}:{sshd.port}"
        before = logins(sshd)
        assert run(verb("id"), device(sshd, ansible_ssh_common_args=f"-o ProxyJump={hop}")).status is Status.OK
        assert logins(sshd) - before == 2

    def test_a_jump_host_that_refuses_is_named(self, run, ssh, sshd):
        hop = replace(with_password(sshd, number=1), name="bastion1")
        ssh.around = LoginSources(device={"bastion1": hop}.get)
        outcome = run(verb("id"), device(sshd, jump="bastion1"))
        assert "its jump host cannot be passed: authentication failed" in outcome.summary

    def test_a_device_that_its_jump_host_does_not_reach_is_told_apart(self, run, ssh, sshd):
        ssh.around = LoginSources(device=bastions(sshd).get)
        outcome = run(verb("id"), device(sshd, jump="bastion1", ansible_port=1))
        assert outcome.status is Status.UNREACHABLE
        assert f"{sshd.addresses[0]}:1 cannot be reached from bastion1" in outcome.summary

    def test_the_host_keys_of_a_device_behind_a_jump_host_are_shown(self, ssh, sshd):
        access = access_to(device(sshd, jump="bastion1"), NOTHING, LoginSources(device=bastions(sshd).get))
        keys = offered_to(access, ssh.trusted, 5)
        assert sshd.fingerprint() in {key.fingerprint for key in keys}

    def test_the_bots_ssh_config_says_where_and_how(self, run, ssh, sshd, tmp_path):
        (tmp_path / "more").write_text(f"Host bastion\n HostName {sshd.addresses[1]}\n Port {sshd.port}\n")
        (tmp_path / "config").write_text(
            f"Include more\nHost web1\n HostName {sshd.addresses[0]}\n Port {sshd.port}\n ProxyJump bastion\n"
            f"Host *\n User {sshd.user}\n IdentityFile {sshd.key_file}\n Ciphers aes256-ctr,3des-cbc\n"
        )
        ssh.around = LoginSources(SshConfig(tmp_path / "config"))
        before = logins(sshd)
        assert run(verb("id", "-un"), Device("web1")).summary == sshd.user
        assert logins(sshd) - before == 2

    # --- host keys

    def test_hashed_host_keys_are_found(self, run, ssh, sshd, tmp_path):
        ssh.known_hosts = tmp_path / "known"
        ssh.known_hosts.write_text(sshd.known_hosts.read_text())
        keygen("-H", "-f", str(ssh.known_hosts))
        assert sshd.addresses[0] not in ssh.known_hosts.read_text()
        assert run(verb("id"), device(sshd)).status is Status.OK

    def test_a_host_certificate_of_a_known_authority_is_trusted(self, run, ssh, sshd, server, tmp_path):
        keygen("-t", "ed25519", "-N", "", "-f", str(tmp_path / "authority"))
        keygen("-t", "ed25519", "-N", "", "-f", str(tmp_path / "host"))
        keygen("-h", "-s", str(tmp_path / "authority"), "-I", "h", "-n", sshd.addresses[0], str(tmp_path / "host.pub"))
        port = server(f"HostKey {tmp_path / 'host'}\nHostCertificate {tmp_path / 'host-cert.pub'}")
        ssh.known_hosts = tmp_path / "known"
        ssh.known_hosts.write_text(f"@cert-authority * {(tmp_path / 'authority.pub').read_text()}")
        assert run(verb("id"), device(sshd, ansible_port=port)).status is Status.OK
        ssh.known_hosts.write_text(f"@cert-authority * {(tmp_path / 'host.pub').read_text()}")
        assert "not known" in run(verb("id"), device(sshd, ansible_port=port)).summary

    # --- servers with limits

    def test_one_session_on_a_connection_is_enough_for_several_jobs_at_once(self, bench, sshd, server):
        target = device(sshd, ansible_port=server("MaxSessions 1"))
        found = []
        bench.run(verb("id"), target)
        work = bench.workdir
        threads = [
            threading.Thread(target=lambda n=n: found.append(self._apart(bench, work / str(n), target)))
            for n in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [Status.OK] * 3
        for n in range(3):
            (work / str(n)).rmdir()

    @staticmethod
    def _apart(bench, workdir: Path, target: Device) -> Status:
        workdir.mkdir()
        other = type(bench)(bench.driver, workdir)
        return other.run(verb("sleep", "0.5"), target)[target.name].status

    def test_keys_are_exchanged_anew_in_the_middle_of_a_long_output(self, run, sshd, server):
        target = device(sshd, ansible_port=server("RekeyLimit 500K"))
        outcome = run(verb("sh", "-c", "yes 0123456789 | head -c 5000000; echo last >&2; exit 3"), target)
        assert (outcome.exit_code, outcome.summary) == (3, "last")

    def test_a_banner_of_ten_kilobytes_is_passed_over(self, run, sshd, server, tmp_path):
        (tmp_path / "banner").write_text("Only for those who may.\n" * 450)
        target = device(sshd, ansible_port=server(f"Banner {tmp_path / 'banner'}"))
        assert run(verb("echo", "hello"), target).output == "hello"

    def test_old_algorithms_are_spoken_only_where_the_inventory_says_so(self, run, sshd, server):
        port = server("KexAlgorithms diffie-hellman-group14-sha1\nCiphers aes128-cbc,3des-cbc\nMACs hmac-sha1")
        refused = run(verb("id"), device(sshd, ansible_port=port))
        assert refused.status is Status.UNREACHABLE
        assert "it offers only old ones" in refused.summary
        assert "ssh_legacy: true" in refused.summary
        assert run(verb("id"), device(sshd, ansible_port=port, ssh_legacy=True)).status is Status.OK

    # --- sudo

    def test_the_inventory_can_ask_for_sudo(self, run, users):
        assert run(verb("/usr/bin/id", "-un"), device(users, ansible_become=True)).summary == "root"

    def test_sudo_with_a_terminal_takes_its_password(self, run, users):
        target = device(users, ansible_user=users.admin, ssh_pty=True)
        outcome = run(verb("whoami", become=True), target, secrets=secrets(ansible_become_password=users.password))
        assert (outcome.status, outcome.output) == (Status.OK, "root")

    def test_a_terminal_is_given_where_the_inventory_says_so(self, run, sshd):
        assert run(verb("tty"), device(sshd)).exit_code == 1
        assert run(verb("tty"), device(sshd, ssh_pty=True)).output.startswith("/dev/pts/")

    def test_the_lab_can_name_an_agent_that_is_gone(self, bench, sshd, monkeypatch):
        bench.driver.options = replace(bench.driver.options, allow_agent=True)
        monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere/agent")
        target = with_password(sshd)
        assert "not the SSH agent: No such file" in bench.run(verb("id"), target)[target.name].summary


def test_openssh_is_here_with_all_its_programs():
    for program in ("ssh-agent", "ssh-add", "ssh-keygen"):
        assert subprocess.run(["which", program], capture_output=True).returncode == 0, program
