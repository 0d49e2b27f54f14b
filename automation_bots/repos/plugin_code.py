"""Reads a plugin's module as a syntax tree: its commands, and what else it does. Nothing is run. Pure."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from automation_bots.errors import BadCommand, BadRepository
from automation_bots.model import one_line
from automation_bots.text.linear_groups import LinearPattern

_COMMANDS = {"botcmd", "arg_botcmd"}
_PATTERNS = {"re_botcmd", "botmatch"}
_COMMAND = re.compile(r"[a-z0-9][a-z0-9_-]{0,60}", re.IGNORECASE)
_ALSO = {
    "webhook": "listens to HTTP requests",
    "cmdfilter": "looks at every command before it runs",
    "callback_message": "reads every message",
    "callback_mention": "reads messages that name somebody",
    "callback_presence": "sees who comes and goes",
    "callback_reaction": "sees reactions",
    "start_poller": "does things by the clock",
    "create_dynamic_plugin": "makes more commands while it runs",
}


@dataclass(frozen=True, slots=True)
class Brings:
    """What a module says that it brings."""

    commands: tuple[str, ...]
    patterns: tuple[str, ...]
    also: tuple[str, ...]


def read(text: str, shown: str) -> Brings:
    """Read a module; one with names that are worked out while it runs is refused."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadRepository(f"{shown} is no Python that this bot understands: {one_line(str(error), 150)}.") from error
    commands, patterns = [], []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                kind, given = _decorator(decorator)
                if kind in _COMMANDS:
                    commands.append(_command(node.name, given, shown))
                elif kind in _PATTERNS:
                    patterns.append(_pattern(decorator, given, f"{shown}:{node.lineno}"))
    words = {_word(node) for node in ast.walk(tree)}
    also = tuple(lookup for word, lookup in _ALSO.items() if word in words)
    return Brings(tuple(sorted(set(commands))), tuple(sorted(set(patterns))), also)


def _decorator(node: ast.expr) -> tuple[str, dict[str, ast.expr]]:
    call = node if isinstance(node, ast.Call) else None
    given = {word.arg: word.value for word in call.keywords if word.arg} if call else {}
    return _word(call.func if call else node), given


def _word(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return node.name
    return node.id if isinstance(node, ast.Name) else ""


def _command(function: str, given: dict[str, ast.expr], shown: str) -> str:
    wanted = given.get("name")
    name = function if wanted is None else _constant(wanted)
    if name is None or not _COMMAND.fullmatch(name):
        raise BadRepository(f"{shown} has a command whose name cannot be read or used (at {one_line(function, 60)}).")
    return name


def _pattern(decorator: ast.expr, given: dict[str, ast.expr], shown: str) -> str:
    first = decorator.args[0] if isinstance(decorator, ast.Call) and decorator.args else None
    node = given.get("pattern") or first
    pattern = _constant(node) if node else None
    if pattern is None:
        return "one that is worked out while it runs"
    if "flags" not in given:  # else it is looked at when it is loaded, as one that is worked out
        try:
            LinearPattern(pattern)
        except BadCommand as error:
            what = f"the pattern {one_line(pattern, 80)!r} could hang the bot"
            raise BadRepository(f"{shown}: {what}: {error}.") from error
    return one_line(pattern, 80)


def _constant(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
