"""What a repository of plugins is: where it comes from, what it brings, what is installed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Source:
    """Where a repository comes from: an address that git takes, and the tag or commit that is wanted."""

    url: str
    name: str
    host: str = ""  # empty: this machine
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """What was fetched."""

    id: str
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Plugin:
    """One `.plug` file, and what its module brings, read without running it."""

    name: str
    file: str  # the .plug, below the repository
    module: str
    commands: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    after: tuple[str, ...] = ()  # plugins that it depends on


@dataclass(frozen=True, slots=True)
class ByHand:
    """A plugin that somebody put into the bot's folders."""

    name: str
    file: str
    reach: tuple[str, ...]  # what its code uses beside what the bot gives to plugins
    refused: str = ""  # why it is not loaded

    def __str__(self) -> str:
        if self.refused:
            return f"The plugin {self.name} ({self.file}) is not loaded: {self.refused}"
        return f"{self.name} ({self.file}), put in by hand: {', '.join(self.reach)}"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a repository brings."""

    plugins: tuple[Plugin, ...]
    requirements: tuple[str, ...] = ()
    version: str = ""
    reach: tuple[str, ...] = ()  # what its code uses beside what the bot gives to plugins

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands of all its plugins."""
        return tuple(name for plugin in self.plugins for name in plugin.commands)


@dataclass(frozen=True, slots=True)
class Installed:
    """One installed repository, as it stands in installed.json."""

    name: str
    url: str
    ref: str
    commit: str
    contents: Contents
    folder: str  # below data/repos
    digest: str
    packages: tuple[str, ...] = ()
    by: str = ""
    at: datetime | None = None

    @property
    def version(self) -> str:
        """How people call what is installed."""
        return self.ref if self.ref and self.ref != self.commit else self.contents.version or self.commit[:12]
