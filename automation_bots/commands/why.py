"""Answers to "may I?" and "why?": the decision, and the rules with what failed of each, the closest first."""

from __future__ import annotations

import re
from datetime import datetime

from automation_bots import render
from automation_bots.commands.context import CommandCall, CommandContext
from automation_bots.commands.jobs import JobCommands
from automation_bots.errors import BadCommand, NoSuchJob
from automation_bots.jobs.request_context import TypedCommand
from automation_bots.model import Answer, Caller, Decision, Job, Person, Request, Verdict, one_line
from automation_bots.operations.own_commands import OWN
from automation_bots.pipeline import replay
from automation_bots.policy import explain, gate
from automation_bots.policy.rules import ADMINS
from automation_bots.store import AuditKind, AuditRow

_FOR = re.compile(r"(.*)\s+for\s+([\w.@-]+)", re.DOTALL)
_REFUSAL = re.compile(r"r(\d{1,15})", re.IGNORECASE)


class Why:
    """One method a command; each returns what to say."""

    def __init__(self, context: CommandContext, jobs: JobCommands) -> None:
        self._context, self._jobs = context, jobs

    def can(self, ask: CommandCall) -> Answer:
        """Whether somebody may do something here; nothing is done."""
        person = self._context.person(ask)
        caller, line = self._for_whom(ask, person)
        name, _, words = line.strip().removeprefix(self._context.prefix).partition(" ")
        if not name:
            raise BadCommand(f"→ !{OWN['can'].usage}")
        request = self._context.pipeline.meant(TypedCommand(caller, ask.place, name, words))
        if isinstance(request, Answer):
            return request
        scope, now = self._context.live.scope, self._context.now()
        decision = gate.decide(scope, request, now)
        looks = explain.explain(scope, request, person, now)
        return Answer(explain.verdict(decision, request), _block(decision, looks))

    def _for_whom(self, ask: CommandCall, person: Person) -> tuple[Caller, str]:
        """Take `for <person>` off the end; only admins ask for others."""
        found = _FOR.fullmatch(ask.line.strip())
        people = self._context.live.policy.people
        if not found or (found.group(2) not in people and ADMINS not in person.groups):
            return ask.caller, ask.line
        if found.group(2) == person.name:
            return ask.caller, found.group(1)
        if ADMINS not in person.groups:
            return ask.caller, ask.line  # in the words as if there were no such person
        other = people.get(found.group(2))
        if other is None or not other.ids:
            raise BadCommand(f"No person {one_line(found.group(2), 40)!r} with an id in policy.yml.")
        network = ask.caller.network if ask.caller.network in other.ids else next(iter(other.ids))
        return Caller(network, other.ids[network], other.name), found.group(1)

    def why(self, ask: CommandCall) -> Answer:
        """Which rule decided about a job, or about a refusal (the last one without a number)."""
        person, word = self._context.person(ask), ask.line.strip()
        if not word:
            rows = self._context.store.audit_rows(limit=1, person=person.name, kind=AuditKind.DENIED)
            if not rows:
                raise BadCommand("Nothing was refused to you. → !why <n>")
            return self._refusal(person, rows[0])
        if found := _REFUSAL.fullmatch(word):
            seq = int(found.group(1))
            rows = self._context.store.audit_after(seq - 1, 1)
            mine = rows and (rows[0].person == person.name or ADMINS in person.groups)
            if not mine or rows[0].seq != seq or rows[0].kind != AuditKind.DENIED:
                raise NoSuchJob(f"There is no refusal r{seq}.")
            return self._refusal(person, rows[0])
        return self._job(ask, person, self._jobs.job_of(ask, word))

    def _job(self, ask: CommandCall, person: Person, job: Job) -> Answer:
        operation = self._context.live.catalog.find(job.operation)
        rules = ", ".join(f'"{rule}"' for rule in job.rules)
        text = f"#{job.number} {job.title}{render.on(job.devices)} was allowed to {job.person} by rule {rules}"
        text += f" in an emergency: {job.emergency}." if job.emergency else "."
        approval = self._context.store.approvals.find(job.number) if job.parked else None
        if approval is not None:
            text += f" {self._context.pipeline.approvals.how(job, approval)}"
        if operation is None or not self._context.reads(ask, job):
            return Answer(text)
        request = gate.asked(job, operation)
        kind = AuditKind.ACCEPTED
        if approval is not None:
            kind = AuditKind.ASKED if approval.needs else AuditKind.SCHEDULED
        rows = self._context.store.audit_rows(limit=1, job=job.number, kind=kind)
        return self._with_rules(person, request, text, rows[0] if rows else None, approval.run_at if approval else None)

    def _refusal(self, person: Person, row: AuditRow) -> Answer:
        operation = self._context.live.catalog.find(row.operation)
        when = render.age(row.at, self._context.now(), self._context.live.policy.timezone)
        text = f"r{row.seq}, {when}, {row.person}: {row.operation} {one_line(str(row.body.get('pattern', '')), 60)}"
        text = f"{text.rstrip()}\n{row.body.get('reason', '')}"
        if operation is None:
            return Answer(text)
        request = replay.request_of(row, operation, frozenset(self._context.live.inventory.names))
        return self._with_rules(person, request, text, row)

    def _with_rules(
        self, asker: Person, request: Request, text: str, row: AuditRow | None, hour: datetime | None = None
    ) -> Answer:
        scope = self._context.live.scope
        at = hour or (row.at if row else self._context.now())
        looks = explain.explain(scope, request, asker, at)
        decision = gate.by_rules(scope, request, at)
        changed = row is not None and row.body.get("policy") not in (None, self._context.live.policy.version)
        hint = "The policy is another one by now; the rules are those of today." if changed else ""
        return Answer(text, _block(decision, looks), hint)


def _block(decision: Decision, looks: list[explain.Look]) -> str:
    """Of what is allowed only the rules that allow it; the others would have to be read to no end."""
    if decision.verdict is not Verdict.DENY:
        looks = [look for look in looks if look.rule.name in decision.rules]
    return explain.block(looks)
