"""What [chat] of bot.toml says for every network; the rest is the network's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class ChatSettings(BaseModel):
    """The settings that all networks have."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    away_seconds: float = Field(60.0, ge=0, le=3600)  # a look that was asked for while the bot was away is still done
    threads: Literal["command", "asked"] = "command"  # answers open a thread at the command, or only stay in one


def taken(chat: Mapping[str, Any]) -> tuple[ChatSettings, dict[str, Any]]:
    """Return them, and what is left for the network."""
    ours = {key: value for key, value in chat.items() if key in ChatSettings.model_fields}
    return ChatSettings.model_validate(ours), {key: value for key, value in chat.items() if key not in ours}
