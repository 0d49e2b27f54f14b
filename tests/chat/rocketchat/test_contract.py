"""The contract on Rocket.Chat's protocol."""

import pytest

from tests.chat.contract import *  # noqa: F403
from tests.chat.networks.rocketchat import RocketChat

pytestmark = [pytest.mark.slow, pytest.mark.wire]


@pytest.fixture(scope="module")
def net():
    """Give the network."""
    net = RocketChat()
    yield net
    net.close()
