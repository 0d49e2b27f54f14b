"""What the drivers in use need of this machine: programs, packages, rights."""

from __future__ import annotations

import os
import socket
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from automation_bots.config.bot_folder import BotFolder
from automation_bots.config.live import LiveConfig
from automation_bots.drivers.paths.system_tools import find_tool
from automation_bots.errors import in_words
from automation_bots.model import Device, Operation
from automation_bots.sweep.sockets import NotPermitted, opened

Line = tuple[str, str]
_PACKAGES = {  # driver: (package as it is imported, as it is installed)
    "ansible": (("ansible", "ansible-core"), ("ansible_runner", "ansible-runner")),
    "ssh": (("asyncssh", "asyncssh"), ("paramiko", "paramiko")),
    "network": (("asyncssh", "asyncssh"), ("netmiko", "netmiko")),
    "powershell": (("winrm", "pywinrm"),),
    "salt": (("requests", "requests"),),
    "paths": (("dns", "dnspython"),),
}


def open_a_ping() -> None:
    """Open the socket that pings go through; NotPermitted when this user may not."""
    opened(socket.AF_INET, whole=False).sock.close()


_BY_DEVICES = {"network", "powershell"}  # their own operations are always there; they are used where such a device is


@dataclass(frozen=True, slots=True)
class Machine:
    """Where to look; tests look at another one."""

    tool: Callable[[str], str | None] = find_tool
    package: Callable[[str], object | None] = find_spec
    beside: Path = Path(sys.executable).parent  # programs that come with the bot's own Python packages
    ping: Callable[[], None] = open_a_ping


def look(bot_folder: BotFolder, live: LiveConfig, machine: Machine | None = None) -> Iterator[Line]:
    """Look for what is missing, driver by driver."""
    here = machine or Machine()
    devices = live.inventory.devices(live.inventory.names)
    used = in_use(live.catalog.operations, devices)
    if not bot_folder.settings.drivers.salt.url:
        used.pop("salt", None)  # its commands say that it is not set up
    for driver, count in sorted(used.items()):
        wrong = [*_missing_packages(driver, here), *_ASKED.get(driver, _nothing)(bot_folder, devices, here)]
        yield from wrong
        if not wrong:
            yield "ok", f"driver {driver}: {count} operations, what it needs is there"
    if here.tool("git") is None:
        yield "NOTE", "git is not there, so `!repos install` cannot work. Run: apt-get install git"


def in_use(operations: Mapping[str, Operation], devices: tuple[Device, ...]) -> dict[str, int]:
    """Return the drivers that operations name, or that devices are reached by, with how many operations use each."""
    reached = {device.driver for device in devices}
    used = Counter(driver for one in operations.values() for driver in ([one.driver] if one.driver else reached))
    return {driver: count for driver, count in used.items() if driver in reached or driver not in _BY_DEVICES}


def _missing_packages(driver: str, here: Machine) -> Iterator[Line]:
    for imported, installed in _PACKAGES.get(driver, ()):
        if here.package(imported) is None:
            yield "WRONG", f"driver {driver}: the Python package {installed} is missing. Run: pip install {installed}"


def _ansible(_bot_folder: BotFolder, devices: tuple[Device, ...], here: Machine) -> Iterator[Line]:
    if not (here.beside / "ansible-playbook").exists():
        yield "WRONG", "driver ansible: ansible-playbook is missing beside Python. Run: pip install ansible-core"
    over_ssh = [device for device in devices if device.variables.get("ansible_connection", "ssh") in {"ssh", "smart"}]
    if over_ssh and here.tool("ssh") is None:
        yield "WRONG", "driver ansible: there is no ssh client. Run: apt-get install openssh-client"
    passwords = any("ansible_password" in device.secrets or "ansible_ssh_pass" in device.secrets for device in over_ssh)
    if passwords and here.tool("sshpass") is None:
        yield (
            "WRONG",
            "driver ansible: devices with ansible_password need sshpass for playbooks. Run: apt-get install sshpass",
        )


def _ssh(bot_folder: BotFolder, devices: tuple[Device, ...], _here: Machine) -> Iterator[Line]:
    mine = [device for device in devices if device.driver == "ssh"]
    wanted = bot_folder.settings.drivers.ssh
    if not bot_folder.known_hosts.exists():
        yield "NOTE", f"driver ssh: no host key is known ({bot_folder.known_hosts}); trust devices by !device trust"
    elif not os.access(bot_folder.known_hosts, os.R_OK | os.W_OK):
        yield "WRONG", f"driver ssh: {bot_folder.known_hosts} cannot be read and written by this user. Run: chown"
    if wanted.config and not bot_folder.path(wanted.config).exists():
        yield "WRONG", f"driver ssh: config {bot_folder.path(wanted.config)} of [drivers.ssh] is not there"
    keys = {str(device.variables.get("ansible_ssh_private_key_file", "")) for device in mine} - {""}
    for key in sorted(keys):
        path = Path(key).expanduser()
        if "{{" not in key and not os.access(path, os.R_OK):
            yield "WRONG", f"driver ssh: the private key {path}, which the inventory names, cannot be read"


def _reach(_bot_folder: BotFolder, _devices: tuple[Device, ...], here: Machine) -> Iterator[Line]:
    try:
        here.ping()
    except NotPermitted:
        yield (
            "WRONG",
            "driver reach: this user may not ping. Run: sysctl -w net.ipv4.ping_group_range='0 2147483647',"
            " or give the service AmbientCapabilities=CAP_NET_RAW",
        )
    except OSError as error:
        yield "WRONG", f"driver reach: no socket to ping with ({in_words(error)}); is this machine on an IPv4 network?"


def _paths(_bot_folder: BotFolder, _devices: tuple[Device, ...], here: Machine) -> Iterator[Line]:
    if here.tool("traceroute") is None:
        mark = "NOTE" if here.tool("tracepath") else "WRONG"
        yield mark, "driver paths: !traceroute works best with traceroute. Run: apt-get install traceroute"
    if here.tool("ping") is None:
        yield "WRONG", "driver paths: !mtu needs ping. Run: apt-get install iputils-ping"


def _nothing(_bot_folder: BotFolder, _devices: tuple[Device, ...], _here: Machine) -> Iterator[Line]:
    yield from ()


_ASKED: Mapping[str, Callable[[BotFolder, tuple[Device, ...], Machine], Iterator[Line]]] = {
    "ansible": _ansible,
    "ssh": _ssh,
    "reach": _reach,
    "paths": _paths,
}
