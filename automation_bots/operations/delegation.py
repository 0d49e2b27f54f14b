"""Where the tasks of a playbook work beside its devices: `delegate_to`, `local_action`, `connection: local`.

Read from the files without running anything, so it knows what is written there, and names the templates that it cannot
work out; what Ansible really does is judged again before each task (drivers/ansible/connection_check.py).
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from automation_bots.errors import DefinitionError
from automation_bots.model import Device, one_line
from automation_bots.operations.playbook_files import IMPORT_KEYS, imported, read_yaml

HERE = frozenset({"localhost", "127.0.0.1", "::1"})  # Ansible's own names for the machine it runs on
_BLOCKS = ("pre_tasks", "tasks", "post_tasks", "handlers", "block", "rescue", "always")
_TASK_FILES = ("include_tasks", "import_tasks", "include")
_ROLES = ("include_role", "import_role")
_LOOPS = ("loop", "with_items", "with_list", "with_flattened")
_ACTIONS = ("action", "local_action")
_MANY = 2000  # values of a loop


@dataclass(frozen=True, slots=True)
class Delegation:
    """One task (or play) that works elsewhere."""

    to: str
    file: str
    task: str = ""
    loop: Any = None
    variable: str = "item"
    connection: bool = False  # `connection: local`, where the inventory says no other

    def __str__(self) -> str:
        what = f"{self.task!r} in " if self.task else ""
        return one_line(f"{what}{self.file}", 100)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where a run works beside its own devices, as far as that is known beforehand."""

    devices: tuple[str, ...] = ()
    here: tuple[str, ...] = ()  # tasks and plays for the bot's own machine
    unknown: tuple[str, ...] = ()  # templates that only the run can work out


@dataclass(frozen=True, slots=True)
class Read:
    """What one file says."""

    found: tuple[Delegation, ...] = ()
    modules: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    imports: tuple[Path, ...] = ()


def written(playbook: Path) -> tuple[Delegation, ...]:
    """All that a playbook, what it imports and the roles it uses say."""
    found: list[Delegation] = []  # no keys: the values of a loop may be lists
    for _, read in walked(playbook):
        found += [one for one in read.found if one not in found]
    return tuple(found)


def walked(playbook: Path) -> Iterator[tuple[Path, Read]]:
    """Each file that a playbook, what it imports and its roles consist of, as far as words tell, with what it says."""
    seen: set[Path] = set()
    roles: set[Path] = set()
    waiting = deque([playbook])
    while waiting:
        path = waiting.popleft()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        read = _read(path, path.stat().st_mtime_ns)
        yield path, read
        waiting += [*read.imports, *_task_files(read.files, path, playbook)]
        for folder in role_folders(read.roles, path, playbook):
            if folder not in roles:
                roles.add(folder)
                waiting += _role_files(folder)


@lru_cache(maxsize=2000)
def _read(path: Path, _changed: int) -> Read:
    try:
        value = read_yaml(path).value
    except DefinitionError:
        return Read()  # Ansible says so itself when it comes there
    read = _Reading(path)
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            read.item(item)
    return Read(
        tuple(read.found), tuple(dict.fromkeys(read.modules)), tuple(read.files), tuple(read.roles), tuple(read.imports)
    )


@dataclass(slots=True)
class _Reading:
    path: Path
    found: list[Delegation] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    imports: list[Path] = field(default_factory=list)

    def item(self, item: Mapping[str, Any]) -> None:
        """Read a play, a block or a task."""
        self.found += self._delegations(item)
        self.roles += [name for role in _listed(item.get("roles")) + _listed(item.get("dependencies"))
                       if (name := _name(role, "role", "name"))]  # fmt: skip
        if other := imported(self.path, item) if set(IMPORT_KEYS) & set(item) else None:
            self.imports.append(other)
        for key, value in item.items():
            self.modules += [str(key)] if key not in _ACTIONS else [_name(value, "module").split(" ")[0]]
            short = str(key).rpartition(".")[2]
            if short in _TASK_FILES:
                self.files.append(_name(value, "file", "_raw_params").split(" ")[0])
            elif short in _ROLES:
                self.roles.append(_name(value, "name", "role"))
            elif key in _BLOCKS:
                for inner in _listed(value):
                    if isinstance(inner, Mapping):
                        self.item(inner)

    def _delegations(self, item: Mapping[str, Any]) -> Iterator[Delegation]:
        loop = next((item[key] for key in _LOOPS if key in item), None)
        control = item.get("loop_control")
        variable = str(control.get("loop_var", "item")) if isinstance(control, Mapping) else "item"
        base = Delegation("", self.path.name, one_line(str(item.get("name") or ""), 60), loop, variable)
        if to := item.get("delegate_to"):
            yield replace(base, to=str(to))
        elif "local_action" in item:
            yield replace(base, to="localhost")
        elif str(item.get("connection", "")).rpartition(".")[2] == "local":
            yield replace(base, to="localhost", connection=True)
        if str(item.get("hosts", "")) in HERE:
            yield replace(base, to="localhost")


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else []


