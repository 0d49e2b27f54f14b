"""The contract on Slack, and what only Slack has."""

import pytest

from tests.chat.contract import *  # noqa: F403
from tests.chat.slack import SlackNet

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def net():
    """Give the network."""
    net = SlackNet()
    yield net
    net.close()
