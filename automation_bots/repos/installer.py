"""Install, update and remove: everything is made beside what runs, then swapped, or taken back to the state before."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from automation_bots.errors import AutomationError, BadRepository, in_words
from automation_bots.repos import checkout, name_clashes, requirements, scan, trial
from automation_bots.repos.git import Git, Limits
from automation_bots.repos.installed import InstalledPlugins, digest
from automation_bots.repos.packages import Packages
from automation_bots.repos.values import ByHand, Commit, Contents, Installed, Source

log = logging.getLogger(__name__)
_WAIT_SECONDS = 0.3  # for what is nearly done; whoever waits hears who works on what


class Loader(Protocol):
    """How plugins get into the running bot and out of it."""

    def commands(self) -> Collection[str]:
        """Name the commands that the bot has now."""

    def plugins(self) -> Collection[str]:
        """Name the plugins that the bot has now."""

    def load(self, repo: Installed, folder: Path) -> Collection[str]:
        """Load all its plugins and name the commands that came; BadRepository and nothing loaded where one fails."""

    def unload(self, repo: Installed, folder: Path) -> None:
        """Take all its plugins away; never fails."""

    def by_hand(self, apart_from: Path) -> Iterable[ByHand]:
        """Look at plugins that came into the bot another way; those below that folder are ours to look after."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What was fetched and looked at, and waits for a confirmation."""

    source: Source
    commit: Commit
    contents: Contents
    staged: Path
    digest: str
    replaces: Installed | None = None


