"""Read a YAML file and remember on which line each key stands, so that errors can point at it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from automation_bots.errors import DefinitionError, in_words
from automation_bots.text.yaml_depth import is_deep

LineOf = Callable[..., int]  # line_of("linux", "run") -> the line of that key; the nearest one above when it is absent


class _Loader(yaml.SafeLoader):
    """The safe loader with the booleans of YAML 1.2, so that the words on, off, yes and no stay words."""


class _FastLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # not built everywhere
    """The same in C, ten times as fast."""


for _each in (_Loader, _FastLoader):
    _each.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _each.add_implicit_resolver(
        "tag:yaml.org,2002:bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")
    )


def load_yaml(path: Path) -> tuple[Any, LineOf]:
    """Return the data and `line_of(*keys)`; what YAML does not allow is a DefinitionError with its line."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DefinitionError(path, f"cannot be read: {in_words(error)}") from error
    return parse_yaml(path, text)


def parse_yaml(path: Path, text: str) -> tuple[Any, LineOf]:
    """The same for what a file says, or a part of it."""
    try:
        loader, root = _composed(text)
        if root is None:
            return None, lambda *_keys: 1
        _refuse_duplicates(path, root)
        # Lines first: the construction of merge keys (<<) rewrites the nodes.
        lines = dict(_lines(root, (), set()))
        return loader.construct_document(root), lambda *keys: _nearest(lines, keys)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DefinitionError(path, f"no valid YAML: {error.problem}", mark.line + 1 if mark else None) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DefinitionError(path, f"no valid YAML: {error}") from error


def _composed(text: str) -> tuple[Any, yaml.Node | None]:
    """The loader and the one document; what is wrong is said by the slow loader, which names the right line."""
    if is_deep(text):
        return _slowly(text)
    try:
        fast = _FastLoader(text)
        return fast, fast.get_single_node()
    except yaml.YAMLError:
        return _slowly(text)


def _slowly(text: str) -> tuple[Any, yaml.Node | None]:
    slow = _Loader(text)
    return slow, slow.get_single_node()


def _refuse_duplicates(path: Path, root: yaml.Node) -> None:
    for node in _nodes(root, set()):
        if not isinstance(node, yaml.MappingNode):
            continue
        seen: dict[tuple[str, str], int] = {}
        for key, _value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            line = key.start_mark.line + 1
            if first := seen.get((key.tag, key.value)):
                raise DefinitionError(path, f"{key.value!r} is written twice; the first is in line {first}", line)
            seen[(key.tag, key.value)] = line


def _nodes(node: yaml.Node, seen: set[int]) -> Iterator[yaml.Node]:
    if id(node) in seen:  # an alias: seen already, and it may lead back to itself
        return
    seen.add(id(node))
    yield node
    for child in _children(node):
        yield from _nodes(child, seen)


def _children(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _lines(node: yaml.Node, keys: tuple[str, ...], seen: set[int]) -> Iterator[tuple[tuple[str, ...], int]]:
    if id(node) in seen:  # what an alias repeats is found by the nearest key above it
        return
    seen.add(id(node))
    for key, child, line in _entries(node):
        path = (*keys, key)
        yield path, line
        yield from _lines(child, path, seen)


def _entries(node: yaml.Node) -> Iterator[tuple[str, yaml.Node, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), value, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield str(index), item, item.start_mark.line + 1


def _nearest(lines: dict[tuple[str, ...], int], keys: tuple[Any, ...]) -> int:
    path = tuple(str(key) for key in keys)
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)
