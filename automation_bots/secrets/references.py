"""References to secrets: `env:NAME`, `credential:NAME` (systemd), `file:PATH`, `vault:NAME` (Ansible Vault),
`kv:MOUNT/PATH#FIELD` and `bao:MOUNT/data/PATH#FIELD` (HashiCorp Vault, OpenBao).
"""  # fmt: skip

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from automation_bots.errors import in_words
from automation_bots.model import one_line
from automation_bots.processes.group import Program
from automation_bots.processes.once import run
from automation_bots.secrets.key_value import NOWHERE, Kv

_REFERENCE = re.compile(r"(env|credential|file|vault|kv|bao):(.+)")
_SECRET_NAME = re.compile(r"(?i)(password|passwd|token|secret|api_?key|private_?key)$")


def is_reference(value: str) -> bool:
    """Return whether a setting points to a secret instead of being one."""
    return bool(_REFERENCE.fullmatch(value))


def names_a_secret(key: str) -> bool:
    """Return whether a setting of this name must be a reference."""
    return bool(_SECRET_NAME.search(key))


def in_environment(environment: Mapping[str, str]) -> list[str]:
    """Return what environment variables hold whose names say that it is a secret."""
    return [value for name, value in environment.items() if names_a_secret(name)]


def references(settings: Mapping[str, Any], *where: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield every reference that settings hold, with the keys that lead to it."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from references(value, *where, key)
        for text in value if isinstance(value, list | tuple) else [value]:
            if isinstance(text, str) and is_reference(text):
                yield (*where, key), text


def resolve(
    reference: str,
    environment: Mapping[str, str],
    folder: Path,
    vault_password_file: Path | None = None,
    kv: Kv = NOWHERE,
) -> str:
    """Return the secret; a LookupError says what is missing and where it was looked for."""
    found = _REFERENCE.fullmatch(reference)
    if not found:
        return reference
    kind, name = found.groups()
    if kind in {"kv", "bao"}:
        return kv.resolve(reference)
    if kind == "vault":
        return _vaulted(name, folder, vault_password_file)
    if kind == "env":
        if name not in environment:
            raise LookupError(f"the environment has no {name}; set it where the bot is started")
        return environment[name]
    return _read(_path(kind, name, environment, folder))


def _vaulted(name: str, folder: Path, password_file: Path | None) -> str:
    """Read one key of the bot's vault.yml, by Ansible's own program: the bot's process holds no other key of it."""
    file = folder / "vault.yml"
    if password_file is None or not file.exists():
        raise LookupError(f"vault:{name} needs {file} and vault_password_file in [inventory]")
    program = Path(sys.executable).with_name("ansible-vault")
    command = [str(program), "view", "--vault-password-file", str(password_file), str(file)]
    ended = run(Program(command=command, environment=os.environ))
    if ended.code:
        raise LookupError(f"{file} cannot be opened: {one_line(ended.err.decode(errors='replace'), 300)}")
    value = yaml.safe_load(ended.out)
    if not isinstance(value, dict) or name not in value:
        raise LookupError(f"{file} has no {name}")
    return str(value[name])


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
        raise LookupError(f"{path} cannot be read ({in_words(error)})") from error
    if mode & 0o077 and os.name == "posix" and not str(path).startswith("/run/credentials/"):
        raise LookupError(f"{path} can be read by others; chmod 600 {path}")
    return text
