"""Reads requirements.yml: which roles and collections are wanted, which version, from where; refuses other places."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from automation_bots.errors import BadRepository, DefinitionError
from automation_bots.model import one_line
from automation_bots.operations.playbook_files import read_yaml
from automation_bots.operations.playbook_folders import above, playbooks
from automation_bots.repos import address
from automation_bots.repos.values import Source

GALAXY = "https://galaxy.ansible.com"
_NAMES = tuple(f"{folder}requirements{end}" for folder in ("", "roles/", "collections/") for end in (".yml", ".yaml"))
_GALAXY_NAME = re.compile(r"[A-Za-z0-9_]+(?:-[A-Za-z0-9_-]+)?\.[A-Za-z0-9_.-]+")
_EXACT = re.compile(r"(?:==)?v?(\d[\w.+-]*)")
_ROLE_KEYS = {"src", "name", "version", "scm", "role", "include"}
_COLLECTION_KEYS = {"name", "version", "source", "type", "signatures"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One role or collection: `source` is a git repository, else `place` is a server, an address or a file."""

    kind: str  # role, collection
    name: str  # empty for a collection that only its content names
    version: str
    place: str = GALAXY
    source: Source | None = None
    inside: str = ""  # the folder of a git repository that a collection is in
    called: str = ""  # the name of a role at Galaxy, where it gets another one here

    @property
    def pinned(self) -> bool:
        """Whether the words alone say what would come."""
        if self.source is not None:
            return bool(self.source.ref)
        return self.is_file or self.is_download or bool(_EXACT.fullmatch(self.version))

    @property
    def is_file(self) -> bool:
        """Whether it lies on this machine."""
        return self.source is None and self.place.startswith("/")

    @property
    def is_download(self) -> bool:
        """Whether it is one file of a web server."""
        return self.source is None and self.place.endswith(".tar.gz") and not self.is_file

    @property
    def exact(self) -> str:
        """The version without the signs before it."""
        found = _EXACT.fullmatch(self.version)
        return found[1] if found else self.version


@dataclass(frozen=True, slots=True)
class Rules:
    """Where roles and collections may come from."""

    hosts: Collection[str]
    local: bool = False


def files(places: Iterable[Path]) -> tuple[Path, ...]:
    """Every requirements.yml beside or above the playbooks of these places, also in roles/ and collections/ there."""
    found: dict[Path, None] = {}
    for place in places:
        folders = {place, *(up for path in playbooks(place) for up in above(path, place))}
        found |= dict.fromkeys(
            path for folder in sorted(folders) for name in _NAMES if (path := folder / name).is_file()
        )
    return tuple(found)


def read(path: Path, rules: Rules) -> tuple[Wanted, ...]:
    """Read one file, and refuse what the rules do not allow; a DefinitionError names the entry."""
    value = read_yaml(path).value or {}
    if not isinstance(value, list | Mapping):
        raise DefinitionError(path, "must be a list of roles, or roles: and collections: with lists")
    lists = {"roles": value} if isinstance(value, list) else value
    if unknown := sorted(map(str, set(lists) - {"roles", "collections"})):
        raise DefinitionError(path, f"there are roles: and collections:, not {', '.join(unknown)}")
    return tuple(dict.fromkeys(_entries(path, lists, rules)))


def _entries(path: Path, lists: Mapping[str, Any], rules: Rules) -> Iterator[Wanted]:
    for key, item in [(name, item) for name in ("roles", "collections") for item in lists.get(name) or ()]:
        shown = one_line(str(item), 80)
        try:
            if key == "roles" and isinstance(item, Mapping) and "include" in item:
                yield from read(path.parent / str(item["include"]), rules)
            else:
                yield _allowed(_role(item, path, rules) if key == "roles" else _collection(item, path, rules), rules)
        except BadRepository as error:
            raise DefinitionError(path, f"{shown}: {error}") from error


