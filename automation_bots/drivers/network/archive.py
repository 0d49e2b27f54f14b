"""Running configurations in a git repository that only the bot's user may read, and what a change replaced."""

from __future__ import annotations

import contextlib
import json
import operator
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import quote

from automation_bots.errors import DriverError, in_words
from automation_bots.processes.group import Program
from automation_bots.processes.once import run
from automation_bots.processes.own import inherited

_SECONDS = 60
_DAY_SECONDS = 86_400
_IDENTITY = {"GIT_AUTHOR_NAME": "automation-bots", "GIT_AUTHOR_EMAIL": "bot@localhost",
             "GIT_COMMITTER_NAME": "automation-bots", "GIT_COMMITTER_EMAIL": "bot@localhost"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Version:
    """One backup in which a device's configuration was another than before."""

    commit: str
    when: str
    why: str


@dataclass(frozen=True, slots=True)
class Saved:
    """The devices that a backup is the first of, and those whose configuration is another than in the one before."""

    first: frozenset[str]
    other: frozenset[str]


class Archive:
    """One folder: `configs/` is the repository, `changes/` what jobs replaced."""

    def __init__(self, folder: Path, keep_days: int = 0) -> None:
        self._keep_days = keep_days  # for `changes/`; 0: for ever
        self._tidied = 0.0
        self._configs = folder / "configs"
        self._changes = folder / "changes"
        self._lock = threading.Lock()
        self._used = False

    def save(self, configs: Mapping[str, str], why: str, same: Callable[[str, str], bool] = operator.eq) -> Saved:
        """Write configurations and commit them at once; one that is the `same` as before stays as it is."""
        with self._lock:
            self._prepare()
            for device, text in configs.items():
                path = self._configs / _file(device)
                if not (path.is_file() and same(path.read_text(encoding="utf-8"), text)):
                    _write(path, text)
            names = [_file(device) for device in configs]
            self._git("add", "--", *names)
            words = self._git("diff", "--cached", "--no-renames", "--name-status", "-z").split("\0")
            how = dict(zip(words[1::2], words[::2], strict=False))
            if how:
                self._git("commit", "-q", "-m", why)
        found = {device: how.get(_file(device)) for device in configs}
        return Saved(*(frozenset(name for name, letter in found.items() if letter == wanted) for wanted in "AM"))

    def history(self, device: str, limit: int = 20) -> tuple[Version, ...]:
        """Return the versions of a device's configuration, the newest first."""
        if self._is_empty():
            return ()
        text = self._git(
            "log", f"-{limit}", "--date=format:%Y-%m-%d %H:%M", "--format=%h%x00%cd%x00%s", "--", _file(device)
        )
        return tuple(Version(*line.split("\0", 2)) for line in text.splitlines() if line.count("\0") >= 2)

    def config(self, device: str, since: str = "") -> str:
        """Return a version: the newest, the one before (`~1`), of a commit, or the last one before a date."""
        return self._git("show", f"{self._commit(device, since)}:{_file(device)}")

    def _commit(self, device: str, since: str) -> str:
        versions = self.history(device, 1000)
        if not versions:
            raise DriverError(f"there is no backup of {device} yet. → !backup {device}")
        if not since:
            return versions[0].commit
        if since.isdecimal() and int(since) < len(versions) and len(since) < 4:
            return versions[int(since)].commit
        if since.count("-") == 2 and not _is_date(since):
            raise DriverError(f"there is no day {since}; say a date such as 2026-01-31")
        for version in versions:
            if version.commit.startswith(since) or (since.count("-") == 2 and version.when[: len(since)] <= since):
                return version.commit
        raise DriverError(
            f"no backup of {device} is {since!r} (say a commit, a date such as 2026-01-31, or how many backups ago). "
            f"→ !config history {device}"
        )

    def remember(self, job: int, device: str, kept: Mapping[str, str]) -> None:
        """Keep what a change replaced, for `!config rollback`."""
        try:
            self._changes.mkdir(parents=True, exist_ok=True, mode=0o700)
            _write(self._changes / f"{job}-{_file(device)}", json.dumps(dict(kept)))
        except OSError as error:
            raise DriverError(f"what it replaced cannot be kept for !config rollback: {in_words(error)}") from error

    def forget(self, job: int, device: str) -> None:
        """Forget it again: the job replaced nothing, or took it back."""
        with contextlib.suppress(OSError):
            (self._changes / f"{job}-{_file(device)}").unlink()

    def replaced(self, job: int, device: str) -> Mapping[str, str] | None:
        """Return what a job replaced on a device; None: it changed nothing there."""
        try:
            found = json.loads((self._changes / f"{job}-{_file(device)}").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def tidy(self) -> None:
        """Forget what jobs replaced that the bot has forgotten too; once a day is enough."""
        now = time.time()
        if not self._keep_days or now - self._tidied < _DAY_SECONDS:
            return
        self._tidied = now
        for path in self._changes.glob("*.cfg*"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < now - self._keep_days * _DAY_SECONDS:
                    path.unlink()

    def _is_empty(self) -> bool:
        """Whether no backup was ever kept; git itself takes that for a mistake."""
        return not any((self._configs / ".git" / name).exists() for name in ("refs/heads/main", "packed-refs"))

    def _prepare(self) -> None:
        self._configs.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not (self._configs / ".git").exists():
            self._git("init", "-q", "-b", "main")
            self._git("config", "gc.auto", "200")
        self._unlock()

    def _unlock(self) -> None:
        """Take away what a git that was killed has locked: one of ours never runs longer, nor beside a new bot."""
        for name in ("index.lock", "HEAD.lock", "refs/heads/main.lock"):
            lock = self._configs / ".git" / name
            with contextlib.suppress(FileNotFoundError):
                if not self._used or lock.stat().st_mtime < time.time() - _SECONDS:
                    lock.unlink()
        self._used = True

    def _git(self, *words: str) -> str:
        environment = {"HOME": str(self._configs), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C.UTF-8", **_IDENTITY}
        program = Program(
            command=("git", "-c", "core.quotePath=off", "-c", "commit.gpgSign=false", *words),
            environment={**inherited("PATH"), **environment},
            folder=self._configs,
            umask=0o077,
        )
        try:
            ended = run(program, seconds=_SECONDS)
        except OSError as error:
            raise DriverError(f"git could not be used for the backups: {in_words(error)}; is it installed?") from error
        if ended.code:
            raise DriverError(f"git refused ({words[0]}): {ended.err.decode(errors='replace').strip()[-200:]}")
        return ended.out.decode()


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _file(device: str) -> str:
    """A device's name as a file's name; none of them can leave the folder."""
    return quote(device, safe=" ").replace(".", "%2E") + ".cfg"


def _write(path: Path, text: str) -> None:
    draft = path.with_name(path.name + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
