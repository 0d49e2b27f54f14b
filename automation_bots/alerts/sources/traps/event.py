"""A trap as an event: by its name, else by its number; down and up of one thing are one alert. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from automation_bots.alerts.devices import naming_none
from automation_bots.alerts.event import Phase, ReportedEvent, Severity
from automation_bots.alerts.sources.traps.handover import Trap
from automation_bots.alerts.sources.traps.names import Named, Names, known

KIND = "trap"
_VALUE = 500
_OF_TRAP = frozenset({"trap", "uptime", "vendor", "name"})
_LABELS = ("ifName", "ifDescr", "ifAlias", "jnxContentsDescr")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a source reads: whose traps it believes to be of others, and what it calls what this table does not know."""

    source: str
    relays: frozenset[str] = frozenset()
    own: Mapping[str, str] = field(default_factory=dict)
    names: Names = field(default_factory=known)


def event(trap: Trap, reading: Reading, now: datetime) -> ReportedEvent:
    """Make the event."""
    named = reading.names.traps.get(trap.oid) or Named(reading.own.get(trap.oid, trap.oid), Severity.UNKNOWN)
    about = trap.agent if trap.agent and trap.sender in reading.relays else trap.sender
    fields = _fields(trap, named, reading.names)
    thing = _thing(trap, named)
    phase = Phase.SINGLE if not thing else Phase.RESOLVED if named.up else Phase.FIRING
    return ReportedEvent(
        source=reading.source,
        kind=KIND,
        what=f"{_which(thing, fields)} down" if thing else named.name,
        at=now,
        phase=phase,
        severity=named.severity,
        about=about,
        text=_text(trap, named, fields, reading.names),
        fingerprint=f"{about}/{thing}" if thing else "",
        fields=fields,
    )


def _fields(trap: Trap, named: Named, names: Names) -> dict[str, str]:
    fields = {"trap": trap.oid, "uptime": trap.uptime, "name": named.name if named.name != trap.oid else ""}
    if vendor := names.vendor(trap.oid):
        fields["vendor"] = vendor
    for oid, value in trap.values:
        name, index = names.column(oid)
        fields.setdefault(name, names.shown(name, value)[:_VALUE])
        if index and name.startswith("if"):
            fields.setdefault("ifIndex", index)
    return naming_none({name: value for name, value in fields.items() if value})


def _thing(trap: Trap, named: Named) -> str:
    """What is up or down, as `link:3`; empty for a trap of no state, or one that does not say which one it means."""
    if not named.of or not named.key:
        return named.of
    for column in named.key:
        for oid, value in trap.values:
            if oid.startswith(f"{column}."):
                whole = oid[len(column) + 1 :]
                index = value if _says_itself(column, named) else whole.partition(".")[2] or whole
                return f"{named.of}:{_address(index)}"
    return ""


def _says_itself(column: str, named: Named) -> bool:
    """The first column of several is the name of the thing itself; the others only bear it behind their number."""
    return len(named.key) > 1 and column == named.key[0]


def _address(index: str) -> str:
    """An index that is an address, as one: four numbers, or a kind, a length and the numbers."""
    numbers = index.split(".")
    if not all(number.isdecimal() and int(number) < 256 for number in numbers):
        return index
    if len(numbers) in (6, 18) and int(numbers[1]) == len(numbers) - 2:
        numbers = numbers[2:]
    if len(numbers) not in (4, 16):
        return index
    return str(ipaddress.ip_address(bytes(int(number) for number in numbers)))


def _which(thing: str, fields: Mapping[str, str]) -> str:
    """`link 3 (Gi0/3)`: what it is, and what people call it where the trap says so."""
    label = next((fields[name] for name in _LABELS if fields.get(name)), "")
    return thing.replace(":", " ", 1) + (f" ({label})" if label and label not in thing else "")


def _text(trap: Trap, named: Named, fields: Mapping[str, str], names: Names) -> str:
    """What people read: what the trap says, and what came with it."""
    said = named.says or named.name
    if named.name == trap.oid:
        said = f"trap {trap.oid}" + (f" of {vendor}" if (vendor := names.vendor(trap.oid)) else "")
    more = ", ".join(f"{name} {value}" for name, value in fields.items() if name not in _OF_TRAP)
    return ": ".join(part for part in (said, more) if part)
