"""Sees what a plugin changed while it was loaded that is not its own: others' commands, code of the gate and Errbot.

Not a wall: it finds what was changed by then, says so, and puts it back.
"""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automation_bots.errors import BadRepository

_CODE = frozenset({"automation_bots", "backends", "errbot", "config", "builtins"})
_PLUGINS = ("errbot.plugins", "errbot.flows")  # their own modules
_GUARD = Path(__file__).resolve().parents[1] / "adapter" / "guard.py"
_BOUND = (types.MethodType, staticmethod, classmethod)
_OF_A_FUNCTION = ("__code__", "__defaults__", "__kwdefaults__")
_MAY_CHANGE = frozenset({"__abstractmethods__", "__doc__", "__errdoc__", "_abc_impl"})
_NOTHING = object()
_DEEPEST = 4  # wrappers around each other
_MOST_NAMED = 5


@dataclass(slots=True)
class _Names:
    """A module, class or bot, and what stood under its names."""

    shown: str
    owner: Any
    held: Mapping[str, Any]

    def changes(self) -> Iterator[tuple[str, Any, str, Any]]:
        now = vars(self.owner)
        for name, value in self.held.items():
            if now.get(name, _NOTHING) is not value and self._stays(name, value):
                yield f"{self.shown}.{name}", self.owner, name, value
        for name in now.keys() - self.held.keys():
            if self._hides(name, now[name]):
                yield f"{self.shown}.{name}", self.owner, name, _NOTHING

    def _stays(self, name: str, value: Any) -> bool:
        """Code stays as it is, and what stands in a class; other values may change."""
        if isinstance(self.owner, type):
            return name not in _MAY_CHANGE
        return callable(value) or name.startswith("automation_")

    def _hides(self, name: str, value: Any) -> bool:
        """Whether a new name comes before another one."""
        if isinstance(self.owner, type | types.ModuleType):
            return isinstance(self.owner, type) or hasattr(builtins, name)
        return callable(value) and hasattr(type(self.owner), name)


class Function:
    """What a function is made of."""

    __slots__ = ("cells", "function", "held", "parts", "shown")

    def __init__(self, shown: str, function: types.FunctionType) -> None:
        self.shown, self.function = shown, function
        self.parts = tuple(getattr(function, name) for name in _OF_A_FUNCTION)
        self.held = dict(vars(function)) if vars(function) else {}
        self.cells = tuple((cell, _content(cell)) for cell in function.__closure__ or ())

    def changes(self) -> Iterator[tuple[str, Any, str, Any]]:
        """Yield what is not as it was: what to show, whose it is, its name, and what it was."""
        for name, part in zip(_OF_A_FUNCTION, self.parts, strict=True):
            if getattr(self.function, name) is not part:
                yield self.shown, self.function, name, part
        for name, value in self.held.items():
            if getattr(self.function, name, _NOTHING) is not value:
                yield self.shown, self.function, name, value
        for cell, content in self.cells:
            if (callable(content) or isinstance(content, bool)) and _content(cell) is not content:
                yield self.shown, cell, "cell_contents", content


class _Before:
    """What there is before a plugin is loaded: to compare with afterwards, and to put back."""

    def __init__(self, bot: Any, own: Any) -> None:
        self._bot = bot
        tables = {} if bot is None else {"commands": bot.commands, "re_commands": bot.re_commands}
        self._tables = {
            table: {name: one for name, one in held.items() if one.__self__ is not own}
            for table, held in tables.items()
        }
        self._filters = [] if bot is None else list(bot.command_filters)
        self._names = [_Names(shown, owner, dict(vars(owner))) for shown, owner in _namespaces()]
        if bot is not None:
            self._names.append(_Names("the bot", bot, dict(vars(bot))))
        self._functions = list(self._all_functions())

    def _all_functions(self) -> Iterator[Function]:
        seen: set[int] = set()
        for names in self._names:
            for name, value in names.held.items():
                yield from functions(f"{names.shown}.{name}", value, seen)
        for held in self._tables.values():
            for name, command in held.items():
                yield from functions(f"the command {name}", command, seen)

    def changed(self) -> list[str]:
        """Name what is not as it was; a command that came without the gate is such too."""
        found = [shown for shown, *_ in self._changes()]
        for table, before in self._tables.items():
            now = getattr(self._bot, table)
            found += [f"the command {name}" for name, one in before.items() if now.get(name) is not one]
            found += [f"the command {name}" for name in self._past_the_gate(table)]
        found += ["a filter of commands" for one in self._filters if one not in self._bot.command_filters]
        return sorted(dict.fromkeys(found))

    def _changes(self) -> Iterator[tuple[str, Any, str, Any]]:
        for names in self._names:
            yield from names.changes()
        for function in self._functions:
            yield from function.changes()

    def _past_the_gate(self, table: str) -> list[str]:
        now = getattr(self._bot, table)
        return [name for name in now.keys() - self._tables[table].keys() if not _is_guarded(name, now[name])]

    def put_back(self) -> None:
        """Make all as it was; what the plugin brought itself is taken away by whoever loaded it."""
        for _, owner, name, value in list(self._changes()):
            if value is _NOTHING:
                delattr(owner, name)
            else:
                setattr(owner, name, value)
        for table, before in self._tables.items():
            now = getattr(self._bot, table)
            for name in self._past_the_gate(table):
                del now[name]
            now.update(before)
        if self._bot is not None:
            self._bot.command_filters[:] = list(dict.fromkeys([*self._filters, *self._bot.command_filters]))


@contextmanager
def untouched(bot: Any = None, own: Any = None) -> Iterator[None]:
    """Let a plugin be loaded; what it changed of others is put back, and it is refused."""
    before = _Before(bot, own)
    try:
        yield
    finally:
        if found := before.changed():
            before.put_back()
    if found:
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        shown = f"{', '.join(found[:_MOST_NAMED])}{more}"
        raise BadRepository(f"It changed what is not its own while it was loaded: {shown}. That is put back.")


def _is_guarded(name: str, command: Any) -> bool:
    """Whether the gate stands before it, under this name: only the guard's own functions are of that file."""
    function = getattr(command, "__func__", None)
    return bool(function and Path(function.__code__.co_filename) == _GUARD and function._err_command_name == name)


def _namespaces() -> Iterator[tuple[str, Any]]:
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] not in _CODE or name.startswith(_PLUGINS) or module is None:
            continue
        yield name, module
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__module__ == name and name != "builtins":
                yield f"{name}.{value.__name__}", value


def functions(shown: str, value: Any, seen: set[int], depth: int = 0) -> Iterator[Function]:
    """Yield the function that a value is or wraps, once, and those inside."""
    function = value.__func__ if isinstance(value, _BOUND) else value.fget if isinstance(value, property) else value
    if type(function) is not types.FunctionType or id(function) in seen or depth > _DEEPEST:
        return
    seen.add(id(function))
    found = Function(shown, function)
    yield found
    for _, content in found.cells:
        yield from functions(shown, content, seen, depth + 1)


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty
        return _NOTHING
