"""Knows what Errbot's tables of commands and the gate are made of, so that what a plugin changes later is put back.

Not a wall: a plugin runs in the bot's own process. It finds what has stayed changed, before a command and now and then.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from errbot.core import ErrBot
from errbot.plugin_info import PluginInfo
from errbot.plugin_manager import BotPluginManager

from automation_bots.threads.loop import Loop
from backends.plugins.untouched import Function, functions

_SECONDS = 5.0  # between two looks at everything; the tables are looked at before each message
TABLES = ("commands", "re_commands")
# Code that decides: what it is made of stays as it is as long as the program runs.
_JUDGES = (
    "automation_bots.approvals",
    "automation_bots.jobs",
    "automation_bots.pipeline",
    "automation_bots.policy",
    "backends.adapter",
    "backends.plugins",
)
_NOTHING = object()


class Ledger:
    """One bot's commands as they were registered, and the code in front of them."""

    def __init__(self, bot: Any, tell: Callable[[list[str]], None]) -> None:
        self._bot, self._tell = bot, tell
        self._known: dict[str, dict[str, Any]] = {table: {} for table in TABLES}
        self._made_of: dict[int, tuple[Any, list[Function]]] = {}  # the functions of each command, by its id
        self._gate: list[tuple[str, Any, str, Any]] = []  # shown, owner, name, value
        self._code: list[Function] = []
        self._held: list[tuple[Any, frozenset[str]]] = []  # the bot and its classes, and the names in them
        self._loop: Loop | None = None
        self._over = False
        self._hideable: frozenset[str] = frozenset()

    def seal(self) -> None:
        """Take the gate for what it is now, the first time: before any plugin has been activated."""
        if self._gate:
            return
        seen: set[int] = set()
        self._held = [(one, frozenset(vars(one))) for one in (self._bot, *type(self._bot).__mro__[:-1])]
        self._gate = list(_gate(type(self._bot)))
        self._hideable = frozenset(n for _, owner, n, _ in self._gate if owner in type(self._bot).__mro__)
        self._code = [one for shown, _, _, value in self._gate for one in functions(shown, value, seen)]

    def start(self) -> None:
        """Look through everything now and then, from the first time on."""
        if self._loop is None and not self._over:
            self._loop = Loop("changes", self._turn, _SECONDS)
            self._loop.start()

    def stop(self) -> None:
        """End that, or never begin: a bot may be stopped before it is quite there."""
        self._over = True
        if self._loop is not None:
            self._loop.stop(1.0)

    def _turn(self) -> float:
        self.look_through()
        return _SECONDS

    @contextmanager
    def writing(self, plugin: Any) -> Iterator[None]:
        """Let commands of a plugin be written; all others stay as they are."""
        with self._bot._gbl:
            self.look()
            yield
            for table, known in self._known.items():
                now = getattr(self._bot, table)
                kept = {name: one for name, one in now.items() if known.get(name) is one or one.__self__ is plugin}
                self._known[table] = kept
            self._remember()

    def _remember(self) -> None:
        """Know what the commands of now are made of."""
        commands = [(name, one) for known in self._known.values() for name, one in known.items()]
        for name, one in commands:
            if id(one) not in self._made_of:
                self._made_of[id(one)] = (one, list(functions(f"the command {name}", one, set())))
        here = {id(one) for _, one in commands}
        self._made_of = {key: value for key, value in self._made_of.items() if key in here}

    def look(self) -> set[str]:
        """Put back what stands in the tables, tell, and name what was replaced: cheap, for every message."""
        with self._bot._gbl:
            changed = self._tables_put_back()
        if changed:
            self._tell([f"the command {name}{by}" for name, by in changed])
        return {name for name, by in changed if by}  # whoever only took one away has not taken it over

    def is_rewritten(self, command: str) -> bool:
        """Whether a command was made of something else meanwhile; then it is put back."""
        with self._bot._gbl:
            mine = [known[command] for known in self._known.values() if command in known]
            found = put_back(one for command in mine for one in self._made_of[id(command)][1])
        if found:
            self._tell(found)
        return bool(found)

    def look_through(self) -> None:
        """The same for everything that is known."""
        with self._bot._gbl:
            found = [f"the command {name}{by}" for name, by in self._tables_put_back()]
            found += put_back(one for _, made_of in self._made_of.values() for one in made_of)
            found += self._gate_put_back() + put_back(self._code)
        if found:
            self._tell(found)

    def _tables_put_back(self) -> list[tuple[str, str]]:
        changed = []
        for table, known in self._known.items():
            now = getattr(self._bot, table)
            if now.keys() == known.keys() and all(now[name] is one for name, one in known.items()):
                continue
            changed += [(name, _author(now.get(name))) for name, one in known.items() if now.get(name) is not one]
            changed += [(name, _author(now[name])) for name in now.keys() - known.keys()]
            now.clear()
            now.update(known)
        return changed

    def _gate_put_back(self) -> list[str]:
        found = []
        for shown, owner, name, value in self._gate:
            if vars(owner).get(name, _NOTHING) is not value:
                setattr(owner, name, value)
                found.append(shown)
        return found + self._hiding_put_back()

    def _hiding_put_back(self) -> list[str]:
        """Take away what came before a function of the gate, in the bot itself or in a class of it."""
        found = []
        for owner, before in self._held:
            for name in (self._hideable & vars(owner).keys()) - before:
                delattr(owner, name)
                found.append(f"the bot's {name}")
        return found


def put_back(made_of: Iterable[Function]) -> list[str]:
    """Give functions back what they were made of; name those that were changed."""
    found = []
    for one in made_of:
        for shown, owner, name, value in list(one.changes()):
            setattr(owner, name, value)
            found.append(shown)
    return found


def _gate(backend: type) -> Iterator[tuple[str, Any, str, Any]]:
    """Every function that stands between a message and what it does: of the backend, and of the parts that decide."""
    errbots, ours = {ErrBot, PluginInfo, BotPluginManager}, {"automation_bots", "backends"}
    for cls in {*backend.__mro__, *errbots}:
        if cls in errbots or cls.__module__.partition(".")[0] in ours:
            yield from _methods(cls, f"{cls.__module__}.{cls.__name__}")
    for name, module in list(sys.modules.items()):
        if name.startswith(_JUDGES) and module is not None:
            for key, value in list(vars(module).items()):
                if inspect.isfunction(value):
                    yield f"{name}.{key}", module, key, value
                elif isinstance(value, type) and value.__module__ == name:
                    yield from _methods(value, f"{name}.{key}")


def _methods(cls: type, shown: str) -> Iterator[tuple[str, Any, str, Any]]:
    kinds = (staticmethod, classmethod, property)
    for name, value in list(vars(cls).items()):
        if (inspect.isfunction(value) or isinstance(value, kinds)) and not name.startswith("__"):
            yield f"{shown}.{name}", cls, name, value


def _author(command: Any) -> str:
    """Whose code it is, for who looks for it."""
    function = inspect.unwrap(getattr(command, "__func__", command)) if callable(command) else None
    code = getattr(function, "__code__", None)
    return f" (by {code.co_filename})" if code is not None else ""
