"""One server for the tests of Mattermost's client."""

import pytest

from automation_bots.chat.mattermost.client import MattermostClient
from tests.chat.mattermost.ear import Ear, settings
from tests.chat.networks.mattermost import Mattermost


@pytest.fixture(scope="package")
def net():
    net = Mattermost()
    net.ana, net.joe = net.human("ana"), net.human("joe")
    net.here = net.room(net.ana, net.joe)
    yield net
    net.close()


@pytest.fixture(scope="package")
def ear():
    return Ear()


@pytest.fixture(scope="package")
def client(net, ear):
    client = MattermostClient(settings(net))
    client.connect(ear)
    yield client
    client.close()


@pytest.fixture
def another(net):
    """A client of its own, for what spoils one."""
    made = []

    def make(**more):
        made.append(MattermostClient(settings(net, **{"callback": "", **more})))
        return made[-1]

    yield make
    for one in made:
        one.close()
    limiter = net.server.api.limiter
    limiter.broken_seconds = limiter.busy_calls = limiter.broken_calls = limiter.hang_seconds = 0
