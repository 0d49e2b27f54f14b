"""A source of SNMP traps: snmptrapd hears them, and hands each to the bot by HTTP (deploy/snmptrapd.conf)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from ipaddress import ip_address

from pydantic import Field, field_validator

from automation_bots.alerts.event import ReportedEvent
from automation_bots.alerts.sources.source import HttpKind, HttpSettings
from automation_bots.alerts.sources.traps.event import KIND, Reading, event
from automation_bots.alerts.sources.traps.handover import read as handed
from automation_bots.inventory.same_device import host


class TrapSettings(HttpSettings):
    """[events.sources.<name>] with kind = "trap"."""

    names: dict[str, str] = Field({})  # what traps are called that the table does not know, by their number
    relays: list[str] = Field([])  # who passes on traps of version 1 of others, whose word on the sender is believed
    max_bytes: int = 65_536
    per_minute: int = 6_000

    @field_validator("relays")
    @classmethod
    def _addresses(cls, value: list[str]) -> list[str]:
        return [host(str(ip_address(text))) for text in value]

    @field_validator("names")
    @classmethod
    def _numbers(cls, value: dict[str, str]) -> dict[str, str]:
        return {number.strip().removeprefix("."): name for number, name in value.items()}


def read(body: bytes, _headers: Mapping[str, str], settings: TrapSettings, now: datetime) -> list[ReportedEvent]:
    """Read one trap."""
    return [event(handed(body), Reading(settings.name, frozenset(settings.relays), settings.names), now)]


SOURCE = HttpKind(KIND, TrapSettings, read)
