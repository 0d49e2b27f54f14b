"""The host keys that a device offers, for a person to compare; asyncssh is loaded when somebody asks."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from automation_bots.drivers import defaults
from automation_bots.drivers.ssh.access import Access
from automation_bots.drivers.ssh.host_key_check import Trust
from automation_bots.drivers.ssh.known_hosts import HostKey, KnownHosts
from automation_bots.errors import DriverError


class OfferedKey(NamedTuple):
    """One host key that a device shows, for a person to compare."""

    type: str
    fingerprint: str
    line: str


def offered_keys(host: str, port: int, timeout: float = defaults.CONNECT_SECONDS) -> list[OfferedKey]:
    """Ask a device for its host keys, one per type; nothing is trusted by that."""
    keys: list[HostKey] = _keyscan().offered(Access(host, host, port, "none"), timeout)
    return [OfferedKey(key.type, key.fingerprint, key.line(host, port)) for key in keys]


def offered_to(
    access: Access,
    known_hosts: KnownHosts,
    timeout: float = defaults.CONNECT_SECONDS,
    *,
    keys: tuple[Path, ...] = (),
    agent: bool = True,
) -> list[OfferedKey]:
    """Ask as `offered_keys` does, but by the way that leads there: its jump hosts must be trusted already."""
    keyscan = _keyscan()
    found: list[HostKey] = keyscan.offered(access, timeout, Trust(known_hosts), keyscan.Keys(keys, allow_agent=agent))
    return [OfferedKey(key.type, key.fingerprint, key.line(access.host, access.port)) for key in found]


def _keyscan() -> ModuleType:
    try:
        from automation_bots.drivers.ssh import keyscan
    except ImportError as error:
        raise DriverError(f"SSH needs the Python package {error.name}: pip install asyncssh") from error
    return keyscan
