"""References to secrets, resolved at the last moment: `env:NAME`, `credential:NAME` (systemd), `file:PATH`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

_REFERENCE = re.compile(r"(env|credential|file):(.+)")
_SECRET_NAME = re.compile(r"(?i)(password|passwd|token|secret|api_?key|private_?key)$")


def is_reference(value: str) -> bool:
    """Return whether a setting points to a secret instead of being one."""
    return bool(_REFERENCE.fullmatch(value))


def names_a_secret(key: str) -> bool:
    """Return whether a setting of this name must be a reference."""
    return bool(_SECRET_NAME.search(key))


def resolve(reference: str, environment: Mapping[str, str], folder: Path) -> str:
    """Return the secret; a LookupError says what is missing and where it was looked for."""
    found = _REFERENCE.fullmatch(reference)
    if not found:
        return reference
    kind, name = found.groups()
    if kind == "env":
        if name not in environment:
            raise LookupError(f"the environment has no {name}; set it where the bot is started")
        return environment[name]
    return _read(_path(kind, name, environment, folder))


def _path(kind: str, name: str, environment: Mapping[str, str], folder: Path) -> Path:
    if kind == "file":
        return folder / Path(name).expanduser()
    directory = environment.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise LookupError(f"credential {name}: systemd gave no credentials; add LoadCredential={name}:… to the unit")
    return Path(directory) / name


def _read(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text().strip()
    except OSError as error:
        raise LookupError(f"{path} cannot be read ({error.strerror})") from error
    if mode & 0o077 and os.name == "posix" and not str(path).startswith("/run/credentials/"):
        raise LookupError(f"{path} can be read by others; chmod 600 {path}")
    return text
