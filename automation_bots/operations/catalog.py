"""All operations by name, read from files: verbs, playbooks, Python functions. A broken file is left out and named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from automation_bots.errors import DefinitionError, in_words
from automation_bots.model import Operation, Parameter, Risk
from automation_bots.operations import functions, playbook_files, playbooks, verbs
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


@dataclass(frozen=True, slots=True)
class Catalog:
    """One reading of all files; immutable, so that a job keeps the operation it was decided on."""

    operations: Mapping[str, Operation] = field(default_factory=dict)
    problems: tuple[DefinitionError, ...] = ()

    def find(self, name: str) -> Operation | None:
        """Return the operation of that name."""
        return self.operations.get(name)


def load(folders: Folders) -> Catalog:
    """Read every file of the folders."""
    operations = {operation.name: operation for operation in (RUN, SSH, *folders.own)}
    problems: list[DefinitionError] = []
    kinds: tuple[tuple[tuple[Path, ...], str, Callable[[Path], Operation]], ...] = (
        (folders.verbs, "*.yml", verbs.load),
        (folders.playbooks, "*.yml", playbooks.load),
        (folders.functions, "*.py", functions.load),
    )
    for places, glob, read in kinds:
        for path in _files(places, glob):
            _add(path, read, operations, problems)
    return Catalog(operations, tuple(problems))


def _files(places: tuple[Path, ...], glob: str) -> list[Path]:
    found = []
    for place in places:
        names = {*place.glob(glob), *(place.glob("*.yaml") if glob == "*.yml" else ())}
        found += sorted(path for path in names if path.is_file() and not path.name.startswith((".", "_")))
    return found


def _add(
    path: Path, read: Callable[[Path], Operation], operations: dict[str, Operation], problems: list[DefinitionError]
) -> None:
    try:
        operation = read(path)
    except DefinitionError as error:
        problems.append(error)
        return
    except OSError as error:
        problems.append(DefinitionError(path, f"cannot be read ({in_words(error)})"))
        return
    if operation.name in OWN:
        problems.append(DefinitionError(path, f"{operation.name} is a command of the bot itself; rename the file"))
    elif other := operations.get(operation.name):
        first = other.source or "the bot itself"
        problems.append(DefinitionError(path, f"{operation.name} comes from {first} already; rename one of the files"))
    else:
        operations[operation.name] = operation


def hashes(operation: Operation) -> Mapping[Path, str]:
    """Return the hash of each file of a playbook, to see while it runs that they are still the same."""
    body = operation.body
    return playbook_files.hashes(body.path) if isinstance(body, playbooks.Playbook) else {}


def content(operation: Operation, known: Mapping[Path, str] | None = None) -> str:
    """Return the digest of the content of an operation's files; empty where it has none."""
    if isinstance(operation.body, playbooks.Playbook):
        path = operation.body.path
        return playbook_files.digest_of(path, playbook_files.hashes(path) if known is None else known)
    if isinstance(operation.body, functions.Function):
        return functions.digest(operation.body.path)
    return "" if operation.source is None else hashlib.sha256(operation.source.read_bytes()).hexdigest()


def digest(
    operation: Operation,
    parameters: Mapping[str, object],
    devices: tuple[str, ...],
    known: Mapping[Path, str] | None = None,
) -> str:
    """Return the digest of exactly what would run: operation, values, devices, and the content of its files.

    `known` are the hashes of a playbook's files, where somebody has them already.
    """
    # The operation as it was read counts too: its file may be newer than what was decided on.
    files = content(operation, known)
    whole = json.dumps([repr(operation), dict(parameters), devices, files], sort_keys=True, default=str)
    return hashlib.sha256(whole.encode()).hexdigest()


def without_secrets(operation: Operation, parameters: Mapping[str, object]) -> dict[str, object]:
    """Return the values as they may be stored and shown: secret ones replaced."""
    secret = {parameter.name for parameter in operation.parameters if parameter.secret}
    return {name: HIDDEN if name in secret else value for name, value in parameters.items()}
