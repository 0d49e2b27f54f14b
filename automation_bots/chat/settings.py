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


def explained(error: ValueError) -> tuple[tuple[str, ...], str]:
    """Where in bot.toml and why, of a wrong setting."""
    errors = getattr(error, "errors", None)
    if errors is None:
        return ("chat",), str(error)
    first = errors()[0]
    where, said = [str(part) for part in first["loc"]], str(first["msg"]).removeprefix("Value error, ")
    if first["type"] in {"missing", "string_too_short"}:
        said = "is missing" if first["type"] == "missing" else "is empty"
    if first["type"] == "extra_forbidden":
        said = "this key is not known"
    return ("chat", *where), said
