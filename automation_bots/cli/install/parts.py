"""What a bot as a service consists of: every folder and file, whose it is, who may read it. Nothing is written here."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from automation_bots.config.bot_folder import ROOT, BotFolder
from automation_bots.errors import AutomationError, in_words
from automation_bots.secrets import references

USER = "automation-bots"
PROGRAM = "/opt/automation-bots"
SECRETS = "/etc/automation-bots"
STATE = "/var/lib/automation-bots"
BACKUPS = "/var/backups/automation-bots"
COMMAND = "/usr/local/bin/automation-bots"
UNIT = "/etc/systemd/system/automation-bots@.service"
_OF_PROGRAM = (
    *("automation_bots", "backends", "errbot-plugins", "playbooks", "docs", "deploy", "tools", "config.py"),
    *("Makefile", "pyproject.toml", "requirements.txt", "LICENSE", "README.md", "CHANGELOG.md", "data/README.md"),
)
_MADE_ANEW = {"__pycache__", ".git"}
_PRIVATE_KEY = b"PRIVATE KEY-----"


@dataclass(frozen=True, slots=True)
class Part:
    """A file at its place on the machine, with these bytes or those of another file; with neither a folder."""

    of: str
    path: str
    mode: int
    owner: str = "root"
    group: str = "root"
    content: bytes | None = None
    source: Path | None = None

    @property
    def is_folder(self) -> bool:
        """Whether it is one."""
        return self.content is None and self.source is None

    def is_like(self, file: Path) -> bool:
        """Whether a file has the same bytes."""
        if self.source is not None:
            return filecmp.cmp(self.source, file, shallow=False)
        return file.read_bytes() == self.content

    def write(self, file: BinaryIO) -> None:
        """Write its bytes."""
        if self.source is None:
            file.write(self.content or b"")
            return
        with self.source.open("rb") as source:
            shutil.copyfileobj(source, file)


def everything(bot: BotFolder, completions: Mapping[str, str]) -> Iterator[Part]:
    """Yield all parts of a bot as a service, folders before what is in them."""
    yield from program()
    yield from _bot(bot)
    yield from _places(bot)
    yield from removable(bot, completions)


def removable(bot: BotFolder, completions: Mapping[str, str]) -> Iterator[Part]:
    """Yield what says nothing that anybody wrote: it can be made again."""
    yield from of_bot(bot)
    yield from shared(completions)


def of_bot(bot: BotFolder) -> Iterator[Part]:
    """Yield what the unit needs for this bot alone."""
    if lines := list(_handed_over(bot)):
        text = "\n".join(
            ["# By automation-bots install; what you add goes into a file beside it.", "[Service]", *lines]
        )
        folder = f"/etc/systemd/system/automation-bots@{bot.folder.name}.service.d"
        yield Part("unit", folder, 0o755)
        yield Part("unit", f"{folder}/secrets.conf", 0o644, content=f"{text}\n".encode())


def shared(completions: Mapping[str, str]) -> Iterator[Part]:
    """Yield what all bots of the machine share."""
    yield Part("unit", UNIT, 0o644, source=ROOT / "deploy/automation-bots@.service")
    yield Part("command", COMMAND, 0o755, source=ROOT / "deploy/automation-bots")
    for path, text in completions.items():
        yield Part("completion", path, 0o644, content=text.encode())


def home(bot: BotFolder) -> str:
    """Where the bot's folder lies when it is installed."""
    return f"{PROGRAM}/bots/{bot.folder.name}"


def secrets_of(bot: BotFolder) -> str:
    """Where the secrets lie that systemd hands to this bot."""
    return f"{SECRETS}/{bot.folder.name}"


def named(bot: BotFolder, kind: str) -> list[str]:
    """Return the names of the references of a kind in bot.toml: those of `env:`, of `credential:`."""
    found = (text.partition(":") for _, text in references.references(bot.settings.model_dump()))
    return list(dict.fromkeys(name for this, _, name in found if this == kind))


def links(bot: BotFolder) -> list[Path]:
    """Return the links in the bot's folder: what they lead to may be no business of the bot's user."""
    return [path for path in _below(bot.folder) if path.is_symlink()]


def program() -> Iterator[Part]:
    """Yield the program, unless it is where it belongs already."""
    yield Part("program", PROGRAM, 0o755)
    if str(ROOT) == PROGRAM:
        return
    for path in _with_folders(ROOT / name for name in _OF_PROGRAM):
        yield _copied("program", path, f"{PROGRAM}/{path.relative_to(ROOT)}")
    yield Part("program", f"{PROGRAM}/bots", 0o755)


def _with_folders(tops: Iterable[Path]) -> Iterator[Path]:
    for top in tops:
        if top.parent != ROOT:
            yield top.parent
        if top.exists():
            yield top
        if top.is_dir():
            yield from (path for path in _below(top) if not path.is_symlink())


def _bot(bot: BotFolder) -> Iterator[Part]:
    secret = {path.resolve() for _, path, _ in bot.secret_files()}
    yield Part("bot", home(bot), 0o750, group=USER)
    for path in _below(bot.folder):
        target = f"{home(bot)}/{path.relative_to(bot.folder)}"
        if path.is_symlink():
            continue
        runs = bool(path.stat().st_mode & 0o100)
        if path.is_dir():
            yield Part("bot", target, 0o750, group=USER)
        elif path.is_file() and (path.resolve() in secret or _is_private_key(path)):
            # Ansible and ssh take a secret only from a file that is its reader's alone.
            yield Part("bot", target, 0o500 if runs else 0o400, USER, USER, source=path)
        elif path.is_file():  # a socket or the like is nothing to copy
            yield Part("bot", target, 0o750 if runs else 0o640, group=USER, source=path)


def _is_private_key(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _PRIVATE_KEY in file.read(200)
    except OSError as error:
        raise AutomationError(f"{path} cannot be read: {in_words(error)}. As root? sudo …") from error


def _places(bot: BotFolder) -> Iterator[Part]:
    yield Part("secrets", SECRETS, 0o755)
    yield Part("secrets", secrets_of(bot), 0o750, group=USER)
    yield Part("data", STATE, 0o700, USER, USER)
    yield Part("backups", BACKUPS, 0o700, USER, USER)


def _handed_over(bot: BotFolder) -> Iterator[str]:
    place = secrets_of(bot)
    yield from (f"LoadCredential={name}:{place}/{name}" for name in named(bot, "credential"))
    if named(bot, "env"):
        yield f"EnvironmentFile={place}/environment"


def _copied(of: str, path: Path, target: str) -> Part:
    if path.is_dir():
        return Part(of, target, 0o755)
    return Part(of, target, 0o755 if path.stat().st_mode & 0o100 else 0o644, source=path)


def _below(top: Path) -> Iterator[Path]:
    """Yield what is below a folder, folders first; links are not followed."""
    for place, folders, files in os.walk(top):
        folders[:] = sorted(set(folders) - _MADE_ANEW)
        yield from (Path(place, name) for name in (*folders, *sorted(files)) if not name.endswith(".pyc"))
