"""The SSH driver against a real OpenSSH server, and against servers that misbehave."""

from __future__ import annotations

import contextlib
import resource
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from automation_bots.drivers import Cancel
from automation_bots.drivers.ssh.driver import Ssh
from automation_bots.errors import DriverError
from automation_bots.model import Command, Device, Operation, Risk, Status
from tests.drivers.contract import Lab, LoginContract, Logins
from tests.drivers.ssh.bench import LIMIT, SshTests, closed_port, device, secrets, ssh_to, verb, with_password
from tests.fakes import strange
from tests.fakes.sshd import Sshd

pytestmark = pytest.mark.slow


class TestContract(LoginContract):
    @pytest.fixture
    def ssh(self, sshd: Sshd):
        with contextlib.closing(ssh_to(sshd)) as driver:
            yield driver

    @pytest.fixture
    def lab(self, ssh: Ssh, sshd: Sshd, tmp_path: Path) -> Lab:
        good = tuple(device(sshd, number) for number in range(3))
        trace = sshd.home / tmp_path.name
        sleep = f"6{time.time_ns() % 10**8 / 10**8}"
        touch = ("sh", "-c", 'umask 0; : > "$0"', str(trace))
        sshd.home.chmod(0o777)
        return Lab(
            driver=ssh,
            good=good,
            broken=Device("bad1", variables={**good[0].variables, "platform": "posix"}),
            unreachable=Device("gone1", variables={**good[0].variables, "ansible_port": closed_port()}),
            hello=verb("echo", "hello", posix=Command(("false",))),
            slow=verb("sleep", sleep, risk=Risk.CHANGE),
            loud=verb("sh", "-c", f"yes | head -c {LIMIT * 3}"),
            touch=verb(*touch, risk=Risk.CHANGE),
            touched=trace.exists,
            still_running=lambda: bool(sshd.running(f"sleep {sleep}")),
            output_limit=LIMIT,
            logins=Logins(
                count=lambda: sshd.log.read_text().count("Accepted "),
                password="t0ken-of-the-lab",
                prints=lambda said: verb("echo", said),
                wrong=(ssh, with_password(sshd), secrets(ansible_password="wrong-1")),
                wrong_password="wrong-1",
            ),
        )


