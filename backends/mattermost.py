"""Mattermost as a chat network of the bot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from errbot.core import ErrBot

from automation_bots.chat.mattermost.client import MattermostWire
from automation_bots.chat.mattermost.settings import MattermostSettings
from backends.adapter.networked import Networked


class Mattermost(Networked, ErrBot):
    """Nothing but its client."""

    @staticmethod
    def make_wire(chat: Mapping[str, Any], data: Path) -> MattermostWire:  # noqa: ARG004
        """Return the client of the server that [chat] names."""
        return MattermostWire(MattermostSettings.model_validate(chat))
