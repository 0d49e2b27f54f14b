"""Loads a plugin of an installed repository from its file: exactly that file, under a name that no other has."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

from errbot import BotPlugin

from automation_bots.errors import BadRepository, in_words
from automation_bots.model import one_line
from automation_bots.repos.values import Plugin


def paths(folder: Path, plugins: Sequence[Plugin]) -> list[str]:
    """Where its modules and packages are found."""
    places = dict.fromkeys((folder / "code" / plugin.file).parent for plugin in plugins)
    return [str(place) for place in (*places, folder / "site")]


def enter(folder: Path, plugins: Sequence[Plugin]) -> None:
    """Let its modules be found, behind everything of the bot's own."""
    sys.path.extend(path for path in paths(folder, plugins) if path not in sys.path)
    importlib.invalidate_caches()


def leave(folder: Path, plugins: Sequence[Plugin]) -> None:
    """Forget its modules, so that another version of them can be loaded."""
    gone = set(paths(folder, plugins))
    sys.path[:] = [path for path in sys.path if path not in gone]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), "")
        if str(file).startswith(f"{folder}/"):
            del sys.modules[name]
    importlib.invalidate_caches()


def plugin_class(folder: Path, repo: str, plugin: Plugin) -> Any:
    """Run the module and return the one plugin class in it; BadRepository where that fails."""
    file = (folder / "code" / plugin.file).parent / f"{plugin.module}.py"
    name = f"errbot.plugins.{re.sub(r'[^A-Za-z0-9]', '_', repo)}__{plugin.module}"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise BadRepository(f"{plugin.module}.py cannot be loaded")
    module = module_from_spec(spec)
    sys.modules[name] = module  # before it runs: dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        reason = one_line(f"{type(error).__name__}: {in_words(error)}", 200)
        raise BadRepository(f"{plugin.module}.py cannot be loaded: {reason}") from error
    own = [one for one in vars(module).values() if inspect.isclass(one) and one.__module__ == name]
    found = [one for one in own if issubclass(one, BotPlugin)]
    found = [one for one in found if not any(issubclass(other, one) and other is not one for other in found)]
    if len(found) != 1:
        raise BadRepository(f"{plugin.module}.py has {len(found)} plugin classes instead of one")
    return found[0]


def commands(plugin: Any) -> set[str]:
    """The commands of a plugin class, without those that match a regular expression."""
    members: list[Any] = [member for _, member in inspect.getmembers(plugin, inspect.isfunction)]
    found = [one for one in members if getattr(one, "_err_command", False) and not one._err_re_command]
    return {one._err_command_name for one in found}
