"""Which names of the inventory are one device: what has the same address and port, reached the same way. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from automation_bots.model import driver_of

_OVER_IP = {"ssh", "paramiko", "paramiko_ssh", "libssh", "smart", "network_cli", "netconf", "winrm", "psrp", ""}
_HOST = ("ansible_host", "ansible_ssh_host", "ansible_winrm_host", "ansible_psrp_host")
_PORT = ("ansible_port", "ansible_ssh_port", "ansible_winrm_port", "ansible_psrp_port")
_IPV4 = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_WAY = ("jump", "ansible_ssh_common_args", "ansible_ssh_extra_args")  # one private address may stand at every site


class Endpoint(NamedTuple):
    """Where a device is: two names with the same one are one device."""

    host: str
    port: str
    way: str


@dataclass(frozen=True, slots=True)
class SameDevice:
    """The names that share a device with another name: each with all names of it, itself included."""

    names: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def all_names(self, devices: Iterable[str]) -> frozenset[str]:
        """Return devices by all the names that they have."""
        found = frozenset(devices)
        if not self.names:
            return found
        shared = {id(names): names for device in found if (names := self.names.get(device))}
        return found.union(*shared.values())

    @property
    def groups(self) -> list[frozenset[str]]:
        """Each device with several names, once."""
        return sorted({id(names): names for names in self.names.values()}.values(), key=min)


def endpoint(name: str, known: Mapping[str, Any]) -> Endpoint | None:
    """Say where a device is by its variables; None: on no network, such as what is asked on the bot's own machine."""
    connection = str(known.get("ansible_connection") or "").rpartition(".")[2]
    if connection == "local":
        return None
    driver = driver_of(known)
    if driver == "salt":
        return Endpoint(str(known.get("salt_minion") or name), "", "salt")
    port = _first(known, _PORT) or _usual_port(known, connection, driver)
    way = " ".join([f"{name}={known[name]}" for name in _WAY if known.get(name)])
    return Endpoint(host(_first(known, _HOST) or name), port, way if connection in _OVER_IP else f"{connection} {way}")


def _first(known: Mapping[str, Any], names: Iterable[str]) -> str:
    for name in names:
        if value := known.get(name):
            return str(value)
    return ""


def _usual_port(known: Mapping[str, Any], connection: str, driver: str) -> str:
    remoting = connection in {"winrm", "psrp"} or (driver == "powershell" and connection != "ssh")
    if not remoting or (not connection and known.get("ansible_shell_type")):
        return "22"
    return "5985" if known.get("ansible_winrm_scheme") == "http" else "5986"


def host(written: str) -> str:
    """An address or a name in the one way in which equal ones are equal."""
    plain = written.strip().strip("[]").rstrip(".").lower()
    if ":" not in plain:
        return plain
    try:
        address = ipaddress.IPv6Address(plain)
    except ValueError:
        return plain
    return str(address.ipv4_mapped or address)


def is_name(host: str) -> bool:
    """Whether an address still has to be looked up."""
    return ":" not in host and _IPV4.fullmatch(host) is None


def found(endpoints: Mapping[str, Endpoint], addresses: Mapping[str, tuple[str, ...]]) -> SameDevice:
    """Find what is one device; `addresses` are those of names, as far as they could be looked up."""
    first: dict[Endpoint, str] = {}
    above: dict[str, str] = {}

    def top(name: str) -> str:
        while (higher := above.get(name, name)) != name:
            name = higher
        return name

    for name, place in endpoints.items():
        for one in (place.host, *addresses.get(place.host, ())):
            other = first.setdefault(place._replace(host=one), name)
            if (mine := top(name)) != (theirs := top(other)):
                above[mine] = theirs
    together: defaultdict[str, list[str]] = defaultdict(list)
    for name in above.keys() | {top(name) for name in above}:
        together[top(name)].append(name)
    return SameDevice({name: names for group in together.values() if (names := frozenset(group)) for name in group})
