"""Servers that tests share, each started once a session and only when a test asks for it."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer

from tests.fakes import postgres
from tests.fakes.salt import Salt
from tests.fakes.sshd import Sshd
from tests.fakes.synapse import Synapse
from tests.support import bounds, schedule
from tests.support.warm import reader

SOME_SKIPPED = 8  # an exit code that pytest does not use itself

bounds.load_profile()


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


def pytest_configure(config: pytest.Config) -> None:
    """Keep Ansible in memory for all workers: without, every other test would import it for a second."""
    if not hasattr(config, "workerinput") and not config.option.collectonly:
        warm = reader.started()
        warm.__enter__()
        config.add_cleanup(lambda: warm.__exit__(None, None, None))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Files and folders whose tests are all slow are not even read when those are left out, nor what they import."""
    if config.option.markexpr != "not slow":
        return None
    files = [collection_path] if collection_path.suffix == ".py" else collection_path.rglob("test_*.py")
    slow = {schedule.is_slow(str(path.relative_to(schedule.ROOT))) for path in files}
    return True if slow == {True} else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long goes first, the files of a unit one after another, the tests of a file as they stand there."""
    slow = [item.get_closest_marker("slow") is not None for item in items]
    items[:] = [items[place] for place in schedule.in_order([item.nodeid for item in items], slow)]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> schedule.Schedule:
    """Give out whole files, whatever `--dist` says."""
    return schedule.Schedule(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Hostile words in what a test printed must not break the way from a worker: half a character has no bytes."""
    report = yield
    report.sections = [(name, text.encode(errors="replace").decode()) for name, text in report.sections]
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI a test that did not run fails the run, and no second run mends it: the summary says each one's reason."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", ())) if reporter else 0
    if os.environ.get("CI") and skipped and exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        session.exitstatus = SOME_SKIPPED
