"""The machine that a bot is installed on, or a folder that becomes one: what stands there, and what is made of it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import lru_cache
from pathlib import Path

from automation_bots.cli.install.parts import PROGRAM, STATE, USER, Part
from automation_bots.errors import AutomationError, in_words


class Found(Enum):
    """What stands at the place of a part."""

    NOTHING = "new"
    SAME = "same"
    MODE = "mode"  # the same, but of others, or for others
    OTHER = "kept"  # something else, which is not overwritten
    REPLACED = "replaced"  # something else, which was moved aside


@dataclass(frozen=True, slots=True)
class Aside:
    """Which kinds of parts may be replaced, and where what stood there goes."""

    place: str
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Machine:
    """Everything below a root; with `changes` false nothing is done, and the answers are the same."""

    root: Path
    changes: bool = True

    @property
    def here(self) -> bool:
        """Whether it is this machine itself."""
        return self.root == Path("/")

    @property
    def owns(self) -> bool:
        """Whether files can be given to others."""
        return os.geteuid() == 0

    def at(self, path: str) -> Path:
        """Where a path of the machine lies for us."""
        return self.root / path.lstrip("/")

    def ids(self, kind: str) -> Mapping[str, int]:
        """Numbers by names, of `passwd` or `group`."""
        file = self.at(f"/etc/{kind}")
        return _ids(file, file.stat().st_mtime_ns) if file.exists() else {"root": 0}

    def has_user(self) -> bool:
        """Whether the bots' user is there."""
        return USER in self.ids("passwd") and USER in self.ids("group")

    def make_user(self) -> None:
        """Make the bots' user, by the system's own program."""
        if not self.changes:
            return
        self.at("/etc").mkdir(parents=True, exist_ok=True)
        where = [] if self.here else ["--prefix", str(self.root)]
        words = ["--system", "--user-group", "--no-create-home", "--home-dir", STATE, "--shell", "/usr/sbin/nologin"]
        try:
            subprocess.run(["useradd", *where, *words, USER], check=True, capture_output=True, text=True)  # noqa: S603, S607
        except FileNotFoundError as error:
            raise AutomationError(f"The user {USER} cannot be made: there is no useradd. Make it by hand.") from error
        except subprocess.CalledProcessError as error:
            raise AutomationError(f"The user {USER} could not be made: {error.stderr.strip()}") from error

    def look(self, part: Part) -> Found:
        """Compare a part with what stands there."""
        path = self.at(part.path)
        try:
            status = path.lstat()
        except OSError:
            return Found.NOTHING
        alike = stat.S_ISDIR(status.st_mode) if part.is_folder else stat.S_ISREG(status.st_mode) and part.is_like(path)
        if not alike:
            return Found.OTHER
        return Found.SAME if self._is_right(part, status) else Found.MODE

    def put(self, part: Part) -> None:
        """Make a part that is not there, whole or not at all."""
        if not self.changes:
            return
        path = self.at(part.path)
        try:
            self._parents(path)
            if part.is_folder:
                path.mkdir(mode=0o700)
                self.mend(part)
                return
            new = path.with_name(f".{path.name}.new")
            new.unlink(missing_ok=True)
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                part.write(file)
            self._give(new, part)
            new.rename(path)
        except OSError as error:
            raise AutomationError(f"{path} could not be written: {in_words(error)}.") from error

    def mend(self, part: Part) -> None:
        """Give a part to whom it belongs."""
        if self.changes:
            self._give(self.at(part.path), part)

    def aside(self, now: datetime, kinds: Iterable[str]) -> Aside:
        """Name a place for what is replaced now; root's alone."""
        return Aside(f"/var/backups/automation-bots-replaced/{now:%Y-%m-%dT%H%M%SZ}", tuple(kinds))

    def set_aside(self, part: Part, aside: Aside) -> None:
        """Move what stands there out of the way, to be found again."""
        if not self.changes:
            return
        try:
            place = self.at(aside.place + part.path)
            self._parents(place, 0o700)
            shutil.move(self.at(part.path), place)
        except OSError as error:
            raise AutomationError(f"{part.path} could not be moved aside: {in_words(error)}.") from error

    def strays(self, wanted: Iterable[Part]) -> Iterator[str]:
        """Yield the installed code that none of these parts is: of a version before."""
        known = {part.path for part in wanted}
        if not any(path.startswith(f"{PROGRAM}/automation_bots/") for path in known):
            return
        for top in ("automation_bots", "backends"):
            for path in sorted(self.at(f"{PROGRAM}/{top}").rglob("*.py")):
                if (name := f"/{path.relative_to(self.root)}") not in known:
                    yield name

    def take_away(self, part: Part) -> None:
        """Remove a file, or a folder that is empty."""
        if not self.changes:
            return
        path = self.at(part.path)
        if not part.is_folder:
            path.unlink()
            return
        with suppress(OSError):  # somebody else's files are in it
            path.rmdir()

    def _parents(self, path: Path, mode: int = 0o755) -> None:
        for parent in reversed(path.parents):
            if not parent.exists():
                parent.mkdir()
                parent.chmod(mode)

    def _is_right(self, part: Part, status: os.stat_result) -> bool:
        if stat.S_IMODE(status.st_mode) != part.mode:
            return False
        if not self.owns:
            return True
        return (status.st_uid, status.st_gid) == (self.ids("passwd").get(part.owner), self.ids("group").get(part.group))

    def _give(self, path: Path, part: Part) -> None:
        if self.owns:
            os.chown(path, self.ids("passwd")[part.owner], self.ids("group")[part.group], follow_symlinks=False)
        path.chmod(part.mode)


@lru_cache(maxsize=4)
def _ids(file: Path, _written: int) -> Mapping[str, int]:
    rows = [line.split(":") for line in file.read_text().splitlines() if line.count(":") >= 3]
    return {"root": 0} | {row[0]: int(row[2]) for row in rows if row[2].isdecimal()}
