"""Python commands: reads a file with one plain function as an operation, without ever executing it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from automation_bots.errors import DefinitionError, in_words
from automation_bots.model import Operation, Risk
from automation_bots.operations import docstrings, signatures
from automation_bots.operations.covered import Covered, digest_of, hash_of
from automation_bots.operations.signatures import FunctionNode, Wrong


@dataclass(frozen=True, slots=True)
class Function:
    """The body of a Python command, for the driver.

    `wants` says what the function takes beside its parameters: "devices" or "device" (names), with "objects" as
    `model.Device`, and "check".
    """

    path: Path
    name: str
    wants: tuple[str, ...] = ()


def load(path: Path) -> Operation:
    """Read the function that is named as its file; a DefinitionError says what is wrong and where."""
    try:
        return _operation(path, _command(path, _parsed(path)))
    except Wrong as wrong:
        raise DefinitionError(path, str(wrong), wrong.line) from wrong.__cause__


def digest(path: Path) -> str:
    """Return one SHA-256 over the file and the modules beside it that it imports, so that a change of any shows."""
    return digest_of(path, covered(path).files)


def covered(path: Path) -> Covered:
    """Return the hash of the file and of each module beside it that it imports; no other code is read from there."""
    path = path.resolve()
    try:
        return Covered({file: hash_of(file) for file in sorted(_sources(path))}, (path.parent,))
    except OSError as error:
        raise DefinitionError(path, f"cannot be read: {in_words(error)}") from error


def _sources(path: Path) -> set[Path]:
    found: set[Path] = set()
    waiting = [path]
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += _siblings(file, path.parent)
    return found


def _siblings(file: Path, folder: Path) -> Iterator[Path]:
    """Find what a file imports from the folder; a package counts with all its files."""
    try:
        tree = _parsed(file)
    except Wrong:
        return  # its content still counts, and running it will say what is wrong
    for name in _imported(tree):
        if (module := folder / f"{name}.py").is_file():
            yield module
        yield from (folder / name).rglob("*.py")


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_bytes(), filename=str(path))
    except SyntaxError as error:
        wrong = Wrong(f"not valid Python: {error.msg}")
        wrong.line = error.lineno
        raise wrong from error
    except OSError as error:
        raise Wrong(f"cannot be read: {in_words(error)}") from error
    except (RecursionError, MemoryError) as error:
        raise Wrong("not valid Python: nested too deeply") from error
    except ValueError as error:
        raise Wrong(f"not valid Python: {error}") from error


def _command(path: Path, tree: ast.Module) -> FunctionNode:
    name = path.stem
    if not name.isidentifier() or name.startswith("_"):
        raise Wrong(f"name the file as its function, in letters, digits and _; {name!r} is no command name")
    found = [node for node in tree.body if isinstance(node, FunctionNode) and node.name == name]
    if not found:
        raise Wrong(f"has no function named as the file; write  def {name}(…):  at the top level")
    return found[-1]


def _operation(path: Path, node: FunctionNode) -> Operation:
    doc = _docstring(node)
    shape = signatures.read(node, doc.parameters)
    return Operation(
        name=node.name,
        help=doc.help,
        risk=doc.risk or Risk.CHANGE,
        driver="python",
        parameters=shape.parameters,
        devices=shape.devices,
        examples=doc.examples,
        declared=doc.risk is not None,
        previews="check" in shape.wants,
        time_limit=doc.time_limit,
        source=path,
        body=Function(path, node.name, shape.wants),
    )


def _docstring(node: FunctionNode) -> docstrings.Docstring:
    text = ast.get_docstring(node, clean=False)
    if not text or not text.strip():
        raise Wrong(f'{node.name} has no docstring; say what it does: """Look a name up. Risk: read"""', node)
    try:
        return docstrings.read(inspect.cleandoc(text))
    except ValueError as error:
        raise Wrong(str(error), node) from error
