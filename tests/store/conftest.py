"""Each test runs on SQLite and on a real PostgreSQL; the latter only where its server programs exist."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, text

from automation_bots.model import Caller, Job, Limits, Place, Risk, State
from automation_bots.store import Store

JOB = Job(
    number=0, state=State.QUEUED, person="ana", caller=Caller("slack", "U024BE7LH", "Ana"),
    place=Place("slack", "C1", "168.1"), operation="service", pattern="web", devices=("web1", "web2", "web3"),
    parameters={"name": "nginx", "action": "restart", "words": ("a", "b")}, risk=Risk.CHANGE, drivers=("ssh",),
    sites=("madrid",), rules=("netops change",), limits=Limits(devices=5, rate=(3, 60.0)), reason="CHG-7", digest="d1",
)  # fmt: skip


class Clock:
    """A clock that only moves when it is told to."""

    def __init__(self):
        self.now = datetime(2026, 3, 1, 12, 0, 0, 123456, UTC)

    def __call__(self):
        return self.now

    def pass_days(self, days):
        self.now += timedelta(days=days)


@pytest.fixture(scope="session")
def fresh_schema(postgresql):
    """Make URLs, each of an empty schema."""
    return postgresql.fresh


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def url(request, tmp_path):
    """Where an empty store may be made."""
    if request.param == "sqlite":
        return str(tmp_path / "data")
    return request.getfixturevalue("fresh_schema")()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def open_store(url, clock):
    """Open (again) the store of this test; all are closed at its end."""
    stores = []

    def make(**options):
        stores.append(Store.open(url, clock=clock, **options))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """A data folder whose tables are made: to copy it is ten times as fast as to make them."""
    folder = tmp_path_factory.mktemp("empty") / "data"
    Store.open(folder).close()
    return folder


@pytest.fixture
def store(url, open_store, empty):
    if "://" not in url:
        shutil.copytree(empty, url)
    return open_store()


@pytest.fixture
def job():
    """Make a job like JOB, with differences."""
    return lambda **changes: replace(JOB, **changes)


@pytest.fixture
def sql(url, open_store):
    """Run SQL behind the store's back, as somebody who tampers."""

    def run(statement, **values):
        target = url if "://" in url else f"sqlite:///{url}/bot.db"
        engine = create_engine(target)
        with engine.begin() as connection:
            result = connection.execute(text(statement), values)
            rows = result.all() if result.returns_rows else []
        engine.dispose()
        return rows

    return run
