"""Finds out what a repository brings without running any of it: `.plug` files as text, modules as syntax trees."""

from __future__ import annotations

import ast
import configparser
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from automation_bots.errors import BadRepository
from automation_bots.model import one_line
from automation_bots.repos import imports_used, plain_files, plugin_code
from automation_bots.repos.values import Contents, Plugin

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,60}")
_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,30}")
_NOT_LOADED = {
    ".git",
    "__pycache__",
}  # of what is put in by hand; compiled code beside a source is not read, see by_hand
_PLUG_BYTES = 20_000
_MODULE_BYTES = 2_000_000


def look(folder: Path, requirements: tuple[str, ...]) -> Contents:
    """Look at everything; BadRepository where something is not as it should be."""
    plugs = sorted(path for path in folder.rglob("*.plug") if not _hidden(path.relative_to(folder)))
    if not plugs:
        raise BadRepository("It has no .plug file, so it is no repository of Errbot plugins.")
    found, versions = [], []
    for path in plugs:
        shown = one_line(str(path.relative_to(folder)), 80)
        config = _config(path, shown)
        found.append(_plugin(folder, path, config, shown))
        versions.append(_version(config))
    for names in ([plugin.name for plugin in found], [plugin.module for plugin in found]):
        _once(names)
    version = next((version for version in versions if version), "")
    # a link in a repository leads to a file of it, which is looked at by itself
    modules = [path for path in folder.rglob("*.py") if path.is_file() and not path.is_symlink()]
    return Contents(tuple(found), requirements, version, _reach(folder, modules))


def _reach(folder: Path, modules: Iterable[Path]) -> tuple[str, ...]:
    """What all its modules use, helpers too: whatever lies in the folder can be imported."""
    found: set[str] = set()
    for path in sorted(modules):
        shown = one_line(str(path.relative_to(folder)), 80)
        found |= imports_used.read(plain_files.source(path.read_bytes(), shown), shown)
    return tuple(sorted(found))


def put_in(plug: Path, module: str, apart_from: Iterable[Path]) -> tuple[str, ...]:
    """What the modules beside a `.plug` file use; nobody has looked at where links lead, so they are followed."""
    if not _MODULE.fullmatch(module):
        raise BadRepository(f"{plug.name} names a module that is none: {one_line(repr(module), 60)}.")
    others = [other for other in apart_from if not plug.is_relative_to(other)]
    files = sorted(_linked(plug.parent, others))
    for path in files:
        shown = path.relative_to(plug.parent).as_posix()
        plain_files.check(shown, path.read_bytes(), one_line(shown, 80))
    return _reach(plug.parent, [path for path in files if path.suffix == ".py"])


def _linked(folder: Path, apart_from: Iterable[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for place, below, files in os.walk(folder, followlinks=True):
        here = Path(place)
        if here.resolve() in seen or any(here.is_relative_to(other) for other in apart_from):
            below.clear()
            continue
        seen.add(here.resolve())
        below[:] = [name for name in below if name not in _NOT_LOADED]
        yield from (here / name for name in files if (here / name).is_file())


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _config(path: Path, shown: str) -> configparser.ConfigParser:
    config = configparser.ConfigParser(interpolation=None)
    try:
        config.read_string(_text(path, _PLUG_BYTES, shown))
        for key in ("Name", "Module"):
            config.get("Core", key)
    except configparser.Error as error:
        raise BadRepository(f"{shown} cannot be read: {one_line(str(error), 150)}.") from error
    return config


def _text(path: Path, most: int, shown: str) -> str:
    if path.is_symlink() or not path.is_file():
        raise BadRepository(f"{shown} is no file.")
    if path.stat().st_size > most:
        raise BadRepository(f"{shown} is larger than {most} bytes.")
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise BadRepository(f"{shown} is not UTF-8.") from error


def _plugin(folder: Path, path: Path, config: configparser.ConfigParser, shown: str) -> Plugin:
    name, module = config.get("Core", "Name"), config.get("Core", "Module")
    if not _NAME.fullmatch(name):
        raise BadRepository(f"{shown} has a name that cannot be used: {one_line(repr(name), 60)}.")
    if not _MODULE.fullmatch(module):
        raise BadRepository(f"{shown} names a module that is none: {one_line(repr(module), 60)}.")
    if config.get("Core", "Core", fallback="false").lower() == "true":
        raise BadRepository(f"{shown} says that it is a part of Errbot itself.")
    file = path.parent / f"{module}.py"
    brings = plugin_code.read(_text(file, _MODULE_BYTES, f"{module}.py"), f"{module}.py")
    after = [part.strip() for part in config.get("Core", "DependsOn", fallback="").split(",") if part.strip()]
    if not all(_NAME.fullmatch(part) for part in after):
        raise BadRepository(f"{shown} depends on a name that cannot be used.")
    where = path.relative_to(folder).as_posix()
    return Plugin(name, where, module, brings.commands, brings.patterns, brings.also, tuple(after))


def _version(config: configparser.ConfigParser) -> str:
    for section in ("Core", "Documentation"):
        found = config.get(section, "Version", fallback="")
        if _VERSION.fullmatch(found):
            return found
    return ""


def _once(names: list[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadRepository(f"{', '.join(twice)} is there twice.")


def helpers(folder: Path, plugins: tuple[Plugin, ...]) -> set[str]:
    """The names of its own modules that its code imports: names that the whole bot shares."""
    places = {(folder / plugin.file).parent for plugin in plugins}
    return {name for place in places for name in _modules(place) & _imported(place)}


def _modules(place: Path) -> set[str]:
    return {path.stem for path in place.iterdir() if path.suffix == ".py" or (path.is_dir() and path.stem == path.name)}


def _imported(place: Path) -> set[str]:
    return {name for path in place.rglob("*.py") for name in _imports(path)}


def _imports(path: Path) -> Iterator[str]:
    try:
        tree = ast.parse(path.read_text("utf-8"))
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):  # a file that nobody can import
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
