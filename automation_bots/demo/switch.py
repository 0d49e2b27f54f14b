"""The state of the simulated network: four switches, their interfaces and configurations, and how they are wired."""

from __future__ import annotations

import copy
import re
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import IPv4Interface

CLOCK = Callable[[], float]
_KINDS = ("GigabitEthernet", "Loopback", "Vlan")
_INTERFACE = re.compile(r"([A-Za-z]+)\s*(\d+(?:/\d+)*)")


@dataclass
class Interface:
    """One interface as it is configured."""

    name: str
    address: IPv4Interface | None = None
    description: str = ""
    shutdown: bool = False


@dataclass
class Config:
    """What `write memory` saves and `reload` restores."""

    hostname: str
    interfaces: dict[str, Interface]
    lines: list[str] = field(default_factory=list)


class Switch:
    """One simulated device; the same state is seen by all of its sessions."""

    def __init__(self, name: str, config: Config, booted: float, now: CLOCK = time.time) -> None:
        self.name = name
        self.running = config
        self.startup = copy.deepcopy(config)
        self.booted = booted
        self.now = now
        self.wires: dict[str, tuple[Switch, str]] = {}
        self.users: list[tuple[str, str]] = []  # (user, address) of each session
        self.log: deque[str] = deque(maxlen=200)
        self.down_until = 0.0

    @property
    def time(self) -> datetime:
        """The device's clock."""
        return datetime.fromtimestamp(self.now(), UTC)

    @property
    def uptime(self) -> float:
        """Seconds since the last start."""
        return self.now() - self.booted

    @property
    def reloading(self) -> bool:
        """Whether it does not answer because it is starting."""
        return self.now() < self.down_until

    def wire(self, here: str, other: Switch, there: str) -> None:
        """Put a cable between two interfaces."""
        self.wires[here] = (other, there)
        other.wires[there] = (self, here)

    def line_up(self, interface: Interface) -> bool:
        """Return whether there is a signal: nothing is shut, on either end of the cable."""
        if interface.shutdown:
            return False
        if interface.name not in self.wires:
            return not interface.name.startswith("Gigabit")
        other, there = self.wires[interface.name]
        return not other.running.interfaces[there].shutdown and not other.reloading

    def find(self, text: str) -> Interface | None:
        """Return the interface that `gi0/1`, `Gig 0/1` and so on mean."""
        name = _full_name(text)
        return self.running.interfaces.get(name) if name else None

    def find_or_make(self, text: str) -> Interface | None:
        """Return the interface; a Loopback or Vlan that does not exist yet is made, as a real device does."""
        name = _full_name(text)
        if name and "/" not in name and not name.startswith("Gigabit"):
            return self.running.interfaces.setdefault(name, Interface(name))
        return self.running.interfaces.get(name) if name else None

    def note(self, text: str) -> None:
        """Write a line into the device's log."""
        self.log.append(f"*{self.time:%b %d %H:%M:%S}.{self.time.microsecond // 1000:03}: {text}")

    def reload(self, seconds_down: float) -> None:
        """Start again from the saved configuration."""
        self.running = copy.deepcopy(self.startup)
        self.booted = self.down_until = self.now() + seconds_down
        self.log.clear()
        self.note("%SYS-5-RESTART: System restarted --")


def _full_name(text: str) -> str:
    found = _INTERFACE.fullmatch(text.strip())
    if not found:
        return ""
    kind = next((kind for kind in _KINDS if kind.lower().startswith(found[1].lower())), "")
    return f"{kind}{found[2]}" if kind else ""


def network(now: CLOCK = time.time) -> dict[str, Switch]:
    """Build the four switches: two in the core, one below each."""
    days = {"core1": 41.3, "core2": 41.2, "access1": 12.8, "access2": 3.1}
    switches = {
        name: Switch(name, _config(name, number), now() - days[name] * 86_400, now)
        for number, name in enumerate(days, 1)
    }
    core1, core2, access1, access2 = switches.values()
    core1.wire("GigabitEthernet0/1", core2, "GigabitEthernet0/1")
    core1.wire("GigabitEthernet0/2", access1, "GigabitEthernet0/1")
    core2.wire("GigabitEthernet0/2", access2, "GigabitEthernet0/1")
    return switches


_CABLES = {
    "core1": {1: ("to core2", "10.0.0.1/30"), 2: ("to access1", "10.0.1.1/30")},
    "core2": {1: ("to core1", "10.0.0.2/30"), 2: ("to access2", "10.0.2.1/30")},
    "access1": {1: ("to core1", "10.0.1.2/30")},
    "access2": {1: ("to core2", "10.0.2.2/30")},
}


def _config(name: str, number: int) -> Config:
    interfaces = {}
    for port in range(1, 5):
        description, address = _CABLES[name].get(port, ("", ""))
        full = f"GigabitEthernet0/{port}"
        interfaces[full] = Interface(full, IPv4Interface(address) if address else None, description, port == 4)
    interfaces["Loopback0"] = Interface("Loopback0", IPv4Interface(f"10.255.0.{number}/32"), "router id")
    interfaces["Vlan10"] = Interface("Vlan10", IPv4Interface(f"192.168.{number}.1/24"), "servers")
    return Config(name, interfaces, ["ntp server 10.255.0.1", "logging host 10.255.0.1"])
