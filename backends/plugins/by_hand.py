"""Looks at plugins that somebody put into the bot by hand before any of their code runs, as `!repos` does.

All that Errbot finds by itself comes here: errbot-plugins/, `BOT_EXTRA_PLUGIN_DIR`, entry points of packages. What
imports the inside of the bot is not loaded; what reaches for more than plugins are given is told to the admins.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import errbot
from errbot.core import ErrBot
from errbot.plugin_info import PluginInfo
from errbot.plugin_manager import BotPluginManager

from automation_bots.config.bot_folder import OWN_PLUGINS, ROOT
from automation_bots.errors import BadRepository
from automation_bots.repos import scan
from automation_bots.repos.values import ByHand
from backends.plugins.untouched import untouched

log = logging.getLogger(__name__)
OURS = tuple(ROOT / "errbot-plugins" / name for name in OWN_PLUGINS)
_ERRBOTS = Path(errbot.__file__).resolve().parent
_KINDS = ("errbot.plugins", "errbot.flows")  # and no backends: whoever names one in bot.toml means it
_SEEN: dict[Path, ByHand] = {}  # by the `.plug` file


def install() -> None:
    """Change Errbot's loading; once, before any backend is made."""
    PluginInfo.load_plugin_classes = _looked_at(PluginInfo.load_plugin_classes)
    BotPluginManager._activate_plugin = _watched(BotPluginManager._activate_plugin)
    ErrBot.attach_plugin_manager = _named(ErrBot.attach_plugin_manager)


def _looked_at(original: Any) -> Any:
    @functools.wraps(original)
    def load_plugin_classes(info: PluginInfo, base_module_name: str, baseclass: Any) -> Any:
        if base_module_name not in _KINDS or not _is_foreign(info.location):
            return original(info, base_module_name, baseclass)
        with _refused(info):
            _look(info)
            with untouched():
                return original(info, base_module_name, baseclass)

    return load_plugin_classes


def _watched(original: Any) -> Any:
    @functools.wraps(original)
    def activate(manager: BotPluginManager, plugin: Any, info: PluginInfo) -> None:
        if not _is_foreign(info.location):
            original(manager, plugin, info)
            return
        try:
            with _refused(info), untouched(manager.automation_bot, plugin):
                original(manager, plugin, info)
        except BadRepository:
            _take_back(manager, plugin)
            raise

    return activate


def _take_back(manager: BotPluginManager, plugin: Any) -> None:
    try:
        if plugin.is_activated:
            with untouched(manager.automation_bot, plugin):
                manager.deactivate_plugin(plugin.name)
    except Exception:  # its own code; it goes all the same
        log.exception("%s did not end well", plugin.name)
    manager.automation_bot.remove_commands_from(plugin)


def _named(original: Any) -> Any:
    """Let whoever has the manager of plugins find its bot, without asking a plugin."""

    @functools.wraps(original)
    def attach_plugin_manager(bot: Any, manager: BotPluginManager) -> None:
        manager.automation_bot = bot
        original(bot, manager)

    return attach_plugin_manager


def is_ours(module: Path) -> bool:
    """Whether it is the module of a plugin that belongs to the bot."""
    return module.parent in OURS and module.stem == module.parent.name


def _is_foreign(plug: Path) -> bool:
    place = plug.resolve()
    return not (is_ours(place) or place.is_relative_to(_ERRBOTS))


@contextmanager
def _refused(info: PluginInfo) -> Iterator[None]:
    """Keep why a plugin is not loaded, for those who ask and for the log."""
    try:
        yield
    except BadRepository as error:
        _SEEN[info.location] = ByHand(info.name, str(info.location), (), str(error))
        log.warning("the plugin %s is not loaded: %s", info.location, error)
        raise


def _look(info: PluginInfo) -> None:
    sys.pycache_prefix = os.devnull  # from now on: compiled code beside a source may be another's
    _SEEN[info.location] = ByHand(info.name, str(info.location), scan.put_in(info.location, info.module, OURS))
    for lookup in _SEEN[info.location].reach:
        log.warning("the plugin %s, put in by hand: %s", info.location, lookup)


def found(manager: Any, apart_from: Path) -> Iterator[ByHand]:
    """What this bot has of them, without what `!repos` looked after."""
    infos = {info.location for info in (*manager.plugin_infos.values(), *manager.flow_infos.values())}
    yield from (seen for place, seen in _SEEN.items() if place in infos and not place.is_relative_to(apart_from))
