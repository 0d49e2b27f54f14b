"""Help and facts as text: an overview, the usage of one command, the facts of a job. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from automation_bots import render
from automation_bots.model import Answer, Job, Operation, Parameter, Risk, one_line
from automation_bots.operations import target_words
from automation_bots.policy import canary

if TYPE_CHECKING:
    from automation_bots.store import AuditRow

_READS_SHOWN = 8  # values of a parameter that only look

# The usage, the meaning and examples of each of the bot's own commands.
BASIC: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "help": ("help [command]", "What you may do here, or how one command is used", ("!help", "!help ping")),
    "about": ("about", "What this bot is", ("!about",)),
    "whoami": ("whoami", "Who you are to the bot: person, groups, ids, place", ("!whoami",)),
    "devices": ("devices [pattern]", "The devices you may see, by group or pattern",
                ("!devices", "!devices core:&site_a")),
    "device": ("device <name> | trust <devices> | untrust <devices>",
               "One device: how it is reached, what you may do there; admins: which SSH host keys are trusted",
               ("!device core1", "!device trust core1")),
    "playbook": ("playbook list | show <name> | run <name> on <devices> [key=value …] [--check]",
                 "Playbooks: list them, look into one, run one", ("!playbook list", "!playbook show patch")),
    "jobs": ("jobs [mine|running|all|failed]", "The latest jobs", ("!jobs mine",)),
    "job": ("job <n> [output [device] | outputs]", "One job with its outcomes, its output, or a file for each device",
            ("!job 42", "!job 42 output web3", "!job 42 outputs")),
    "queue": ("queue", "What waits, and for what", ("!queue",)),
    "cancel": ("cancel <n>", "Stop a job of yours", ("!cancel 42",)),
    "retry": ("retry <n> [failed]", "Run a job again, on all its devices or those that failed", ("!retry 42 failed",)),
    "ack": ("ack <n>", "Acknowledge an interrupted change, so that its devices are free again", ("!ack 42",)),
    "pending": ("pending", "What waits for approval or for its time", ("!pending",)),
    "approve": ("approve <n> [note]", "Approve what somebody else asked for", ("!approve 42", "!approve 42 go ahead")),
    "deny": ("deny <n> <reason>", "Refuse what somebody else asked for", ("!deny 42 not before the release",)),
    "details": ("details <n>", "All there is to know of a request, with the whole preview", ("!details 42",)),
    "withdraw": ("withdraw <n>", "Take back what waits for approval or for its time", ("!withdraw 42",)),
    "repos": ("repos [install <address>[@tag|@commit] | confirm <code> | update <name>[@tag] | remove <name> |"
              " search <words>]",
              "Plugins from elsewhere, for admins", ("!repos", "!repos install https://github.com/owner/name@v1.2")),
    "can": ("can <operation> on <devices> [for <person>]", "Whether you may, and which rule says so",
            ("!can patch on db", "!can patch on db for joe")),
    "why": ("why [<n>|r<n>]", "Which rule decided about a job, or about what was refused to you last",
            ("!why", "!why 42", "!why r57")),
    "freeze": ("freeze <devices|all> until <time> <reason>", "Keep changes away from devices, where a rule lets you",
               ("!freeze web until 18:00 audit", "!freeze all until Mon 08:00 end of year")),
    "unfreeze": ("unfreeze <devices|all>", "Let changes in again", ("!unfreeze web",)),
    "lock": ("lock <devices> [until <time>] <reason>", "Keep the changes of others away, where a rule lets you",
             ("!lock core1 replacing a line card", "!lock web until 2h tests")),
    "unlock": ("unlock <devices>", "Give locked devices back", ("!unlock core1",)),
    "locks": ("locks", "What is frozen or locked, by whom and why", ("!locks",)),
    "reviews": ("reviews", "Emergencies that nobody has reviewed yet", ("!reviews",)),
    "review": ("review <n> <text>", "Write what you found about somebody else's emergency",
               ("!review 42 the fix was right, now in the playbook too",)),
    "continue": ("continue <n>", "Let a job go on that pauses after a batch", ("!continue 42",)),
    "status": ("status", "How the bot is", ("!status",)),
    "audit": ("audit [person=] [device=] [kind=] [job=] [since=2h] [limit=] | verify | key | "
              "export from <day> [to <day>] [csv] [json]",
              "The record, for those whom a rule lets see it",
              ("!audit since=2h", "!audit verify", "!audit export from 2026-11-01 to 2026-11-30")),
    "people": ("people", "Everybody the bot knows, for admins", ("!people",)),
    "person": ("person [name] | link [<name> <network> <id>] | unlink <network> <id> | invite <name> | code <code>",
               "One person; linking another account of yours",
               ("!person", "!person link", "!person link ana matrix @ana:corp.example", "!person invite ana")),
    "totp": ("totp [<code> | enrol | end | reset <person>]",
             "Prove yourself with your authenticator app, where a rule asks for it",
             ("!totp", "!totp enrol", "!totp 123456")),
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


def overview(operations: Iterable[Operation], prefix: str, name: str, hidden: Collection[str] = ()) -> Answer:
    """All that a person may do here, grouped, one line each; `hidden` are commands of the bot they may not use."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for operation in sorted(operations, key=lambda o: o.name):
        mark = "" if operation.risk is Risk.READ else "* "
        groups.setdefault(operation.group, []).append((f"  {prefix}{operation.name}", mark + operation.help))
    groups["The bot"] = [(f"  {prefix}{key}", meaning) for key, (_, meaning, _) in BASIC.items() if key not in hidden]
    width = max(len(row[0]) for rows in groups.values() for row in rows)
    lines = []
    for group, rows in groups.items():
        lines += [group, *(f"{command.ljust(width)}  {one_line(meaning, 90)}" for command, meaning in rows)]
    return Answer(
        f"What you may do here with {name} (* may change something):", "\n".join(lines), f"→ {prefix}help <command>"
    )