def _name(value: Any, *keys: str) -> str:
    """A name that is written short, as text, or long, under a key; a template is none."""
    if isinstance(value, Mapping):
        value = next((value[key] for key in keys if key in value), "")
    text = str(value or "")
    return "" if "{{" in text else text


def _task_files(names: Iterable[str], path: Path, playbook: Path) -> Iterator[Path]:
    for name in filter(None, names):
        for folder in (path.parent, path.parent.parent / "tasks", playbook.parent, playbook.parent / "tasks"):
            yield Path(os.path.normpath(folder / name))


def role_folders(names: Iterable[str], path: Path, playbook: Path) -> Iterator[Path]:
    """Where roles that a file names may lie."""
    folders = [path.parent / "roles", playbook.parent / "roles", *(up / "roles" for up in playbook.parents[1:3])]
    folders += [path.parents[2]] if len(path.parents) > 2 else []  # a role beside the one that names it
    yield from (folder / name for name in filter(None, names) for folder in dict.fromkeys(folders))


def _role_files(folder: Path) -> Iterator[Path]:
    for part in ("tasks", "handlers", "meta"):
        yield from sorted((folder / part).glob("*.y*ml"))


class _Here(StrictUndefined):
    """A variable that only the run knows."""


_TEMPLATES = SandboxedEnvironment(undefined=_Here)


def resolved(
    found: Iterable[Delegation], values: Mapping[str, Any], devices: Iterable[Device], groups: Mapping[str, Any]
) -> Elsewhere:
    """Work out where these lead for the values and devices of one request; `groups` are the inventory's."""
    every = list(devices) or [Device("localhost")]
    names: dict[str, None] = {}
    here: dict[str, None] = {}
    unknown: dict[str, None] = {}
    for one in found:
        if one.connection and devices and all("ansible_connection" in device.variables for device in every):
            continue  # the inventory's word counts more than the playbook's
        told = _targets(one, values, every, groups)
        if told is None:
            unknown[one.to] = None
        elif not HERE.isdisjoint(told):
            here[str(one)] = None
        names |= dict.fromkeys(name for name in told or () if name not in HERE)
    own = {device.name for device in every}
    return Elsewhere(tuple(name for name in names if name not in own), tuple(here), tuple(unknown))


def _targets(
    one: Delegation, values: Mapping[str, Any], devices: list[Device], groups: Mapping[str, Any]
) -> list[str] | None:
    if "{{" not in one.to:
        return [one.to]
    found: dict[str, None] = {}
    for device in devices:
        known = {**device.variables, **values, "groups": groups, "inventory_hostname": device.name}
        try:
            found |= dict.fromkeys(_for_device(one, known))
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError):
            return None
        if one.loop is not None and "inventory_hostname" not in str(one.loop) and len(devices) > _MANY:
            break
    return list(found)


def _for_device(one: Delegation, known: Mapping[str, Any]) -> Iterator[str]:
    if one.loop is None:
        yield _text(one.to, known)
        return
    items = _value(one.loop, known) if isinstance(one.loop, str) else one.loop
    for item in list(items)[:_MANY]:
        plain = _value(item, known) if isinstance(item, str) and "{{" in item else item
        for value in plain if isinstance(plain, list | tuple) else (plain,):  # `with_items` takes lists of lists
            yield _text(one.to, {**known, one.variable: value})


def _text(template: str, known: Mapping[str, Any]) -> str:
    text = _TEMPLATES.from_string(template).render(known)
    if not text or "{{" in text:
        raise ValueError(template)
    return text


def _value(template: str, known: Mapping[str, Any]) -> Any:
    expression = template.strip().removeprefix("{{").removesuffix("}}")
    return _TEMPLATES.compile_expression(expression, undefined_to_none=False)(**known)
