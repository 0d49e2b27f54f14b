"""A strict server that speaks Rocket.Chat's published protocol, for tests; see server.py."""

from tests.lab.rocketchat.server import RocketChatServer

__all__ = ["RocketChatServer"]
