"""What the bot asks its network process for, and what comes back: plain values that survive JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Platforms that say `display`, not `show`.
DISPLAY = frozenset({"huawei", "huawei_vrp", "huawei_vrpv8", "hp_comware", "huawei_olt", "h3c_comware"})


@dataclass(frozen=True, slots=True)
class Login:
    """Where a device listens and how to log in; the secrets stay out of its printed form."""

    host: str
    port: int
    user: str
    known: tuple[str, ...] = ()  # the host keys that are trusted, as `type base64`
    key_files: tuple[str, ...] = ()
    certificate: str = ""  # of the key, when it does not lie beside it
    agent: bool = False
    become: bool = False  # go to the enable mode, even if it asks for no password
    legacy: bool = False  # old key exchange and ciphers too
    password: str = field(default="", repr=False)
    passphrase: str = field(default="", repr=False)
    private_key: str = field(default="", repr=False)  # its text, out of a vault
    enable: str = field(default="", repr=False)
    jumps: tuple[Login, ...] = ()  # through these machines, the outermost first

    @property
    def where(self) -> str:
        """Host and port, as people write them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Login:
        """Read what JSON carried."""
        jumps = tuple(cls.read(jump) for jump in values["jumps"])
        lists = {name: tuple(values[name]) for name in ("known", "key_files")}
        return cls(**{**values, **lists, "jumps": jumps})


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """One device's share: what to do there (`kind`) with which values."""

    device: str
    platform: str
    login: Login
    kind: str  # show, send, getter, config, restore, running
    values: Mapping[str, Any]
    connect_seconds: float = 10
    read_seconds: float = 30
    napalm: str = ""  # the NAPALM driver that the inventory names
    napalm_args: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> DeviceRequest:
        """Read what JSON carried."""
        return cls(**{**values, "login": Login.read(values["login"])})


@dataclass(frozen=True, slots=True)
class DeviceReply:
    """What came of one device's share."""

    status: str = "ok"
    summary: str = ""
    text: str = ""
    header: tuple[str, ...] = ()  # of a table, when the answer is one
    rows: tuple[tuple[str, ...], ...] = ()
    kept: Mapping[str, Any] = field(default_factory=dict)  # for the bot's own use, never shown


class Problem(Exception):
    """A device's share cannot go on; the text and status are its outcome."""

    def __init__(self, text: str, status: str = "failed") -> None:
        self.status = status
        super().__init__(text)
