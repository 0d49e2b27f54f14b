"""Servers that tests share, each started once a session and only when a test asks for it."""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.fakes import postgres
from tests.fakes.salt import Salt
from tests.fakes.sshd import Sshd
from tests.fakes.synapse import Synapse

_ALL_SLOW = re.compile(r"^pytestmark = \[?pytest\.mark\.slow\b", re.MULTILINE)
HEAVY = {"salt", "synapse"}  # shared servers that are too big for one a worker

# The same tree gives the same answer; `HYPOTHESIS_PROFILE=random` looks for examples that nobody saw yet.
# No example has a time limit: these machines are shared.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("random", print_blob=True, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Give a real OpenSSH server on four addresses."""
    if not shutil.which("/usr/sbin/sshd"):
        pytest.skip("needs OpenSSH's server: apt install openssh-server sudo")
    with Sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres.Postgres]:
    """Give a real PostgreSQL server."""
    if postgres.programs() is None:
        pytest.skip("no PostgreSQL server programs (pg_ctl) on this machine: apt install postgresql")
    with postgres.Postgres() as server:
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


@pytest.fixture(autouse=True)
def _logs() -> Iterator[None]:
    """Let the next test log: programs that were run in this process may have silenced it."""
    yield
    logging.disable(logging.NOTSET)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files whose tests are all slow are not even read when those are left out: most of `make quick` was that."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    return True if _ALL_SLOW.search(collection_path.read_text()) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what stays together on one worker: a file, or all that wants one heavy server; what waits goes first."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    for item in items:
        heavy = HEAVY & set(getattr(item, "fixturenames", ()))
        item.add_marker(pytest.mark.xdist_group(min(heavy, default=str(item.path))))
    items.sort(key=lambda item: (-slow[item.path], str(item.path)))  # a stable sort: the order within a file stays


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hostile words in what a test printed must not break the way from a worker: half a character has no bytes."""
    report = yield
    report.sections = [(name, text.encode(errors="replace").decode()) for name, text in report.sections]
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI a test that did not run is a test that failed: the summary lists each with its reason."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", ())) if reporter else 0
    if os.environ.get("CI") and skipped and exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
