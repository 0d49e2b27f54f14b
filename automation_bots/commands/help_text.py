"""Help and facts as text: an overview, the usage of one command, the facts of a job. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from automation_bots import render
from automation_bots.model import Answer, Button, Job, Operation, Parameter, Risk, one_line
from automation_bots.operations import target_words
from automation_bots.operations.own_commands import OwnCommand
from automation_bots.policy import canary
from automation_bots.text.command_names import as_typed
from automation_bots.text.times import moment_text

if TYPE_CHECKING:
    from automation_bots.store import AuditRow

_READS_SHOWN = 8  # values of a parameter that only look
_ROW = 84  # characters of a row of the page
_OFTEN = 5
_KINDS = 4
_FOUND = 12
_STEM = 5  # letters by which words are alike
_LAST = 10_000
_WORD = re.compile(r"[\w-]+")
_FILLING = frozenset(_WORD.findall("a all an and are can do does for how i in is it me my of on or the to what with"))
_TYPES = {
    "str": "a word", "int": "a whole number", "float": "a number", "bool": "yes or no", "list": "one or several: a,b",
    "dict": "name=value", "numbers": "numbers: 1,3-5",
}  # fmt: skip

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


@dataclass(frozen=True, slots=True)
class Entry:
    """A command as the help knows it."""

    name: str  # as it is typed, without the prefix
    help: str
    synopsis: str = ""
    words: tuple[str, ...] = ()  # by which it is found, beside its name and help
    choices: tuple[str, ...] = ()  # of its first values

    @classmethod
    def of(cls, operation: Operation, names: Sequence[str]) -> Entry:
        """Make it of an operation; `names` are all that the person may use."""
        name = as_typed(operation.name, names)
        choices = tuple(str(choice) for parameter in operation.parameters[:1] for choice in parameter.choices)
        return cls(name, operation.help, f"!{synopsis(replace(operation, name=name))}", operation.examples, choices)

    @classmethod
    def of_own(cls, own: OwnCommand) -> Entry:
        """Make it of a command of the bot itself."""
        return cls(own.name, own.help, f"!{own.usage}", own.examples)


@dataclass(frozen=True, slots=True)
class Topic:
    """A row of the page."""

    name: str
    about: str
    entries: tuple[Entry, ...]


def overview(
    topics: Mapping[str, Topic], often: Sequence[str], last: Job | None, groups: Mapping[str, Topic]
) -> Answer:
    """A page: the topics with the first of their commands, what this person uses most, and what was typed last."""
    width = max(map(len, topics), default=0)
    lines = [f"{name.ljust(width)}  {_first(topic.entries, often)}" for name, topic in topics.items()]
    mine = [f"You use most: {' · '.join(f'!{name}' for name in often[:_OFTEN])}"] if often else []
    if last is not None:
        mine.append(f"Last:  !{last.title}{f' on {one_line(last.pattern, 60)}' if last.pattern else ''}")
    kinds = ", ".join(sorted(groups, key=lambda name: -len(groups[name].entries))[:_KINDS])
    hint = f"→ !help <a command, a group ({kinds}, …), or what you want to do>"
    buttons = tuple(Button(name, f"help {name}", said=True) for name in topics)
    return Answer("What you may do here:", "\n".join([*lines, *mine]), hint, buttons=buttons)


def _first(entries: Sequence[Entry], often: Sequence[str]) -> str:
    """As many names as a line holds, those that are used most in front."""
    ranked = sorted((entry.name for entry in entries), key=lambda name: often.index(name) if name in often else _LAST)
    shown: list[str] = []
    for name in ranked:
        if len(", ".join([*shown, name])) > _ROW:
            break
        shown.append(name)
    more = len(ranked) - len(shown)
    return ", ".join(shown) + (f" … {more} more" if more else "")


def topic(of: Topic) -> Answer:
    """All commands of a topic, one line each."""
    width = max(len(entry.name) for entry in of.entries) + 1
    lines = [f"{f'!{entry.name}'.ljust(width)}  {one_line(entry.help, 90)}" for entry in of.entries]
    about = f" ({of.about})" if of.about else ""
    return Answer(f"{of.name}{about}:", "\n".join(lines), "→ !help <command>")


def with_topic(usage: Answer, same: Topic) -> Answer:
    """The usage of a command, and all of the topic that has the same name."""
    listed = topic(same)
    return replace(usage, block=f"{usage.block}\n\n{listed.text}\n{listed.block}", hint=listed.hint)


def found(entries: Iterable[Entry], words: Sequence[str]) -> Answer | None:
    """The commands that some words fit, the best ones first; None: no command."""
    wanted = [word for word in words if word not in _FILLING] or list(words)
    scored = [(_fit(entry, wanted), entry) for entry in entries]
    least = max((fit for fit, _ in scored), default=0) / 3 or 1
    best = sorted((one for one in scored if one[0] >= least), key=lambda one: (-one[0], one[1].name))[:_FOUND]
    if not best:
        return None
    rows = [(_filled(entry, wanted), one_line(entry.help, 70)) for _, entry in best]
    return Answer(f'For "{one_line(" ".join(words), 60)}":', render.table(rows), "→ !help <command>")


def _fit(entry: Entry, words: Sequence[str]) -> int:
    """How well an entry fits: by its name, by one of its values, by the words of its help."""
    names, told = entry.name.lower().split("-"), set(_WORD.findall(f"{entry.help} {' '.join(entry.words)}".lower()))
    return sum(
        (6 if word in names else 0)
        + (5 if word in entry.choices else 0)
        + (2 if word in told else 1 if len(word) >= _STEM and any(one.startswith(word[:_STEM]) for one in told) else 0)
        for word in words
    )


def _filled(entry: Entry, words: Sequence[str]) -> str:
    """The usage, with the value put in that was named."""
    named = next((choice for choice in entry.choices if choice in words), "")
    return entry.synopsis.replace(f"<{'|'.join(entry.choices)}>", named) if named else one_line(entry.synopsis, 60)


def flags() -> Answer:
    """What every command takes."""
    return Answer("Every command takes:", render.table(FLAGS))


def own_usage(command: OwnCommand, beside: Sequence[Entry] = ()) -> Answer:
    """The usage of one of the bot's own commands, and its neighbours."""
    lines = [f"usage    !{command.usage}", *_examples(command.examples)]
    if others := [f"!{entry.name}" for entry in beside if entry.name != command.name]:
        lines.append(f"see also {' '.join(others)}")
    return Answer(f"{command.name}: {command.help}.", "\n".join(lines))


