"""Looks at plugins that somebody put into the bot by hand before any of their code runs, as `!repos` does.

All that Errbot finds by itself comes here: errbot-plugins/, `BOT_EXTRA_PLUGIN_DIR`, entry points of packages. What
imports the inside of the bot is not loaded; what reaches for more than plugins are given is told to the admins.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import errbot
from errbot.plugin_info import PluginInfo

from automation_bots.config.bot_folder import OWN_PLUGINS, ROOT
from automation_bots.errors import BadRepository
from automation_bots.repos import scan
from automation_bots.repos.values import ByHand

log = logging.getLogger(__name__)
OURS = tuple(ROOT / "errbot-plugins" / name for name in OWN_PLUGINS)
_ERRBOTS = Path(errbot.__file__).resolve().parent
_KINDS = ("errbot.plugins", "errbot.flows")  # and no backends: whoever names one in bot.toml means it
_SEEN: dict[Path, ByHand] = {}  # by the `.plug` file


def install() -> None:
    """Change Errbot's loading; once, before any backend is made."""
    PluginInfo.load_plugin_classes = _looked_at(PluginInfo.load_plugin_classes)


def _looked_at(original: Any) -> Any:
    @functools.wraps(original)
    def load_plugin_classes(info: PluginInfo, base_module_name: str, baseclass: Any) -> Any:
        if base_module_name in _KINDS and _is_foreign(info.location):
            _look(info)
        return original(info, base_module_name, baseclass)

    return load_plugin_classes


def is_ours(module: Path) -> bool:
    """Whether it is the module of a plugin that belongs to the bot."""
    return module.parent in OURS and module.stem == module.parent.name


def _is_foreign(plug: Path) -> bool:
    place = plug.resolve()
    return not (is_ours(place) or place.is_relative_to(_ERRBOTS))


def _look(info: PluginInfo) -> None:
    shown = str(info.location)
    try:
        _SEEN[info.location] = ByHand(info.name, shown, scan.put_in(info.location, info.module, OURS))
    except BadRepository as error:
        _SEEN[info.location] = ByHand(info.name, shown, (), str(error))
        log.warning("the plugin %s is not loaded: %s", shown, error)
        raise
    for lookup in _SEEN[info.location].reach:
        log.warning("the plugin %s, put in by hand: %s", shown, lookup)


def found(manager: Any, apart_from: Path) -> Iterator[ByHand]:
    """What this bot has of them, without what `!repos` looked after."""
    infos = {info.location for info in (*manager.plugin_infos.values(), *manager.flow_infos.values())}
    yield from (seen for place, seen in _SEEN.items() if place in infos and not place.is_relative_to(apart_from))
