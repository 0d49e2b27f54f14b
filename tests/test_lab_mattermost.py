"""The test server answers as the real Mattermost did."""

import asyncio

import pytest

from tests.lab.mattermost.replay import Replay, captured
from tests.lab.mattermost.server import Server

pytestmark = pytest.mark.slow


def test_the_captured_traffic_of_a_real_server_gets_the_same_answers():
    with Server() as server:
        server.api.hub.challenge_seconds = 0.3
        replay = Replay(server)
        asyncio.run(replay.run(captured()))
        assert not replay.differences, chr(10).join(replay.differences)
