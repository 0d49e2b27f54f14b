"""Rooms that are named as people call them get their ids from the network: at the start, and with a new policy."""

from __future__ import annotations

import logging
from collections.abc import Callable

from automation_bots.chat.client import Rejected, Revoked
from automation_bots.config import room_names
from automation_bots.config.live import LiveConfig
from automation_bots.config.settings import Settings
from automation_bots.errors import in_words
from automation_bots.model import Answer
from automation_bots.surface import Surface
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
_AGAIN_SECONDS = 300.0  # while a room is not found: the bot may be invited there


def look_up(live: LiveConfig, settings: Settings, surface: Surface) -> list[str]:
    """Let rules and questions know those rooms; return what is to be mended."""
    wanted = room_names.named(live.policy, settings, live.rooms())
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


class NamedRooms:
    """Looks them up, and again while one is not found; the admins are told once of each."""

    def __init__(
        self, live: LiveConfig, settings: Settings, surface: Callable[[], Surface], tell: Callable[[Answer], None]
    ) -> None:
        self._live, self._settings, self._surface, self._tell = live, settings, surface, tell
        self._told: set[str] = set()
        self._loop: Loop | None = None

    def find(self) -> None:
        """Look them up; a rule for a room that has no id yet holds nowhere."""
        wrong = look_up(self._live, self._settings, self._surface())
        for text in wrong:
            if text not in self._told:
                log.warning("%s", text)
                self._tell(Answer(text))
        self._told = set(wrong)
        if wrong and self._loop is None:
            self._loop = Loop("rooms", self._again, _AGAIN_SECONDS)
            self._loop.start()

    def _again(self) -> float:
        if self._told:
            self.find()
        return _AGAIN_SECONDS

    def stop(self) -> None:
        """Look no more."""
        if self._loop is not None:
            self._loop.stop(0)
