"""A source of syslog: its table in bot.toml, its ports, and the thread that makes events of what they hear."""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from automation_bots.alerts.sources.source import ListenContext, ListeningKind, SourceSettings
from automation_bots.alerts.sources.syslog.feed import KIND, Feed, Wanted
from automation_bots.alerts.sources.syslog.kept import LEVELS, MATTERS, NOISE, Kept
from automation_bots.alerts.sources.syslog.ports import Listener, Ports
from automation_bots.errors import in_words
from automation_bots.inventory.same_device import host
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
_ROUND_SECONDS = 1.0
_NOTE_SECONDS = 60.0  # between two writings of who was heard when

Level = Literal["emergency", "alert", "critical", "error", "warning", "notice", "info", "debug"]


class SyslogSettings(SourceSettings):
    """[events.sources.<name>] with kind = "syslog": where it listens, who may send, and what is kept."""

    address: str = "127.0.0.1"
    udp: int = Field(0, ge=0, le=65_535)
    tcp: int = Field(0, ge=0, le=65_535)
    level: Level = "warning"  # this and worse is kept
    names: list[str] = Field(list(MATTERS))  # kept however harmless they call themselves
    never: list[str] = Field(list(NOISE))
    relays: list[str] = Field([])  # addresses of collectors whose word on the sender is believed
    senders: list[str] = Field([])  # networks from where strangers to the inventory are heard too
    devices: dict[str, str] = Field({})  # addresses that the inventory does not know, such as of loopback interfaces
    per_second: int = Field(50, ge=1, le=10_000)  # messages of one sender
    alike: int = Field(10, ge=1, le=1_000)  # kept messages of one name and sender a minute
    size: int = Field(8_192, ge=480, le=65_507)  # bytes of a message
    connections: int = Field(200, ge=1, le=5_000)

    @field_validator("address")
    @classmethod
    def _an_address(cls, value: str) -> str:
        return str(ip_address(value))

    @field_validator("relays")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        return [host(str(ip_address(text))) for text in value]

    @field_validator("devices")
    @classmethod
    def _by_address(cls, value: dict[str, str]) -> dict[str, str]:
        return {host(str(ip_address(text))): name for text, name in value.items()}

    @field_validator("senders")
    @classmethod
    def _networks(cls, value: list[str]) -> list[str]:
        return [str(ip_network(text)) for text in value]

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not (self.udp or self.tcp):
            raise ValueError("needs a port: udp = 5514, tcp = 5514, or both")
        return self

    def wanted(self) -> Wanted:
        """What the feed asks for."""
        return Wanted(
            source=self.name,
            kept=Kept(LEVELS.index(self.level), tuple(self.names), tuple(self.never)),
            relays=frozenset(self.relays),
            networks=tuple(ip_network(text) for text in self.senders),
            devices=self.devices,
            per_second=self.per_second,
            alike=self.alike,
        )


class SyslogSource:
    """Listens; what it hears is brought to the intake by a thread of its own."""

    def __init__(self, settings: SyslogSettings, context: ListenContext, every_seconds: float = _ROUND_SECONDS) -> None:
        self.problem = "does not listen yet"
        self._settings, self._context, self._every = settings, context, every_seconds
        self.feed = Feed(settings.wanted(), context.intake, context.device, context.now)
        ports = Ports(settings.address, settings.udp, settings.tcp, settings.size, settings.connections)
        self.listener = Listener(ports, self._hear)
        self._lost = 0
        self._noted: datetime | None = None
        self._written_down: dict[str, datetime] = {}
        self._loop = Loop(f"syslog {settings.name}", self._round, every_seconds, last=True)

    def start(self) -> None:
        """Open the ports; why that was not possible is told by `problem`."""
        try:
            self.listener.open()
        except OSError as error:
            roots = "; ports below 1024 belong to root: 5514 is one of anybody" if error.errno == errno.EACCES else ""
            self.problem = f"cannot listen on {self._settings.address} {self._written()}: {in_words(error)}{roots}"
            return
        self.problem = ""
        self.listener.start()
        self._loop.start()

    def stop(self) -> None:
        """End; what was heard is kept."""
        if not self.problem:
            self.listener.stop()
            self._loop.stop()
            self._note()

    def _written(self) -> str:
        named = (("udp", self._settings.udp), ("tcp", self._settings.tcp))
        return ", ".join(f"{name} port {port}" for name, port in named if port)

    def _hear(self, sender: str, message: bytes) -> None:
        if self.feed.hear(sender, message):
            self._loop.wake()

    def _round(self) -> float:
        if lost := self.listener.lost - self._lost:
            self._lost += lost
            self.feed.lost(lost)
        more = self.feed.round()
        if self._noted is None or (self._context.now() - self._noted).total_seconds() >= _NOTE_SECONDS:
            self._note()
        return 0.0 if more else self._every

    def _note(self) -> None:
        """Write down who was heard when, for whoever looks from outside."""
        self._noted = self._context.now()
        if self._written_down == self.feed.heard:
            return
        self._written_down = dict(self.feed.heard)
        try:
            note(self._context.folder, self._settings.name, dict(self.feed.heard))
        except OSError as error:
            log.warning("who was heard by %s cannot be written down: %s", self._settings.name, in_words(error))


def _file(folder: Path, name: str) -> Path:
    return folder / f"heard-{name}.json"


def note(folder: Path, name: str, heard: Mapping[str, datetime]) -> None:
    """Write when each device was heard last."""
    file = _file(folder, name)
    fresh = file.with_suffix(".new")
    before = {device: at.isoformat() for device, at in noted(folder, name).items()}
    fresh.write_text(json.dumps({**before, **{device: at.isoformat() for device, at in heard.items()}}))
    os.replace(fresh, file)  # noqa: PTH105 - whole or not at all


def noted(folder: Path, name: str) -> dict[str, datetime]:
    """Read when each device was heard last; empty where nobody knows."""
    try:
        return {
            device: datetime.fromisoformat(at) for device, at in json.loads(_file(folder, name).read_text()).items()
        }
    except (OSError, ValueError, AttributeError):
        return {}


SOURCE = ListeningKind(KIND, SyslogSettings, SyslogSource)
