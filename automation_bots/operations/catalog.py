"""All operations by name, read from files: verbs, playbooks, Python functions. A broken file is left out and named."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from automation_bots.errors import DefinitionError, in_words
from automation_bots.model import Operation, Parameter, Risk
from automation_bots.operations import functions, playbook_files, playbook_folders, playbooks, verbs
from automation_bots.operations.covered import NOTHING_COVERED, Covered, digest_of
from automation_bots.operations.own_commands import OWN

HIDDEN = "‹hidden›"  # stands in the store for a value that is never stored

RUN = Operation(
    name="run",
    help="Run a verb or an allowed command on devices",
    risk=Risk.CHANGE,
    parameters=(Parameter("command", rest=True, help="a verb with its words, or a command that a rule allows"),),
    examples=("!run uptime on web", "!run show version on core1"),
    group="Devices",
    body=verbs.Free(),
)

SSH = replace(
    RUN,
    name="ssh",
    help="Run one command on devices over SSH, whatever usually reaches them",
    driver="ssh",
    like="run",
    parameters=(Parameter("command", rest=True, help="the words of the command; each arrives there as it is"),),
    examples=("!ssh cat /etc/debian_version on web", "!ssh show version on core1"),
)


@dataclass(frozen=True, slots=True)
class Folders:
    """Where operations are read from, in order; the first file of a name wins."""

    verbs: tuple[Path, ...] = ()
    playbooks: tuple[Path, ...] = ()
    functions: tuple[Path, ...] = ()
    own: tuple[Operation, ...] = ()  # what drivers bring along, without any file
    shipped: Path | None = None  # what comes from here gives way to a bot's own file of the same name

    def files(self) -> Iterator[Path]:
        """Yield every file that is read, and those beside them."""
        for place in (*self.verbs, *self.functions):
            yield from place.iterdir() if place.is_dir() else ()
        for place in self.playbooks:
            yield from playbook_folders.files(place, (".yml", ".yaml", ".json"))  # and surveys


@dataclass(frozen=True, slots=True)
class Catalog:
    """One reading of all files; immutable, so that a job keeps the operation it was decided on."""

    operations: Mapping[str, Operation] = field(default_factory=dict)
    problems: tuple[DefinitionError, ...] = ()

    def broken(self, name: str) -> DefinitionError | None:
        """What is wrong with the file of that name, which was left out."""
        return next((problem for problem in self.problems if problem.path.stem.lower() == name.lower()), None)

    def find(self, name: str) -> Operation | None:
        """Return the operation of that name."""
        return self.operations.get(name)


def load(folders: Folders) -> Catalog:
    """Read every file of the folders."""
    operations = {operation.name: operation for operation in (RUN, SSH, *folders.own)}
    problems: list[DefinitionError] = []
    kinds: tuple[tuple[tuple[Path, ...], str, Callable[[Path], Operation]], ...] = (
        (folders.verbs, "*.yml", verbs.load),
        (folders.functions, "*.py", functions.load),
    )
    taking = _Taking(operations, problems, folders.shipped)
    for places, glob, read in kinds[:1]:
        taking.all(((path, read) for path in _files(places, glob)), None)
    for place in folders.playbooks:
        read_there = partial(playbooks.load, place=place)
        taking.all(((path, read_there) for path in playbook_folders.playbooks(place)), place)
    for places, glob, read in kinds[1:]:
        taking.all(((path, read) for path in _files(places, glob)), None)
    return Catalog(operations, tuple(problems))


def _files(places: tuple[Path, ...], glob: str) -> list[Path]:
    found = []
    for place in places:
        names = {*place.glob(glob), *(place.glob("*.yaml") if glob == "*.yml" else ())}
        found += sorted(path for path in names if path.is_file() and not path.name.startswith((".", "_")))
    return found


@dataclass(slots=True)
class _Taking:
    """Takes operations by their names: the first file of a name wins, but a bot's own replaces a shipped one."""

    operations: dict[str, Operation]
    problems: list[DefinitionError]
    shipped: Path | None

    def all(self, files: Iterable[tuple[Path, Callable[[Path], Operation]]], place: Path | None) -> None:
        """Take the files of one place; those of one name in its sub-folders are called by folder and name."""
        found = [operation for path, read in files if (operation := self._read(path, read))]
        times = Counter(operation.name for operation in found)
        for operation in found:
            path = operation.source or Path()
            clashes = times[operation.name] > 1 or not self._is_free(operation.name, path)
            if clashes and place and path.parent != place:
                folder = re.sub(r"[^A-Za-z0-9_/-]+", "-", path.parent.relative_to(place).as_posix())
                operation = replace(operation, name=f"{folder}/{operation.name}")  # noqa: PLW2901 - by its longer name
            self._add(operation, path)

    def _read(self, path: Path, read: Callable[[Path], Operation]) -> Operation | None:
        try:
            return read(path)
        except DefinitionError as error:
            self.problems.append(error)
        except OSError as error:
            self.problems.append(DefinitionError(path, f"cannot be read ({in_words(error)})"))
        return None

    def _is_free(self, name: str, path: Path) -> bool:
        other = self.operations.get(name)
        return name not in OWN and (other is None or self._gives_way(other, path))

    def _gives_way(self, other: Operation, path: Path) -> bool:
        shipped = self.shipped
        if shipped is None or other.source is None or path.suffix == ".py":  # code of one name is another matter
            return False
        return shipped in other.source.parents and shipped not in path.parents

    def _add(self, operation: Operation, path: Path) -> None:
        name = operation.name
        if self._is_free(name, path):
            self.operations[name] = operation
        elif name in OWN:
            self.problems.append(DefinitionError(path, f"{name} is a command of the bot itself; rename the file"))
        else:
            first = self.operations[name].source or "the bot itself"
            self.problems.append(DefinitionError(path, f"{name} comes from {first} already; rename one of the files"))


def covered(operation: Operation) -> Covered:
    """Return what the digest of a playbook or a Python command covers, to see while it runs that it is the same."""
    body = operation.body
    if isinstance(body, playbooks.Playbook):
        return playbook_files.covered(body.path, body.home, body.above)
    return functions.covered(body.path) if isinstance(body, functions.Function) else NOTHING_COVERED


def content(operation: Operation, known: Covered | None = None) -> str:
    """Return the digest of the content of an operation's files; empty where it has none."""
    if isinstance(operation.body, playbooks.Playbook | functions.Function):
        files = (covered(operation) if known is None else known).files
        return digest_of(operation.body.path, files)
    return "" if operation.source is None else hashlib.sha256(operation.source.read_bytes()).hexdigest()


def digest(
    operation: Operation,
    parameters: Mapping[str, object],
    devices: tuple[str, ...],
    known: Covered | None = None,
) -> str:
    """Return the digest of exactly what would run: operation, values, devices, and the content of its files.

    `known` is what it covers, where somebody has looked already.
    """
    # The operation as it was read counts too: its file may be newer than what was decided on.
    files = content(operation, known)
    whole = json.dumps([repr(operation), dict(parameters), devices, files], sort_keys=True, default=str)
    return hashlib.sha256(whole.encode()).hexdigest()


def without_secrets(operation: Operation, parameters: Mapping[str, object]) -> dict[str, object]:
    """Return the values as they may be stored and shown: secret ones replaced."""
    secret = {parameter.name for parameter in operation.parameters if parameter.secret}
    return {name: HIDDEN if name in secret else value for name, value in parameters.items()}
