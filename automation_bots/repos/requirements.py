"""Reads requirements.txt line by line; only a package with versions is one, whatever else pip would understand."""

from __future__ import annotations

import importlib.metadata
import re
import sys
from importlib.machinery import PathFinder
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from automation_bots.errors import BadRepository
from automation_bots.model import one_line

_MOST_BYTES = 20_000
_OWN = list(sys.path)  # of the start: plugins from elsewhere come behind it later, with packages of theirs
_INDEX = re.compile(r"(?:-i|--index-url|--extra-index-url)[\s=]+(\S+)")


def read(folder: Path, plugs: list[Path], index: str) -> tuple[str, ...]:
    """Read the requirements.txt at the top and beside each .plug."""
    places = dict.fromkeys([folder, *(path.parent for path in plugs)])
    found: dict[str, None] = {}
    for place in places:
        path = place / "requirements.txt"
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise BadRepository("requirements.txt is no file.")
        if path.is_file():
            found |= dict.fromkeys(_lines(path, index))
    return tuple(found)


def _lines(path: Path, index: str) -> list[str]:
    try:
        text = path.read_bytes()[: _MOST_BYTES + 1].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRepository("requirements.txt is not UTF-8.") from error
    if len(text) > _MOST_BYTES:
        raise BadRepository(f"requirements.txt is larger than {_MOST_BYTES} bytes.")
    lines = [re.sub(r"(^|\s+)#.*$", "", line).strip() for line in text.split("\n")]
    return [parsed for line in lines if line and (parsed := parse(line, index))]


def parse(line: str, index: str = "") -> str:
    """Return a requirement in its canonical form; empty for one that is not meant for this machine."""
    shown = one_line(repr(line), 80)
    if (given := _INDEX.fullmatch(line)) and index and given[1].rstrip("/") == index.rstrip("/"):
        return ""  # what bot.toml says anyway
    if line.startswith("-"):
        raise BadRepository(f"requirements.txt has an option, {shown}; only packages with versions are taken.")
    try:
        requirement = Requirement(line)
    except InvalidRequirement as error:
        raise BadRepository(f"requirements.txt: {shown} is no package with a version.") from error
    if requirement.url:
        raise BadRepository(f"requirements.txt: {shown} names an address; only packages of the index are taken.")
    if requirement.marker and not requirement.marker.evaluate():
        return ""
    requirement.marker = None
    _bot_keeps_its_own(requirement)
    return str(requirement)


def _bot_keeps_its_own(requirement: Requirement) -> None:
    have = own().get(canonicalize_name(requirement.name))
    if have and not requirement.specifier.contains(have, prereleases=True):
        raise BadRepository(f"It needs {requirement}, but the bot itself uses {requirement.name} {have}.")


def of_the_bot(module: str) -> bool:
    """Whether the bot itself has a module of this name."""
    return module in sys.stdlib_module_names or PathFinder.find_spec(module, _OWN) is not None


def own() -> dict[str, str]:
    """The bot's own packages, which nothing replaces."""
    found = importlib.metadata.distributions(path=_OWN)
    return {canonicalize_name(name): one.version for one in found if (name := one.metadata["Name"])}