def usage(operation: Operation, devices: Sequence[str], names: Sequence[str] = ()) -> Answer:
    """Usage, parameters and examples of an operation, with devices and (`names`) operations that the person may use."""
    name = as_typed(operation.name, names)
    lines = [f"usage    !{synopsis(replace(operation, name=name))}"]
    for parameter in operation.parameters:
        lines.append(f"  {parameter.name:<10} {describe(parameter)}")
    lines += _examples(operation.examples) or _made(operation, devices)
    taken = [flag.split()[0] for flag, _ in FLAGS if flag != "--check" or operation.previews]
    lines.append(f"flags    {' '.join(taken)} → !help flags")
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
    devices = {"required": "on <devices>", "one": "on <device>", "none": "", "alert": ""}.get(
        operation.devices, "[on <devices>]"
    )
    return " ".join([*words, *([devices] if devices and not operation.leading else [])])


def describe(parameter: Parameter) -> str:
    """Type, limits, default and meaning of a parameter."""
    parts = [" | ".join(map(str, parameter.choices)) if parameter.choices else _TYPES[parameter.type]]
    if parameter.minimum is not None or parameter.maximum is not None:
        parts.append(f"{parameter.minimum if parameter.minimum is not None else ''}–{parameter.maximum or ''}")
    if parameter.default is not None:
        parts.append(f"default {parameter.default}")
    text = ", ".join(parts)
    return f"{parameter.help} ({text})" if parameter.help else text


def _examples(examples: Sequence[str]) -> list[str]:
    """Examples, as their author wrote them."""
    return [f"example  !{example.removeprefix('!')}" for example in examples]


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
        typed = f", from {one_line(job.pattern, 40)}" if job.pattern else ""  # none was needed: all that they may use
        rows.insert(0, ("devices", f"{render.names(job.devices)} ({len(job.devices)}{typed})"))
    if job.emergency:
        rows.append(("EMERGENCY", job.emergency))
    if job.canary:
        rows.append(("canary", canary.words(job.canary)))
    if job.reason:
        rows.append(("why", job.reason))
    if job.occurrence:
        at = moment_text(job.occurrence.at, zone, now)
        rows.append(("schedule", f"S{job.occurrence.schedule}, its time {at} → !schedule {job.occurrence.schedule}"))
    if job.cause:
        rows.append(("rule", f"{job.cause.rules[-1]}, about event {job.cause.event} → !rule {job.cause.rules[-1]}"))
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
