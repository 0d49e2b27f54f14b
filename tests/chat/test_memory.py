"""The contract on a network in memory: tests the engine itself."""

import pytest

from tests.chat.contract import *  # noqa: F403
from tests.chat.networks.memory import Memory

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def net():
    """Give the network."""
    net = Memory()
    yield net
    net.close()
