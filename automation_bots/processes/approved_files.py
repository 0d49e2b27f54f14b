"""Lets a process read no file that is other than when its job was accepted: loaded by programs of their own.

Ansible and Python commands read this file by its path, so it needs the standard library only.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

_SKIPPED = ("__pycache__", ".git")


class ApprovedFiles:
    """Compares each file as it is opened, also in the workers of this process, and lets nothing new be read.

    Whoever opens a file in Python is heard: includes, roles, scripts, templates, modules, plugins and imports alike.
    `wanted` is file → sha256; in `places` nothing else is read, or nothing else with one of the `endings`.
    """

    def __init__(self, wanted: Mapping[str, str], places: Iterable[str] = (), endings: tuple[str, ...] = ()) -> None:
        self._wanted = wanted
        self._names = {Path(path).name for path in wanted}
        self._places = tuple(places)
        self._inside = tuple(f"{place}/" for place in self._places)
        self._endings = endings or ("",)
        self._known: dict[str, tuple[int, ...]] = {}  # as they were when they were right
        self._here = threading.local()

    def changed(self) -> str:
        """Name a file that is another one by now, or new; nothing when none is."""
        new = (place for place in self._places if Path(place).is_file() and place not in self._wanted)
        return next((path for path in self._wanted if not self._is_same(path)), "") or next(new, "")

    def watch(self) -> None:
        """Look at each one again as it is opened, from now on."""
        if self._wanted:
            sys.addaudithook(self._heard)

    def _heard(self, event: str, args: tuple[Any, ...]) -> None:
        if event != "open" or getattr(self._here, "looks", False) or not isinstance(args[0], str | bytes):
            return
        path = os.fsdecode(args[0])
        if args[2] & os.O_WRONLY:
            return
        if path.endswith(".pyc"):
            self._no_bytecode(path)
        elif path.rpartition("/")[2] in self._names or os.path.abspath(path).startswith(self._inside):  # noqa: PTH100 - of every file that is opened
            self._compare(path)

    def _compare(self, path: str) -> None:
        real = os.path.realpath(path)
        if real in self._wanted:
            if not self._is_same(real):
                raise PermissionError(f"{Path(real).name} was changed after the job was accepted")
        elif self._is_new(path) or self._is_new(real):
            raise PermissionError(f"{Path(real).name} is not among the files that the job was accepted with")

    def _is_new(self, path: str) -> bool:
        path = os.path.abspath(path)  # noqa: PTH100 - a link shall not be followed
        if not path.startswith(self._inside) or not path.endswith(self._endings):
            return False
        return not any(f"/{name}/" in path for name in _SKIPPED) and Path(path).is_file()

    def _no_bytecode(self, path: str) -> None:
        """Let the source be read instead: what was compiled from it may say something else."""
        try:
            source = os.path.realpath(importlib.util.source_from_cache(path))
        except ValueError:
            return
        if source in self._wanted or source.startswith(self._inside):
            raise PermissionError(f"{Path(path).name} is not read")

    def _is_same(self, path: str) -> bool:
        self._here.looks = True
        try:
            status = Path(path).stat()
            stamp = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
            if self._known.get(path) != stamp:
                with Path(path).open("rb") as stream:
                    if hashlib.file_digest(stream, "sha256").hexdigest() != self._wanted[path]:
                        return False
                self._known[path] = stamp
        except OSError:
            return False
        finally:
            self._here.looks = False
        return True