@dataclass(slots=True)
class Installer:
    """One at a time; `attach` gives it the running bot."""

    plugins: InstalledPlugins
    limits: Limits
    packages: Packages
    taken: Callable[[], Collection[str]]  # names of commands that belong to the bot, loaded or not
    ca: Path | None = None  # of the authorities that sign the certificates of git servers and of the index
    problems: list[str] = field(default_factory=list)
    _loader: Loader | None = None
    _loaded: set[str] = field(default_factory=set)
    _busy: threading.Lock = field(default_factory=threading.Lock)
    _doing: str = ""  # who works on what

    @property
    def loader(self) -> Loader:
        """The running bot."""
        if self._loader is None:
            raise BadRepository("The bot has not started yet.")
        return self._loader

    @contextmanager
    def _alone(self, doing: str) -> Iterator[None]:
        if not self._busy.acquire(timeout=_WAIT_SECONDS):
            raise BadRepository(f"{self._doing or 'Another repository is worked on'}; try again when that has ended.")
        self._doing = doing
        try:
            yield
        finally:
            self._doing = ""
            self._busy.release()

    @property
    def troubles(self) -> list[str]:
        """What is not loaded, and why."""
        return [*self.problems, *(str(one) for one in self._by_hand() if one.refused)]

    @property
    def reaching(self) -> list[str]:
        """Plugins that were put in by hand and reach for more than plugins are given."""
        return [str(one) for one in self._by_hand() if one.reach]

    def _by_hand(self) -> Iterable[ByHand]:
        return self._loader.by_hand(self.plugins.root) if self._loader else ()

    # -- at the start

    def attach(self, loader: Loader) -> None:
        """Load what is installed; what was changed on the disk or does not load is left out and named."""
        self._loader = loader
        with self._alone("The bot loads what is installed"):
            try:
                self.problems += map(_cut_off, self.plugins.sweep())
                installed = self.plugins.installed()
            except BadRepository as error:
                self.problems.append(str(error))
                return
            for repo in installed.values():
                if repo.name not in self._loaded:
                    self._load_again(repo)

    def _load_again(self, repo: Installed) -> None:
        folder = self.plugins.root / repo.folder
        try:
            if not folder.is_dir() or digest(folder) != repo.digest:
                raise BadRepository("its files are not those that were installed")
            self._into_the_bot(repo)
        except (AutomationError, OSError) as error:
            log.warning("plugins of %s were not loaded: %s", repo.name, error)
            again = f"!repos update {repo.name} installs it anew, !repos remove {repo.name} takes it away"
            self.problems.append(f"Plugins of {repo.name} are not loaded: {in_words(error).rstrip('.')}. {again}.")

    # -- looking

    def prepare(self, source: Source, replaces: Installed | None = None, by: str = "somebody") -> Ready:
        """Fetch and look; nothing of it runs, and nothing is installed."""
        with self._alone(f"{by} has {source.name} fetched"):
            staged = self.plugins.staging()
            try:
                git = Git(staged, self.limits, self.ca)
                commit = git.fetch(source)
                checkout.write(git, commit.id, staged / "code")
                shutil.rmtree(staged / "git")
                contents = self._look(staged / "code")
                self._clashes(contents, staged / "code", replaces)
                return Ready(source, commit, contents, staged, digest(staged), replaces)
            except BaseException:
                self.drop(staged)
                raise

    def drop(self, staged: Path) -> None:
        """Forget something that nobody confirmed."""
        self.plugins.drop(staged.relative_to(self.plugins.root).as_posix())

    def tags(self, source: Source) -> list[str]:
        """The tags that a source offers, newest first."""
        staged = self.plugins.staging()
        try:
            return Git(staged, self.limits, self.ca).tags(source)
        finally:
            self.drop(staged)

    def _look(self, code: Path) -> Contents:
        contents = scan.look(code, ())
        plugs = [code / plugin.file for plugin in contents.plugins]
        return replace(contents, requirements=requirements.read(code, plugs, self.packages.index))

    def _clashes(self, contents: Contents, code: Path, replaces: Installed | None) -> None:
        old = replaces.contents if replaces else Contents(())
        mine = {plugin.name for plugin in old.plugins}
        name_clashes.commands(contents.commands, {*self.taken(), *self.loader.commands()} - set(old.commands))
        name_clashes.others("plugin", (plugin.name for plugin in contents.plugins), set(self.loader.plugins()) - mine)
        others = [repo for repo in self.plugins.installed().values() if replaces is None or repo.name != replaces.name]
        there = {
            name
            for repo in others
            for name in scan.helpers(self.plugins.root / repo.folder / "code", repo.contents.plugins)
        }
        helpers = scan.helpers(code, contents.plugins)
        name_clashes.others("module", helpers, there | {name for name in helpers if requirements.of_the_bot(name)})

    # -- installing

    def install(self, ready: Ready, by: str, at: datetime) -> Installed:
        """Install what was confirmed; whatever fails, all is as it was before."""
        with self._alone(f"{by} has {ready.source.name} {'updated' if ready.replaces else 'installed'}"):
            installed = self.plugins.installed()
            if digest(ready.staged) != ready.digest:
                raise BadRepository("What was fetched has changed on the disk since you saw it; ask again.")
            if installed.get(ready.source.name) != ready.replaces:
                raise BadRepository(f"{ready.source.name} was installed or changed meanwhile; ask again.")
            folder = self.plugins.place(ready.source.name, ready.staged)
            try:
                repo = self._complete(ready, folder, by, at)
                self._swap(repo, ready.replaces, {**installed, repo.name: repo})
            except BaseException:
                self.plugins.drop(folder)
                raise
            if ready.replaces:
                self.plugins.drop(ready.replaces.folder)
            self._mended(repo.name)
            return repo

    def _complete(self, ready: Ready, folder: str, by: str, at: datetime) -> Installed:
        place, scratch, source = self.plugins.root / folder, self.plugins.staging(), ready.source
        try:
            packages = self.packages.install(
                ready.contents.requirements, place / "site", scratch, self._beside(source.name)
            )
            trial.load(source.name, ready.contents, place, scratch)
        finally:
            self.drop(scratch)
        return Installed(
            source.name, source.url, source.ref, ready.commit.id, ready.contents, folder, digest(place),
            packages, by, at,
        )  # fmt: skip

    def _beside(self, name: str) -> tuple[str, ...]:
        others = [repo for repo in self.plugins.installed().values() if repo.name != name]
        return tuple(line for repo in others for line in repo.packages)

    def _swap(self, new: Installed, old: Installed | None, installed: dict[str, Installed]) -> None:
        was_loaded = old is not None and old.name in self._loaded
        if old is not None and was_loaded:
            self._out_of_the_bot(old)
        try:
            self._into_the_bot(new)
            self.plugins.write(installed)
        except BaseException:
            self._out_of_the_bot(new)
            if old is not None and was_loaded:
                self._into_the_bot(old)
            raise

    def remove(self, name: str, by: str) -> Installed:
        """Take a repository away: out of the bot, out of the list, off the disk."""
        with self._alone(f"{by} has {name} removed"):
            installed = self.plugins.installed()
            repo = installed.pop(name)
            self.plugins.write(installed)
            self._out_of_the_bot(repo)
            self.plugins.drop(repo.folder)
            self._mended(name)
            return repo

    def _mended(self, name: str) -> None:
        self.problems[:] = [text for text in self.problems if not text.startswith(f"Plugins of {name} ")]

    def _into_the_bot(self, repo: Installed) -> None:
        before = {*self.taken(), *self.loader.commands()}
        name_clashes.commands(repo.contents.commands, before)
        came = self.loader.load(repo, self.plugins.root / repo.folder)
        self._loaded.add(repo.name)
        try:
            name_clashes.commands(came, before)
        except BadRepository:
            self._out_of_the_bot(repo)
            raise

    def _out_of_the_bot(self, repo: Installed) -> None:
        if repo.name in self._loaded:
            self._loaded.discard(repo.name)
            self.loader.unload(repo, self.plugins.root / repo.folder)


def _cut_off(name: str) -> str:
    return f"Plugins of {name} were being installed when the bot ended. All is as it was before; ask for it again."
