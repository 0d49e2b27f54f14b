"""The files of a playbook: YAML with Ansible's tags and line numbers, imports, and the digest of all it pulls in."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from automation_bots.errors import DefinitionError, in_words
from automation_bots.model import one_line
from automation_bots.operations.covered import Covered, digest_of, hash_of
from automation_bots.text.yaml_depth import is_deep

IMPORT_KEYS = ("import_playbook", "ansible.builtin.import_playbook", "ansible.legacy.import_playbook")
PULLED_IN = (
    "roles", "files", "templates", "tasks", "vars", "handlers", "defaults", "meta", "group_vars", "host_vars",
    "collections", "library", "module_utils", "action_plugins", "become_plugins", "cache_plugins", "callback_plugins",
    "cliconf_plugins", "connection_plugins", "doc_fragments", "filter_plugins", "httpapi_plugins", "inventory_plugins",
    "lookup_plugins", "netconf_plugins", "shell_plugins", "strategy_plugins", "terminal_plugins", "test_plugins",
    "vars_plugins",
)  # fmt: skip
_BESIDE = ("ansible.cfg", *PULLED_IN)
_ABOVE = ("roles", "collections")
_SKIPPED = {"__pycache__", ".git"}
_OF_A_COLLECTION = re.compile(r"\w+\.\w+\.(?!ya?ml$)\w+")
_WORD = re.compile(r"""(?<![^\s"'=,\[(])(?!/)[^\s"'=,\[\](){}#]*[./][^\s"'=,\[\](){}]+""")
_PLAY = re.compile(r"^-?\s+(hosts|(ansible\.\w+\.)?import_playbook):", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Located:
    """A value from a YAML file that still knows its lines."""

    value: Any
    node: yaml.Node | None

    def line(self, *way: Any) -> int | None:
        """Return the line of the key or item that this way of keys and indexes leads to."""
        node, line = self.node, None
        for step in way:
            node, line = _step(node, step)
        return line


def _step(node: yaml.Node | None, step: Any) -> tuple[yaml.Node | None, int | None]:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step], node.value[step].start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return value, key.start_mark.line + 1
    return None, None


class _Loader(yaml.SafeLoader):
    """Knows Ansible's tags; what they hold stays as it is written. Names the right line of what is wrong."""


class _FastLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # not built everywhere
    """The same in C, ten times as fast."""


def _plain(loader: Any, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else None


for _tag in ("!vault", "!vault-encrypted", "!unsafe"):
    _Loader.add_constructor(_tag, _plain)
    _FastLoader.add_constructor(_tag, _plain)


def read_yaml(path: Path, text: str | None = None) -> Located:
    """Parse the one document of a file (or of a part of it); a DefinitionError names the line."""
    try:
        text = path.read_text(encoding="utf-8") if text is None else text
        try:
            return _located((_Loader if is_deep(text) else _FastLoader)(text))
        except yaml.YAMLError:
            return _located(_Loader(text))
    except OSError as error:
        raise DefinitionError(path, f"cannot be read: {in_words(error)}") from error
    except UnicodeDecodeError as error:
        raise DefinitionError(path, "is not text in UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        reason = one_line(str(getattr(error, "problem", None) or error))
        raise DefinitionError(path, f"not valid YAML: {reason}", mark.line + 1 if mark else None) from error
    except (ValueError, RecursionError) as error:  # such as a date that no calendar has
        raise DefinitionError(path, f"not valid YAML: {one_line(str(error))}") from error


def _located(loader: Any) -> Located:
    try:
        node = loader.get_single_node()
        return Located(loader.construct_document(node) if node else None, node)
    finally:
        loader.dispose()


def imported(path: Path, item: Mapping[str, Any]) -> Path | None:
    """Return the file that an import_playbook item names; None for a template or a playbook of a collection."""
    name = next((str(item[key]) for key in IMPORT_KEYS if key in item), "").split(" ")[0]
    if not name or "{{" in name or _OF_A_COLLECTION.fullmatch(name):
        return None
    return Path(os.path.normpath(path.parent / name))


def digest(path: Path, home: Path | None = None, above: Iterable[Path] = ()) -> str:
    """Return the sha256 over a playbook and the files that it can pull in from around it.

    Covered, each with its name and content:
    - the playbook itself, and each playbook it imports by a fixed name, and so on;
    - beside each of them, and in the folder that it is started in (`home`): ansible.cfg and all files under roles/,
      files/, templates/, tasks/, vars/, handlers/,
      group_vars/, host_vars/, collections/, library/ and the plugin folders; links to folders are followed;
    - all files under roles/ and collections/ of the folders above it (`above`);
    - each file that a word with a dot or slash in these YAML files names, relative to the playbook's folder or to the
      file it stands in (`include_tasks: more.yml`, `vars_files: [../common.yml]`, `copy: src=../motd`), and so on.
    Not covered: names made by templates outside those folders, absolute paths of other roots, roles and collections
    that are installed elsewhere (`roles_path`, ansible-galaxy), the inventory, and Ansible itself.
    """
    return digest_of(path, covered(path, home, above).files)


def covered(path: Path, home: Path | None = None, above: Iterable[Path] = ()) -> Covered:
    """Return the sha256 of each file that the digest of a playbook covers, and the folders that it covers wholly."""
    files, folders = _pulled_in(path.resolve(), home or path.parent, above)
    places = [folder / name for folder in sorted(folders) for name in _BESIDE]
    places += [folder.resolve() / name for folder in above for name in _ABOVE]
    return Covered({file: hash_of(file) for file in sorted(files)}, tuple(places))


def _pulled_in(path: Path, home: Path, above: Iterable[Path]) -> tuple[set[Path], set[Path]]:
    found: set[Path] = set()
    folders: set[Path] = {home.resolve()}
    waiting = [path, *_beside(home.resolve())]
    for folder in above:
        waiting += _beside(folder.resolve(), _ABOVE)
    while waiting:
        file = waiting.pop()
        if file in found:
            continue
        found.add(file)
        if file.suffix not in {".yml", ".yaml"}:
            continue
        status = file.stat()
        words, plays = _words(file, (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
        if file.parent not in folders and (file == path or plays):
            folders.add(file.parent)
            waiting += _beside(file.parent)
        waiting += _named(words, {str(file.parent), str(path.parent)})
    return found, folders


def _beside(folder: Path, names: tuple[str, ...] = _BESIDE) -> Iterator[Path]:
    if "ansible.cfg" in names and (folder / "ansible.cfg").is_file():
        yield folder / "ansible.cfg"
    for name in names:
        seen: set[str] = set()
        for place, inner, files in os.walk(folder / name, followlinks=True):
            real = os.path.realpath(place)
            inner[:] = [] if real in seen else [name for name in inner if name not in _SKIPPED]
            seen.add(real)
            yield from (Path(place, file) for file in files if Path(place, file).is_file())


@lru_cache(maxsize=5000)
def _words(file: Path, _state: tuple[int, ...]) -> tuple[frozenset[str], bool]:
    """The words of a file that may name others, and whether it has plays.

    Words, not parsed YAML: a role of a thousand files would take seconds, and broken files must count as well.
    """
    text = file.read_text(encoding="utf-8", errors="replace")
    return frozenset(_WORD.findall(text)), _PLAY.search(text) is not None


def _named(words: Iterable[str], folders: set[str]) -> Iterator[Path]:
    for word in words:
        for folder in folders:
            candidate = os.path.normpath(f"{folder}/{word}")
            if os.path.isfile(candidate):  # noqa: PTH113 - Path's raises on names that are too long
                yield Path(candidate)
