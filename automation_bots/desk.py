"""Answers about the bot itself: help, devices, jobs, queue, record. Nothing here touches a device or starts a job."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from automation_bots import __version__, gate, helptext, render
from automation_bots.dispatch.local import Local
from automation_bots.errors import BadCommand, NoSuchJob, UnknownDevice
from automation_bots.model import FINAL, Answer, Caller, Job, Operation, Person, Place, Risk, State, Verdict, one_line
from automation_bots.pipeline import Pipeline, Said
from automation_bots.policy import ADMINS
from automation_bots.store import AuditKind, Store, Subject
from automation_bots.world import World

_AGE = re.compile(r"(\d+)\s*(m|min|h|d)")
_MINUTES = {"m": 1, "min": 1, "h": 60, "d": 1440}
_GROUPS_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Ask:
    """Who asks the bot about itself, where, and the words behind the command."""

    caller: Caller
    place: Place
    line: str = ""

    @property
    def words(self) -> list[str]:
        """The words behind the command."""
        return self.line.split()


@dataclass(frozen=True, slots=True)
class Desk:
    """One method a command; each returns what to say."""

    name: str
    prefix: str
    world: World
    store: Store
    dispatcher: Local
    pipeline: Pipeline
    now: Callable[[], datetime]
    started: datetime

    def person(self, ask: Ask) -> Person:
        """Who asks; UserError for a stranger."""
        person = self.pipeline.person(ask.caller)
        if person is None:
            raise BadCommand(gate.stranger(ask.caller))
        return person

    # -- the bot

    def help(self, ask: Ask) -> Answer:
        """What this person may do here, or how one command is used."""
        self.person(ask)
        if ask.words:
            return self._help_on(ask)
        return helptext.overview(self.pipeline.usable(ask.caller, ask.place), self.prefix, self.name)

    def _help_on(self, ask: Ask) -> Answer:
        name = ask.words[0].removeprefix(self.prefix)
        if basic := helptext.BASIC.get(name):
            return helptext.basic(name, basic, self.prefix)
        operation = next((o for o in self.pipeline.usable(ask.caller, ask.place) if o.name == name), None)
        if operation is None:
            return self.pipeline.unknown(Said(ask.caller, ask.place, name))
        devices = gate.usable(self.world.scope, self.pipeline.person(ask.caller), operation, ask.place) or frozenset()
        return helptext.usage(operation, self.prefix, sorted(devices))

    def about(self, ask: Ask) -> Answer:
        """What this bot is."""
        devices, operations = len(self.world.inventory.names), len(self.world.catalog.operations)
        text = f"{self.name}: Automation Bots {__version__} on Errbot, Python {platform.python_version()}."
        hint = f"→ {self.prefix}help · {self.prefix}devices"
        return Answer(f"{text} {operations} operations, {devices} devices. GPL-3.0-or-later.", hint=hint)

    def whoami(self, ask: Ask) -> Answer:
        """Who the asker is to the bot: also for strangers, who need their id to be let in."""
        person = self.pipeline.person(ask.caller)
        where = "a direct message" if ask.place.direct else f"{ask.place.room}"
        rows = [("id", f"{one_line(ask.caller.id, 80)} on {ask.caller.network}"), ("place", where)]
        if person is None:
            return Answer(gate.stranger(ask.caller), render.table(rows))
        rows.insert(0, ("person", person.name))
        rows.insert(1, ("groups", ", ".join(sorted(person.groups)) or "none"))
        others = [f"{id_} on {network}" for network, id_ in person.ids.items() if network != ask.caller.network]
        if others:
            rows.append(("also", ", ".join(others)))
        return Answer(f"You are {person.name}.", render.table(rows))

    def status(self, ask: Ask) -> Answer:
        """How the bot is."""
        person = self.person(ask)
        running, waiting = self.dispatcher.active
        up = render.duration((self.now() - self.started).total_seconds())
        rows = [
            ("up", up),
            ("jobs", f"{running} running, {waiting} waiting"),
            ("devices", str(len(self.world.inventory.names))),
            ("operations", str(len(self.world.catalog.operations))),
        ]
        if held := self.store.holds():
            rows.append(("held", f"{len(held)} devices by interrupted jobs {_numbers(held)}"))
        problems = self.problems() if ADMINS in person.groups else []
        rows += [("problem", text) for text in problems[:5]]
        return Answer(f"{self.name} {__version__} is up." if not problems else f"{self.name} has problems.", render.table(rows))

    def problems(self) -> list[str]:
        """What is wrong with files, for admins."""
        found = [self.world.policy_problem, self.world.inventory.problem, *map(str, self.world.catalog.problems)]
        return [one_line(text, 300) for text in found if text]

    def can(self, ask: Ask) -> Answer:
        """Whether this person may do something here, and which rule says so; nothing is done."""
        self.person(ask)
        name, _, line = ask.line.strip().removeprefix(self.prefix).partition(" ")
        if not name:
            raise BadCommand(f"→ {self.prefix}can <operation> on <devices>")
        decision = self.pipeline.judge(Said(ask.caller, ask.place, name, line))
        if isinstance(decision, Answer):
            return decision
        if decision.verdict is Verdict.DENY:
            return Answer(decision.reason)
        by = f" with approval by {' or '.join(decision.approvers)}" if decision.approvers else ""
        rules = ", ".join(f'"{rule}"' for rule in decision.rules)
        return Answer(f"Yes: {name}{render.on(decision.allowed)}{by} (rule {rules}).")

    def playbook(self, ask: Ask) -> Answer | None:
        """List playbooks, look into one, or run one."""
        self.person(ask)
        action, _, rest = ask.line.strip().partition(" ")
        name, _, line = rest.strip().partition(" ")
        mine = {o.name: o for o in self.pipeline.usable(ask.caller, ask.place) if o.group == "Playbooks"}
        if action in {"", "list"}:
            rows = [(o.name, "reads" if o.risk is Risk.READ else "changes", one_line(o.help, 80)) for o in mine.values()]
            return Answer(f"{len(rows)} playbooks you may use here:", render.table(sorted(rows)), f"→ {self.prefix}playbook show <name>")
        if action not in {"show", "run"} or not name:
            raise BadCommand(f"→ {self.prefix}playbook list · show <name> · run <name> on <devices> [key=value …] [--check]")
        if name not in mine:
            near = self.world.catalog.nearest(name, mine)
            raise BadCommand(f"No playbook {one_line(name, 40)!r}." + (f" Did you mean {near[0]}?" if near else ""))
        if action == "run":
            return self.pipeline.submit(Said(ask.caller, ask.place, name, line))
        source = mine[name].source
        content = source.read_text() if source else ""
        return Answer(f"{name}: {mine[name].help}", content, f"→ {self.prefix}help {name}")

    # -- devices

    def devices(self, ask: Ask) -> Answer:
        """The devices that this person may see."""
        seen = gate.visible(self.world.scope, self.person(ask))
        if not ask.words:
            return self._groups(seen)
        pattern = ask.line.replace(" ", "")
        found = [name for name in self.world.inventory.expand(pattern) if name in seen]
        if not found:
            raise UnknownDevice(f"No device or group {one_line(pattern, 60)!r}. → {self.prefix}devices")
        rows = [(d.name, d.platform, ", ".join(sorted(d.groups))) for d in self.world.inventory.devices(tuple(found[:200]))]
        return Answer(f"{len(found)} devices match {one_line(pattern, 60)}:", render.table(rows, limit=40))

    def _groups(self, seen: frozenset[str]) -> Answer:
        rows = []
        for group, hosts in sorted(self.world.inventory.groups.items()):
            mine = [host for host in hosts if host in seen]
            if mine and group not in {"all", "ungrouped"}:
                rows.append((group, str(len(mine)), render.names(mine)))
        lone = [host for host in self.world.inventory.groups.get("ungrouped", ()) if host in seen]
        if lone:
            rows.append(("-", str(len(lone)), render.names(lone)))
        if not rows:
            return Answer("No rule lets you see a device.")
        return Answer(f"{len(seen)} devices:", render.table(rows, limit=_GROUPS_SHOWN), f"→ {self.prefix}devices <pattern>")

    def device(self, ask: Ask) -> Answer:
        """One device: how it is reached, its groups, what you may do there, what ran there last."""
        person = self.person(ask)
        name = ask.line.strip()
        if not name:
            raise BadCommand(f"Which device? → {self.prefix}device <name>")
        seen = gate.visible(self.world.scope, person)
        if name not in seen:
            near = self.world.inventory.nearest(name, seen)
            raise UnknownDevice(f"No device {one_line(name, 60)!r}." + (f" Did you mean {' or '.join(near)}?" if near else ""))
        device = self.world.inventory.device(name)
        usable = [o.name for o in self.pipeline.usable(ask.caller, ask.place) if self._may(person, o, ask.place, name)]
        rows = [
            ("platform", device.platform),
            ("driver", device.driver),
            ("address", device.address),
            ("groups", ", ".join(sorted(device.groups)) or "none"),
            ("you may", ", ".join(usable) or "nothing here"),
        ]
        if holder := self.store.holds().get(name):
            rows.append(("held", f"by #{holder}, which was interrupted → {self.prefix}ack {holder}"))
        return Answer(name, render.table(rows))

    def _may(self, person: Person, operation: Operation, place: Place, device: str) -> bool:
        return device in (gate.usable(self.world.scope, person, operation, place) or frozenset())

    # -- jobs

    def job_of(self, ask: Ask, word: str) -> Job:
        """The job of a number that this person may see: one's own, one on devices one sees, or any for admins."""
        person, digits = self.person(ask), word.lstrip("#")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 15:
            raise NoSuchJob(f"{one_line(word, 30)!r} is no job number. → {self.prefix}jobs")
        job = self.store.job(int(digits))
        if not self._sees(person, job):
            raise NoSuchJob(f"There is no job #{int(digits)}. → {self.prefix}jobs")
        return job

    def _sees(self, person: Person, job: Job) -> bool:
        if job.person == person.name or ADMINS in person.groups:
            return True
        return bool(job.devices) and gate.visible(self.world.scope, person).issuperset(job.devices)

    def jobs(self, ask: Ask) -> Answer:
        """The latest jobs: mine, running, failed or all."""
        person = self.person(ask)
        which = ask.words[0].lower() if ask.words else "all"
        states: dict[str, tuple[State, ...] | None] = {
            "all": None,
            "mine": None,
            "running": (State.RUNNING, State.QUEUED),
            "failed": (State.FAILED, State.INTERRUPTED),
        }
        if which not in states:
            raise BadCommand(f"{one_line(which, 30)!r} is not one of mine, running, all, failed. → {self.prefix}help jobs")
        found = self.store.jobs(states=states[which], person=person.name if which == "mine" else None, limit=50)
        rows = [render.job_line(job, self.now()) for job in found if self._sees(person, job)]
        if not rows:
            return Answer("No jobs." if which == "all" else f"No {which} jobs.")
        return Answer(f"{which} jobs, latest first:", render.table(rows, limit=20), f"→ {self.prefix}job <n>")

    def job(self, ask: Ask) -> Answer:
        """One job, or its output."""
        if not ask.words:
            raise BadCommand(f"Which job? → {self.prefix}job <n> · {self.prefix}jobs")
        job = self.job_of(ask, ask.words[0])
        if len(ask.words) > 1 and ask.words[1] == "output":
            return self._output(job, ask.words[2] if len(ask.words) > 2 else "")
        outcomes = self.store.outcomes(job.number)
        recap = render.recap(job, outcomes) if job.state in FINAL else None
        why = self.dispatcher.waits().get(job.number, "")
        rows = [*helptext.job_facts(job, self.now()), *([("waits", why)] if why else [])]
        block = render.table(rows) + ("\n\n" + render.table(render.rows(outcomes), limit=40) if outcomes else "")
        text = render.headline(job) if recap else f"#{job.number} {job.title} {job.state.value}"
        return Answer(text, block, recap.hint if recap else f"→ {self.prefix}cancel {job.number}")

    def _output(self, job: Job, device: str) -> Answer:
        names = [device] if device else list(job.devices) or [""]
        if device and device not in job.devices:
            raise UnknownDevice(f"#{job.number} did not run on {one_line(device, 60)!r}; it ran on {render.names(job.devices)}.")
        texts = [(name, self.store.output(job.number, name)) for name in names]
        whole = "\n".join(f"── {name}\n{text}" if len(names) > 1 else text for name, text in texts if text)
        if not whole.strip():
            return Answer(f"#{job.number} has no output{f' of {device}' if device else ''}.")
        title = f"#{job.number} {job.title}{render.on(names if names != [''] else [])}"
        return Answer(title, file=(f"job-{job.number}{'-' + device if device else ''}.txt", whole))

    def queue(self, ask: Ask) -> Answer:
        """What waits, at which position, and for what."""
        person = self.person(ask)
        waits = self.dispatcher.waits()
        rows = []
        for position, (number, why) in enumerate(waits.items(), 1):
            job = self.store.job(number)
            shown = (job.title, job.person) if self._sees(person, job) else ("…", "")
            rows.append((f"{position}.", f"#{number}", *shown, why if shown[1] else ""))
        running = self.dispatcher.active[0]
        if not rows:
            return Answer(f"Nothing waits; {running} jobs run.")
        return Answer(f"{len(rows)} jobs wait, {running} run:", render.table(rows, limit=30))

    def cancel(self, ask: Ask) -> Answer:
        """Stop one's own job; admins stop any."""
        job, person = self.job_of(ask, ask.words[0] if ask.words else ""), self.person(ask)
        if job.person != person.name and ADMINS not in person.groups:
            return Answer(f"No: #{job.number} is {job.person}'s; {job.person} or an admin can cancel it.")
        if job.state in FINAL or not self.dispatcher.cancel(job.number, f"cancelled by {person.name}"):
            return Answer(f"#{job.number} has ended already: {job.state.value}. → {self.prefix}job {job.number}")
        self.store.record(AuditKind.CANCELLED, {"requester": job.person}, Subject(person.name, ask.caller, ask.place, job=job.number))
        return Answer(f"#{job.number} is being cancelled.")

    def retry(self, ask: Ask) -> Answer | None:
        """Ask for a job again, on all its devices or those that failed."""
        job = self.job_of(ask, ask.words[0] if ask.words else "")
        which = ask.words[1].lower() if len(ask.words) > 1 else "all"
        if which not in {"all", "failed"}:
            raise BadCommand(f"→ {self.prefix}retry {job.number} · {self.prefix}retry {job.number} failed")
        return self.pipeline.retry(ask.caller, ask.place, job, failed=which == "failed")

    def ack(self, ask: Ask) -> Answer:
        """Acknowledge an interrupted change: somebody has looked, the devices are free again."""
        job, person = self.job_of(ask, ask.words[0] if ask.words else ""), self.person(ask)
        if job.person != person.name and ADMINS not in person.groups:
            return Answer(f"No: {job.person} or an admin acknowledges #{job.number}.")
        if not self.store.acknowledge(job.number, person.name):
            return Answer(f"#{job.number} holds no device.")
        self.dispatcher.released()
        return Answer(f"#{job.number} is acknowledged; {render.names(job.devices)} can be changed again.")

    # -- the record

    def audit(self, ask: Ask) -> Answer:
        """The record, newest first, filtered by key=value."""
        denied = self.pipeline.guard(ask.caller, ask.place, "audit")
        if denied is not None:
            return denied
        if ask.line.strip() == "verify":
            return Answer(f"The record is whole: {self.store.verify_audit()} entries, each chained to the one before.")
        rows = self.store.audit_rows(**self._filters(ask.words))
        if not rows:
            return Answer("No such entries.")
        shown = [helptext.audit_row(row) for row in rows]
        return Answer(f"{len(rows)} entries, newest first:", render.table(shown, limit=50))

    def _filters(self, words: Sequence[str]) -> Mapping[str, object]:
        filters: dict[str, object] = {}
        for word in words:
            key, equals, value = word.partition("=")
            if not equals or key not in {"person", "device", "kind", "job", "since", "limit"}:
                raise BadCommand(f"Filters: person=, device=, kind=, job=, since=2h, limit=. → {self.prefix}help audit")
            filters[key] = self._filter(key, value)
        return filters

    def _filter(self, key: str, value: str) -> object:
        if key in {"job", "limit"}:
            if not value.lstrip("#").isdigit():
                raise BadCommand(f"{key} must be a number, got {one_line(value, 30)!r}")
            return min(int(value.lstrip("#")), 10**9)
        if key == "since":
            found = _AGE.fullmatch(value)
            if not found:
                raise BadCommand(f"since must be like 30m, 2h or 7d, got {one_line(value, 30)!r}")
            return self.now() - timedelta(minutes=int(found.group(1)) * _MINUTES[found.group(2)])
        if key == "kind":
            kinds = {kind.value.replace(" ", "-"): kind for kind in AuditKind}
            if value not in kinds:
                raise BadCommand(f"kind is one of {', '.join(kinds)}")
            return kinds[value]
        return value


def _numbers(held: Mapping[str, int]) -> str:
    return ", ".join(f"#{number}" for number in sorted(set(held.values())))
