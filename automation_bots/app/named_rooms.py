"""Rooms that are named as people call them get their ids from the network: at the start, and with a new policy."""

from __future__ import annotations

from automation_bots.chat.client import Rejected, Revoked
from automation_bots.config import room_names
from automation_bots.config.live import LiveConfig
from automation_bots.config.settings import Settings
from automation_bots.errors import in_words
from automation_bots.surface import Surface


def look_up(live: LiveConfig, settings: Settings, surface: Surface) -> list[str]:
    """Let rules and questions know those rooms; return what is to be mended."""
    wanted = room_names.named(live.policy, settings)
    if not wanted:
        return []
    names = list(dict.fromkeys(name for _, name in wanted))
    try:
        found = surface.room_ids(names) or {}
    except (OSError, Rejected, Revoked) as error:
        rooms = ", ".join(f"#{name}" for name in names)
        return [f"{rooms} cannot be looked up ({in_words(error)}): rules hold nowhere there. Write ids into [places]"]
    live.name_places(room_names.with_ids(settings.places, found))
    return [room_names.unknown(where, name) for where, name in wanted if name not in found]
