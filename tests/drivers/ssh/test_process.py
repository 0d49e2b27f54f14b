"""Connections that stay open, and the process that holds them: what it shares, what it forgets, how it ends."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from automation_bots.drivers import Cancel
from automation_bots.drivers.ssh.driver import Ssh
from automation_bots.errors import DriverError
from automation_bots.model import Risk, Status
from tests.drivers.contract import Bench, nothing_left_behind
from tests.drivers.ssh.bench import LIMIT, SshTests, device, verb, with_password
from tests.drivers.ssh.test_ways import logins
from tests.fakes.sshd import Sshd

pytestmark = pytest.mark.slow


@pytest.fixture
def count(sshd: Sshd):
    """Return how many logins there were since the test began."""
    before = logins(sshd)
    return lambda: logins(sshd) - before


def open_connections(driver: Ssh) -> int:
    links = [entry.readlink() for entry in Path(f"/proc/{driver.worker.pid}/fd").iterdir()]
    return sum(str(link).startswith("socket:") for link in links)


def until(condition) -> None:
    end = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


class TestKept(SshTests):
    def test_the_next_command_finds_the_connection_open(self, run, sshd, count):
        assert [run(verb("id"), device(sshd)).status for _ in range(3)] == [Status.OK] * 3
        assert count() == 1

    def test_two_commands_at_once_share_it(self, bench, sshd, count, tmp_path):
        bench.run(verb("id"), device(sshd))
        (tmp_path / "beside").mkdir()
        beside = threading.Thread(
            target=lambda: Bench(bench.driver, tmp_path / "beside").run(verb("sleep", "0.5"), device(sshd))
        )
        beside.start()
        bench.run(verb("sleep", "0.5"), device(sshd))
        beside.join()
        assert count() == 1

    @pytest.mark.parametrize("change", [{"ansible_become_user": "nobody"}, {"ansible_ssh_private_key_file": None}])
    def test_another_account_never_gets_it(self, bench, sshd, count, change):
        bench.driver.options = replace(bench.driver.options, key_files=(sshd.key_file,))
        for variables in ({}, change):
            assert bench.run(verb("id"), device(sshd, **variables))["web1"].status is Status.OK
        assert count() == 2

    def test_a_key_that_was_replaced_closes_it(self, run, sshd, count, tmp_path):
        key = tmp_path / "key"
        key.write_bytes(sshd.key_file.read_bytes())
        key.chmod(0o600)
        for _ in range(2):
            assert run(verb("id"), device(sshd, ansible_ssh_private_key_file=str(key))).status is Status.OK
            os.utime(key, (1, 1))
        assert count() == 2

    def test_a_host_key_that_is_no_longer_trusted_closes_it(self, run, ssh, sshd, tmp_path):
        ssh.known_hosts = tmp_path / "known"
        ssh.known_hosts.write_text(sshd.known_hosts.read_text())
        assert run(verb("id"), device(sshd)).status is Status.OK
        ssh.known_hosts.write_text("")
        assert "is not known" in run(verb("id"), device(sshd)).summary

    def test_one_that_died_meanwhile_is_opened_anew(self, run, sshd, count):
        run(verb("id"), device(sshd), keep=True) if False else run(verb("id"), device(sshd))
        run(verb("sh", "-c", "(sleep 0.3; kill -9 $PPID) >/dev/null 2>&1 & echo x"), device(sshd))
        time.sleep(0.6)
        assert (
            run(
                verb("id"),
                device(sshd, number=0),
            ).status
            is Status.OK
        )
        assert count() == 2

    def test_it_is_closed_after_its_time(self, run, ssh, sshd, count):
        ssh.options = replace(ssh.options, keep_seconds=0.3)
        run(verb("id"), device(sshd))
        time.sleep(1)
        run(verb("id"), device(sshd))
        assert count() == 2

    def test_only_so_many_stay_open(self, bench, ssh, sshd):
        ssh.options = replace(ssh.options, keep=2)
        bench.run(verb("id"), *(replace(device(sshd, n % 4), name=f"d{n}") for n in range(8)))
        until(lambda: open_connections(ssh) <= 2 + 4)  # those to the bot and of the loop are sockets too

    def test_a_stopped_command_leaves_no_connection_to_reuse(self, bench, sshd, count):
        cancel = Cancel()
        threading.Timer(1.5, cancel.set, ("enough",)).start()
        outcome = bench.run(verb("sleep", "60", risk=Risk.CHANGE), device(sshd), cancel=cancel)["web1"]
        assert outcome.status is Status.UNKNOWN
        assert "it may still be running there" in outcome.summary
        assert bench.run(verb("id"), device(sshd))["web1"].status is Status.OK
        until(lambda: count() == 2)

    # --- the process

    def test_a_process_that_dies_is_an_outcome_and_the_next_job_starts_another(self, bench, ssh, sshd):
        bench.run(verb("id"), device(sshd))
        threading.Timer(0.5, os.kill, (ssh.worker.pid, signal.SIGKILL)).start()
        outcomes = bench.run(verb("sleep", "60", risk=Risk.CHANGE), device(sshd, 0), device(sshd, 1))
        assert {outcome.status for outcome in outcomes.values()} == {Status.UNKNOWN}
        assert "was killed by signal 9 while this ran" in outcomes["web1"].summary
        assert bench.run(verb("id"), device(sshd))["web1"].status is Status.OK

    def test_a_read_that_died_with_it_is_called_failed(self, bench, ssh, sshd):
        bench.run(verb("id"), device(sshd))
        threading.Timer(0.5, os.kill, (ssh.worker.pid, signal.SIGKILL)).start()
        outcome = bench.run(verb("sleep", "60"), device(sshd))["web1"]
        assert outcome.status is Status.FAILED
        assert outcome.summary.endswith("type it again")

    def test_closing_the_driver_ends_it(self, run, ssh, sshd):
        run(verb("id"), device(sshd))
        pid = ssh.worker.pid
        ssh.close()
        assert not Path(f"/proc/{pid}").exists()
        with pytest.raises(DriverError, match="the bot is stopping"):
            run(verb("id"), device(sshd))

    def test_no_secret_stands_in_its_arguments_environment_or_folder(self, bench, ssh, users):
        given = {"ansible_password": users.password, "ansible_become_password": "an0ther-s3cret"}
        bench.run(verb("id"), with_password(users), secrets=lambda _device: given)
        seen = b"".join(Path(f"/proc/{ssh.worker.pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
        assert users.password.encode() not in seen
        assert b"an0ther-s3cret" not in seen

    def test_many_large_outputs_wait_on_disk_and_not_in_memory(self, bench, ssh, sshd):
        many = [replace(device(sshd, n % 4), name=f"d{n}") for n in range(60)]
        ssh.output_limit = 1_000_000
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        outcomes = bench.run(verb("sh", "-c", "yes 0123456789 | head -c 1000000"), *many, seconds=120)
        assert {len(outcome.output) for outcome in outcomes.values()} == {1_000_000}
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150_000  # the outcomes themselves: 60 MB
        peak = next(line for line in Path(f"/proc/{ssh.worker.pid}/status").read_text().splitlines() if "VmHWM" in line)
        assert int(peak.split()[1]) < 150_000

    def test_without_file_handles_each_device_still_gets_its_turn(self, bench, ssh, sshd):
        bench.run(verb("id"), device(sshd))
        resource.prlimit(ssh.worker.pid, resource.RLIMIT_NOFILE, (24, 24))
        many = [replace(device(sshd, n % 4), name=f"d{n}") for n in range(40)]
        outcomes = bench.run(verb("sleep", "0.1"), *many)
        assert {outcome.status for outcome in outcomes.values()} <= {Status.OK, Status.UNREACHABLE}
        assert sum(outcome.status is Status.OK for outcome in outcomes.values()) > 20
        bad = [outcome.summary for outcome in outcomes.values() if outcome.status is Status.UNREACHABLE]
        assert [text for text in bad if "no file handle left" not in text] == []


def test_the_process_ends_when_its_bot_is_killed(sshd: Sshd, tmp_path: Path):
    with nothing_left_behind(), contextlib.closing(Ssh(sshd.known_hosts, output_limit=LIMIT)) as driver:
        with driver.worker.share():
            pid = driver.worker.pid
        driver.worker._process._sock.shutdown(2)  # as the kernel does it for a bot that is gone
        until(lambda: Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z")
