"""The commands that the network driver brings along: show, config with its history and way back, backup."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from automation_bots.model import Operation, Parameter, Risk

_MATCH = Parameter("match", required=False, view=True, help="only lines or rows with this (a regular expression)")
_COLUMNS = Parameter("columns", "list", required=False, view=True, help="only these columns of a table")
_CSV = Parameter("csv", "bool", required=False, view=True, help="the table as a CSV file")
_DIFF = Parameter("diff", "bool", required=False, view=True, help="what is other than the last time this was asked")
_LINES = Parameter("lines", "list", text=True, max_length=400, help="the configuration lines, below the command")
_EXPECT = Parameter("expect", "list", required=False, choices=("bgp", "interfaces"),
                    help="what was up before must be up again, else it is rolled back: bgp, interfaces")  # fmt: skip
_WITHIN = Parameter("within", "int", required=False, default=30, minimum=1, maximum=240,
                    help="seconds in which it must be up again")  # fmt: skip
_STAY = Parameter("stay", "int", required=False, default=5, minimum=0, maximum=240, help="seconds it must then stay up")
_SAVE = Parameter("save", "bool", required=False, help="also save it for the next start of the device")
_ANYWAY = Parameter("anyway", "bool", required=False, help="even if the configuration was changed since")


@dataclass(frozen=True, slots=True)
class Body:
    """What the driver does: the name of the deed."""

    request: str
    replaces: bool = False  # the lines are to be all that there is


@dataclass(frozen=True, slots=True)
class Snippet:
    """Configuration lines that are fixed, for an operation that is always the same change."""

    lines: tuple[str, ...]
    request: str = "config"
    values: Any = field(default=None)


SHOW = Operation(
    name="show",
    help="What a show or display command prints, as a table where that is possible",
    risk=Risk.READ,
    driver="network",
    parameters=(
        Parameter("command", rest=True, help="the command, without the word show"),
        *(_MATCH, _COLUMNS, _CSV, _DIFF),
    ),
    examples=(
        "show version on core",
        "show ip route | match 10.0 on core1",
        "show interfaces | columns interface,mtu on core",
        "show ip interface brief --diff on core",
    ),
    group="Network",
    body=Body("show"),
)  # fmt: skip
CONFIG = Operation(
    name="config",
    help="Configure network devices, with the way back at hand",
    risk=Risk.CHANGE,
    driver="network",
    parameters=(_LINES, _EXPECT, _WITHIN, _STAY, _SAVE),
    examples=("config core1 --check", "config on core --expect bgp"),
    group="Network",
    previews=True,
    body=Body("config"),
)
REPLACE = Operation(
    name="config-replace",
    help="Replace the whole configuration of network devices: what the lines do not name is removed",
    risk=Risk.CHANGE,
    driver="network",
    parameters=(_LINES, _EXPECT, _WITHIN, _STAY, _SAVE),
    examples=("config replace core1 --check", "config replace core1 --expect bgp"),
    group="Network",
    like="config",
    previews=True,
    body=Body("config", replaces=True),
)
ROLLBACK = Operation(
    name="config-rollback",
    help="Bring devices back to what a config job replaced",
    risk=Risk.CHANGE,
    driver="network",
    parameters=(Parameter("job", "int", minimum=1, help="the number of the config job"), _ANYWAY, _SAVE),
    devices="job",
    examples=("config rollback 42", "config rollback 42 --check"),
    group="Network",
    previews=True,
    body=Body("restore"),
)
DIFF = Operation(
    name="config-diff",
    help="What is other in the running configuration than in a backup",
    risk=Risk.READ,
    driver="network",
    parameters=(Parameter("since", required=False, last=True, match=r"\d{1,3}|\d{4}-\d\d-\d\d|[0-9a-f]{7,40}",
                          help="a commit, a date, or how many backups ago; else the newest backup"),),
    examples=("config diff core1", "config diff core1 2", "config diff 2026-01-31 on core1"),
    group="Network",
    body=Body("diff"),
)  # fmt: skip
HISTORY = Operation(
    name="config-history",
    help="When the configuration of a device was another, by its backups",
    risk=Risk.READ,
    driver="network",
    devices="one",
    examples=("config history core1",),
    group="Network",
    body=Body("history"),
)
BACKUP = Operation(
    name="backup",
    help="Keep the running configuration of network devices in the bot's own git repository",
    risk=Risk.READ,
    driver="network",
    examples=("backup core", "backup all"),
    group="Network",
    body=Body("backup"),
)


def operations() -> tuple[Operation, ...]:
    """Return what this driver offers."""
    return SHOW, CONFIG, REPLACE, ROLLBACK, DIFF, HISTORY, BACKUP


def snippet(name: str, *lines: str) -> Operation:
    """Return an operation that configures fixed lines."""
    return replace(CONFIG, name=name, parameters=(), body=Snippet(lines))
