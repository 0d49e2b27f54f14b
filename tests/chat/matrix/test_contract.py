"""The contract on Matrix: a real Synapse, rooms in clear."""

import pytest

from tests.chat.contract import *  # noqa: F403
from tests.chat.networks.matrix import Matrix

pytestmark = [pytest.mark.slow, pytest.mark.wire]


@pytest.fixture(scope="module")
def net(synapse):
    """Give the network."""
    net = Matrix(synapse, encrypted=False)
    yield net
    net.close()
