"""What the digest of an operation covers: what was approved, to be compared with what runs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Covered:
    """Each file with its hash, and the places in which nothing else may be read while it runs."""

    files: Mapping[Path, str] = field(default_factory=dict)
    places: tuple[Path, ...] = ()


NOTHING_COVERED = Covered()


def hash_of(file: Path) -> str:
    """Return the sha256 of a file's content."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_of(path: Path, files: Mapping[Path, str]) -> str:
    """Return the digest of a playbook or command whose files have these hashes."""
    total = hashlib.sha256(
        path.name.encode("utf-8", "surrogateescape")
    )  # playbooks that import each other cover the same
    root = path.resolve().parent
    for file, content in files.items():
        name = os.path.relpath(file, root).encode("utf-8", "surrogateescape")
        total.update(b"%d:%b" % (len(name), name))
        total.update(bytes.fromhex(content))
    return total.hexdigest()
