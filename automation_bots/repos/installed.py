"""The folder data/repos: one folder for each installed version, and installed.json, which says which one counts.

What installed.json does not name is not installed: so a crash at any moment leaves the state before or after.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from automation_bots.errors import BadRepository, in_words
from automation_bots.repos.values import Installed

_FILE = TypeAdapter(dict[str, Installed])
_STAGING = ".staging"


class InstalledPlugins:
    """Keeps what is installed. One bot uses a data folder, and it does one thing at a time here."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._file = root / "installed.json"

    def installed(self) -> dict[str, Installed]:
        """Read what is installed; a file that cannot be read is never written over."""
        try:
            return _FILE.validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            raise BadRepository(
                f"{self._file} cannot be read, so no plugin from elsewhere is loaded. Put it back from a backup, or"
                " take it away and install anew."
            ) from error

    def write(self, installed: Mapping[str, Installed]) -> None:
        """Say what is installed now; all at once or not at all."""
        try:
            with tempfile.NamedTemporaryFile(dir=self.root, prefix=".installed-", delete=False) as file:
                file.write(_FILE.dump_json(dict(installed), indent=1))
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(self._file)
        except OSError as error:
            raise BadRepository(f"{self._file} cannot be written ({in_words(error)}).") from error

    def staging(self) -> Path:
        """Make a new folder for something that nobody confirmed yet."""
        folder = self.root / _STAGING / secrets.token_hex(8)
        try:
            folder.mkdir(mode=0o700, parents=True)
        except OSError as error:
            raise BadRepository(f"{self.root} cannot be written ({in_words(error)}).") from error
        return folder

    def place(self, name: str, staged: Path) -> str:
        """Move what was confirmed to where it stays; returns the folder's name below data/repos."""
        folder = f"{name}/{secrets.token_hex(6)}"
        (self.root / name).mkdir(mode=0o700, exist_ok=True)
        try:
            staged.rename(self.root / folder)
        except OSError as error:
            raise BadRepository(f"{self.root / folder} cannot be written ({in_words(error)}).") from error
        return folder

    def drop(self, folder: str) -> None:
        """Delete the folder of a version that is not installed any more."""
        path = self.root / folder
        shutil.rmtree(path, ignore_errors=True)
        if path.parent != self.root and path.parent.is_dir() and not any(path.parent.iterdir()):
            path.parent.rmdir()

    def sweep(self) -> list[str]:
        """Delete what a crash left: folders that installed.json does not name; says whose installation it cut off."""
        if not self.root.is_dir():
            return []
        kept = {one.folder for one in self.installed().values()}
        found = [path.relative_to(self.root) for path in self.root.glob("*/*") if path.is_dir()]
        left = [path for path in found if path.as_posix() not in kept]
        for path in left:
            self.drop(path.as_posix())
        for file in self.root.glob(".installed-*"):
            file.unlink(missing_ok=True)
        return sorted({path.parts[0] for path in left} - {_STAGING})


def digest(folder: Path) -> str:
    """One digest of every file below a folder: names, kinds, contents. Compiled code is taken away first."""
    for path in [*folder.rglob("__pycache__")]:
        shutil.rmtree(path)
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            facts = f"link {path.readlink()}"
        elif path.is_dir():
            continue
        else:
            with path.open("rb") as file:
                facts = f"{path.stat().st_mode & 0o111} {hashlib.file_digest(file, 'sha256').hexdigest()}"
        whole.update(f"{name}\0{facts}\0".encode(errors="surrogateescape"))
    return whole.hexdigest()
