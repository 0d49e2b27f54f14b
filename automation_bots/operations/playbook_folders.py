"""A folder of playbooks, perhaps a whole repository: which of its YAML files are playbooks, and what the others are."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from automation_bots.errors import DefinitionError
from automation_bots.operations.playbook_files import IMPORT_KEYS, PULLED_IN, read_yaml

PLAYBOOK = "a playbook"
_NOT_LOOKED_INTO = {
    *PULLED_IN,
    "verbs",
    "inventory",
    "inventories",
    "molecule",
    "tests",
    "docs",
    "node_modules",
    "venv",
}
_MAYBE = re.compile(r"\b(hosts|import_playbook)[\"']?\s*:")
_VAULT = "$ANSIBLE_VAULT"


def playbooks(place: Path) -> list[Path]:
    """Every playbook below a folder, those in the folder itself first; what nobody can read is among them."""
    return [path for path, kind in every(place) if kind == PLAYBOOK]


def every(place: Path) -> Iterator[tuple[Path, str]]:
    """Every YAML file that is looked at, with what it is."""
    for path in files(place):
        status = path.stat()
        yield path, _kind(path, status.st_mtime_ns, status.st_size)


def files(place: Path, endings: tuple[str, ...] = (".yml", ".yaml")) -> Iterator[Path]:
    """Every file with one of these endings that is looked at."""
    for folder, inner, names in os.walk(place):
        inner[:] = sorted(name for name in inner if name not in _NOT_LOOKED_INTO and name[0] not in "._")
        for name in sorted(names):
            path = Path(folder, name)
            if path.suffix in endings and name[0] not in "._" and path.is_file():
                yield path


@lru_cache(maxsize=10_000)
def _kind(path: Path, _changed: int, _size: int) -> str:
    try:
        text = path.read_text(encoding="utf-8")
        if text.startswith(_VAULT):
            return "a vault file"
        value = read_yaml(path, text).value if _MAYBE.search(text) else None
    except (OSError, UnicodeDecodeError, DefinitionError):
        return PLAYBOOK  # perhaps: whoever reads it says what is wrong
    items = value if isinstance(value, list) else ()
    keys = {"hosts", *IMPORT_KEYS}
    return PLAYBOOK if any(isinstance(i, Mapping) and keys & set(i) for i in items) else "no playbook: it has no plays"


def home(path: Path, place: Path) -> Path:
    """Where ansible-playbook is started for a playbook: beside the nearest ansible.cfg above it, else beside itself."""
    return next((folder for folder in above(path, place) if (folder / "ansible.cfg").is_file()), path.parent)


def above(path: Path, place: Path) -> tuple[Path, ...]:
    """The folders from a playbook's own up to the place of all playbooks."""
    return tuple(folder for folder in path.parents if folder == place or place in folder.parents)
