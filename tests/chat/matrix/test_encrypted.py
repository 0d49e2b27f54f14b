"""The contract on Matrix: a real Synapse, rooms encrypted from end to end."""

import pytest

from tests.chat.contract import *  # noqa: F403
from tests.chat.networks.matrix import Matrix

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def net(synapse):
    """Give the network."""
    net = Matrix(synapse, encrypted=True)
    yield net
    net.close()
