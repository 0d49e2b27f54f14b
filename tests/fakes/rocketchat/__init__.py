"""A strict server that speaks Rocket.Chat's published protocol, for tests; see server.py."""

from tests.fakes.rocketchat.server import RocketChatServer

__all__ = ["RocketChatServer"]
