"""How a Windows device is logged in to: Ansible's variables read, and what would be unsafe refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automation_bots.errors import DriverError
from automation_bots.model import Device

_TRANSPORTS = ("ntlm", "kerberos", "basic", "certificate", "credssp")
_AS_ANSIBLE = {"plaintext": "basic", "ssl": "basic", "negotiate": "ntlm"}  # other names of the same
_VALIDATION = ("validate", "ignore")


@dataclass(frozen=True, slots=True)
class WinAccess:
    """Where WinRM listens and how to log in; the secrets in it stay out of its printed form."""

    device: str
    host: str
    port: int
    scheme: str
    transport: str
    user: str
    path: str = "wsman"
    validation: str = "validate"
    ca: str = ""
    cert: str = ""
    key: str = ""
    realm_host: str = ""  # the name that Kerberos asks a ticket for
    delegation: bool = False
    executable: str = "powershell.exe"
    password: str = field(default="", repr=False)

    @property
    def where(self) -> str:
        """Host and port, as people write them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"{self.scheme}://{self.where}/{self.path}"


def over_ssh(device: Device) -> bool:
    """Whether the inventory says PowerShell over SSH."""
    return str(device.variables.get("ansible_connection", "")) in {"ssh", "paramiko", "smart"}


def executable_of(device: Device) -> str:
    """Which PowerShell to start there."""
    name = str(device.variables.get("powershell_executable") or "powershell.exe")
    if not all(c.isalnum() or c in "._-/\\:" for c in name):
        raise DriverError(f"powershell_executable of {device.name} must be a path without blanks, got {name!r}")
    return name


def access_to(device: Device, secrets: Mapping[str, str], ca: Path | None) -> WinAccess:
    """Read the connection variables of a device; a DriverError says which of them cannot be used."""
    known = {**device.variables, **secrets}

    def first(*names: str, default: str = "") -> str:
        return next((str(known[name]) for name in names if known.get(name) not in (None, "")), default)

    port = _port(device.name, first("ansible_port", "ansible_winrm_port", default=""))
    scheme = first("ansible_winrm_scheme", default="http" if port == 5985 else "https")
    access = WinAccess(
        device=device.name,
        host=first("ansible_host", "ansible_winrm_host", default=device.name),
        port=port or (5985 if scheme == "http" else 5986),
        scheme=scheme,
        transport=_transport(device.name, known.get("ansible_winrm_transport"), first("ansible_user")),
        user=first("ansible_user", "ansible_winrm_user"),
        path=first("ansible_winrm_path", default="wsman").strip("/"),
        validation=first("ansible_winrm_server_cert_validation", default="validate"),
        ca=first("ansible_winrm_ca_trust_path", default=str(ca) if ca else ""),
        cert=first("ansible_winrm_cert_pem"),
        key=first("ansible_winrm_cert_key_pem"),
        realm_host=first("ansible_winrm_kerberos_hostname_override"),
        delegation=first("ansible_winrm_kerberos_delegation", default="no").lower() in {"yes", "true", "1"},
        executable=executable_of(device),
        password=first("ansible_password", "ansible_winrm_password", "ansible_winrm_pass"),
    )
    _refuse_unsafe(access, first("ansible_winrm_message_encryption", default="auto"))
    return access


def _port(device: str, text: str) -> int:
    if text and (not text.isdecimal() or not 0 < int(text) < 65536):
        raise DriverError(f"ansible_port of {device} must be a port number, got {text!r}")
    return int(text) if text else 0


def _transport(device: str, wanted: Any, user: str) -> str:
    """The first one that the inventory names; without, what the form of the user says."""
    if not wanted:
        return "kerberos" if "@" in user else "ntlm"
    name = str(wanted[0] if isinstance(wanted, list | tuple) else wanted).split(",")[0].strip().lower()
    name = _AS_ANSIBLE.get(name, name)
    if name not in _TRANSPORTS:
        raise DriverError(f"ansible_winrm_transport of {device} must be one of {', '.join(_TRANSPORTS)}, got {name!r}")
    return name


def _refuse_unsafe(access: WinAccess, encryption: str) -> None:
    device = access.device
    if access.scheme not in {"http", "https"}:
        raise DriverError(f"ansible_winrm_scheme of {device} must be http or https, got {access.scheme!r}")
    if access.validation not in _VALIDATION:
        raise DriverError(f"ansible_winrm_server_cert_validation of {device} must be validate or ignore")
    if access.scheme == "http" and access.transport in {"basic", "certificate"}:
        raise DriverError(
            f"{access.transport} over http would show the password of {device} to the network; "
            "set ansible_winrm_scheme=https (port 5986), or ansible_winrm_transport=ntlm"
        )
    if access.scheme == "http" and encryption == "never":
        raise DriverError(f"ansible_winrm_message_encryption=never over http would send all to {device} in clear")
    _refuse_incomplete(access)


def _refuse_incomplete(access: WinAccess) -> None:
    device = access.device
    if access.transport == "certificate":
        for name, path in (("ansible_winrm_cert_pem", access.cert), ("ansible_winrm_cert_key_pem", access.key)):
            if not path or not Path(path).is_file():
                raise DriverError(f"{name} of {device} must name a file that this bot can read, got {path!r}")
    elif not access.user:
        raise DriverError(f"{device} has no ansible_user; Windows has no user to fall back to")
    elif not access.password and access.transport != "kerberos":
        raise DriverError(f"{device} has no ansible_password; put it into the inventory's vault")
    if access.ca and access.validation == "validate" and not Path(access.ca).exists():
        raise DriverError(f"the CA file {access.ca} for {device} cannot be read")
