"""The files of one Ansible run: limit, variables, inventory, and the playbook of a verb."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from automation_bots.drivers import Task
from automation_bots.model import Command, Risk
from automation_bots.operations.playbooks import Playbook

NOWHERE = "localhost"  # where a playbook without devices runs
HERE = (NOWHERE, "127.0.0.1", "::1")  # the names that Ansible itself takes for this machine


@dataclass(frozen=True, slots=True)
class Files:
    """What ansible-playbook is told to read."""

    playbook: Path
    cwd: Path
    limit: Path
    allowed: Path
    approved: Path
    variables: Path
    inventory: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A verb's commands: which one for which device, and the devices that have none."""

    commands: tuple[Command, ...]
    of: Mapping[str, int]
    without: Mapping[str, str]  # device: its platform


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


_Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


def untrusted(variables: Mapping[str, Any]) -> str:
    """Write variables whose texts Ansible keeps as they are.

    It trusts what `-e @file` holds and would run `{{ lookup('pipe', …) }}` in it. `!unsafe` is its word for "text", but
    on a single text it also makes `"007"` a number and `"null"` nothing; on the whole mapping it does not.
    """
    return "!unsafe " + yaml.dump(_plain(variables), Dumper=_Dumper, default_flow_style=True, width=10**9)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple | set | frozenset) else value


def plan(task: Task) -> Plan:
    """Ask the verb for each device's command."""
    by_platform: dict[str, Command | None] = {}
    commands: dict[Command, int] = {}
    of, without = {}, {}
    for device in task.devices:
        if device.platform not in by_platform:
            by_platform[device.platform] = task.operation.body.command(device.platform, task.parameters)
        command = by_platform[device.platform]
        if command is None:
            without[device.name] = device.platform
        else:
            of[device.name] = commands.setdefault(command, len(commands))
    return Plan(tuple(commands), of, without)


def for_playbook(task: Task, playbook: Playbook, folder: Path) -> Files:
    """Write the files to run a playbook as it is."""
    names = tuple(device.name for device in task.devices) or (NOWHERE,)
    variables = {name: value for name, value in task.parameters.items() if value is not None}
    variables |= dict.fromkeys(playbook.device_variables, ",".join(names))
    return _written(task, folder, names, variables, playbook.path, playbook.home)


def for_verb(task: Task, verb: Plan, folder: Path) -> Files:
    """Write the files to run each device's own command."""
    variables = {
        "automation_bots_argv": [list(command.argv) for command in verb.commands],
        "automation_bots_become": [command.become for command in verb.commands],
        "automation_bots_of": dict(verb.of),
    }
    playbook = folder / "verb.yml"
    changes = task.operation.risk_of(task.parameters) is Risk.CHANGE
    _write(playbook, json.dumps(_one_command(changes=changes), indent=1))
    return _written(task, folder, tuple(verb.of), variables, playbook, folder)


def _one_command(*, changes: bool) -> list[dict[str, Any]]:
    index = "automation_bots_of[inventory_hostname]"
    task = {
        "name": "run",
        "ansible.builtin.command": {
            "argv": f"{{{{ automation_bots_argv[{index}] }}}}",
            "expand_argument_vars": False,  # else $HOME, typed in the chat, becomes the value on the device
        },
        "become": f"{{{{ automation_bots_become[{index}] }}}}",
        "changed_when": changes,
    }
    if not changes:
        task["check_mode"] = False  # only looks: a preview may run it
    return [{"hosts": "all", "gather_facts": False, "tasks": [task]}]


def _written(
    task: Task, folder: Path, names: tuple[str, ...], variables: Mapping[str, Any], playbook: Path, home: Path
) -> Files:
    files = Files(
        playbook=playbook,
        cwd=home,  # where its own ansible.cfg, if it has one, is found
        limit=folder / "limit",
        allowed=folder / "devices.json",
        approved=folder / "files.json",
        variables=folder / "variables.yml",
        inventory=(*_inventory(task, folder), *(str(path) for path in task.inventory), *_opened(task, folder)),
    )
    _write(files.limit, "".join(f"{_pattern(name)}\n" for name in names))
    _write(files.allowed, json.dumps(names))
    wanted = {str(path.resolve()): content for path, content in task.covered.files.items()}
    _write(files.approved, json.dumps({"wanted": wanted, "places": list(map(str, task.covered.places))}))
    _write(files.variables, untrusted(variables))
    return files


def _inventory(task: Task, folder: Path) -> tuple[str, ...]:
    """Write what the inventory files do not say: this machine, or the devices where there are no files."""
    hosts: dict[str, Any] = {}
    if not task.devices:
        # With a limit Ansible does not think of localhost by itself.
        hosts[NOWHERE] = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    elif not task.inventory:
        hosts = {device.name: {**device.variables, **task.secrets(device.name)} for device in task.devices}
    if not hosts:
        return ()
    path = folder / "inventory.json"
    _write(path, json.dumps({"all": {"hosts": hosts}}, default=list))
    return (str(path),)


def _opened(task: Task, folder: Path) -> tuple[str, ...]:
    """Write what the inventory files have only as a reference to a secret, read after them and so instead of it."""
    found = {device.name: opened for device in task.devices if (opened := task.opened(device.name))}
    if not found or not task.inventory:
        return ()
    place = folder / "opened"
    (place / "host_vars").mkdir(parents=True)
    _write(place / "hosts.json", json.dumps({"all": {"hosts": {name: {} for name in found}}}))
    for name, variables in found.items():
        _write(place / "host_vars" / f"{name}.yml", untrusted(variables))
    return (str(place / "hosts.json"),)


def _pattern(name: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", name):
        return name
    # Anything else may be a wildcard, a range or a separator to Ansible; a regular expression of escapes is none of it.
    escaped = "".join(c if c.isalnum() else f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}" for c in name)
    return f"~^{escaped}$"


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8", errors="replace")
