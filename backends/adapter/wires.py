"""Finds a bot's chat network before a bot starts with it: its backend, and the client of one of ours."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from errbot.backend_plugin_manager import enumerate_backend_plugins
from errbot.bootstrap import CORE_BACKENDS
from errbot.plugin_info import PluginInfo
from errbot.utils import collect_roots, entry_point_plugins

from automation_bots.chat.client import ChatClient
from automation_bots.chat.settings import explained, taken
from automation_bots.config import settings
from automation_bots.config.bot_folder import BotFolder
from automation_bots.errors import AutomationError, ConfigError
from backends.adapter import installed as known
from backends.adapter.networked import Networked


class NoBackend(AutomationError):
    """The backend that bot.toml names is not there, or cannot be loaded; says what to do."""


@dataclass(frozen=True, slots=True)
class Backend:
    """One that loads. Only a network of ours makes wires."""

    name: str
    ours: type[Networked] | None

    def client(self, bot_folder: BotFolder, data: Path, instead: Mapping[str, Any] | None = None) -> ChatClient:
        """Make a client by [chat] of bot.toml, or with other credentials; nothing is connected yet."""
        assert self.ours is not None  # noqa: S101 - callers have asked
        try:
            _, rest = taken(bot_folder.chat_identity())
            return self.ours.make_wire({**rest, **(instead or {})}, data)
        except ConfigError:
            raise
        except ValueError as error:
            raise settings.wrong(bot_folder.folder, *explained(error)) from error


def load(name: str, *folders: str) -> Backend:
    """Load a backend as Errbot does."""
    module = _loaded(name, _plug(name, folders))
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__]
    return Backend(name, next((kind for kind in kinds if issubclass(kind, Networked)), None))


def _plug(name: str, folders: tuple[str, ...]) -> PluginInfo:
    wanted = {"Text": "AutomationText"}.get(name, name)
    entries = entry_point_plugins(group="errbot.backend_plugins")
    for plug in enumerate_backend_plugins(collect_roots((CORE_BACKENDS, str(known.HERE), list(folders), entries))):
        if plug.name == wanted:
            return plug
    there = ", ".join(sorted({one.removeprefix("Automation") for one in known.names()}))
    raise NoBackend(f"no such network {name!r} here; there are {there}")


def _loaded(name: str, plug: PluginInfo) -> ModuleType:
    if str(plug.location.parent) not in sys.path:
        sys.path.append(str(plug.location.parent))  # a backend may come in several files
    path = plug.location.parent / f"{plug.module}.py"
    spec = spec_from_file_location(f"examined_{plug.module}", path)
    if spec is None or spec.loader is None or not path.exists():
        raise NoBackend(f"{plug.location} names {plug.module}, which is not there")
    module = module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        raise NoBackend(f"{name} cannot be loaded: {error}. Run: pip install -r requirements.txt") from error
    except SystemExit:  # Errbot's own backends end the process when their library is missing
        how = f'Run: pip install "errbot[{name.lower()}]"'
        raise NoBackend(f"{name} cannot be loaded: its library is missing. {how}") from None
    except Exception as error:
        raise NoBackend(f"{name} cannot be loaded: {type(error).__name__}: {error}") from error
    return module
