"""The child process that reads an inventory with Ansible's own loader and prints it: `python -m` this module.

The bot itself never imports Ansible, which would double its memory and its start. Printed are JSON lines: first what is
true of the whole inventory, then one line per host. Secrets are printed by name only, except with `--secrets`, which
reads `{host: [names]}` from stdin and prints their values: to a pipe, never to arguments, environment or files.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleError
from ansible.inventory.helpers import sort_groups
from ansible.plugins.loader import vars_loader
from ansible.template import Templar
from ansible.utils.vars import combine_vars
from ansible.vars import plugins as vars_plugins
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from automation_bots.inventory.secret_variables import SECRET_NAME, Layer, Variables, layer, leaves
from automation_bots.inventory.strict_sources import Broken, Loader, broken, is_about_vault, is_dynamic, read

_LOOK_SECONDS = 1.0
# what the bot itself reads: a template in one of these is resolved here, since the bot cannot
READ_BY_THE_BOT = (
    "ansible_host",
    "ansible_port",
    "ansible_connection",
    "ansible_network_os",
    "platform",
    "driver",
    "site",
)
# the same, except that what these cannot be resolved to without a secret is a secret
CREDENTIALS = ("ansible_user", "ansible_ssh_user", "ansible_ssh_private_key_file")
PRECEDENCE = ("all_inventory", "groups_inventory", "all_plugins_inventory", "groups_plugins_inventory")


class Reader:
    """One inventory as Ansible read it. Variables are kept by origin: the inventory, then each vars plugin."""

    def __init__(self, loader: Loader, inventory: Any, sources: list[str]) -> None:
        self._loader = loader
        self._inventory = inventory
        self._sources = sources
        self._places = list(self._vars_places())
        # community.sops.sops and its like decrypt on their own, so that all they say is secret
        self._hidden = [False, *("sops" in str(plugin.ansible_name) for _folder, plugin in self._places)]
        self._groups = {name: self._origins(group, group.vars) for name, group in inventory.groups.items()}
        self._order = [group.name for group in sort_groups(inventory.groups.values()) if group.name != "all"]
        self._precedence = [entry for entry in constants.VARIABLE_PRECEDENCE if entry in PRECEDENCE]
        self._templated = {name for name, found in self._groups.items() if _has_template(found)}
        self._templar = Templar(loader)

    def lines(self) -> Iterator[Any]:
        """Yield what is true of the whole inventory, then each host."""
        yield self._head()
        for host in self._inventory.hosts.values():
            yield self._host(host)

    def _head(self) -> Variables:
        index = {name: number for number, name in enumerate(self._inventory.hosts)}
        sources = (Path(path) for path in self._inventory._inventory.processed_sources if path)  # noqa: SLF001 - no getter
        return {
            "hosts": list(index),
            "groups": {name: [index[h] for h in _members(group)] for name, group in self._inventory.groups.items()},
            "layers": [
                {name: layer(found[number], all_secret=hidden) for name, found in self._groups.items() if found[number]}
                for number, hidden in enumerate(self._hidden)
            ],
            "precedence": self._precedence,
            "merge": constants.DEFAULT_HASH_BEHAVIOUR == "merge",
            "dynamic": any(is_dynamic(path) for path in sources),
            "locked": sorted(self._loader.locked),
        }

    def _host(self, host: Any) -> tuple[list[str], list[Layer]]:
        own = self._origins(host, host.vars)
        layers = [layer(found, all_secret=hide) for found, hide in zip(own, self._hidden, strict=True) if found]
        member = {group.name for group in host.get_groups()}
        groups = [name for name in self._order if name in member]
        if not self._templated.isdisjoint(member) or _has_template(own):
            visible = [found for found, hide in zip(own, self._hidden, strict=True) if not hide]
            layers.append(self._resolved(host, [*self._inherited(groups), *visible]))
        return groups, layers

    def _vars_places(self) -> Iterator[tuple[str, Any]]:
        """Yield (folder, vars plugin) in the order in which Ansible lets them override each other."""
        folders = [path if Path(path).is_dir() else str(Path(path).parent) for path in self._sources]
        vars_plugins.get_vars_from_path(self._loader, folders[-1], [], "all")  # makes Ansible find its vars plugins
        for number, folder in enumerate(folders):
            if folder in folders[number + 1 :]:
                continue  # what is said again later holds from there
            for name in vars_loader._plugin_instance_cache:  # noqa: SLF001 - Ansible itself has no other list
                plugin = vars_loader.get(name)
                if plugin is not None and vars_plugins._plugin_should_run(plugin, "all"):  # noqa: SLF001 - the same
                    yield folder, plugin

    def _origins(self, entity: Any, variables: Variables) -> list[Variables]:
        try:
            found = [vars_plugins.get_plugin_vars(self._loader, plugin, at, [entity]) for at, plugin in self._places]
        except AnsibleError as error:
            raise broken(self._sources[0], error) from error
        return [variables, *found]

    def _inherited(self, groups: list[str]) -> Iterator[Variables]:
        for entry in self._precedence:
            names = ["all"] if entry.startswith("all") else groups
            origins = range(1, len(self._hidden)) if "plugins" in entry else range(1)
            yield from (self._groups[name][at] for at in origins if not self._hidden[at] for name in names)

    def _resolved(self, host: Any, found: list[Variables]) -> Layer:
        merged: Variables = {}
        for part in found:
            merged = combine_vars(merged, part)
        visible = {name: merged[name] for name in layer(merged)[0]}
        places = {name: host.vars.get(name) for name in ("inventory_dir", "inventory_file")}
        self._templar.available_variables = {**visible, **places, **host.get_magic_vars()}
        shown: Variables = {}
        secrets: list[str] = []
        for name in (*READ_BY_THE_BOT, *CREDENTIALS):
            if not _is_template(merged.get(name)):
                continue
            try:
                shown[name] = self._resolve(name, merged[name])
            except (AnsibleError, LookupError):
                if name in CREDENTIALS:
                    secrets.append(name)
        return layer(shown)[0], secrets

    def _resolve(self, name: str, template: str) -> Any:
        # a lookup for a credential asks a password store, which is for the last moment
        if name in CREDENTIALS and ("lookup(" in template or "query(" in template):
            raise LookupError(name)
        return self._templar.template(template)


def secrets(loader: Loader, inventory: Any, wanted: dict[str, list[str]]) -> Iterator[Any]:
    """Yield host, {name: value}, texts never to be shown, [(is about Vault, error)] for the names wanted of each."""
    manager = VariableManager(loader=loader, inventory=inventory)
    manager.safe_basedir = False  # otherwise group_vars of the current folder would count too
    HostVars(inventory, manager, loader)  # gives the manager `hostvars`, which templates may use
    for name, names in wanted.items():
        host = inventory.hosts.get(name)
        if host is not None:
            variables = manager.get_vars(host=host, stage="all")
            yield name, *_values(Templar(loader, variables), [n for n in names if n in variables])


def _values(templar: Templar, names: list[str]) -> tuple[dict[str, str], list[str], list[tuple[bool, str]]]:
    values: dict[str, str] = {}
    hide: list[str] = []
    errors: list[tuple[bool, str]] = []
    for name in names:
        try:
            value = templar.template(templar.available_variables[name])
        except AnsibleError as error:
            # only what Ansible itself connects with must resolve; other variables may belong to some playbook
            if is_about_vault(error) or name.startswith("ansible_"):
                errors.append((is_about_vault(error), f"{name}: {error}"))
            continue
        values[name] = value if isinstance(value, str) else json.dumps(value, default=str)
        hide.extend(leaves(value, secret=isinstance(value, str) or SECRET_NAME.search(name) is not None))
    return values, hide, errors


def _members(group: Any) -> list[str]:
    """Return the hosts of a group and of all below it, breadth first.

    Ansible walks below the first level in the order of a set, so that `web[0]` could change with every start.
    """
    groups = {group.name: group}
    waiting = [group]
    for above in waiting:
        fresh = [child for child in above.child_groups if groups.setdefault(child.name, child) is child]
        waiting.extend(child for child in fresh if child not in waiting)
    return list(dict.fromkeys(host.name for each in waiting for host in each.hosts))


def _has_template(found: list[Variables]) -> bool:
    return any(_is_template(part.get(name)) for part in found for name in (*READ_BY_THE_BOT, *CREDENTIALS))


def _is_template(value: Any) -> bool:
    return isinstance(value, str) and ("{{" in value or "{%" in value)


def _end_with_the_bot(bot: int) -> None:
    """End, with the program that it may wait for, when the bot was killed; it leads a session of its own."""
    while os.getppid() == bot:
        time.sleep(_LOOK_SECONDS)
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def main() -> int:
    """Read and print; what is wrong with the inventory is printed as its only line."""
    threading.Thread(target=_end_with_the_bot, args=(os.getppid(),), daemon=True).start()
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--vault-password-file")
    arguments.add_argument("--secrets", action="store_true")
    arguments.add_argument("sources", nargs="+")
    options = arguments.parse_args()
    pipe = os.dup(1)
    os.dup2(2, 1)  # whatever Ansible or a plugin prints must not end up between the lines
    gc.disable()  # short-lived, and its data has few cycles: a quarter faster
    try:
        loader, inventory = read(options.sources, options.vault_password_file)
        if options.secrets:
            lines = list(secrets(loader, inventory, json.load(sys.stdin)))
        else:
            lines = list(Reader(loader, inventory, options.sources).lines())
    except Broken as error:
        lines = [{"error": error.described}]
    with os.fdopen(pipe, "w", encoding="utf-8", errors="surrogateescape") as output:
        output.writelines(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n" for line in lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
