"""What the tests of the PowerShell driver share."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from automation_bots.drivers.ssh.driver import Ssh
from automation_bots.drivers.windows.driver import PowerShell
from automation_bots.drivers.windows.over_ssh import SshPowerShell
from automation_bots.model import Device, Operation, Parameter, Risk
from automation_bots.operations.verbs import Entry, Verb
from tests.fakes.winrm import PASSWORD, Winrm

LIMIT = 20_000


def powershell(folder: Any, known_hosts: Any = None, **options: Any) -> PowerShell:
    ssh = Ssh(known_hosts or folder / "known_hosts", allow_agent=False, connect_seconds=5)
    return PowerShell(SshPowerShell(ssh), **{"connect_seconds": 5, "output_limit": LIMIT, **options})


def cmdlet(name: str, *, risk: Risk = Risk.READ, others: Any = None, parameters: Any = (), **named: Any) -> Operation:
    entries = {"windows": Entry(cmdlet={"cmdlet": name, **named}), **(others or {})}
    return Operation("verb", "a verb", risk=risk, parameters=tuple(parameters), body=Verb(tuple(parameters), entries))


def text(name: str = "value") -> Parameter:
    return Parameter(name, max_length=10_000)


def device(server: Winrm, name: str = "win1", **variables: Any) -> Device:
    return Device(name, variables=server.variables(**variables))


def secrets(_device: str) -> dict[str, str]:
    return {"ansible_password": PASSWORD}


def trace_of(server: Winrm, path: str) -> str | None:
    return trace_in(server.folder, path)


def trace_in(folder: Path, path: str) -> str | None:
    found = folder / "traces" / base64.urlsafe_b64encode(path.encode()).decode()[:200]
    return found.read_text() if found.exists() else None
