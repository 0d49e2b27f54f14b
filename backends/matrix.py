"""Matrix as a chat network of the bot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from errbot.core import ErrBot

from automation_bots.chat.client import ChatClient
from automation_bots.chat.matrix import client as matrix_wire
from backends.adapter.networked import Networked


class Matrix(Networked, ErrBot):
    """All that is special to it stands in its client."""

    @staticmethod
    def make_wire(chat: Mapping[str, Any], data: Path) -> ChatClient:
        """The client of a homeserver."""
        return matrix_wire.client(chat, data)
