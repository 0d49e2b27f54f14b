"""Servers that tests share, each started once a session and only when a test asks for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from tests.lab.salt import Salt
from tests.lab.sshd import Sshd
from tests.lab.synapse import Synapse


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Give a real OpenSSH server on four addresses."""
    if not shutil.which("/usr/sbin/sshd"):
        pytest.skip("needs OpenSSH's server: apt install openssh-server sudo")
    with Sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(scope="session")
def salt() -> Iterator[Salt]:
    """Give a real Salt: master, three minions, salt-api."""
    with Salt() as lab:
        yield lab


@pytest.fixture(scope="session")
def synapse() -> Iterator[Synapse]:
    """Give a real Matrix homeserver."""
    with Synapse() as server:
        yield server


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI a test that did not run is a test that failed: the summary lists each with its reason."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", ())) if reporter else 0
    if os.environ.get("CI") and skipped and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