def basic(name: str, entry: tuple[str, str, tuple[str, ...]], prefix: str) -> Answer:
    """The usage of one of the bot's own commands."""
    usage_line, meaning, examples = entry
    return Answer(
        f"{name}: {meaning}.", "\n".join([f"usage    {prefix}{usage_line}", *_examples(examples, prefix, ())])
    )


def usage(operation: Operation, prefix: str, devices: Sequence[str], names: Sequence[str] = ()) -> Answer:
    """Usage, parameters and examples of an operation, with devices and (`names`) operations that the person may use."""
    name = as_typed(operation.name, names)
    lines = [f"usage    {prefix}{synopsis(replace(operation, name=name))}"]
    for parameter in operation.parameters:
        lines.append(f"  {parameter.name:<10} {describe(parameter)}")
    flags = [flag for flag in FLAGS if flag[0] != "--check" or operation.previews]
    lines += [f"  {flag:<12} {meaning}" for flag, meaning in flags]
    lines += _examples(operation.examples, prefix, devices) or _made(operation, prefix, devices)
    if devices:
        lines.append(f"devices  {render.names(devices)} ({len(devices)})")
    if further := [as_typed(other, names) for other in sorted(names) if other.startswith(f"{operation.name}-")]:
        lines.append(f"see also {' · '.join(f'{prefix}help {other}' for other in further)}")
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


def _examples(examples: Sequence[str], prefix: str, devices: Sequence[str]) -> list[str]:
    """Examples with devices that the person may use, where an example names some."""
    shown = []
    for example in examples:
        text = prefix + example.removeprefix("!")
        head, on, _ = text.rpartition(" on ")
        shown.append(f"example  {head} on {devices[0]}" if on and devices else f"example  {text}")
    return shown


def _made(operation: Operation, prefix: str, devices: Sequence[str]) -> list[str]:
    if any(p.required and not p.choices for p in operation.parameters):
        return []
    words = [str(p.choices[0]) for p in operation.parameters if p.required]
    target = [f"on {devices[0]}"] if devices else []
    return [f"example  {prefix}{' '.join([operation.name, *words, *target])}"]


def job_facts(job: Job, now: datetime) -> list[tuple[str, str]]:
    """Who, where, when, why."""
    where = "direct message" if job.place.direct else f"{job.place.room}"
    rows = [
        ("who", f"{job.person} ({where} on {job.place.network})"),
        (
            "when",
            f"{render.age(job.created, now)}" + (f", started {render.age(job.started, now)}" if job.started else ""),
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
    if job.retry_of:
        rows.append(("again", f"of #{job.retry_of}"))
    return [(name, value) for name, value in rows if value]


def audit_row(row: AuditRow) -> tuple[str, ...]:
    """One line of `!audit`."""
    job = f"#{row.job}" if row.job else ""
    urgent = f"EMERGENCY: {row.body['emergency']}" if row.body.get("emergency") else ""
    text = str(urgent or row.body.get("reason") or row.body.get("error") or row.body.get("state") or "")
    if of := row.body.get("of"):
        text = " ".join(str(part) for part in (of, row.body.get("id", ""), text) if part)
    return (
        row.at.strftime("%m-%d %H:%M:%S"),
        row.kind,
        row.person or "-",
        job,
        row.operation or "",
        one_line(text, 70),
    )