class TestSsh(SshTests):
    @pytest.mark.parametrize(
        "word", ["; id", "$(id)", "`id`", "a'b\"c", "a b", "", "*", "\\", "two\nlines", "ünïcödé", "-n"]
    )
    def test_words_arrive_as_they_are(self, run, sshd, word):
        outcome = run(verb("printf", "<%s>", word, "end"), device(sshd))
        assert outcome.output == f"<{word}><end>"

    def test_standard_error_follows_standard_output(self, run, sshd):
        outcome = run(verb("sh", "-c", "echo bad >&2; echo good; exit 3"), device(sshd))
        assert (outcome.status, outcome.output, outcome.exit_code) == (Status.FAILED, "good\nbad", 3)
        assert outcome.summary == "bad"

    def test_a_silent_failure_says_its_exit_code(self, run, sshd):
        assert run(verb("sh", "-c", "exit 3"), device(sshd)).summary == "exit code 3"

    def test_broken_text_is_shown_as_far_as_it_goes(self, run, sshd):
        assert run(verb("printf", r"a\377b"), device(sshd)).output == "a\ufffdb"

    def test_fifty_megabytes_cost_little_memory(self, run, sshd):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        outcome = run(verb("sh", "-c", "yes 0123456789 | head -c 50000000; echo last >&2; exit 4"), device(sshd))
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000
        assert (outcome.exit_code, outcome.summary) == (4, "last")
        assert "[output cut at 20,000 bytes]" in outcome.output

    def test_much_standard_error_does_not_block(self, run, sshd):
        outcome = run(verb("sh", "-c", "yes | head -c 8000000 >&2; echo done"), device(sshd))
        assert outcome.status is Status.OK
        assert outcome.summary == "done"

    def test_a_command_that_reads_its_input_does_not_hang(self, run, sshd):
        assert run(verb("cat"), device(sshd)).status is Status.OK

    def test_a_service_left_running_does_not_hold_the_answer(self, run, bench, sshd):
        assert run(verb("sh", "-c", "sleep 61 & echo started"), device(sshd)).output == "started"
        assert bench.seconds < 50

    def test_a_platform_without_a_command_is_skipped(self, run, sshd):
        outcome = run(verb("id"), device(sshd, platform="vyos"))
        assert (outcome.status, outcome.summary) == (Status.SKIPPED, "no command for platform vyos")

    def test_windows_is_sent_to_its_own_driver(self, run, sshd):
        outcome = run(verb("id"), device(sshd, platform="windows"))
        assert outcome.status is Status.FAILED
        assert "needs the powershell driver" in outcome.summary

    def test_an_error_of_a_network_cli_is_a_failure_whatever_its_exit_code(self, run, sshd):
        outcome = run(
            verb("echo", "% Invalid input detected", platform="cisco_ios"), device(sshd, platform="cisco_ios")
        )
        assert (outcome.status, outcome.summary) == (Status.FAILED, "% Invalid input detected")

    def test_check_shows_the_command_of_a_change(self, run, sshd):
        outcome = run(verb("reboot", "now; id", risk=Risk.CHANGE), device(sshd), check=True)
        assert (outcome.status, outcome.summary) == (Status.SKIPPED, "would run: reboot 'now; id'")

    # --- what breaks

    @pytest.mark.parametrize(("risk", "status"), [(Risk.READ, Status.FAILED), (Risk.CHANGE, Status.UNKNOWN)])
    def test_a_connection_that_breaks_half_way(self, run, sshd, risk, status):
        outcome = run(verb("sh", "-c", "echo begun; sleep 0.3; kill -9 $PPID", risk=risk), device(sshd))
        assert outcome.status is status
        assert "broke half-way" in outcome.summary
        assert outcome.output == "begun"

    def test_a_command_killed_by_a_signal_is_a_failure(self, run, sshd):
        outcome = run(verb("sh", "-c", "kill -9 $$"), device(sshd))
        assert (outcome.status, outcome.exit_code) == (Status.FAILED, None)
        assert "signal" in outcome.summary

    @pytest.mark.parametrize(
        ("behaviour", "words"),
        [
            (strange.silent, "gave no SSH greeting"),
            (strange.hangs_up, "closed the connection before SSH began"),
            (strange.garbage, "closed the connection before SSH began"),
            (strange.web, "closed the connection before SSH began"),
            (strange.broken_handshake, "closed the connection during the key exchange"),
            (strange.stalls_after_greeting, "gave an SSH greeting and then fell silent"),
        ],
    )
    def test_what_is_not_an_ssh_server_is_told_apart(self, run, ssh, behaviour, words):
        ssh.options = replace(ssh.options, connect_seconds=1)
        with strange.server(behaviour) as port:
            outcome = run(verb("id"), Device("odd", variables={"ansible_host": "127.0.0.1", "ansible_port": port}))
        assert outcome.status is Status.UNREACHABLE
        assert words in outcome.summary

    def test_a_refused_port_is_told(self, run, sshd):
        outcome = run(verb("id"), device(sshd, ansible_port=closed_port()))
        assert "refused the connection" in outcome.summary

    def test_a_name_that_does_not_resolve_is_told(self, run, sshd):
        outcome = run(verb("id"), device(sshd, ansible_host="no-such-host.invalid"))
        assert outcome.status is Status.UNREACHABLE
        assert "'no-such-host.invalid' does not resolve" in outcome.summary

    def test_a_port_that_is_no_number_is_a_failure_of_that_device(self, run, sshd):
        assert "ansible_port of web1" in run(verb("id"), device(sshd, ansible_port="ssh")).summary

    def test_a_silent_device_does_not_hold_a_cancel_up(self, run, bench):
        cancel = Cancel()
        threading.Timer(0.3, cancel.set, ("enough",)).start()
        with strange.server(strange.silent) as port:
            outcome = run(verb("id"), Device("odd", variables={"ansible_host": "127.0.0.1", "ansible_port": port}),
                          cancel=cancel)  # fmt: skip
            assert bench.seconds < 9  # and not only when logging in took too long
        assert (outcome.status, outcome.summary) == (Status.CANCELLED, "not started: enough")

    def test_a_silent_device_does_not_hold_the_time_limit_up(self, run, bench):
        with strange.server(strange.silent) as port:
            run(verb("id"), Device("odd", variables={"ansible_host": "127.0.0.1", "ansible_port": port}), seconds=0.5)
            assert bench.seconds < 9  # and not only when logging in took too long

    def test_an_operation_without_a_command_cannot_be_tried(self, bench, sshd):
        with pytest.raises(DriverError, match="says no command"):
            bench.run(Operation("patch", "a playbook", body=object()), device(sshd))

    def test_many_devices_go_side_by_side(self, bench, sshd):
        targets = [Device(f"d{n}", variables=device(sshd, n % 4).variables) for n in range(12)]
        outcomes = bench.run(verb("sleep", "2"), *targets)
        assert {outcome.status for outcome in outcomes.values()} == {Status.OK}
        assert bench.seconds < 20  # one after another: 24
