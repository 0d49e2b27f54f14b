"""OpenSSH's known_hosts: look a device's keys up, and write keys that a person decided to trust."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from automation_bots.errors import DriverError, in_words
from automation_bots.model import one_line

TRUSTED_BY = "trusted by "
_WRITING = threading.Lock()  # two admins at once must not lose each other's lines


@dataclass(frozen=True, slots=True)
class HostKey:
    """A public key of a device, in SSH's wire format."""

    type: str
    blob: bytes
    revoked: bool = field(default=False, compare=False)
    comment: str = field(default="", compare=False)  # what stands behind the key in the file: who trusted it, when

    @property
    def fingerprint(self) -> str:
        """The form that `ssh-keygen -lf` prints at the device."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def told(self) -> str:
        """Type and fingerprint, and who trusted it when the file says so."""
        trusted = f" ({one_line(self.comment, 120)})" if self.comment.startswith(TRUSTED_BY) else ""
        return f"{self.type} {self.fingerprint}{trusted}"

    def line(self, host: str, port: int, comment: str = "") -> str:
        """Return the line that makes this key known."""
        line = f"{entry_name(host, port)} {self.type} {base64.b64encode(self.blob).decode()}"
        return f"{line} {one_line(comment)}" if comment else line


@dataclass(frozen=True, slots=True)
class _Entry:
    names: tuple[str, ...]
    key: HostKey
    authority: bool = False  # what it signed is trusted, not itself


def entry_name(host: str, port: int) -> str:
    """Return how known_hosts writes a host: with brackets and port unless it is 22."""
    host = host.lower()
    return host if port == 22 else f"[{host}]:{port}"


class KnownHosts:
    """One known_hosts file, read once per change and shared by all threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._plain: dict[str, list[HostKey]] = {}
        self._other: list[_Entry] = []  # hashed names and patterns, which must be tried one by one

    def keys(self, host: str, port: int) -> tuple[HostKey, ...]:
        """Return the keys known for a host."""
        plain, other = self._current()
        name = entry_name(host, port)
        found = (entry.key for entry in other if not entry.authority and _matches(entry.names, name))
        return (*plain.get(name, ()), *found)

    def authorities(self, host: str, port: int) -> tuple[HostKey, ...]:
        """Return the keys that may sign a host's certificate (`@cert-authority`)."""
        name = entry_name(host, port)
        return tuple(entry.key for entry in self._current()[1] if entry.authority and _matches(entry.names, name))

    def _current(self) -> tuple[dict[str, list[HostKey]], list[_Entry]]:
        with self._lock:
            stamp = _stamp(self.path)
            if stamp != self._stamp:
                self._plain, self._other = _indexed(_read(self.path))
                self._stamp = stamp
            return self._plain, self._other


def trust(path: Path, host: str, port: int, lines: Iterable[str]) -> None:
    """Make exactly these lines the known keys of a host; revoked keys, patterns and other hosts stay as they are.

    A key that was known keeps its comment: who trusted it first.
    """
    name = entry_name(host, port)
    with _WRITING:
        old = _read(path)
        comments = {entry.key: entry.key.comment for entry in _entries(old) if _is_trusted(entry, name)}
        new = [_checked(line.strip(), name, comments) for line in lines]
        kept = [rest for line in old if (rest := _without(line, name)) is not None]
        _replace(path, "".join(f"{line}\n" for line in [*kept, *new]))


def distrust(path: Path, host: str, port: int) -> tuple[HostKey, ...]:
    """Forget the keys of a host and return them; patterns, revoked keys and other hosts stay as they are."""
    name = entry_name(host, port)
    with _WRITING:
        old = _read(path)
        left = [_without(line, name) for line in old]
        gone = [line for line, rest in zip(old, left, strict=True) if rest != line]
        if gone:
            _replace(path, "".join(f"{line}\n" for line in left if line is not None))
    return tuple(entry.key for entry in _entries(gone))


def _is_trusted(entry: _Entry, name: str) -> bool:
    return not (entry.key.revoked or entry.authority) and _matches(entry.names, name)


def _checked(line: str, name: str, comments: Mapping[HostKey, str]) -> str:
    entry = _parsed(line)
    if entry is None or entry.authority or not _matches(entry.names, name):
        raise DriverError(f"{line!r} is no known_hosts line of {name}")
    comment = comments.get(entry.key)
    return " ".join([*line.split()[:3], comment]) if comment else line


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(path: Path) -> list[str]:
    try:
        return path.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DriverError(f"cannot read the known host keys in {path}: {in_words(error)}") from error


def _indexed(lines: Iterable[str]) -> tuple[dict[str, list[HostKey]], list[_Entry]]:
    plain: dict[str, list[HostKey]] = {}
    other: list[_Entry] = []
    for entry in _entries(lines):
        if entry.authority or any(_needs_trying(name) for name in entry.names):
            other.append(entry)
            continue
        for name in entry.names:
            plain.setdefault(name.lower(), []).append(entry.key)
    return plain, other


def _entries(lines: Iterable[str]) -> Iterator[_Entry]:
    for line in lines:
        if entry := _parsed(line):
            yield entry


def _parsed(line: str) -> _Entry | None:
    """Read one line; comments and broken lines are None."""
    words = line.split()
    marker = words.pop(0) if words and words[0].startswith("@") else ""
    if len(words) < 3 or words[0].startswith("#") or marker not in {"", "@revoked", "@cert-authority"}:
        return None
    try:
        blob = base64.b64decode(words[2], validate=True)
    except (binascii.Error, ValueError):
        return None
    marked = marker == "@revoked"
    names, key = tuple(words[0].split(",")), HostKey(words[1], blob, marked, " ".join(words[3:]))
    return _Entry(names, key, authority=marker == "@cert-authority")


def _needs_trying(name: str) -> bool:
    return name.startswith(("|", "!")) or "*" in name or "?" in name


def _matches(names: Iterable[str], name: str) -> bool:
    found = False
    for pattern in names:
        if pattern.startswith("!"):
            if _glob(pattern[1:], name):
                return False
        elif _is_hash_of(pattern, name) if pattern.startswith("|") else _glob(pattern, name):
            found = True
    return found


def _glob(pattern: str, name: str) -> bool:
    # Brackets stand for a port here, not for a choice of characters.
    return fnmatchcase(name, pattern.lower().replace("[", "[[]"))


def _is_hash_of(pattern: str, name: str) -> bool:
    try:
        _, kind, salt, digest = pattern.split("|")
        expected = base64.b64decode(digest)
        made = hmac.new(base64.b64decode(salt), name.encode(), hashlib.sha1).digest()  # OpenSSH's format fixes SHA-1
    except (ValueError, binascii.Error):
        return False
    return kind == "1" and hmac.compare_digest(expected, made)


def _without(line: str, name: str) -> str | None:
    """Return the line without that host, or None when nothing is left of it."""
    entry = _parsed(line)
    if entry is None or entry.key.revoked or entry.authority:
        return line
    left = [known for known in entry.names if known.lower() != name and not _is_hash_of(known, name)]
    if len(left) == len(entry.names):
        return line
    return " ".join([",".join(left), *line.split()[1:]]) if left else None


def _replace(path: Path, text: str) -> None:
    # A new file moved over the old one: a crash, or a driver that reads now, never meets half a file.
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            os.fchmod(handle, mode)
            file.write(text)
        Path(name).replace(path)
    except OSError as error:
        raise DriverError(f"cannot write the known host keys to {path}: {in_words(error)}") from error
