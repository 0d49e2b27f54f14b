"""The chat networks of this installation: which there are, and whether one that is not ours can be loaded."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from errbot.backend_plugin_manager import enumerate_backend_plugins
from errbot.bootstrap import CORE_BACKENDS
from errbot.plugin_info import PluginInfo
from errbot.utils import collect_roots, entry_point_plugins

from automation_bots.errors import AutomationError, in_words
from automation_bots.text.nearest import did_you_mean, nearest

HERE = Path(__file__).resolve().parents[1]
_OURS = {"Text": "AutomationText"}  # Errbot looks for its own of the same name first


class NoBackend(AutomationError):
    """The backend that bot.toml names is not there, or cannot be loaded; says what to do."""


def named(backend: str) -> str:
    """The name by which Errbot finds what bot.toml calls `backend`; NoBackend where there is none."""
    name = _OURS.get(backend, backend)
    if name not in {found.name for found in _plugs()}:
        there = sorted({found.name.removeprefix("Automation") for found in _plugs()})
        meant = did_you_mean(nearest(backend, there, 1))
        raise NoBackend(f"no such chat network {backend!r} here; there are {', '.join(there)}.{meant}")
    return name


def load(backend: str) -> None:
    """Load a backend as Errbot does, to see whether that works."""
    name = named(backend)
    plug = next(found for found in _plugs() if found.name == name)
    if str(plug.location.parent) not in sys.path:
        sys.path.append(str(plug.location.parent))  # a backend may come in several files
    _run(backend, plug)


def _plugs() -> list[PluginInfo]:
    """Every backend that Errbot would find: its own, ours, and those of installed packages."""
    entries = entry_point_plugins(group="errbot.backend_plugins")
    return list(enumerate_backend_plugins(collect_roots((CORE_BACKENDS, str(HERE), entries))))


def _run(name: str, plug: PluginInfo) -> None:
    path = plug.location.parent / f"{plug.module}.py"
    spec = spec_from_file_location(f"examined_{plug.module}", path)
    if spec is None or spec.loader is None or not path.exists():
        raise NoBackend(f"{plug.location} names {plug.module}, which is not there")
    try:
        spec.loader.exec_module(module_from_spec(spec))
    except ImportError as error:
        raise NoBackend(f"{name} cannot be loaded: {error}. Run: pip install -r requirements.txt") from error
    except SystemExit:  # Errbot's own backends end the process when their library is missing
        how = f'Run: pip install "errbot[{name.lower()}]"'
        raise NoBackend(f"{name} cannot be loaded: its library is missing. {how}") from None
    except Exception as error:
        raise NoBackend(f"{name} cannot be loaded: {type(error).__name__}: {in_words(error)}") from error
