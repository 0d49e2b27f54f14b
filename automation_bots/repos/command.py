"""`!repos`: an admin looks at plugins from elsewhere, confirms them, updates them, takes them away."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from automation_bots import render
from automation_bots.commands import slow_answer
from automation_bots.commands.context import CommandCall, CommandContext
from automation_bots.config.repos import RepoSettings
from automation_bots.errors import AutomationError, BadCommand, BadRepository
from automation_bots.model import Answer, Place, one_line
from automation_bots.policy.rules import ADMINS
from automation_bots.repos import address as source
from automation_bots.repos import index
from automation_bots.repos import text as words
from automation_bots.repos.installer import Installer, Ready
from automation_bots.repos.values import Installed, Source
from automation_bots.store import AuditKind, Subject

log = logging.getLogger(__name__)
_KEPT = timedelta(minutes=15)  # how long what was shown can be confirmed
_CODE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class _Shown:
    ready: Ready
    who: tuple[str, ...]
    until: datetime


@dataclass(slots=True)
class RepoCommands:
    """One command with several verbs; what was shown is kept for a while, so that exactly that is confirmed."""

    context: CommandContext
    settings: RepoSettings
    folder: Path  # the bot's own
    installer: Installer
    tell: Callable[[Place, Answer], object]
    _shown: dict[str, _Shown] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def repos(self, ask: CommandCall) -> Answer:
        """Plugins from elsewhere: what is installed; install, update, remove."""
        person = self.context.person(ask)
        verb, *given = ask.words or ["list"]
        if ADMINS not in person.groups:
            return self._refuse(ask, person.name, verb)
        verbs: dict[str, tuple[int, Callable[[CommandCall, str], Answer]]] = {
            "list": (0, self._list),
            "install": (1, self._install),
            "confirm": (1, self._confirm),
            "update": (1, self._update),
            "remove": (1, self._remove),
            "search": (-1, self._search),
        }
        count, work = verbs.get(verb, (-2, self._list))
        if count == -2 or (count >= 0 and len(given) != count) or (count == -1 and not given):
            raise BadCommand(
                "→ !repos · !repos install <address>[@tag|@commit] · !repos confirm <code> · "
                "!repos update <name>[@tag] · !repos remove <name> · !repos search <words>"
            )
        return work(ask, " ".join(given))

    def _refuse(self, ask: CommandCall, person: str, verb: str) -> Answer:
        reason = "plugins from elsewhere are for admins to look after"
        self.context.store.record(AuditKind.DENIED, {"reason": reason}, self._about(ask, verb, person))
        people = self.context.live.policy.people.values()
        admins = sorted(one.name for one in people if ADMINS in one.groups)
        return Answer(f"No: {reason} ({render.names(admins)}).")

    def _about(self, ask: CommandCall, verb: str, person: str = "") -> Subject:
        name = person or self.context.person(ask).name
        return Subject(name, ask.caller, ask.place, f"repos {one_line(verb, 20)}")

    def tell_problems(self, tell: Callable[[Answer], object]) -> None:
        """Name what was not loaded at the start, to the admins and in the record."""
        for problem in self.installer.troubles:
            self.context.store.record(AuditKind.ERROR, {"error": problem}, Subject(operation="repos"))
            tell(Answer(problem))
        if reaching := self.installer.reaching:
            tell(Answer("Plugins that were put in by hand use more than plugins are given:", "\n".join(reaching)))

    # -- looking

    def _list(self, _ask: CommandCall, _given: str) -> Answer:
        return words.listed(self.installer.plugins.installed(), self._notes(), self.context.now())

    def _notes(self) -> list[str]:
        return [*self.installer.troubles, *self.installer.reaching]

    def _search(self, _ask: CommandCall, given: str) -> Answer:
        if not self.settings.index:
            return Answer("There is no index to search; [repos] index in bot.toml names one.")
        found = index.search(self.settings.index, self.folder, given, self.installer.ca)
        return words.found(found, given)

    def _install(self, ask: CommandCall, address: str) -> Answer:
        wanted = source.read(address, self.settings.hosts, local=self.settings.local)
        if wanted.name in self.installer.plugins.installed():
            raise BadRepository(f"{wanted.name} is installed already. → !repos update {wanted.name}")
        return self._soon(ask, f"Fetching {wanted.name}", lambda: self._show(ask, wanted, None))

    def _update(self, ask: CommandCall, given: str) -> Answer:
        name, at, ref = given.partition("@")
        old = self._named(name)
        if at:
            source.check_ref(ref)
        pinned = f"{old.url.removeprefix('file://')}{f'@{old.ref}' if old.ref else ''}"
        known = source.read(pinned, self.settings.hosts, local=self.settings.local)  # the rules may be others now
        return slow_answer.soon(
            ask.place, f"Fetching {name}", lambda: self._show_update(ask, replace(known, ref=ref), old), self.tell
        )

    def _show_update(self, ask: CommandCall, wanted: Source, old: Installed) -> Answer:
        if not wanted.ref and old.ref:
            if source.is_commit(old.ref):
                raise BadRepository(f"{old.name} is pinned to a commit; say which: {old.name}@<tag or commit>.")
            wanted = replace(wanted, ref=next(iter(self.installer.tags(wanted)), old.ref))
        return self._show(ask, wanted, old)

    def _show(self, ask: CommandCall, wanted: Source, old: Installed | None) -> Answer:
        ready = self.installer.prepare(wanted, old, self.context.person(ask).name)
        whole = not any(text.startswith(f"Plugins of {wanted.name} ") for text in self.installer.problems)
        if old and whole and (ready.commit.id, wanted.ref) == (old.commit, old.ref):
            self.installer.drop(ready.staged)
            return Answer(f"{old.name} is at {old.version} ({old.commit[:12]}) already.")
        code = _code(ready)
        self._forget(code)
        with self._lock:
            self._shown[code] = _Shown(ready, _who(ask), self.context.now() + _KEPT)
        return words.shown(ready, code, self.context.prefix)

    def _forget(self, code: str) -> None:
        """Drop what nobody confirmed in time, and an older copy of the same."""
        now = self.context.now()
        with self._lock:
            old = [key for key, one in self._shown.items() if one.until <= now or key == code]
            gone = [self._shown.pop(key) for key in old]
        for one in gone:
            self.installer.drop(one.ready.staged)

    def _named(self, name: str) -> Installed:
        installed = self.installer.plugins.installed()
        if name not in installed:
            there = f"there is {render.names(sorted(installed))}" if installed else "nothing is installed"
            raise BadRepository(f"No repository {one_line(name, 60)!r}; {there}.")
        return installed[name]

    # -- changing

    def _confirm(self, ask: CommandCall, code: str) -> Answer:
        with self._lock:
            found = self._shown.get(code)
            if found is None or found.who != _who(ask) or found.until <= self.context.now():
                raise BadRepository(f"Nothing of yours waits here for {one_line(code, 20)!r}.")
            del self._shown[code]
        return slow_answer.soon(
            ask.place, f"Installing {found.ready.source.name}", lambda: self._put_in(ask, found.ready), self.tell
        )

    def _put_in(self, ask: CommandCall, ready: Ready) -> Answer:
        old, store = ready.replaces, self.context.store
        about = self._about(ask, "update" if old else "install")
        facts = {"url": ready.source.url, "commit": ready.commit.id, "digest": ready.digest}
        store.record(AuditKind.COMMAND, {"reason": f"confirmed {words.old_name(ready)}", **facts}, about)
        try:
            repo = self.installer.install(ready, about.person, self.context.now())
        except BaseException as error:  # whatever ends it stands in the record; what is no answer goes on
            if ready.staged.exists():
                self.installer.drop(ready.staged)
            store.record(AuditKind.ERROR, {"error": one_line(self.context.clear(str(error)), 300), **facts}, about)
            if not isinstance(error, AutomationError):
                raise
            state = f"{old.name} {old.version} stays" if old else "Nothing is installed"
            return Answer(f"{state}, all is as it was before: {self.context.clear(str(error))}")
        store.record(AuditKind.UPDATED if old else AuditKind.INSTALLED, words.record(repo), about)
        return words.done(repo, old, self.context.prefix)

    def _remove(self, ask: CommandCall, name: str) -> Answer:
        repo = self.installer.remove(self._named(name).name, self.context.person(ask).name)
        self.context.store.record(AuditKind.REMOVED, words.record(repo), self._about(ask, "remove"))
        gone = ", ".join(self.context.prefix + one.replace("_", " ") for one in repo.contents.commands)
        return Answer(f"{repo.name} {repo.version} is removed" + (f", with {gone}." if gone else "."))

    # -- answering later

    def _soon(self, ask: CommandCall, doing: str, work: Callable[[], Answer]) -> Answer:
        return slow_answer.soon(ask.place, doing, work, self.tell)


def _who(ask: CommandCall) -> tuple[str, ...]:
    return ask.caller.network, ask.caller.id, ask.place.room, ask.place.thread


def _code(ready: Ready) -> str:
    """A code that stands for exactly this: address, commit, every file."""
    whole = "\0".join((ready.source.url, ready.source.ref, ready.commit.id, ready.digest, str(ready.replaces)))
    return hashlib.sha256(whole.encode()).hexdigest()[:_CODE_LENGTH]
