"""What the bot knows at this moment: policy, operations, inventory. Files are read again when they change."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from automation_bots.errors import DefinitionError, in_words
from automation_bots.inventory.inventory import Inventory
from automation_bots.inventory.snapshot import Snapshot
from automation_bots.model import Caller, Operation
from automation_bots.operations import catalog
from automation_bots.operations.catalog import Catalog, Folders
from automation_bots.policy import people, policy
from automation_bots.policy.freezes import ChangeBlock
from automation_bots.policy.people import NO_ADDITIONS, Additions
from automation_bots.policy.policy import Policy
from automation_bots.policy.scope import Scope
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0

Stamp = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Something was read again: what, and what is wrong with it now (empty when all is well)."""

    what: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """A further file that is read again when it changes, or when the policy does."""

    what: str
    path: Path
    read: Callable[[], Sequence[str]]  # returns what is wrong with it


class LiveConfig:
    """Current policy, catalog and inventory, each swapped as a whole."""

    def __init__(self, inventory: Inventory, policy_file: Path, folders: Folders, places: dict[str, str]) -> None:
        self.inventory, self.policy_file, self.folders, self._places = inventory, policy_file, folders, places
        self._settings_file = policy_file.with_name("bot.toml")
        self.catalog = Catalog()
        self._additions: Callable[[], Additions] = lambda: NO_ADDITIONS  # the same object as long as nothing changes
        self._proved: Callable[[Caller, str], datetime | None] = lambda _caller, _person: None
        self._taking = threading.Lock()
        self._merged = (Policy(), NO_ADDITIONS, Policy())  # the file, what is added, both together
        self.last_good = Policy()  # by whose ids the admins are told of a policy that is broken
        self._change_blocks: tuple[ChangeBlock, ...] = ()  # freezes and locks; swapped as a whole
        self._scope: tuple[Policy, Snapshot, Scope] | None = None
        self._prepared: object = None  # the one of these whose rules were all looked up
        self._meanings: tuple[Snapshot | None, dict[str, frozenset[str] | None]] = (None, {})
        self._stamps: dict[str, Stamp] = {}
        self._calendars: tuple[Path, ...] = ()  # of the last policy that was right: one that is mended counts at once
        self._looking = threading.Lock()
        self._looked_at: Policy | None = None
        self._listeners: list[Callable[[Change], None]] = []
        self._watched: list[Watched] = []
        self.rooms: Callable[[], list[tuple[str, str]]] = list  # rooms that further files name, and where
        self._loop = Loop("watch", self._watch, _LOOK_SECONDS)

    def load(self) -> None:
        """Read everything for the first time; ConfigError stops the start."""
        self.inventory.load()
        self.take(policy.load(self.policy_file))
        self._calendars = self.policy_of_file.files
        self.catalog = catalog.load(self.folders)
        self._stamps = {what: self._stamp_of(what) for what in ("operations", "policy", "settings")}

    def join(self, additions: Callable[[], Additions], proved: Callable[[Caller, str], datetime | None]) -> None:
        """Compose the people of the policy with links and groups, and know who has proved to be who, from now on."""
        self._additions, self._proved = additions, proved

    @property
    def places(self) -> dict[str, str]:
        """Rooms by their names."""
        return self._places

    def name_places(self, places: dict[str, str]) -> None:
        """Know rooms by these names from now on."""
        self._places, self._scope = places, None

    def block(self, change_blocks: tuple[ChangeBlock, ...]) -> None:
        """Let the gate know what people have frozen and locked."""
        self._change_blocks = change_blocks

    def read_operations(self) -> Catalog:
        """Read the operation files alone."""
        self.catalog = catalog.load(self.folders)
        return self.catalog

    def take(self, file: Policy | None = None) -> Policy:
        """Compose a policy file, or the one that is there, with the additions of now."""
        with self._taking:  # else a thread that composes the old file anew could put it back over the new one
            file, added = self._merged[0] if file is None else file, self._additions()
            self._merged = (file, added, people.merge(file, added))
            if not file.problem:
                self.last_good = self._merged[2]
            return self._merged[2]

    @property
    def policy_of_file(self) -> Policy:
        """What policy.yml says, and nothing else."""
        return self._merged[0]

    @property
    def policy_problem(self) -> str:
        """Why policy.yml cannot be read; empty when it can."""
        return self.policy_of_file.problem

    @property
    def policy(self) -> Policy:
        """Everybody and every rule: policy.yml with the links and groups of now."""
        _, added, merged = self._merged
        return merged if self._additions() is added else self.take()

    @property
    def scope(self) -> Scope:
        """The gate's view of one policy and one state of the inventory, kept until either is another."""
        policy, state, kept = self.policy, self.inventory.state, self._scope
        if kept is None or kept[0] is not policy or kept[1] is not state:
            scope = Scope(
                policy,
                lambda pattern: frozenset(state.matching(pattern)),
                self._places,
                lambda name: state.device(name).driver,
                proved=self._proved,
                all_names=state.same.all_names,
                meanings=self._known(state),
            )
            self._scope = kept = (policy, state, scope)
        if not self._change_blocks:
            return kept[2]
        return replace(kept[2], change_blocks=tuple(block.by(state.same.all_names) for block in self._change_blocks))

    def _known(self, state: Snapshot) -> dict[str, frozenset[str] | None]:
        """What patterns mean in this state of the inventory; another policy, or other people, change nothing of it."""
        if self._meanings[0] is not state:
            self._meanings = (state, {})
        return self._meanings[1]

    def prepare(self) -> None:
        """Look up what the rules of now mean: the first command after a reload need not wait for it."""
        _, kept = self.scope, self._scope
        if kept is not None and self._prepared is not kept:
            kept[2].prepare()
            self._prepared = kept

    def operation(self, name: str) -> Operation | None:
        """Return the operation of that name, as its file says now."""
        return self.catalog.find(name)

    def listen(self, listener: Callable[[Change], None]) -> None:
        """Be told of every reload."""
        self._listeners.append(listener)

    def watch(self, watched: Watched) -> None:
        """Read one more file now, and again whenever it changes."""
        watched.read()
        self._stamps[watched.what] = self._stamp_of_watched(watched)
        self._watched.append(watched)

    def start(self) -> None:
        """Watch the files."""
        self._loop.start()

    def stop(self) -> None:
        """Watch no more."""
        self._loop.stop(0)

    def look(self) -> list[Change]:
        """Read again what has changed; tell the listeners."""
        changes = []
        reads = (
            ("operations", self._read_operations),
            ("policy", self._read_policy),
            ("settings", lambda: Change("settings")),  # which are read at the start alone
        )
        for what, read in reads:
            stamp = self._stamp_of(what)
            if stamp != self._stamps.get(what):
                self._stamps[what] = stamp
                changes.append(read())
        if self.inventory.changed():
            before, swapped = self.inventory.problem, self.inventory.refresh()
            problem = self.inventory.problem
            if swapped or problem != before:
                changes.append(Change("inventory", (problem,) if problem else ()))
        if self._people_changed() and all(change.what != "policy" for change in changes):
            changes.append(Change("people"))
        changes += self._looked_at_watched(policy=any(change.what == "policy" for change in changes))
        self.prepare()
        for change in changes:
            self._tell(change)
        return changes

    def _looked_at_watched(self, *, policy: bool) -> Iterator[Change]:
        for watched in self._watched:
            stamp = self._stamp_of_watched(watched)
            if policy or stamp != self._stamps.get(watched.what):
                other = stamp != self._stamps.get(watched.what)
                self._stamps[watched.what] = stamp
                problems = tuple(watched.read())
                if other or problems:
                    yield Change(watched.what, problems)

    @staticmethod
    def _stamp_of_watched(watched: Watched) -> Stamp:
        return _stamp([watched.path])

    def _people_changed(self) -> bool:
        """Whether somebody has other groups or ids than at the last look: from the file, the directory, or a link."""
        with self._looking:
            before, now = self._looked_at, self.policy
            self._looked_at = now
        return before is not None and before is not now and (before.people, before.ids) != (now.people, now.ids)

    def _tell(self, change: Change) -> None:
        for listener in self._listeners:
            try:
                listener(change)
            except Exception:  # one listener's trouble (the store, the network) must not keep the others in the dark
                log.exception("a listener failed over new %s", change.what)

    def _watch(self) -> float:
        self.look()
        return _LOOK_SECONDS

    def _read_operations(self) -> Change:
        before = {str(problem) for problem in self.catalog.problems}
        self.catalog = catalog.load(self.folders)
        return Change("operations", tuple(text for p in self.catalog.problems if (text := str(p)) not in before))

    def _read_policy(self) -> Change:
        try:
            self.take(policy.load(self.policy_file))
            self._calendars = self.policy_of_file.files
        except Exception as error:  # whatever YAML, pydantic or a calendar's library meet in the file
            # A broken policy refuses everybody: the old one may allow what somebody has just tried to forbid.
            if not isinstance(error, DefinitionError):
                log.exception("the policy broke its reader")
            self.take(Policy(problem=in_words(error) or type(error).__name__))
        return Change("policy", (self.policy_problem,) if self.policy_problem else ())

    def _stamp_of(self, what: str) -> Stamp:
        if what == "policy":
            calendars = self.policy.files or self._calendars
            month = ((f"{datetime.now(UTC):%Y-%m}", 0, 0),) if calendars else ()  # they reach ahead only so far
            return _stamp([self.policy_file, *calendars]) + month
        if what == "settings":
            return _stamp([self._settings_file])
        return _stamp(list(self.folders.files()))


def _stamp(paths: list[Path]) -> Stamp:
    found = []
    for path in sorted(paths):
        try:
            status = path.stat()
        except OSError:
            continue
        found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)
