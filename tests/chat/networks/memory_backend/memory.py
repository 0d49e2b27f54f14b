"""The network in memory as a backend."""

from errbot.core import ErrBot

from backends.adapter.networked import Networked
from tests.chat.networks import memory


class Memory(Networked, ErrBot):
    """Nothing but its client."""

    @staticmethod
    def make_client(chat, data):
        assert chat == {"token": "let-me-in"}, chat
        return memory.MemoryClient(memory.Memory.server, **memory.Memory.can)
