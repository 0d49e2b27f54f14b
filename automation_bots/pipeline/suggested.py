"""What a person is told who typed no command: what was probably meant, made of what that person may do here."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from automation_bots.config.live import LiveConfig
from automation_bots.jobs.request_context import TypedCommand
from automation_bots.model import Answer, Button, Operation, Person, one_line
from automation_bots.operations.own_commands import OWN, Shown
from automation_bots.policy import gate
from automation_bots.policy.rules import ADMINS
from automation_bots.suggestions import meant
from automation_bots.suggestions.meant import Command, Known
from automation_bots.text.command_names import as_typed

_NO_GROUPS = frozenset({"ungrouped"})
_LENGTH = 300  # characters that are looked at


def answer(live: LiveConfig, said: TypedCommand, person: Person, usable: Sequence[Operation]) -> Answer:
    """Say that there is no such command, and what was probably meant; what can be run as it stands is a click away."""
    text = f'No operation "{one_line(said.operation, 40)}".'
    lines = meant.suggest(f"{said.operation} {said.line}"[:_LENGTH], known(live, person, usable))
    if not lines:
        return Answer(f"{text} → !help")
    shown = [f" !{one_line(line, 120)} " for line in lines]
    which = f" Did you mean {shown[0]}?" if len(lines) == 1 else f" One of these? {'·'.join(shown)}"
    buttons = tuple(Button(f"!{one_line(line, 60)}", line, said=True) for line in lines if "<" not in line)
    return Answer(text + which, buttons=buttons)


def known(live: LiveConfig, person: Person, usable: Sequence[Operation]) -> Known:
    """What may be suggested to somebody: commands that they may use here, devices that they may see."""
    seen = gate.visible(live.scope, person)
    groups = [name for name, hosts in live.inventory.groups.items() if seen.intersection(hosts)]
    mine = [own.name for own in OWN.values() if own.shown is not Shown.ADMINS or ADMINS in person.groups]
    commands = {name: Command(name, name, takes_devices=False, rest=True) for name in mine}
    names = frozenset(operation.name for operation in usable)
    commands |= {operation.name: _command(operation, names) for operation in usable}
    return Known(commands, frozenset((*seen, *groups)) - _NO_GROUPS)


def _command(operation: Operation, names: Collection[str]) -> Command:
    needed = [parameter for parameter in operation.parameters if parameter.required and not parameter.text]
    return Command(
        operation.name,
        as_typed(operation.name, names),
        choices=tuple(map(str, needed[0].choices)) if needed else (),
        values=tuple(parameter.name for parameter in needed if not parameter.rest),
        devices=operation.devices in {"required", "one"},
        takes_devices=operation.devices != "none",
        rest=any(parameter.rest for parameter in operation.parameters),
        patterns={parameter.name: re.compile(parameter.match) for parameter in needed if parameter.match},
    )
