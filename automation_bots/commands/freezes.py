"""Answers about what people closed to changes, and about emergencies that somebody has to review."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from automation_bots import render
from automation_bots.commands.context import TRIED, CommandCall, CommandContext
from automation_bots.commands.jobs import JobCommands
from automation_bots.commands.restored import RestoredCommands
from automation_bots.commands.schedules import ScheduleCommands
from automation_bots.errors import BadCommand
from automation_bots.model import Answer, Operation, Person, Request, Risk, one_line
from automation_bots.policy import gate
from automation_bots.policy.freezes import ALL, DONE, BlockKind, ChangeBlock
from automation_bots.policy.rules import ADMINS
from automation_bots.store import AuditKind, Subject
from automation_bots.text.times import leading, moment_text

# Operations of the policy: for admins until a rule names them. They touch no device, so a freeze does not stop them.
_OPERATIONS = {
    kind: Operation(kind.value, f"{kind.value} devices", Risk.READ, devices="optional", declared=False)
    for kind in BlockKind
}
_UNDO = {BlockKind.FREEZE: "unfreeze", BlockKind.LOCK: "unlock"}


class FreezeCommands:
    """One method a command; each returns what to say."""

    def __init__(
        self, context: CommandContext, jobs: JobCommands, schedules: ScheduleCommands, closed: Callable[[], None]
    ) -> None:
        self._context, self._jobs, self._schedules, self._closed = context, jobs, schedules, closed

    # -- freezes and locks

    def freeze(self, ask: CommandCall) -> Answer:
        """Keep everybody's changes away from devices until a time."""
        return self._close(ask, BlockKind.FREEZE)

    def lock(self, ask: CommandCall) -> Answer:
        """Keep the changes of others away from devices."""
        return self._close(ask, BlockKind.LOCK)

    def unfreeze(self, ask: CommandCall) -> Answer:
        """Let changes in again."""
        return self._open(ask, BlockKind.FREEZE)

    def unlock(self, ask: CommandCall) -> Answer:
        """Give locked devices back."""
        return self._open(ask, BlockKind.LOCK)

    def locks(self, ask: CommandCall) -> Answer:
        """What is frozen or locked, as far as one may see the devices."""
        person = self._context.person(ask)
        seen = gate.visible(self._context.live.scope, person)
        rows = [
            self._row(c, seen) for c in self._context.store.change_blocks.current() if ALL in c.devices or c.hits(seen)
        ]
        if not rows:
            return Answer("Nothing is frozen or locked.")
        hint = "→ !unfreeze <devices|all> · !unlock <devices>"
        return Answer(f"{len(rows)} closed to changes:", render.table(rows, limit=40), hint)

    def _row(self, block: ChangeBlock, seen: frozenset[str]) -> tuple[str, ...]:
        devices = "all" if ALL in block.devices else render.names(sorted(block.devices & seen))
        zone = self._context.live.policy.timezone
        until = f"until {moment_text(block.until, zone)}" if block.until else "until it is given back"
        return (DONE[block.kind], devices, f"by {block.person}", until, one_line(block.reason, 80))

    def _close(self, ask: CommandCall, kind: BlockKind) -> Answer:
        person, now = self._context.person(ask), self._context.now()
        words = ask.words
        if len(words) < 2:
            times = " until <time>" if kind is BlockKind.FREEZE else " [until <time>]"
            raise BadCommand(f"→ !{kind.value} <devices>{times} <reason>")
        devices, until = self._devices(person, words[0]), None
        rest: Sequence[str] = words[1:]
        if rest[0].lower() == "until":
            until, rest = self._until(rest[1:], now)
        elif kind is BlockKind.FREEZE:
            raise BadCommand(f"Until when? → !freeze {one_line(words[0], 40)} until 18:00 <reason>")
        if not rest:
            raise BadCommand(f"Why? → !{kind.value} {one_line(words[0], 40)} … <reason>")
        if refused := self._judged(ask, kind, words[0], devices):
            return refused
        return TRIED if ask.trial else self._closed_by(ask, kind, person, devices, (until, " ".join(rest)))

    def _closed_by(
        self, ask: CommandCall, kind: BlockKind, person: Person, devices: tuple[str, ...],
        how: tuple[datetime | None, str],
    ) -> Answer:  # fmt: skip
        until, words, now = how[0], ask.words, self._context.now()
        reason = one_line(how[1].strip('"'), 300)
        block = ChangeBlock(kind, person.name, reason, frozenset(devices), now, until)
        others = self._context.store.change_blocks.add(block, self._about(ask, kind, devices), steals=_admin(person))
        if others and not _admin(person):
            hit = render.names(others[0].hits(devices) or ["all"])
            who = others[0].person
            return Answer(f"No: {hit} is locked by {who}: {others[0].reason}. {who} or an admin can unlock it.")
        self._closed()
        zone = self._context.live.policy.timezone
        until_text = f" until {moment_text(until, zone)}" if until else ""
        taken_from = f" (taken from {', '.join(sorted({o.person for o in others}))})" if others else ""
        text = f"{_shown(devices)} {DONE[kind]} for changes{until_text}: {reason}{taken_from}."
        return Answer(text, hint=f"→ !{_UNDO[kind]} {one_line(words[0], 60)} · !locks")

    def _until(self, words: Sequence[str], now: datetime) -> tuple[datetime, Sequence[str]]:
        try:
            return leading(words, now, self._context.live.policy.timezone)
        except ValueError as error:
            raise BadCommand(f"Until when? {error}.") from error

    def _open(self, ask: CommandCall, kind: BlockKind) -> Answer:
        person = self._context.person(ask)
        if len(ask.words) != 1:
            raise BadCommand(f"→ !{_UNDO[kind]} <devices|all> · !locks")
        devices = self._devices(person, ask.words[0])
        if ask.trial:
            return TRIED
        # `all` is also each single one: it opens whatever was closed.
        known = set(devices) | (set(self._context.live.inventory.names) if ALL in devices else set())
        of = None if _admin(person) else person.name
        gone = self._context.store.change_blocks.remove(kind, known, self._about(ask, kind, devices), of=of)
        self._closed()
        if gone:
            return Answer(f"{_shown(gone)} can be changed again.")
        left = [
            c
            for c in self._context.store.change_blocks.current()
            if c.kind is kind and (ALL in c.devices or c.hits(known))
        ]
        if not left:
            return Answer(f"{_shown(devices)} is not {DONE[kind]}. → !locks")
        if ALL in left[0].devices and _admin(person):
            return Answer(f"Everything is {DONE[kind]} by {left[0].person}. → !{_UNDO[kind]} all")
        return Answer(f"No: it is {DONE[kind]} by {left[0].person}, who or an admin can open it.")

    def _devices(self, person: Person, word: str) -> tuple[str, ...]:
        """What a word means: every device there is for `all`, of whoever sees and may close all of them."""
        if word == "all":
            return (ALL,)
        return self._context.pipeline.expand(person, word)

    def _judged(self, ask: CommandCall, kind: BlockKind, pattern: str, devices: tuple[str, ...]) -> Answer | None:
        real = self._context.live.inventory.names if ALL in devices else devices
        request = Request(ask.caller, ask.place, _OPERATIONS[kind], {}, pattern, real)
        return self._context.pipeline.judged(request)

    def _about(self, ask: CommandCall, kind: BlockKind, devices: tuple[str, ...]) -> Subject:
        person = self._context.person(ask)
        return Subject(person.name, ask.caller, ask.place, kind.value, devices)

    # -- emergencies

    def reviews(self, ask: CommandCall) -> Answer:
        """Emergencies that nobody has looked at yet."""
        person = self._context.person(ask)
        rows = []
        for review in self._context.store.reviews.open():
            job = self._context.store.job(review.job)
            if self._context.sees(person, job):
                when = render.age(review.at, self._context.now(), self._context.live.policy.timezone)
                rows.append(
                    (f"#{job.number}", job.title, render.names(job.devices), review.person, when, review.reason)
                )
        if not rows:
            return Answer("No emergency waits for a review.")
        hint = "→ !review <n> <what you found>"
        return Answer(
            f"{render.many(len(rows), 'emergency').replace('ys', 'ies')} to review:", render.table(rows), hint
        )

    def review(self, ask: CommandCall) -> Answer:
        """Write what was found about an emergency; somebody else than who had it."""
        number, _, text = ask.line.strip().partition(" ")
        job, person = self._jobs.job_of(ask, number), self._context.person(ask)
        review = self._context.store.reviews.of(job.number)
        if review is None:
            return Answer(f"#{job.number} was no emergency.")
        if review.written:
            return Answer(f"#{job.number} was reviewed by {review.reviewer}: {review.text}")
        if not text.strip():
            raise BadCommand(f"What did you find? → !review {job.number} <text>")
        if job.person == person.name or person.robot:
            return Answer(f"No: somebody else than {job.person} reviews #{job.number}, and no robot.")
        if refused := self._context.pipeline.plugin_commands.judge(ask.caller, ask.place, "review"):
            return refused
        about = Subject(person.name, ask.caller, ask.place, job.operation, job.devices, job.number)
        if not self._context.store.reviews.write(job.number, one_line(text, 2_000), about):
            return Answer(f"#{job.number} has been reviewed in this moment. → !reviews")
        return Answer(f"The review of #{job.number} is written.")

    # -- jobs in batches

    def continue_(self, ask: CommandCall) -> Answer:
        """Let a job that pauses after a batch go on, or one that waits since the record was restored."""
        if restored := RestoredCommands(self._context, self._schedules.resume_restored).each(ask, ends=False):
            return restored
        job, person = self._jobs.job_of(ask, ask.words[0] if ask.words else ""), self._context.person(ask)
        if job.person != person.name and not _admin(person):
            return Answer(f"No: {job.person} or an admin says how #{job.number} goes on.")
        if not self._context.dispatcher.go_on(job.number):
            return Answer(f"#{job.number} does not wait for a word. → !job {job.number}")
        about = replace(Subject.of_job(job), person=person.name, caller=ask.caller, place=ask.place)
        self._context.store.record(AuditKind.CONTINUED, {"requester": job.person}, about)
        return Answer(f"#{job.number} goes on.")


def _admin(person: Person) -> bool:
    return ADMINS in person.groups


def _shown(devices: tuple[str, ...] | list[str]) -> str:
    return "Everything" if ALL in devices else render.names(sorted(devices))
