"""Checks every name of a repository's tree, then writes its files below one folder and nowhere else."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from automation_bots.errors import BadRepository, in_words
from automation_bots.model import one_line
from automation_bots.repos import plain_files
from automation_bots.repos.git import Entry, Git

_FILES = {"100644": 0o600, "100755": 0o700, "100664": 0o600}
_LINK = "120000"
_SUBMODULE = "160000"
_LONGEST, _DEEPEST = 200, 16


def write(git: Git, commit: str, target: Path, *, text_only: bool = True) -> None:
    """Write the files of a commit below a new folder; `text_only`: what a reader cannot read is refused."""
    entries = git.tree(commit)
    check(entries, git.limits.files, git.limits.megabytes)
    try:
        _write_all(entries, git.contents(entries), target, text_only=text_only)
    except OSError as error:
        raise BadRepository(f"Its files cannot be written: {in_words(error)}.") from error


def _write_all(entries: Sequence[Entry], contents: Sequence[bytes], target: Path, *, text_only: bool) -> None:
    target.mkdir(mode=0o700)
    links = []
    for entry, data in zip(entries, contents, strict=True):
        path = target / entry.path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if entry.mode == _LINK:
            links.append((path, os.fsdecode(data)))
        else:
            if text_only:
                plain_files.check(entry.path, data, one_line(entry.path, 80))
            _write(path, data, _FILES[entry.mode])
    for path, leads_to in links:  # last, so that no file is ever written through one
        path.symlink_to(leads_to)
    _links_stay_inside(target, [path for path, _ in links])


def check(entries: Sequence[Entry], most_files: int, megabytes: int) -> None:
    """Refuse a tree with names or kinds of entries that could reach outside its folder, or that is too large."""
    if len(entries) > most_files:
        raise BadRepository(f"It has {len(entries)} files; at most {most_files} are taken.")
    if sum(entry.size for entry in entries) > megabytes * 1_000_000:
        raise BadRepository(f"Its files are larger than {megabytes} MB; see [repos] megabytes in bot.toml.")
    if len({entry.path for entry in entries}) != len(entries):
        raise BadRepository("A file is there twice.")
    seen: dict[str, str] = {}
    for entry in entries:
        _check_name(entry)
        _check_kind(entry)
        _check_case(entry.path, seen)


def _check_name(entry: Entry) -> None:
    shown = one_line(repr(entry.path), 80)
    parts = entry.path.split("/")
    if not entry.path.isprintable() or "\\" in entry.path:
        raise BadRepository(f"The name {shown} has characters that cannot be shown.")
    if len(entry.path) > _LONGEST or len(parts) > _DEEPEST:
        raise BadRepository(f"The name {shown} is too long or too deep.")
    for part in parts:
        plain = unicodedata.normalize("NFKC", part).casefold()
        if plain in {"", ".", "..", ".git", "git~1"} or part != part.strip():
            raise BadRepository(f"The name {shown} could lead outside the repository's folder.")


def _check_kind(entry: Entry) -> None:
    shown = one_line(entry.path, 80)
    if entry.mode == _SUBMODULE:
        raise BadRepository(f"{shown} is a submodule; those are not fetched, so the repository would not be whole.")
    if entry.kind != "blob" or entry.mode not in {*_FILES, _LINK}:
        raise BadRepository(f"{shown} is neither a file nor a link.")


def _check_case(path: str, seen: dict[str, str]) -> None:
    """Names that differ only in case are one file on some disks; every folder on the way counts."""
    parts = path.split("/")
    for length in range(1, len(parts) + 1):
        name = "/".join(parts[:length])
        plain = unicodedata.normalize("NFKC", name).casefold()
        if seen.setdefault(plain, name) != name:
            raise BadRepository(f"{one_line(name, 80)} and {one_line(seen[plain], 80)} differ only in case.")


def _write(path: Path, data: bytes, mode: int) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(fd, "wb") as file:
        file.write(data)


def _links_stay_inside(target: Path, links: Sequence[Path]) -> None:
    root = target.resolve()
    for link in links:
        try:
            inside = link.resolve(strict=True).is_relative_to(root)
        except (OSError, RuntimeError):  # leads nowhere, or in a circle
            inside = False
        if not inside:
            name = one_line(str(link.relative_to(target)), 80)
            raise BadRepository(f"The link {name} leads outside the repository, or nowhere.")
