"""Who logs in where over SSH, and which host keys are trusted: shared by everything that speaks SSH."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from automation_bots.drivers.known_hosts import HostKey, KnownHosts, trust
from automation_bots.errors import DriverError
from automation_bots.model import Device, Status

if TYPE_CHECKING:
    from types import ModuleType

__all__ = ["Access", "HostKey", "KnownHosts", "NoSession", "OfferedKey", "access_to", "offered_keys", "trust"]


class NoSession(DriverError):
    """A device could not be reached or logged in to; the text and status are its outcome."""

    def __init__(self, text: str, status: Status = Status.UNREACHABLE) -> None:
        self.status = status
        super().__init__(text)


class OfferedKey(NamedTuple):
    """One host key that a device shows, for a person to compare."""

    type: str
    fingerprint: str
    line: str


@dataclass(frozen=True, slots=True)
class Access:
    """Where a device listens and how to log in; the secrets in it stay out of its printed form."""

    device: str
    host: str
    port: int
    user: str
    key_file: Path | None = None
    become_user: str = "root"
    become_method: str = "sudo"
    password: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    become_password: str = field(default="", repr=False)

    @property
    def where(self) -> str:
        """Host and port, as people write them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def access_to(device: Device, secrets: Mapping[str, str]) -> Access:
    """Read Ansible's connection variables of a device."""
    known: dict[str, Any] = {**device.variables, **secrets}

    def first(*names: str, default: str = "") -> str:
        return next((str(known[name]) for name in names if known.get(name) not in (None, "")), default)

    key_file = first("ansible_ssh_private_key_file", "ansible_private_key_file")
    return Access(
        device=device.name,
        host=first("ansible_host", "ansible_ssh_host", default=device.name),
        port=_port(device.name, first("ansible_port", "ansible_ssh_port", default="22")),
        user=first("ansible_user", "ansible_ssh_user") or getpass.getuser(),
        key_file=Path(key_file).expanduser() if key_file else None,
        become_user=first("ansible_become_user", default="root"),
        become_method=first("ansible_become_method", default="sudo"),
        password=first("ansible_password", "ansible_ssh_password", "ansible_ssh_pass"),
        passphrase=first("ansible_ssh_private_key_passphrase", "ansible_private_key_passphrase"),
        become_password=first("ansible_become_password", "ansible_become_pass"),
    )


def _port(device: str, text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise DriverError(f"ansible_port of {device} must be a port number, got {text!r}")
    return int(text)


def load_session() -> ModuleType:
    """Import what needs paramiko, only when a device is to be reached."""
    try:
        from automation_bots.drivers import ssh_session
    except ImportError as error:
        raise DriverError(f"SSH needs the Python package {error.name}: pip install paramiko") from error
    return ssh_session


def offered_keys(host: str, port: int, timeout: float = 10) -> list[OfferedKey]:
    """Ask a device for its host keys, one per type; nothing is trusted by that."""
    keys: list[HostKey] = load_session().offered(host, port, timeout)
    return [OfferedKey(key.type, key.fingerprint, key.line(host, port)) for key in keys]
