"""Other bots as operations: `!@winbot <command>`, and `!@all <command>`, which asks several."""

from __future__ import annotations

from collections.abc import Collection

from automation_bots.model import Operation, Parameter, Risk

DRIVER = "peers"
ALL = "@all"
_ALL_TOO = "@bots"  # where @all calls everybody in the room
BOTS, COMMAND, TEXT = "bots", "command", "text"
_DAY = 86_400.0  # the other bot has limits of its own
_SAID = Parameter(COMMAND, rest=True, verbatim=True, help="the command, as it is typed there")
_BLOCK = Parameter(TEXT, required=False, text=True, max_length=20_000, help="a code block that goes with it")
_ONLY = Parameter(BOTS, "list", required=False, help="only these, as in !@winbot,dbbot <command>")


def operations(names: Collection[str]) -> tuple[Operation, ...]:
    """Return one for each bot, and one for all of them."""
    found = [_operation(f"@{name}", f"Ask the bot {name}, as you", _SAID, _BLOCK) for name in sorted(names)]
    return (*found, _operation(ALL, "Ask all other bots, as you, and join what they answer", _SAID, _ONLY)) * bool(
        found
    )


def _operation(name: str, help_: str, *parameters: Parameter) -> Operation:
    # What is asked for is not known here, so that it counts as a change, which a rule has to name.
    return Operation(
        name, help_, Risk.CHANGE, driver=DRIVER, parameters=parameters, devices="none", group="Bots",
        examples=(f"!{name} status",), time_limit=_DAY,
    )  # fmt: skip


def asked(name: str, bots: Collection[str], known: Collection[str]) -> tuple[str, ...]:
    """Return the bots that an operation of that name asks, given those that were named with it."""
    return tuple(bots or sorted(known)) if name == ALL else (name[1:],)


def listed(name: str, line: str) -> tuple[str, str]:
    """`@winbot,dbbot status` is `@all --bots=winbot,dbbot status`, and `@bots` is `@all`; all else stays as it is."""
    if name == _ALL_TOO:
        return ALL, line
    if not name.startswith("@") or "," not in name:
        return name, line
    names = ",".join(filter(None, (part.strip("@") for part in name.split(","))))
    return ALL, f"--{BOTS}={names} {line}"
