"""Two real routers for all tests of the network driver; a file that breaks them makes an `frr` of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from automation_bots.model import Device
from tests.drivers.network.bench import Chat, driver, router
from tests.fakes.frr import Frr


@pytest.fixture(scope="session")
def frr() -> Iterator[Frr]:
    if Frr.missing:
        pytest.skip(Frr.missing)
    with Frr() as lab:
        yield lab


@pytest.fixture
def chat(frr: Frr, tmp_path: Path) -> Chat:
    return Chat(driver(frr.known_hosts, tmp_path / "data"), tmp_path / "work", ansible_password=frr.password)


@pytest.fixture
def r1(frr: Frr) -> Device:
    return router(frr, frr.routers[0])


@pytest.fixture
def r2(frr: Frr) -> Device:
    return router(frr, frr.routers[1])
