"""The table of what traps are called, `names.toml`, as values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from automation_bots.alerts.event import Severity

_PRIVATE = "1.3.6.1.4.1."


@dataclass(frozen=True, slots=True)
class Named:
    """What is known of one trap."""

    name: str
    severity: Severity
    says: str = ""
    of: str = ""  # link, BGP, fan …: what this says to be up or down
    up: bool = False
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Names:
    """All that is known, by numbers."""

    traps: Mapping[str, Named] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    vendors: Mapping[str, str] = field(default_factory=dict)

    def column(self, oid: str) -> tuple[str, str]:
        """The name of a value's column and its index; a column that nobody knows keeps its number, without index."""
        head = oid
        while (cut := head.rfind(".")) > 0:
            head = head[:cut]
            if name := self.columns.get(head):
                return name, oid[cut + 1 :]
        return oid, ""

    def shown(self, name: str, value: str) -> str:
        """A value in words where its number means one."""
        return self.values.get(name, {}).get(value, value)

    def vendor(self, oid: str) -> str:
        """Whose number it is; empty for none that is known."""
        return self.vendors.get(oid.removeprefix(_PRIVATE).partition(".")[0], "") if oid.startswith(_PRIVATE) else ""


@cache
def known() -> Names:
    """Read the table that comes with the program."""
    table = tomllib.loads(resources.files(__package__).joinpath("names.toml").read_text("utf-8"))
    return Names(
        {row["oid"]: _named(row) for row in table["trap"]}, table["columns"], table["values"], table["vendors"]
    )


def _named(row: Mapping[str, Any]) -> Named:
    return Named(
        row["name"],
        Severity(row["severity"]),
        row.get("says", ""),
        row.get("of", ""),
        row.get("state") == "up",
        tuple(row.get("key", ())),
    )
