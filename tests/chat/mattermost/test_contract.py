"""The contract on Mattermost, with buttons."""

import pytest

from tests.chat.contract import *  # noqa: F403
from tests.chat.networks.mattermost import Mattermost

pytestmark = [pytest.mark.slow, pytest.mark.wire]


@pytest.fixture(scope="module")
def net():
    """Give the network."""
    net = Mattermost()
    yield net
    net.close()
