"""Which playbooks have Ansible look every device over first (gather facts), and then use nothing of what it found.

Read from the files without running anything: where a file cannot be read or found, or a name is made by a template,
nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from automation_bots.errors import DefinitionError
from automation_bots.operations import playbook_files
from automation_bots.operations.delegation import role_folders, walked
from automation_bots.operations.playbooks import Playbook

_OWN = (
    "host|port|user|password|connection|become\\w*|sudo\\w*|su_\\w+|(ssh|scp|sftp|winrm|psrp|httpapi|netconf|paramiko|"
    "persistent|libssh|network_cli|shell|python|pipelining|private|host_key|remote|async|command|control_path|winrm)"
    "\\w*|timeout|network_os|module_compression|check_mode|diff_mode|play\\w*|forks|limit|loop\\w*|index_var|"
    "inventory_\\w+|run_tags|skip_tags|search_path|version|verbosity|config_file|collection_name|role_names?|"
    "parent_role\\w*|dependent_role_names|callback\\w*|facts_modules|gather\\w*|failed_\\w+|job_id|managed"
)
_FACT = re.compile(rf"\bansible_(?!(?:{_OWN})\b)\w+|\bhostvars\b|\b(?:setup|facts|\w+_facts)\s*:", re.IGNORECASE)
_GATHER = re.compile(r"\bgather_facts\s*:\s*[\w'\"]+")
_TEXTS = {".yml", ".yaml", ".j2", ".json", ".cfg", ".conf", ".tmpl", ".txt", ""}
_LONGEST = 1_000_000


def gathered_for_nothing(playbook: Playbook, inventory: Iterable[Path], given: Mapping[str, str]) -> bool:
    """Whether a play of it gathers facts, and no file of it or of the inventory, as far as can be told, uses one."""
    try:
        files = playbook_files.covered(playbook.path, playbook.home, playbook.above[1:]).files
        if not any(_gathers(play) for play in _plays(playbook)) or _is_set_elsewhere(files, given):
            return False
        beside = (path for place in inventory for path in ([place] if place.is_file() else place.rglob("*")))
        every = {path for path in (*files, *beside) if path.is_file()}
        return _is_whole(playbook) and not any(_uses_facts(path, path.stat().st_mtime_ns) for path in every)
    except (OSError, UnicodeDecodeError, DefinitionError):
        return False


def _plays(playbook: Playbook) -> Iterator[Mapping[str, Any]]:
    for path, _ in walked(playbook.path):
        value = playbook_files.read_yaml(path).value
        yield from (item for item in (value if isinstance(value, list) else ()) if _is_play(item))


def _is_play(item: object) -> bool:
    return isinstance(item, Mapping) and "hosts" in item


def _gathers(play: Mapping[str, Any]) -> bool:
    """By its own word, or because it says nothing of it."""
    return play.get("gather_facts", True) is True


def _is_set_elsewhere(files: Mapping[Path, str], given: Mapping[str, str]) -> bool:
    cfg = [path for path in files if path.name == "ansible.cfg"]
    return "ANSIBLE_GATHERING" in given or any("gathering" in path.read_text() for path in cfg)


def _is_whole(playbook: Playbook) -> bool:
    """Whether every file and role that it names was found, so that nothing unseen can use a fact."""
    for path, read in walked(playbook.path):
        if not all((*read.files, *read.roles)):  # a name that a template makes is empty
            return False
        if any(
            not any(folder.is_dir() for folder in role_folders((role,), path, playbook.path)) for role in read.roles
        ):
            return False
    return True


@lru_cache(maxsize=5000)
def _uses_facts(path: Path, _changed: int) -> bool:
    if path.suffix not in _TEXTS or path.stat().st_size > _LONGEST:
        return path.suffix in _TEXTS
    return _FACT.search(_GATHER.sub("", path.read_text(encoding="utf-8"))) is not None
