"""Help and facts as text: an overview, the usage of one command, the facts of a job. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from automation_bots import render
from automation_bots.model import Answer, Job, Operation, Parameter, Risk, one_line
from automation_bots.operations import target_words
from automation_bots.operations.own_commands import OWN, OwnCommand
from automation_bots.policy import canary
from automation_bots.text.times import moment_text

if TYPE_CHECKING:
    from automation_bots.store import AuditRow

_READS_SHOWN = 8  # values of a parameter that only look

FLAGS = (
    ("--reason \"…\"", "why; kept in the record"),
    ("--check", "show what would change, change nothing"),
    ("--when \"22:00\"", "not before that time; also `tomorrow 06:30`, `Sat 22:00`, `in 2h`"),
    ("--quiet", "no progress, one line when all is well"),
    ("--wait", "say nothing until it has ended"),
    ("--canary 1,10%", "one device first, then a tenth, then the rest; stops when a batch fails"),
    ("--pause-after", "wait after the first batch for !continue; =2: after the second"),
    ("--emergency \"…\"", "past windows, freezes and approvals, where a rule lets you; told at once, reviewed later"),
)  # fmt: skip


def overview(operations: Iterable[Operation], name: str, hidden: Collection[str] = ()) -> Answer:
    """All that a person may do here, grouped, one line each; `hidden` are commands of the bot they may not use."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for operation in sorted(operations, key=lambda o: o.name):
        mark = "" if operation.risk is Risk.READ else "* "
        groups.setdefault(operation.group, []).append((f"  !{operation.name}", mark + operation.help))
    groups["The bot"] = [(f"  !{own.name}", own.help) for own in OWN.values() if own.name not in hidden]
    width = max(len(row[0]) for rows in groups.values() for row in rows)
    lines = []
    for group, rows in groups.items():
        lines += [group, *(f"{command.ljust(width)}  {one_line(meaning, 90)}" for command, meaning in rows)]
    return Answer(f"What you may do here with {name} (* may change something):", "\n".join(lines), "→ !help <command>")


def own_usage(command: OwnCommand) -> Answer:
    """The usage of one of the bot's own commands."""
    lines = [f"usage    !{command.usage}", *_examples(command.examples, ())]
    return Answer(f"{command.name}: {command.help}.", "\n".join(lines))


def usage(operation: Operation, devices: Sequence[str], names: Sequence[str] = ()) -> Answer:
    """Usage, parameters and examples of an operation, with devices and (`names`) operations that the person may use."""
    name = as_typed(operation.name, names)
    lines = [f"usage    !{synopsis(replace(operation, name=name))}"]
    for parameter in operation.parameters:
        lines.append(f"  {parameter.name:<10} {describe(parameter)}")
    flags = [flag for flag in FLAGS if flag[0] != "--check" or operation.previews]
    lines += [f"  {flag:<12} {meaning}" for flag, meaning in flags]
    lines += _examples(operation.examples, devices) or _made(operation, devices)
    if devices:
        lines.append(f"devices  {render.names(devices)} ({len(devices)})")
    if further := [as_typed(other, names) for other in sorted(names) if other.startswith(f"{operation.name}-")]:
        lines.append(f"see also {' · '.join(f'!help {other}' for other in further)}")
    risk = "only looks" if operation.risk is Risk.READ else "may change something"
    if operation.risk_by:
        reads = [value for value, risk_ in operation.risk_by[1].items() if risk_ is Risk.READ]
        some = ", ".join(reads) if len(reads) <= _READS_SHOWN else f"{', '.join(reads[:3])} and {len(reads) - 3} more"
        risk = f"{some} only looks, the rest may change something" if reads else risk
    return Answer(f"{name}: {operation.help.rstrip('.')} ({risk}).", "\n".join(lines))


def as_typed(name: str, names: Sequence[str]) -> str:
    """`config-diff` is typed `config diff`, where there is a `config`."""
    first, _, rest = name.partition("-")
    return f"{first} {rest}" if rest and first in names else name


