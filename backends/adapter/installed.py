"""The chat networks of this installation, so that a mistyped one is one sentence at the start."""

from __future__ import annotations

from pathlib import Path

from errbot.backend_plugin_manager import enumerate_backend_plugins
from errbot.bootstrap import CORE_BACKENDS
from errbot.utils import collect_roots, entry_point_plugins

HERE = Path(__file__).resolve().parents[1]


def names() -> list[str]:
    """Name every backend that Errbot would find: its own, ours, and those of installed packages."""
    roots = collect_roots((CORE_BACKENDS, str(HERE), entry_point_plugins(group="errbot.backend_plugins")))
    return sorted({found.name for found in enumerate_backend_plugins(roots)})