def _fields(item: Any, known: set[str], text: Callable[[str], Mapping[str, str]]) -> dict[str, str]:
    fields = text(item) if isinstance(item, str) else item
    if not isinstance(fields, Mapping) or not set(fields) <= known:
        raise BadRepository(f"An entry is a name, or a mapping with {', '.join(sorted(known))}.")
    return {str(key): "" if value is None else str(value) for key, value in fields.items()}


def _role(item: Any, path: Path, rules: Rules) -> Wanted:
    said = _fields(item, _ROLE_KEYS, lambda text: dict(zip(("src", "version", "name"), text.split(","), strict=False)))
    src = said.get("src") or said.get("role") or said.get("name", "")
    if said.get("scm", "git") not in {"git", ""}:
        raise BadRepository(f"Roles from {said['scm']} are not fetched, only from git.")
    found = _found("role", src, said.get("version", ""), path, rules, as_git=said.get("scm") == "git")
    name = said.get("name") or (found.source.name if found.source else src.rpartition("/")[2].removesuffix(".tar.gz"))
    if not re.fullmatch(r"[\w.-]+", name) or name.startswith("."):
        raise BadRepository(f"{one_line(name, 60)!r} is no name for a role.")
    return replace(found, name=name, called=src)


def _collection(item: Any, path: Path, rules: Rules) -> Wanted:
    said = _fields(item, _COLLECTION_KEYS, _short_collection)
    name, kind = said.get("name") or said.get("source", ""), said.get("type", "")
    name, _, inside = name.partition("#/")
    found = _found("collection", name, said.get("version", ""), path, rules, as_git=kind == "git")
    if found.source or found.place != GALAXY:
        return replace(found, inside=inside.strip("/"))
    server = said.get("source") or GALAXY
    if not server.startswith("https://"):
        raise BadRepository(f"source: {server!r} must be the https address of a server.")
    return Wanted("collection", name, found.version, server)


def _short_collection(text: str) -> Mapping[str, str]:
    name, mark, version = text.partition("," if "/" in text else ":")
    return {"name": name, "version": version} if mark else {"name": text}


def _found(kind: str, src: str, version: str, path: Path, rules: Rules, *, as_git: bool) -> Wanted:
    """Work out where something comes from by how it is written, as ansible-galaxy does."""
    version = "" if version == "*" else version
    src = src.strip()
    near = (path.parent / src.removeprefix("file://")).resolve() if src else path
    if src.startswith((".", "/", "file://")) and not as_git and near.is_file():
        if src.startswith("/") or not near.is_relative_to(path.parent.resolve()):
            address.allowed("", rules.hosts, local=rules.local)  # what lies in the repository itself is there anyway
        return Wanted(kind, "", version, str(near))
    if src.endswith(".tar.gz") and src.startswith("https://") and not as_git:
        return Wanted(kind, "", version, src)
    if as_git or src.startswith(("git+", "git@", "https://", "ssh://", "file://", "/")) or src.endswith(".git"):
        text = src.removeprefix("git+")
        source = address.read(f"{text}@{version}" if version else text, rules.hosts, local=rules.local)
        return Wanted(kind, "", version, source.url, source)
    if not _GALAXY_NAME.fullmatch(src):
        raise BadRepository("That is neither a name of Galaxy, nor an address, nor a file that is there.")
    return Wanted(kind, "", version)


def _allowed(wanted: Wanted, rules: Rules) -> Wanted:
    """Refuse servers that bot.toml does not allow; repositories and files were looked at as they were read."""
    if wanted.source is not None or wanted.is_file:
        return wanted
    found = urlsplit(wanted.place)
    port = f":{found.port}" if found.port not in {None, 443} else ""
    address.allowed(f"{found.hostname or ''}{port}", rules.hosts, local=rules.local)
    if wanted.kind == "role" and not wanted.is_download:
        address.allowed("github.com", rules.hosts, local=rules.local)  # where Galaxy sends for the roles themselves
    return wanted
