"""Rocket.Chat as a backend."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from errbot.core import ErrBot

from automation_bots.chat.client import ChatClient
from automation_bots.chat.rocketchat import client as rocketchat_wire
from backends.adapter.networked import Networked


class RocketChat(Networked, ErrBot):
    """Nothing but its client."""

    @staticmethod
    def make_wire(chat: Mapping[str, Any], data: Path) -> ChatClient:  # noqa: ARG004 - nothing is kept
        """Return the client of Rocket.Chat."""
        return rocketchat_wire.made(chat)
