"""Whether the backend that bot.toml names is there and can be loaded, before a bot starts with it."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location

from errbot.backend_plugin_manager import enumerate_backend_plugins
from errbot.bootstrap import CORE_BACKENDS
from errbot.utils import collect_roots, entry_point_plugins

from backends import known


def trouble(name: str) -> str:
    """Say what is wrong with a backend, and what to do; empty when it loads."""
    wanted = {"Text": "AutomationText"}.get(name, name)
    roots = collect_roots((CORE_BACKENDS, str(known.HERE), entry_point_plugins(group="errbot.backend_plugins")))
    found = next((plug for plug in enumerate_backend_plugins(roots) if plug.name == wanted), None)
    if found is None:
        there = ", ".join(sorted({one.removeprefix("Automation") for one in known.names()}))
        return f"no such network {name!r} here; there are {there}"
    if str(found.location.parent) not in sys.path:
        sys.path.append(str(found.location.parent))  # as Errbot does: a backend may come in several files
    path = found.location.parent / f"{found.module}.py"
    spec = spec_from_file_location(f"examined_{found.module}", path)
    if spec is None or spec.loader is None or not path.exists():
        return f"{found.location} names {found.module}, which is not there"
    try:
        spec.loader.exec_module(module_from_spec(spec))
    except ImportError as error:
        return f"{name} cannot be loaded: {error}. Run: pip install -r requirements.txt"
    except SystemExit:  # Errbot's own backends end the process when their library is missing
        return f'{name} cannot be loaded: its library is missing. Run: pip install "errbot[{name.lower()}]"'
    return ""
