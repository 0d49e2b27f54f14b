"""People on a real Matrix homeserver, and the client of a bot among them."""

import pytest

from tests.chat.matrix.scene import Bot, Scene


@pytest.fixture(scope="module")
def scene(synapse):
    """Give a real Matrix homeserver with people on it."""
    scene = Scene(synapse)
    yield scene
    scene.close()


@pytest.fixture
def bot(scene, tmp_path):
    """Give the client of a new account there."""
    bot = Bot(scene, tmp_path)
    yield bot
    bot.stop()
