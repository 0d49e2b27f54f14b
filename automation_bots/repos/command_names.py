"""Which commands the plugins around a bot would bring, read from their files: nothing is loaded."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

from automation_bots.config.bot_folder import BotFolder
from automation_bots.errors import BadRepository
from automation_bots.repos import plugin_code


def brought(bot_folder: BotFolder) -> frozenset[str]:
    """Name the commands of Errbot's own plugins, of those beside the bot, and of those that were installed."""
    folders = [*map(Path, bot_folder.plugin_folders()), bot_folder.data / "repos", *_errbots_own()]
    return frozenset(name for folder in folders for path in sorted(folder.rglob("*.py")) for name in _commands(path))


def _errbots_own() -> Iterator[Path]:
    found = importlib.util.find_spec("errbot")
    for place in found.submodule_search_locations or () if found else ():
        yield Path(place) / "core_plugins"


def _commands(path: Path) -> tuple[str, ...]:
    try:
        return plugin_code.read(path.read_text(encoding="utf-8"), path.name).commands
    except (BadRepository, OSError, ValueError):  # told where plugins are looked at
        return ()
