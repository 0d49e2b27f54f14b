"""The driver of the bot's own machine: what every driver must hold, and what is its own."""

import getpass
import os
import time
from dataclasses import dataclass

import pytest

from automation_bots.drivers.local.driver import Local
from automation_bots.model import Command, Device, Operation, Risk, Status
from automation_bots.processes import own
from tests.drivers.contract import DriverContract, Lab
from tests.drivers.network.test_frr import processes_with
from tests.drivers.ssh.bench import secrets
from tests.support.chatbot import wait

pytestmark = pytest.mark.slow
LIMIT = 20_000
HERE = {"ansible_connection": "local"}


@dataclass(frozen=True)
class Verb:
    """One command for every platform, but another one where a device is to fail."""

    argv: tuple[str, ...]
    become: bool = False

    def command(self, platform, parameters):
        return Command(("false",)) if platform == "posix" else Command(self.argv, self.become)


def verb(*argv, risk=Risk.READ, become=False):
    return Operation(argv[0], "", risk=risk, body=Verb(argv, become))


def here(name="here", **variables):
    return Device(name, variables={**HERE, **variables})


class TestLocal(DriverContract):
    @pytest.fixture
    def lab(self, tmp_path):
        trace, sleep = tmp_path / "trace", f"63.{time.monotonic_ns() % 1_000_000:06}"
        return Lab(
            driver=Local(output_limit=LIMIT),
            good=tuple(here(f"here{number}") for number in (1, 2, 3)),
            broken=here("bad1", platform="posix"),
            unreachable=here("gone1"),
            hello=verb("echo", "hello"),
            slow=verb("sleep", sleep, risk=Risk.CHANGE),
            loud=verb("sh", "-c", f"yes | head -c {LIMIT * 3}"),
            touch=verb("touch", str(trace), risk=Risk.CHANGE),
            touched=trace.exists,
            output_limit=LIMIT,
            still_running=lambda: bool(processes_with(sleep)),
        )

    def test_a_device_that_cannot_be_reached_says_so(self, bench):
        """This machine is always reached; what can be missing is the program."""
        outcome = bench.run(verb("no-such-program", "x"), here())["here"]
        assert (outcome.status, outcome.exit_code) == (Status.FAILED, 127)
        assert outcome.summary == "no-such-program: no such program here"

    @pytest.mark.parametrize("words", [("a b", "", "$HOME", "*", "'", '"', "\\", ";ls", "x\ny", "é")])
    def test_words_arrive_as_they_were_given(self, bench, words):
        assert bench.run(verb("printf", "[%s]", *words), here())["here"].output == "".join(f"[{w}]" for w in words)

    def test_how_it_ended_is_told(self, bench):
        outcome = bench.run(verb("sh", "-c", "echo out; echo bad >&2; exit 3"), here())["here"]
        assert (outcome.status, outcome.exit_code, outcome.summary) == (Status.FAILED, 3, "bad")
        assert outcome.output == "out\nbad"
        killed = bench.run(verb("sh", "-c", "kill -9 $$"), here())["here"]
        assert (killed.status, killed.summary) == (Status.FAILED, "ended without an exit code: killed by signal 9")

    def test_nothing_of_the_bots_tokens_is_in_its_environment_and_it_has_no_input(self, bench, monkeypatch):
        monkeypatch.setenv("SLACK_TOKEN", "xoxb-1")
        printed = bench.run(verb("sh", "-c", "cat; env; pwd"), here())["here"].output
        assert "xoxb-1" not in printed
        assert f"HOME={os.environ['HOME']}" in printed and own.RUN_FOLDER in printed

    def test_what_it_leaves_in_its_group_ends_with_it_and_keeps_nobody_waiting(self, bench):
        sleep = f"64.{time.monotonic_ns() % 1_000_000:06}"
        assert bench.run(verb("sh", "-c", f"sleep {sleep} & echo done"), here())["here"].output == "done"
        assert bench.seconds < 30
        wait(lambda: not processes_with(sleep), 30)

    def test_what_left_its_group_ends_when_the_run_is_stopped(self, bench):
        sleep = f"65.{time.monotonic_ns() % 1_000_000:06}"
        outcome = bench.run(verb("sh", "-c", f"setsid sleep {sleep}; :", risk=Risk.CHANGE), here(), seconds=1)["here"]
        assert outcome.status is Status.UNKNOWN
        wait(lambda: not processes_with(sleep), 30)

    def test_sudo_is_asked_as_elsewhere(self, bench):
        mine = getpass.getuser()
        assert bench.run(verb("id", "-un", become=True), here(ansible_become_user=mine))["here"].output == mine
        other = bench.run(verb("id", become=True), here(ansible_become_user="x", ansible_become_method="doas"))["here"]
        assert "works with sudo only, not with doas" in other.summary

    def test_sudo_gets_its_password_and_the_command_no_word_of_it(self, bench, sshd, tmp_path, monkeypatch):
        """As an ordinary user of this machine, whom the real sudo asks."""
        if sshd.missing:
            pytest.skip(sshd.missing)
        sudo = tmp_path / "sudo"
        sudo.write_text(f'#!/bin/sh\nexec setpriv --reuid={sshd.admin} --clear-groups /usr/bin/sudo "$@"\n')
        sudo.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        monkeypatch.setenv("LOGNAME", sshd.admin)

        def asked(**known):
            who = verb("sh", "-c", "id -un; cat")
            return bench.run(who, here(ansible_become=True), secrets=secrets(**known))["here"]

        right = asked(ansible_become_password=sshd.password)
        assert (right.status, right.output) == (Status.OK, "root")
        wrong = asked(ansible_become_password="no")
        assert wrong.summary == f"sudo refused the password of {sshd.admin}; see ansible_become_password"
        assert asked().summary.startswith(f"sudo wants a password for {sshd.admin}")
