"""What the tests of the SSH driver share: verbs, devices of the real server, and one run."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from automation_bots.drivers.ssh.driver import Ssh
from automation_bots.model import Command, Device, Operation, Outcome, Risk
from tests.drivers.contract import Bench, nothing_left_behind
from tests.fakes.sshd import Sshd

LIMIT = 20_000


@dataclass(frozen=True)
class Verb:
    """One command per platform."""

    commands: Mapping[str, Command]

    def command(self, platform: str, _parameters: Mapping[str, Any]) -> Command | None:
        return self.commands.get(platform)


def verb(*argv: str, risk: Risk = Risk.READ, become: bool = False, platform: str = "linux", **more: Any) -> Operation:
    return Operation("verb", "a verb", risk=risk, body=Verb({platform: Command(argv, become), **more}))


def device(sshd: Sshd, number: int = 0, **variables: Any) -> Device:
    usual = {
        "ansible_host": sshd.addresses[number],
        "ansible_port": sshd.port,
        "ansible_user": sshd.user,
        "ansible_ssh_private_key_file": str(sshd.key_file),
    }
    known = {name: value for name, value in {**usual, **variables}.items() if value is not None}
    return Device(f"web{number + 1}", variables=known)


def with_password(sshd: Sshd, number: int = 0, **variables: Any) -> Device:
    return device(sshd, number, **{"ansible_ssh_private_key_file": None, **variables})


def secrets(**values: str):
    return lambda _device: values


def ssh_to(sshd: Sshd) -> Ssh:
    return Ssh(sshd.known_hosts, connect_seconds=5, output_limit=LIMIT, allow_agent=False)


def closed_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class SshTests:
    """`run` one verb on one device."""

    @pytest.fixture
    def users(self, sshd: Sshd) -> Sshd:
        if sshd.missing:
            pytest.skip(sshd.missing)
        return sshd

    @pytest.fixture
    def ssh(self, sshd: Sshd) -> Iterator[Ssh]:
        with contextlib.closing(ssh_to(sshd)) as driver:
            yield driver

    @pytest.fixture
    def bench(self, ssh: Ssh, tmp_path: Path) -> Bench:
        (tmp_path / "work").mkdir()
        return Bench(ssh, tmp_path / "work")

    @pytest.fixture(autouse=True)
    def _nothing_outlives_the_driver(self, sshd: Sshd):
        with nothing_left_behind():
            yield

    @pytest.fixture
    def run(self, bench: Bench):
        def one(operation: Operation, target: Device, **options: Any) -> Outcome:
            return bench.run(operation, target, **options)[target.name]

        return one