def synopsis(operation: Operation) -> str:
    """The one-line usage: `service <action> <name> on <devices>`."""
    words = [operation.name]
    if operation.leading:
        words.append("<target>" if operation.leading == target_words.SALT else "<devices>")
    for parameter in operation.parameters:
        if parameter.text:
            words.append(f"[{parameter.name} as a code block below]")
        elif parameter.required:
            words.append(f"<{'|'.join(map(str, parameter.choices)) or parameter.name}>")
        else:
            words.append(f"[{parameter.name}…]" if parameter.rest else f"[{parameter.name}=…]")
    devices = {"required": "on <devices>", "one": "on <device>", "none": ""}.get(operation.devices, "[on <devices>]")
    return " ".join([*words, *([devices] if devices and not operation.leading else [])])


def describe(parameter: Parameter) -> str:
    """Type, limits, default and meaning of a parameter."""
    parts = [" | ".join(map(str, parameter.choices)) if parameter.choices else parameter.type]
    if parameter.minimum is not None or parameter.maximum is not None:
        parts.append(f"{parameter.minimum if parameter.minimum is not None else ''}–{parameter.maximum or ''}")
    if parameter.default is not None:
        parts.append(f"default {parameter.default}")
    text = ", ".join(parts)
    return f"{parameter.help} ({text})" if parameter.help else text


def _examples(examples: Sequence[str], devices: Sequence[str]) -> list[str]:
    """Examples with devices that the person may use, where an example names some."""
    shown = []
    for example in examples:
        text = "!" + example.removeprefix("!")
        head, on, _ = text.rpartition(" on ")
        shown.append(f"example  {head} on {devices[0]}" if on and devices else f"example  {text}")
    return shown


def _made(operation: Operation, devices: Sequence[str]) -> list[str]:
    if any(p.required and not p.choices for p in operation.parameters):
        return []
    words = [str(p.choices[0]) for p in operation.parameters if p.required]
    target = [f"on {devices[0]}"] if devices else []
    return [f"example  !{' '.join([operation.name, *words, *target])}"]


def job_facts(job: Job, where: str, now: datetime, zone: str) -> list[tuple[str, str]]:
    """Who, where, when, why."""
    rows = [
        ("who", f"{job.person} ({where} on {job.place.network})"),
        (
            "when",
            render.age(job.created, now, zone)
            + (f", started {render.age(job.started, now, zone)}" if job.started else ""),
        ),
        ("rule", ", ".join(job.rules)),
    ]
    if job.devices:
        rows.insert(
            0, ("devices", f"{render.names(job.devices)} ({len(job.devices)}, from {one_line(job.pattern, 40)})")
        )
    if job.emergency:
        rows.append(("EMERGENCY", job.emergency))
    if job.canary:
        rows.append(("canary", canary.words(job.canary)))
    if job.reason:
        rows.append(("why", job.reason))
    if job.occurrence:
        at = moment_text(job.occurrence.at, zone, now)
        rows.append(("schedule", f"S{job.occurrence.schedule}, its time {at} → !schedule {job.occurrence.schedule}"))
    if job.retry_of:
        rows.append(("again", f"of #{job.retry_of}"))
    return [(name, value) for name, value in rows if value]


def audit_row(row: AuditRow, zone: str) -> tuple[str, ...]:
    """One line of `!audit`, its time as the clocks of a zone show it."""
    job = f"#{row.job}" if row.job else ""
    urgent = f"EMERGENCY: {row.body['emergency']}" if row.body.get("emergency") else ""
    said = (row.body.get(name) for name in ("reason", "error", "note", "state"))
    text = str(urgent or next(filter(None, said), ""))
    if of := row.body.get("of"):
        text = " ".join(str(part) for part in (of, row.body.get("id", ""), text) if part)
    return (
        f"{row.at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}",
        row.kind,
        row.person or "-",
        job,
        row.operation or "",
        one_line(text, 70),
    )
