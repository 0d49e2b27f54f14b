"""The process that loads a repository's plugins before the bot does; says in a file how it went."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from automation_bots.errors import BadRepository
from automation_bots.repos.values import Plugin
from backends.plugins import module_from_file


def main() -> None:
    """Read what to load, load it, write the answer."""
    asked = json.load(sys.stdin)
    folder, plugins = Path(asked["folder"]), [_plugin(one) for one in asked["plugins"]]
    module_from_file.enter(folder, plugins)
    try:
        classes = [module_from_file.plugin_class(folder, asked["name"], plugin) for plugin in plugins]
        names = sorted(name for one in classes for name in module_from_file.commands(one))
        answer: dict[str, object] = {"commands": names}
    except BadRepository as error:
        answer = {"problem": str(error)}
    Path(sys.argv[1]).write_text(json.dumps(answer))


def _plugin(given: dict[str, object]) -> Plugin:
    return Plugin(str(given["name"]), str(given["file"]), str(given["module"]))


if __name__ == "__main__":
    main()
