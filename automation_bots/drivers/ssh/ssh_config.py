"""The bot's own `ssh_config`: read once per change, with Include; what it may say is what `Access` can hold."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from automation_bots.errors import DriverError, in_words
from automation_bots.model import NOTHING

_DEEP = 16  # files that include each other, as OpenSSH limits it


class SshConfig:
    """One file; asked for a host it gives OpenSSH's words in lower case, as lists where there may be several."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._stamps: dict[Path, int] = {}
        self._parsed: Any = None

    def lookup(self, host: str) -> Mapping[str, Any]:
        """Return what the file says of a host."""
        import paramiko  # late: only a bot that has such a file needs its parser

        try:
            with self._lock:
                if self._parsed is None or any(_stamp(path) != was for path, was in self._stamps.items()):
                    self._stamps = {}
                    text = "\n".join(self._lines(self.path, 0))
                    self._parsed = paramiko.SSHConfig.from_file(io.StringIO(text))
            found: Mapping[str, Any] = self._parsed.lookup(host)
        except OSError as error:
            raise DriverError(f"{self.path} cannot be read: {in_words(error)}") from error
        except (paramiko.ConfigParseError, paramiko.CouldNotCanonicalize, ImportError) as error:
            raise DriverError(f"{self.path} cannot be used: {error}") from error
        return found or NOTHING

    def _lines(self, path: Path, depth: int) -> Iterator[str]:
        self._stamps[path] = _stamp(path)
        for line in path.read_text("utf-8").splitlines():
            word, _, rest = line.strip().replace("=", " ", 1).partition(" ")
            if word.lower() != "include":
                yield line
                continue
            if depth >= _DEEP:
                raise DriverError(f"{path}: files that include each other")
            for pattern in rest.split():
                for other in sorted(_found(path.parent, pattern.strip('"'))):
                    yield from self._lines(other, depth + 1)


def _found(folder: Path, pattern: str) -> Iterator[Path]:
    wanted = Path(pattern).expanduser()
    if not wanted.is_absolute():
        return folder.glob(pattern)
    return Path(wanted.anchor).glob(str(wanted.relative_to(wanted.anchor)))


def _stamp(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return -1
