"""Which collections and roles a playbook uses, as far as its words tell: what is missing is known before a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from automation_bots.model import Operation
from automation_bots.operations import delegation
from automation_bots.operations.playbooks import Playbook
from automation_bots.processes.ansible_content import Content, Missing, collection_of


def of_all(operations: Iterable[Operation], content: Content, given: Mapping[str, str]) -> dict[Missing, list[str]]:
    """What is missing for any of these operations, with the names of those that want it; a collection stands once."""
    found: dict[str, tuple[Missing, list[str]]] = {}
    finder = _Finder(content, given)
    for operation in operations:
        for one in finder.missing(operation.body) if isinstance(operation.body, Playbook) else ():
            found.setdefault(one.collection or f"role {one.name}", (one, []))[1].append(operation.name)
    return dict(found.values())


@dataclass(slots=True)
class _Finder:
    """Looks for each collection and role once for all playbooks, of which a repository may have hundreds."""

    content: Content
    given: Mapping[str, str]
    _known: dict[tuple[object, ...], bool] = field(default_factory=dict)

    def missing(self, playbook: Playbook) -> tuple[Missing, ...]:
        """The first use of each collection, and each role, that Ansible would not find."""
        found: dict[str, Missing] = {}
        places = (playbook.home, *playbook.above)
        for one, path in _uses(playbook):
            key = one.collection or f"role {one.name}"
            if key not in found and not self._is_there(one, path, playbook.path, places):
                found[key] = one
        return tuple(found.values())

    def _is_there(self, one: Missing, path: Path, playbook: Path, places: tuple[Path, ...]) -> bool:
        if not one.collection:
            key = ("role", one.name, path.parent, playbook.parent, places[0])
            return self._once(key, lambda: self._has_role(one, path, playbook, places[0]))
        if self._once((one.collection, places), lambda: any(self._has(one, place) for place in places)):
            return True
        return "." not in one.name and _is_own_module(one.name, (*places, *path.parents[1:2]))

    def _has(self, one: Missing, place: Path) -> bool:
        return self._once((one.collection, place), lambda: self.content.has(one.collection, self.given, place))

    def _has_role(self, one: Missing, path: Path, playbook: Path, home: Path) -> bool:
        beside = delegation.role_folders([one.name], path, playbook)
        return any(folder.is_dir() for folder in beside) or self.content.has_role(one.name, self.given, home)

    def _once(self, key: tuple[object, ...], look: Callable[[], bool]) -> bool:
        if key not in self._known:
            self._known[key] = look()
        return self._known[key]


def _uses(playbook: Playbook) -> Iterator[tuple[Missing, Path]]:
    for path, read in delegation.walked(playbook.path):
        for key in read.modules:
            kind, name = ("lookup", key.removeprefix("with_")) if key.startswith("with_") else ("module", key)
            if collection := collection_of(name, kind):
                yield Missing(kind, name, collection), path
        for name in filter(None, read.roles):
            yield Missing("role", name, collection_of(name, "role")), path


def _is_own_module(name: str, places: Iterable[Path]) -> bool:
    """Whether a repository, or the role that a file belongs to, brings a module of this name itself."""
    return any(next((place / "library").glob(f"{name}*"), None) for place in places)
