"""Slack as one of the bot's networks; all but its client is shared with the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from errbot.core import ErrBot

from automation_bots.chat.slack.client import SlackWire
from automation_bots.chat.slack.web_api import SlackSettings
from backends.adapter.networked import Networked


class Slack(Networked, ErrBot):
    """One workspace."""

    @staticmethod
    def make_wire(chat: Mapping[str, Any], data: Path) -> SlackWire:  # noqa: ARG004 - Slack keeps no state here
        """Make the client from [chat] of bot.toml."""
        return SlackWire(SlackSettings.model_validate(chat))
