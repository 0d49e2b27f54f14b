"""Which collections and roles a playbook uses, as far as its words tell: what is missing is known before a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from automation_bots.model import Operation
from automation_bots.operations import delegation
from automation_bots.operations.playbooks import Playbook
from automation_bots.processes.ansible_content import Content, Missing, collection_of


def missing(playbook: Playbook, content: Content, given: Mapping[str, str]) -> tuple[Missing, ...]:
    """The first use of each collection, and each role, that Ansible would not find."""
    found: dict[str, Missing] = {}
    for one, path in _uses(playbook):
        key = one.collection or f"role {one.name}"
        if key not in found and not _is_there(one, path, playbook, content, given):
            found[key] = one
    return tuple(found.values())


def of_all(operations: Iterable[Operation], content: Content, given: Mapping[str, str]) -> dict[Missing, list[str]]:
    """What is missing for any of these operations, with the names of those that want it; a collection stands once."""
    found: dict[str, tuple[Missing, list[str]]] = {}
    for operation in operations:
        for one in missing(operation.body, content, given) if isinstance(operation.body, Playbook) else ():
            found.setdefault(one.collection or f"role {one.name}", (one, []))[1].append(operation.name)
    return dict(found.values())


def _uses(playbook: Playbook) -> Iterator[tuple[Missing, Path]]:
    for path, read in delegation.walked(playbook.path):
        for key in read.modules:
            kind, name = ("lookup", key.removeprefix("with_")) if key.startswith("with_") else ("module", key)
            if collection := collection_of(name, kind):
                yield Missing(kind, name, collection), path
        for name in filter(None, read.roles):
            yield Missing("role", name, collection_of(name, "role")), path


def _is_there(one: Missing, path: Path, playbook: Playbook, content: Content, given: Mapping[str, str]) -> bool:
    if "." not in one.name and _is_own_module(one.name, path, playbook):
        return True
    if one.collection:
        return any(content.has(one.collection, given, place) for place in (playbook.home, *playbook.above))
    beside = delegation.role_folders([one.name], path, playbook.path)
    return any(folder.is_dir() for folder in beside) or content.has_role(one.name, given, playbook.home)


def _is_own_module(name: str, path: Path, playbook: Playbook) -> bool:
    """Whether a repository, or the role that the file belongs to, brings a module of this name itself."""
    places = (playbook.home, *playbook.above, *path.parents[1:2])
    return any(next((place / "library").glob(f"{name}*"), None) for place in places)
