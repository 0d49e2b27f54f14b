"""What approvers and requesters read about a request that waits. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from automation_bots import render
from automation_bots.model import FINAL, Answer, Job, Risk, State, one_line
from automation_bots.policy import canary, quorum
from automation_bots.policy.approval import Approval, Vote
from automation_bots.policy.policy import Policy
from automation_bots.text.times import duration_text, moment_text

_GROUPS_SHOWN = 4
_BLOCK_LINES = 25
_NAMES_SHOWN = 8


NOT_LOOKED = Answer("")


@dataclass(frozen=True, slots=True)
class Facts:
    """What else there is to know of a request: the inventory around its devices, the hours, the preview."""

    policy: Policy
    now: datetime
    groups: Mapping[str, Collection[str]]  # of the whole inventory
    devices: int  # of the whole inventory
    production: tuple[str, ...] = ()  # patterns of group names
    many: int = 10
    outside: tuple[str, ...] = ()  # hours that it is not in
    preview: Answer = NOT_LOOKED  # what the driver says would change
    where: str = ""
    revision: str = ""  # of the files that would run

    def time(self, at: datetime | None) -> str:
        """A moment in the policy's time zone."""
        return moment_text(at, self.policy.timezone, self.now) if at else "-"


def question(job: Job, approval: Approval, facts: Facts) -> Answer:
    """The one message to the approvers."""
    devices = f" ({render.many(len(job.devices), 'device')})" if job.devices else ""
    text = f"#{job.number} {job.person} asks for approval: {job.title}{render.on(job.devices)}{devices}"
    block = render.table(_rows(job, approval, facts))
    if facts.preview.block:
        block += "\n\n" + _cut(facts.preview.block)
    number = job.number
    return Answer(text, block, f"→ !approve {number} [note] · !deny {number} <reason> · !details {number}")


def _rows(job: Job, approval: Approval, facts: Facts) -> list[tuple[str, str]]:
    rows = [("who", f"{job.person} in {facts.where}"), ("why", one_line(job.reason, 300) or "no reason given")]
    if job.devices:
        rows.append(("devices", devices(job, facts)))
    if facts.revision:
        rows.append(("revision", facts.revision))
    rows += [("also on", words) for words in also(job)]
    if job.emergency:
        rows.append(("note", f"EMERGENCY: {one_line(job.emergency, 300)}"))
    if job.canary:
        rows.append(("batches", canary.words(job.canary)))
    rows += [
        ("runs", f"at {facts.time(approval.run_at)}" if approval.run_at else "as soon as it is approved"),
        ("needs", needs(job, approval, facts)),
        ("until", facts.time(approval.deadline)),
    ]
    rows += [("note", note) for note in [*once(job, approval), *notes(job, facts)]]
    nothing = "cannot be shown beforehand" if job.risk is Risk.CHANGE else "nothing: it only looks"
    return [*rows, ("changes", facts.preview.text or nothing)]


def once(job: Job, approval: Approval) -> list[str]:
    """Whether a yes is for one time of a schedule, or for how long it lets the later ones run too."""
    shortest = min((need.once for need in approval.needs), default=0.0)
    if job.occurrence is None:
        return []
    if not shortest:
        return [f"one time of the schedule S{job.occurrence.schedule}; each is asked for"]
    long = duration_text(timedelta(seconds=shortest))
    return [f"a yes counts for all times of S{job.occurrence.schedule} for {long}, while nothing of it changes"]


def also(job: Job) -> list[str]:
    """Where it works beside its devices: those that are known, and what only the run can work out."""
    known = [f"{', '.join(job.also)} (delegate_to)"] if job.also else []
    return known + [f"what {one_line(text, 60)} names when it runs (delegate_to)" for text in job.unknown[:5]]


def devices(job: Job, facts: Facts) -> str:
    """The devices by name as far as a line allows, and how much of which groups they are."""
    mine = set(job.devices)
    found = [(name, len(mine.intersection(hosts)), len(hosts)) for name, hosts in facts.groups.items()]
    touched = sorted((-here, name, whole) for name, here, whole in found if here and name not in {"all", "ungrouped"})
    shares = [f"{name} {-here} of {whole}" for here, name, whole in touched[:_GROUPS_SHOWN]]
    names = ", ".join(job.devices[:_NAMES_SHOWN])
    more = f" and {len(job.devices) - _NAMES_SHOWN} more" if len(job.devices) > _NAMES_SHOWN else ""
    return names + more + (f" · {', '.join(shares)}" if shares else "")


