"""Roles and collections: where Ansible looks for them, and which one it lacks for a plugin that it does not find."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from configparser import ConfigParser, Error
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

COLLECTIONS, ROLES = "ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_ROLES_PATH"
_OF_ANSIBLE = {
    COLLECTIONS: ("~/.ansible/collections", "/usr/share/ansible/collections"),
    ROLES: ("~/.ansible/roles", "/usr/share/ansible/roles", "/etc/ansible/roles"),
}
_KEYS = {COLLECTIONS: ("collections_path", "collections_paths"), ROLES: ("roles_path",)}
_SECTIONS = {"module": ("modules", "action")}  # of Ansible's table, where they are called otherwise
_FOLDERS = {COLLECTIONS: "collections", ROLES: "roles"}
_BUILT_IN = {"ansible.builtin", "ansible.legacy"}
_NOT_FOUND = re.compile(
    r"(?:couldn't resolve (?P<module>module)/action|No (?P<jinja>filter|test) named"
    r"|[Tt]he module [\w.]+ was (?P<moved>redirected) to"
    r"|[Tt]he (?P<plugin>lookup|connection|role|become|httpapi|netconf) (?:plugin )?)\s*'?(?P<name>\w[\w.-]*\w)"
)
_LOAD = "could not be loaded"
_PLACE = re.compile(r" \([^()]+, line \d+\)$")


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that Ansible did not find; the collection is empty for a role of no collection."""

    kind: str
    name: str
    collection: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What a bot has installed for itself, beside what lies in its repositories and on the machine."""

    folder: Path = Path(os.devnull)  # with `current`, a link to the folder with collections/ and roles/ of now
    command: str = "automation-bots install-requirements"

    @property
    def current(self) -> Path:
        """What was installed last; a run keeps this folder to its end, also when more is installed meanwhile."""
        return (self.folder / "current").resolve()

    def environment(
        self, given: Mapping[str, str], home: Path | None = None, beside: Iterable[Path] = ()
    ) -> dict[str, str]:
        """What a run that starts in `home` has to be told: whatever counts without us, and what is ours behind it.

        `beside` are folders whose roles/ and collections/ count too, those above a playbook.
        """
        found = {}
        for variable, folder in _FOLDERS.items():
            ours = [str(path) for place in (*beside, self.current) if (path := place / folder).is_dir()]
            if ours:
                said = _said(variable, given, home)
                found[variable] = os.pathsep.join(dict.fromkeys([*said, *ours, *_OF_ANSIBLE[variable]]))
        return found

    def told(self, text: str, given: Mapping[str, str], home: Path | None = None) -> str:
        """Name what is missing behind an error of Ansible's, and what brings it; other errors stay as they are."""
        missing = named(text)
        if missing is None or (missing.collection and self.has(missing.collection, given, home)):
            return text
        where = found[0] if (found := _PLACE.search(text)) else ""
        return f"{self.lack(missing)}{where} → {self.command}"

    @staticmethod
    def lack(missing: Missing) -> str:
        """Say what is missing."""
        if not missing.collection:
            return f"the role {missing.name} is not there, neither beside the playbook nor installed"
        return f"the {missing.kind} {missing.name} needs the collection {missing.collection}, which is not installed"

    def has(self, collection: str, given: Mapping[str, str], home: Path | None = None) -> bool:
        """Whether Ansible finds this collection."""
        places = [self.current / "collections", *map(Path, _said(COLLECTIONS, given, home)), *_of_ansible(COLLECTIONS)]
        places += [home / "collections"] if home else []
        return any((place / "ansible_collections" / collection.replace(".", "/")).is_dir() for place in places)

    def has_role(self, name: str, given: Mapping[str, str], home: Path | None = None) -> bool:
        """Whether Ansible finds this role, apart from those beside its playbook."""
        places = [self.current / "roles", *map(Path, _said(ROLES, given, home)), *_of_ansible(ROLES)]
        return any((place / name).is_dir() for place in places)


def named(text: str) -> Missing | None:
    """What an error of Ansible's says is not there, where that belongs to a collection or is a role."""
    found = _NOT_FOUND.search(text)
    if found is None or (found["plugin"] and "was not found" not in text) or (found["moved"] and _LOAD not in text):
        return None
    kind, name = found["module"] or found["jinja"] or found["plugin"] or "module", found["name"]
    collection = collection_of(name, kind)
    return Missing(kind, name, collection) if collection or kind == "role" else None


def collection_of(name: str, kind: str = "module") -> str:
    """The collection that a plugin, module or role of this name is in; empty: in none, or nobody knows."""
    if name.count(".") > 1:
        collection = ".".join(name.split(".")[:2])
        return "" if collection in _BUILT_IN else collection
    return next((found for section in _SECTIONS.get(kind, (kind,)) if (found := _moved().get((section, name)))), "")


@lru_cache(maxsize=1)
def _moved() -> Mapping[tuple[str, str], str]:
    """The collections that plugins of short names went to, by the section of Ansible's own table."""
    found = find_spec("ansible")
    places = found.submodule_search_locations if found else None
    table = Path(next(iter(places)), "config", "ansible_builtin_runtime.yml") if places else None
    if table is None or not table.is_file():
        return {}
    return dict(_redirects(table.read_text(encoding="utf-8")))


def _redirects(table: str) -> Iterator[tuple[tuple[str, str], str]]:
    section = name = ""
    for line in table.splitlines():  # read as lines, since as YAML it takes a second
        depth, text = len(line) - len(line.lstrip()), line.strip()
        if depth == 2 and text.endswith(":"):
            section = text[:-1]
        elif depth == 4 and text.endswith(":"):
            name = text[:-1]
        elif depth == 6 and text.startswith("redirect: "):
            collection = text.partition(": ")[2].rpartition(".")[0]
            if collection not in _BUILT_IN:
                yield (section, name), collection


def _said(variable: str, given: Mapping[str, str], home: Path | None) -> list[str]:
    """What the environment says, or else the settings file that counts."""
    if variable in given:
        return [os.path.expanduser(part) for part in given[variable].split(os.pathsep) if part]  # noqa: PTH111
    settings = next((path for path in _settings(given, home) if path.is_file()), None)
    if settings is None:
        return []
    parser = ConfigParser(interpolation=None, strict=False, inline_comment_prefixes=(";",))
    try:
        parser.read(settings, encoding="utf-8")
    except (Error, UnicodeDecodeError):
        return []  # Ansible says so itself
    text = next((value for key in _KEYS[variable] if (value := parser.get("defaults", key, fallback=""))), "")
    parts = (os.path.expandvars(part.strip().strip("'\"")) for part in re.split(r"[:,]", text))
    return [str(settings.parent.absolute() / Path(part).expanduser()) for part in parts if part]


def _settings(given: Mapping[str, str], home: Path | None) -> Iterator[Path]:
    if named_ := given.get("ANSIBLE_CONFIG"):
        yield Path(named_).expanduser()
    if home:
        yield home / "ansible.cfg"
    yield from (Path("~/.ansible.cfg").expanduser(), Path("/etc/ansible/ansible.cfg"))


def _of_ansible(variable: str) -> Iterator[Path]:
    yield from (Path(place).expanduser() for place in _OF_ANSIBLE[variable])
    if variable == COLLECTIONS:
        yield from (Path(place) for place in sys.path if place)
