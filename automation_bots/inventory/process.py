"""Starts the child process that reads an inventory, and keeps what it printed in a file for the next start."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from automation_bots.errors import ConfigError
from automation_bots.processes import own
from automation_bots.processes.ansible_content import Content
from automation_bots.processes.group import Program
from automation_bots.processes.once import Ended, run

_CHILD = "automation_bots.inventory.child"
_DEEPEST = 10  # folders below a source; also ends a symbolic link to its own parent


class Child:
    """Reads these sources in a process of its own, for at most so many seconds."""

    def __init__(
        self, sources: tuple[Path, ...], vault_password_file: Path | None, limit_seconds: float, content: Content
    ) -> None:
        self._sources = sources
        self._vault_password_file = vault_password_file
        self._limit_seconds = limit_seconds
        self._content = content

    def read(self) -> bytes:
        """Return the whole inventory as JSON lines, without secrets; a `ConfigError` says why it cannot."""
        return self._run([], b"")

    def secrets(self, wanted: Mapping[str, list[str]]) -> list[Any]:
        """Return (host, values, texts to hide, errors) for the secrets that are wanted of each host."""
        printed = self._run(["--secrets"], json.dumps(wanted).encode())
        return [json.loads(line) for line in printed.splitlines()]

    def _run(self, options: list[str], given: bytes) -> bytes:
        if self._vault_password_file and self._vault_password_file.exists():
            options = [*options, f"--vault-password-file={self._vault_password_file.absolute()}"]
        sources = [str(path.absolute()) for path in self._sources]
        # Ansible refuses to run in a locale that is not UTF-8, which services often have
        found = self._content.environment(os.environ, Path.cwd())
        environment = {"LC_ALL": "C.UTF-8", **os.environ, **found, **own.python_path()}
        program = Program(command=own.module(_CHILD, *options, "--", *sources), environment=environment)
        try:
            return self._checked(run(program, given, seconds=self._limit_seconds))
        except TimeoutError:
            reason = f"reading the inventory took longer than {self._limit_seconds:g} seconds"
            raise ConfigError(sources[0], reason) from None

    def _checked(self, ended: Ended) -> bytes:
        if ended.code != 0:
            reason = f"Ansible could not be started to read the inventory: {ended.last_line}"
            raise ConfigError(self._sources[0], reason)
        if ended.out.startswith(b'{"error":'):
            error = json.loads(ended.out)["error"]
            advice = f" → {self._content.command}" if error["missing"] else ""
            raise ConfigError(error["path"], error["reason"] + advice, error["line"])
        return ended.out


def fingerprint(sources: tuple[Path, ...], vault_password_file: Path | None, content: Path) -> str:
    """Return a digest that changes with every file below the sources, and with Ansible, its settings, content, key."""
    digest = hashlib.sha256()
    files: list[str | Path] = [*_files(sources), *_settings(), content]
    for path in [*files, vault_password_file] if vault_password_file else files:
        digest.update(_stamp(path).encode(errors="surrogateescape"))
    for name in sorted(name for name in os.environ if name.startswith("ANSIBLE_")):
        digest.update(f"{name}={os.environ[name]}\0".encode(errors="surrogateescape"))
    with suppress(PackageNotFoundError):
        digest.update(version("ansible-core").encode())
    digest.update(repr([str(path.absolute()) for path in sources]).encode())
    return digest.hexdigest()


def _files(sources: tuple[Path, ...]) -> Iterator[str]:
    for source in sources:
        yield str(source)
        if source.is_dir():
            yield from _below(str(source), _DEEPEST)
            continue
        for folder in ("group_vars", "host_vars"):
            yield from _below(str(source.parent / folder), _DEEPEST)


def _below(folder: str, depth: int) -> Iterator[str]:
    """Yield all files below a folder in one order; hidden ones (editors, git) and Python's own are no inventory."""
    if depth == 0:
        return
    try:
        with os.scandir(folder) as found:
            entries = sorted((entry.path, entry.is_dir()) for entry in found if entry.name[0] != ".")
    except OSError:
        return
    for path, is_folder in entries:
        if not is_folder:
            yield path
        elif not path.endswith("__pycache__"):
            yield from _below(path, depth - 1)


def _settings() -> Iterator[Path]:
    """Yield every file in which Ansible may find its settings."""
    if named := os.environ.get("ANSIBLE_CONFIG"):
        yield Path(named)
    yield from (Path("ansible.cfg").absolute(), Path.home() / ".ansible.cfg", Path("/etc/ansible/ansible.cfg"))


def _stamp(path: str | Path) -> str:
    try:
        stat = os.stat(path)  # noqa: PTH116 - ten thousand times, and Path is three times slower
    except OSError:
        return f"{path}\0missing\n"
    # mode: a file that becomes executable becomes a dynamic script
    return f"{path}\0{stat.st_mtime_ns}\0{stat.st_size}\0{stat.st_mode}\n"


class CacheFile:
    """One inventory as it was read last: the fingerprint on the first line, then what the child printed."""

    def __init__(self, folder: Path, sources: tuple[Path, ...]) -> None:
        name = hashlib.sha256(repr([str(path.absolute()) for path in sources]).encode()).hexdigest()[:16]
        self._path = folder / f"inventory-{name}.jsonl"

    def read(self, mark: str) -> tuple[bytes, float] | None:
        """Return what was printed and when, if nothing has changed since."""
        try:
            with self._path.open("rb") as file:
                if file.readline().strip() != mark.encode():
                    return None
                return file.read(), os.fstat(file.fileno()).st_mtime
        except OSError:
            return None

    def write(self, mark: str, printed: bytes) -> None:
        """Replace the file at once, readable by its owner only."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with NamedTemporaryFile(dir=self._path.parent, prefix=self._path.name, delete=False) as file:  # mode 0600
            file.write(mark.encode() + b"\n" + printed)
        Path(file.name).replace(self._path)