def needs(job: Job, approval: Approval, facts: Facts) -> str:
    """Whose approval is needed, and who that is."""
    names = quorum.everybody(approval.needs, facts.policy, job, approval.escalated)
    return f"{quorum.whom(approval.needs, approval.escalated)} ({render.names(names) or 'nobody is left'})"


def notes(job: Job, facts: Facts) -> list[str]:
    """What an approver should think about."""
    found = []
    if job.risk is Risk.CHANGE and len(job.devices) >= facts.many:
        part = 100 * len(job.devices) // max(1, facts.devices)
        found.append(f"many devices: {len(job.devices)} of {facts.devices} ({part} %)")
    mine = set(job.devices)
    touched = [name for name, hosts in sorted(facts.groups.items()) if not mine.isdisjoint(hosts)]
    if live := [name for name in touched if any(fnmatchcase(name, pattern) for pattern in facts.production)]:
        found.append(f"production: {', '.join(live[:_GROUPS_SHOWN])}")
    found += [f"outside of {hours}" for hours in facts.outside]
    return found


def _cut(block: str) -> str:
    lines = block.split("\n")
    more = [f"… {len(lines) - _BLOCK_LINES} more lines"] if len(lines) > _BLOCK_LINES else []
    return "\n".join([*lines[:_BLOCK_LINES], *more])


def parked(job: Job, approval: Approval, facts: Facts, room: str) -> str:
    """What the requester reads behind the title of a job that was parked just now."""
    if job.state is State.SCHEDULED:
        return f"runs at {facts.time(approval.run_at)} → !withdraw {job.number}"
    at = f", then runs at {facts.time(approval.run_at)}" if approval.run_at else ""
    asked = f" · asked {room}" if room else ""
    until = facts.time(approval.deadline)
    return f"waits for approval by {needs(job, approval, facts)} until {until}{at}{asked} → !withdraw {job.number}"


def standing(job: Job, approval: Approval, facts: Facts) -> str:
    """How a request stands, in one line; empty while nothing has happened yet."""
    by = f"approved by {quorum.voters(approval)}" if approval.votes else ""
    if job.state in {State.DENIED, State.EXPIRED, State.WITHDRAWN, State.VOID}:
        return f"{job.state.value} · {one_line(job.error, 300)}"
    if job.state is State.SCHEDULED:
        return by and f"{by}; runs at {facts.time(approval.run_at)}"
    if job.state is not State.WAITING:
        return by or ("its time has come" if approval.run_at else "")
    if not by:
        return ""
    missing = quorum.lacking(approval.needs, approval.votes, facts.policy, job, approval.escalated)
    if not missing:
        return by
    gone = quorum.uncounted(approval.needs, approval.votes, facts.policy, job, approval.escalated)
    why = f" ({quorum.no_longer(gone)})" if gone else ""
    return f"{by}; {quorum.still(missing, approval.escalated)}{why}"


def vote(given: Vote, facts: Facts, *, counts: bool) -> str:
    """One person's approval."""
    note = f": {one_line(given.note, 300)}" if given.note else ""
    return f"by {given.person}, {facts.time(given.at)}{note}{'' if counts else ' (no longer counts)'}"


def reminder(job: Job, approval: Approval, facts: Facts, what: str) -> Answer:
    """The word in between: it still waits, or others may approve too now."""
    text = f"#{job.number} {job.title}{render.on(job.devices)} of {job.person} {what}"
    return Answer(
        f"{text}; until {facts.time(approval.deadline)}, by {needs(job, approval, facts)}",
        hint=f"→ !approve {job.number} · !deny {job.number} <reason> · !details {job.number}",
    )


def row(job: Job, approval: Approval, facts: Facts) -> tuple[str, ...]:
    """One row of `!pending`."""
    if job.state is State.SCHEDULED:
        waits = f"runs at {facts.time(approval.run_at)}"
    else:
        missing = quorum.lacking(approval.needs, approval.votes, facts.policy, job, approval.escalated)
        waits = f"needs {quorum.still(missing, approval.escalated)} until {facts.time(approval.deadline)}"
    return (f"#{job.number}", job.person, one_line(job.title, 50), render.names(job.devices), waits)


def preview(job: Job, outcomes_by_status: Mapping[str, int], block: str) -> Answer:
    """What the driver says would change."""
    if job.state not in FINAL:
        return Answer(f"the preview (#{job.number}) has not ended yet")
    said = render.counts(outcomes_by_status) or one_line(job.error) or job.state.value
    return Answer(f"preview (#{job.number}): {said}", block)
