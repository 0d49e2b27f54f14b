"""`automation-bots backup` and `restore`: all of a bot in one file, and a bot from it on an empty machine."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import shutil
import sqlite3
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from automation_bots import __version__
from automation_bots.errors import StoreError

_MADE_ANEW = {"cache", "runs", "files", "store.lock"}  # of the data folder
_KEPT_OF_LOG = {"checkpoints.jsonl"}
_RECORD, _MANIFEST = "record.db", "manifest.json"
_SQLITE = b"SQLite format 3\x00"
_LEFT = {"__pycache__", ".git"}  # of the bot's folder: made anew, or kept where it comes from


def add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],  # argparse has no public name for it
    command: Callable[..., argparse.ArgumentParser],
) -> None:
    """Add the commands."""
    one = command(commands, "backup", _backup, "all of a bot in one file; beside a running bot", "folder")
    one.add_argument("file", help="the file to write, such as netbot.tar.gz")
    other = command(commands, "restore", _restore, "a bot from such a file, in a folder that is not there yet", "file")
    other.add_argument("folder", help="the bot's new folder")


def _backup(parsed: argparse.Namespace) -> int:
    from automation_bots.config.bot_folder import BotFolder
    from automation_bots.store import backup as moving

    bot_folder, file = BotFolder(Path(parsed.folder), untouched=True), Path(parsed.file)
    if file.exists():
        raise StoreError(f"{file} is there already; nothing was overwritten. Name another file.")
    if not file.parent.is_dir():
        raise StoreError(f"There is no folder {file.parent}.")
    with TemporaryDirectory(prefix=".backup-", dir=file.parent) as place:
        there = Path(place)
        length = moving.backup(bot_folder.record, there / _RECORD)
        found = {f"bot/{name}": path for name, path in _of_folder(bot_folder.folder)}
        found |= {f"data/{name}": _whole(path, there) for name, path in _of_data(bot_folder.data)}
        found[_RECORD] = there / _RECORD
        _write(there / "new", found, {"bot": bot_folder.settings.name, "entries": length})
        (there / "new").rename(file)  # complete, or not there
    kept = (bot_folder.folder, bot_folder.data.resolve())
    links = [path for root in kept for path in root.rglob("*") if path.is_symlink()]
    outside = {str(path) for path in bot_folder.named_files() if not any(map(path.resolve().is_relative_to, kept))}
    outside |= {str(path) for path in links if not _LEFT.intersection(path.parts)}
    _say(f"Wrote {file}: {len(found)} files, the record with {length} audit entries, checked.")
    _say("It holds keys and secrets: keep it as you keep passwords.")
    if outside:
        _say(f"Not in it, since they lie elsewhere or are links: {', '.join(sorted(outside))}")
    return 0


def _restore(parsed: argparse.Namespace) -> int:
    from automation_bots.config.bot_folder import BotFolder
    from automation_bots.store import backup as moving

    file, folder = Path(parsed.file), Path(parsed.folder)
    if folder.exists() and any(folder.iterdir()):
        raise StoreError(f"{folder} is there already; nothing was overwritten. Name another folder.")
    if not folder.parent.is_dir():
        raise StoreError(f"There is no folder {folder.parent}.")
    with TemporaryDirectory(prefix=".restore-", dir=folder.parent) as place:
        there = Path(place)
        about = _read(file, there)
        _refuse_used(BotFolder(there / "bot", untouched=True).data)
        if folder.exists():
            folder.rmdir()
        (there / "bot").chmod(0o700)  # files that only their folder kept from others stay so
        (there / "bot").rename(folder)
        bot_folder = BotFolder(folder, untouched=True)
        _put(there / "data", bot_folder.data)
        length = moving.restore(there / _RECORD, bot_folder.record)
    _say(f"Restored {about['bot']} of {about['at']} into {folder}, its data into {bot_folder.data}.")
    _say(f"The record has {length} audit entries, checked. What was pending waits for a word: !pending")
    _say(f"→ automation-bots check {folder} · automation-bots doctor {folder}")
    return 0


def _of_folder(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not path.is_symlink() and not _LEFT.intersection(name.parts):
            yield str(name), path


def _of_data(data: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(data.rglob("*")):
        first, *more = path.relative_to(data).parts
        if not path.is_file() or path.is_symlink() or first in _MADE_ANEW or (not more and first.startswith("bot.db")):
            continue
        if first != "log" or more[-1] in _KEPT_OF_LOG:
            yield str(path.relative_to(data)), path


def _whole(path: Path, place: Path) -> Path:
    """The file, or of a database that may be written to now a copy as of one moment."""
    with path.open("rb") as file:
        if file.read(len(_SQLITE)) != _SQLITE:
            return path
    copy = place / f"copy-{hashlib.sha256(str(path).encode()).hexdigest()}"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as old, closing(sqlite3.connect(copy)) as new:
        old.backup(new)
    copy.chmod(0o600)
    return copy


def _write(file: Path, found: dict[str, Path], about: dict[str, object]) -> None:
    contents = {name: path.read_bytes() for name, path in found.items() if name != _RECORD}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    with found[_RECORD].open("rb") as record:
        digests[_RECORD] = hashlib.file_digest(record, "sha256").hexdigest()
    about = {**about, "version": __version__, "at": f"{datetime.now(UTC):%Y-%m-%d %H:%M UTC}", "files": digests}
    with tarfile.open(file, "x:gz") as archive:
        file.chmod(0o600)
        _add(archive, _MANIFEST, json.dumps(about, indent=1).encode(), 0o600)
        for name, content in contents.items():
            _add(archive, name, content, found[name].stat().st_mode & 0o755)
        archive.add(found[_RECORD], _RECORD)


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = len(content), mode, int(datetime.now(UTC).timestamp())
    archive.addfile(info, io.BytesIO(content))


def _read(file: Path, there: Path) -> dict[str, object]:
    """Unpack a backup, and compare every file with what its list says."""
    try:
        with tarfile.open(file, "r:gz") as archive:
            for member in archive:
                _unpack(archive, member, there)
        about: dict[str, object] = json.loads((there / _MANIFEST).read_text())
        digests = dict(about["files"])  # type: ignore[call-overload]
    except (OSError, tarfile.TarError, ValueError, KeyError, TypeError, EOFError) as error:
        raise StoreError(f"{file} is no whole backup ({type(error).__name__}); nothing was restored.") from error
    for name, digest in digests.items():
        path = there / name
        if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise StoreError(f"{file} is damaged at {name}; nothing was restored. Take another backup.")
    return about


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, there: Path) -> None:
    """Unpack a file into the folder, and nothing else: Debian 12's Python knows no `filter="data"` yet."""
    name = Path(member.name)
    if not member.isfile() or name.is_absolute() or ".." in name.parts:
        raise ValueError(f"{member.name} is no file of a backup")
    path = there / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        shutil.copyfileobj(archive.extractfile(member) or io.BytesIO(), file)
    path.chmod(member.mode & 0o755 | 0o600)


def _refuse_used(data: Path) -> None:
    if data.exists() and any(data.iterdir()):
        raise StoreError(f"{data} is not empty; nothing of it was overwritten. Move it away and restore again.")


def _put(kept: Path, data: Path) -> None:
    _refuse_used(data)
    data.parent.mkdir(parents=True, exist_ok=True)
    if kept.is_dir():
        shutil.copytree(kept, data, dirs_exist_ok=True)
    data.mkdir(exist_ok=True)
    data.chmod(0o700)
    for path in data.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
