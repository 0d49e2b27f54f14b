"""Puts plugins of installed repositories into the running Errbot, and takes them out without a trace."""

from __future__ import annotations

import configparser
import contextlib
import logging
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from errbot.plugin_info import PluginInfo

from automation_bots.errors import BadRepository, in_words
from automation_bots.model import one_line
from automation_bots.repos.values import ByHand, Installed, Plugin
from backends.plugins import by_hand, module_from_file
from backends.plugins.untouched import untouched

log = logging.getLogger(__name__)


class ErrbotLoader:
    """Only what was looked at is loaded; Errbot's own search would take any `.plug` that it finds."""

    def __init__(self, bot: Any) -> None:
        self._bot, self._manager = bot, bot.plugin_manager

    def commands(self) -> set[str]:
        """Name the commands that the bot has now."""
        return set(self._bot.commands)

    def plugins(self) -> Collection[str]:
        """Name the plugins that the bot has now."""
        return {*self._manager.plugin_infos, *self._manager.plugins}

    def load(self, repo: Installed, folder: Path) -> Collection[str]:
        """Load all its plugins and name the commands that came."""
        before = self.commands()
        plugins = repo.contents.plugins
        module_from_file.enter(folder, plugins)
        try:
            with untouched(self._bot):
                for plugin in plugins:
                    self._make(repo, folder, plugin)
            for plugin in plugins:
                self._activate(plugin)
        except BadRepository:
            self.unload(repo, folder)
            raise
        except Exception as error:  # whatever a plugin's own code raises
            log.exception("plugins of %s do not load", repo.name)
            self.unload(repo, folder)
            reason = one_line(f"{type(error).__name__}: {in_words(error)}", 200)
            raise BadRepository(f"It does not start inside the bot: {reason}") from error
        return self._named(self.commands() - before, plugins)

    def _make(self, repo: Installed, folder: Path, plugin: Plugin) -> None:
        if plugin.name in self.plugins():
            raise BadRepository(f"A plugin called {plugin.name} is there already.")
        config = configparser.ConfigParser(interpolation=None)
        path = folder / "code" / plugin.file
        config.read_string(path.read_text("utf-8"))
        info = PluginInfo.parse(config)
        info.location = path
        made = self._manager._plugin_instance_callback(
            plugin.name, module_from_file.plugin_class(folder, repo.name, plugin)
        )
        self._manager.plugin_infos[plugin.name] = info
        self._manager.plugins[plugin.name] = made

    def _activate(self, plugin: Plugin) -> None:
        made = self._manager.plugins[plugin.name]
        if not made.is_activated:  # one that another depends on is already
            self._manager.activate_plugin(plugin.name)
        if not made.is_activated:
            raise BadRepository(f"{plugin.name} is not for this version of Python.")

    def _named(self, came: set[str], plugins: tuple[Plugin, ...]) -> set[str]:
        """Undo the names that Errbot gives to commands that are there twice, so that they are seen as such."""
        starts = {f"{name.lower()}-" for name in self._manager.plugins} | {f"{one.name.lower()}-" for one in plugins}
        return came | {name.removeprefix(start) for name in came for start in starts if name.startswith(start)}

    def unload(self, repo: Installed, folder: Path) -> None:
        """Take all its plugins away; never fails."""
        for plugin in reversed(repo.contents.plugins):
            made = self._manager.plugins.get(plugin.name)
            info = self._manager.plugin_infos.get(plugin.name)
            if made is not None and info is not None and info.location.is_relative_to(folder):
                self._take_away(plugin.name, made)
        module_from_file.leave(folder, repo.contents.plugins)

    def by_hand(self, apart_from: Path) -> Iterable[ByHand]:
        """Look at plugins that Errbot found by itself."""
        return list(by_hand.found(self._manager, apart_from))

    def _take_away(self, name: str, made: Any) -> None:
        dynamic = list(made._dynamic_plugins.values())
        try:
            if made.is_activated:
                self._manager.deactivate_plugin(name)
        except Exception:  # its own code; it goes all the same
            log.exception("%s did not end well", name)
        for one in (*dynamic, made):
            self._bot.remove_commands_from(one)
            with contextlib.suppress(ValueError):  # they are gone already
                self._bot.remove_command_filters_from(one)
        self._manager.plugins.pop(name, None)
        self._manager.plugin_infos.pop(name, None)
