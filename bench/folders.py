"""Folders that the benchmarks run bots from: on the disk that holds the bots' data, gone afterwards."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOSTS = 10_000
SITES, ROLES = 50, ("web", "db", "core", "edge")

HELLO = 'def hello(name: str) -> str:\n    """Say hello.\n\n    Risk: read\n    """\n    return f"Hello {name}"\n'


@contextmanager
def workspace() -> Iterator[Path]:
    """A folder of one's own. Not in /tmp, which may be memory, where a sync to disk costs nothing."""
    data = ROOT / "data"
    data.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=data, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def local_hosts(count: int) -> dict[str, dict[str, str]]:
    """Devices that are this machine."""
    variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
    return {f"local{number}": variables for number in range(count)}


def big_groups(hosts: int = HOSTS) -> dict[str, list[str]]:
    """So many devices by role and site."""
    groups: dict[str, list[str]] = {}
    for number in range(hosts):
        role, site = ROLES[number % len(ROLES)], f"site{number % SITES}"
        name = f"{role}{number}"
        groups.setdefault(role, []).append(name)
        groups.setdefault(site, []).append(name)
    return groups


def big_inventory(count: int = HOSTS) -> str:
    """The same as an inventory file, with a variable or two each."""
    groups = big_groups(count)
    hosts = {
        name: {"ansible_host": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", "rack": f"r{number % 97}"}
        for number, name in enumerate(name for role in ROLES for name in groups[role])
    }
    children = {group: {"hosts": {name: {} for name in names}} for group, names in groups.items()}
    for group, entry in children.items():
        entry["vars"] = {"site": group} if group.startswith("site") else {"role": group}
    return json.dumps({"all": {"hosts": hosts, "children": children, "vars": {"platform": "linux"}}}, indent=1)
