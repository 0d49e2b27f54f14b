"""What people do about requests that wait: ask, approve, deny, withdraw, look. Every decision is one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from automation_bots import render
from automation_bots.approvals import text as approval_text
from automation_bots.approvals.notifier import ApprovalNotifier
from automation_bots.approvals.timer import ApprovalTimer
from automation_bots.approvals.validity import ApprovalValidity, lasts
from automation_bots.errors import BadCommand, NoSuchJob, UserError
from automation_bots.jobs.acceptance import Acceptance
from automation_bots.jobs.request_context import RequestContext
from automation_bots.model import (
    FINAL,
    PARKED,
    Answer,
    ApprovalRequirement,
    Caller,
    Decision,
    Job,
    Person,
    Place,
    Request,
    State,
    Verdict,
    one_line,
)
from automation_bots.operations import catalog
from automation_bots.policy import accounts, deadlines, gate, quorum, reauth
from automation_bots.policy.approval import Approval, Vote
from automation_bots.policy.rules import ADMINS
from automation_bots.store import AuditKind, Subject
from automation_bots.store.approvals import Voted
from automation_bots.surface import MessageRef, log_unsaid

log = logging.getLogger(__name__)
RESTORED = "waits since the record was restored from a backup, and may have run already"
_PROVE = "No: a rule asks you to prove yourself first. Type !totp <code> to me in a direct message, then approve again."


class Approvals:
    """The decisions; what time brings is looked after by the timer."""

    def __init__(self, context: RequestContext, acceptance: Acceptance, validity: ApprovalValidity) -> None:
        self._context, self._acceptance, self._validity = context, acceptance, validity
        self._waiting, self._notifier = context.store.approvals, ApprovalNotifier(context)
        self.timer = ApprovalTimer(context, validity, self._notifier, self._start)

    # -- asking

    def park(self, person: Person, request: Request, decision: Decision) -> Answer | None:
        """Let a request wait for approval, for its time, or for both."""
        job, hidden = self._acceptance.job_of(person, request, decision)
        if why := quorum.impossible(decision.needs, self._context.live.policy, job):
            return self._acceptance.refuse(request, replace(decision, reason=f"No: {why}.", allowed=()))
        state = State.WAITING if decision.needs else State.SCHEDULED
        job = replace(job, state=state, parked=True)
        approval = self._record(job, request, decision)
        votes, over = self._given(job, approval.needs, request.when or self._context.now())
        if votes and request.when is None:
            self._go_on(job, replace(approval, votes=votes), request)
            return None
        self._check_number(person, job, approval)
        job = self._waiting.add(job, approval, self._acceptance.source(request))
        self._asked_once(job, approval)
        log.info("job %s %s: %s for %s on %d devices", job.number, state, job.title, person.name, len(job.devices))
        self.timer.hidden[job.number] = hidden
        try:
            words = self._notifier.first_words(job, approval)
            words += f" · {over}" if over else ""
            if hidden:
                words += f" · {', '.join(hidden)} is kept in memory only: a restart of the bot voids the request"
            self._context.announcer.parked(job, words)
        except Exception as error:  # noqa: BLE001 - whatever a network raises, the request waits, and the timer tries again
            self.timer.unsaid.add(job.number)
            log_unsaid(log, error, "job %s: its first words could not be said", job.number)
        self.timer.look_at(job.number)
        return None

    def is_given(self, person: Person, request: Request, decision: Decision, at: datetime) -> bool:
        """Whether a time of a schedule will run with an approval that was given once, as far as that is known now."""
        job, _ = self._acceptance.job_of(person, request, decision)
        return bool(self._given(job, decision.needs, at)[0])

    def _given(self, job: Job, needs: Sequence[ApprovalRequirement], at: datetime) -> tuple[tuple[Vote, ...], str]:
        """Return the votes that were given once for all times of a schedule and count for this one; or why none do."""
        found = self._context.store.schedules.find(job.occurrence.schedule) if job.occurrence else None
        if found is None or found.approval is None or not _is_once(needs):
            return (), ""
        votes, why = self._validity.standing(job, self._context.store.job(found.approval), needs, at)
        return votes, f"the approval of #{found.approval} counts no longer: {why}" if why else ""

    def _go_on(self, job: Job, approval: Approval, request: Request) -> None:
        """Run a time of a schedule with an approval that was given once for all of them."""
        found = self._context.store.schedules.find(job.occurrence.schedule) if job.occurrence else None
        number = found.approval if found and found.approval else 0
        approved = replace(approval, deadline=None, due=None)
        approved = replace(approved, shown=self._standing(replace(job, state=State.QUEUED), approved))
        job = self._waiting.add_approved(job, approved, number, self._acceptance.source(request))
        log.info("job %s runs with the approval of #%s: %s for %s", job.number, number, job.title, job.person)
        self._context.announcer.expect(job.number)
        why = self._context.dispatcher.submit(job, {})
        self._context.announcer.accepted(job, why, silent=request.wait)

    def _standing(self, job: Job, approval: Approval) -> str:
        return approval_text.standing(job, approval, self._notifier.facts(job, approval))

    def _asked_once(self, job: Job, approval: Approval) -> None:
        """Let the approval of this time count for the later ones, where the rules say so."""
        if job.occurrence is not None and _is_once(approval.needs):
            self._context.store.schedules.asked(job.occurrence.schedule, job.number)

    def _record(self, job: Job, request: Request, decision: Decision) -> Approval:
        now, until = self._context.now(), None
        if decision.needs:
            until = deadlines.deadline(decision.needs, self._within(request, now), now)
            until = min(until, request.when) if request.when else until
        bound = self._validity.bound(request.operation, job, request.when)
        return Approval(0, bound, decision.needs, deadline=until, run_at=request.when, due=now)

    def _within(self, request: Request, now: datetime) -> float:
        """How long approvers have where no rule says it: until its time, where a schedule asks ahead of that."""
        if request.occurrence is None or request.when is None:
            return self._context.asking.seconds
        return max(self._context.asking.seconds, (request.when - now).total_seconds())

    def _check_number(self, person: Person, job: Job, approval: Approval) -> None:
        """A flood of requests would bury what approvers have to read."""
        mine = [other for other in self._waiting.all() if other.person == person.name]
        typed = [other for other in mine if other.occurrence is None]  # of schedules each has one, and they are counted
        if job.occurrence is None and len(typed) >= self._context.asking.waiting:
            raise BadCommand(f"You have {len(typed)} requests waiting, which is the limit. → !pending · !withdraw <n>")
        for other in mine:
            if other.digest != job.digest or catalog.HIDDEN in other.parameters.values():  # perhaps of another value
                continue
            known = self._waiting.find(other.number)
            if known is not None and known.digest == approval.digest:
                raise BadCommand(f"#{other.number} waits already and is exactly this. → !withdraw {other.number}")

    # -- deciding

    def approve(self, caller: Caller, place: Place, number: int, note: str = "") -> Answer | None:
        """Count one person's approval; the last one that is needed starts the job."""
        job, approval, person = self._may_decide(caller, number)
        if why := self._validity.stale(job, approval):
            again = self.timer.again(job)
            self.timer.end(job, State.VOID, f"{why}; {again}")
            then = again if job.occurrence else f"{job.person} has to ask again"
            return Answer(f"#{number} is void: {one_line(why, 300)}. {then[:1].upper()}{then[1:]}.")
        decision = self._validity.decision(job, approval)
        if why := self._account(caller, person, job, proves=bool(decision.approver_proof)):
            raise BadCommand(why)
        proved_at = self._context.store.people.proved_at(caller, person.name)
        if reauth.due(decision.approver_proof, proved_at, self._context.now()):
            raise BadCommand(_PROVE)
        if decision.verdict is Verdict.DENY:
            said = decision.reason.removeprefix("No: ")
            return Answer(f"Not now: {said} #{number} goes on waiting.")
        vote = Vote(person.name, caller, self._context.now(), one_line(note, 300))
        needs = (*approval.needs, *decision.needs)
        voted = self._waiting.vote(
            number, vote, place, lambda votes: not self._validity.lacking(job, approval, needs, votes),
            anew=person.name in self._validity.uncounted(job, approval),
        )  # fmt: skip
        if voted is Voted.ENOUGH and approval.run_at is None:
            self._start(number)
        self.timer.look_at(number)
        return self._counted(number, voted, needs)

    def _account(self, caller: Caller, person: Person, job: Job, *, proves: bool) -> str:
        """Say why this account approves nothing, since an admin could be both sides by it."""
        policy, reset = self._context.live.policy, self._context.store.people.reset_of(person.name)
        if proves and accounts.is_of(reset, job.person):
            return f"No: {job.person}, who asks, reset your authenticator app, so its code proves nothing to them."
        return quorum.account_refusal(policy, caller, reset, job, self._context.now())

    def _counted(self, number: int, voted: Voted, needs: tuple[ApprovalRequirement, ...]) -> Answer:
        job, approval = self._context.store.job(number), self._waiting.find(number)
        if approval is None or voted is Voted.LATE:
            return self._over(job)
        if voted is Voted.TWICE:
            return Answer(f"You have approved #{number} already; others have to.")
        missing = self._validity.lacking(job, approval, needs, approval.votes)
        if voted is Voted.COUNTED:
            return Answer(f"#{number} has your approval; it needs {quorum.still(missing, approval.escalated)}.")
        facts = self._notifier.facts(job, approval)
        then = f"it runs at {facts.time(approval.run_at)}" if approval.run_at else "it goes to work"
        return Answer(
            f"#{number} {job.title}{render.on(job.devices)} is approved by {quorum.voters(approval)}; {then}."
        )

    def _start(self, number: int) -> None:
        """Hand what was released to the dispatcher."""
        job, hidden = self._context.store.job(number), self.timer.hidden.pop(number, {})
        if job.state is State.QUEUED:
            self._context.announcer.take_up(number)
            self._context.dispatcher.submit(job, hidden)
            if job.emergency:
                self._context.page(render.emergency(job, self._context.place_name(job.place)))

    def deny(self, caller: Caller, place: Place, number: int, reason: str = "") -> Answer | None:
        """End a request by the word of one approver; one who has denied it by a click may say why afterwards."""
        if reason and (said := self._explained(caller, place, number, one_line(reason, 300))):
            return said
        job, _, person = self._may_decide(caller, number)
        why = f"{person.name}: {one_line(reason, 300)}" if reason else _unexplained(person)
        by = Subject(person.name, caller, place)
        if not self._waiting.end(number, State.DENIED, why, by):
            return self._over(self._context.store.job(number))
        self.timer.over(number)
        return Answer(f"#{number} {job.title}{render.on(job.devices)} of {job.person} is denied; nothing was done.")

    def _explained(self, caller: Caller, place: Place, number: int, reason: str) -> Answer | None:
        """Add the reason to a denial that had none; None when it is about something else."""
        job, approval, person = self._seen(caller, number)
        if job.state is not State.DENIED or job.error != _unexplained(person):
            return None
        by = Subject(person.name, caller, place)
        self._waiting.explain(number, f"{person.name}: {reason}", by)
        job = self._context.store.job(number)
        self._notifier.tell_requester(job, approval_text.standing(job, approval, self._notifier.facts(job, approval)))
        self.timer.look_at(number)
        return Answer(f"#{number}: {job.person} reads why.")

    def withdraw(self, caller: Caller, place: Place, number: int) -> Answer | None:
        """End a request by the word of who asked, or of an admin."""
        job, _, person = self._seen(caller, number)
        if not quorum.is_requester(person, self._context.live.policy, job) and ADMINS not in person.groups:
            return Answer(f"No: #{number} is {job.person}'s; {job.person} or an admin can withdraw it.")
        by = Subject(person.name, caller, place)
        if not self._waiting.end(number, State.WITHDRAWN, f"by {person.name}", by):
            return self._over(self._context.store.job(number))
        self.timer.over(number)
        return Answer(f"#{number} is withdrawn; nothing was done.")

    def choose(self, caller: Caller, place: Place, number: int, choice: str) -> Answer | None:
        """Take what was clicked; in a room the answer says who clicked, since nobody typed there."""
        person = self._context.person(caller)
        who = f"{person.name}: " if person is not None and not place.direct else ""
        try:
            answer = self._chosen(caller, place, number, choice.strip().lower())
        except UserError as error:
            raise BadCommand(f"{who}{error}") from error
        return answer and replace(answer, text=f"{who}{answer.text}")

    def _chosen(self, caller: Caller, place: Place, number: int, word: str) -> Answer | None:
        if word == "approve":
            return self.approve(caller, place, number)
        if word == "deny":
            denied = self.deny(caller, place, number)
            asker = self._context.store.job(number).person
            return denied and replace(denied, hint=f"→ Why? {asker} learns from it: !deny {number} <reason>")
        if word == "details":
            return self.details(caller, number)
        raise BadCommand(f"{one_line(word, 30)!r} is not one of Approve, Deny, Details.")

    def asked_with(self, message: MessageRef) -> int | None:
        """Return the job whose approvers were asked with this message."""
        for job in self._waiting.all():
            approval = self._waiting.find(job.number)
            if approval is not None and any(_is_same(message, known) for known in approval.messages):
                return job.number
        return None

    def questions(self) -> list[MessageRef]:
        """The messages that may be answered by a click or a reaction."""
        waiting = (self._waiting.find(job.number) for job in self._waiting.all() if job.state is State.WAITING)
        return [message for approval in waiting if approval is not None for message in approval.messages]

    def is_asking(self) -> bool:
        """Whether approvers may have a question before them of which it is not known yet with which message."""
        waiting = (self._waiting.find(job.number) for job in self._waiting.all() if job.state is State.WAITING)
        return any(approval is not None and approval.asked is None for approval in waiting)

    # -- looking

    def pending(self, caller: Caller) -> Answer:
        """What waits, as far as it concerns this person."""
        person, rows = self._person(caller), []
        for job in self._waiting.all():
            approval = self._waiting.find(job.number)
            mine = approval is not None and self._concerns(person, job, approval)
            if approval is not None and mine and job.number not in self._context.restored:
                rows.append(approval_text.row(job, approval, self._notifier.facts(job, approval)))
        restored = self._restored(person)
        if not rows:
            return restored or Answer("Nothing waits for approval.")
        hint = "→ !details <n> · !approve <n> · !deny <n> <reason> · !withdraw <n>"
        found = Answer(f"{render.many(len(rows), 'request')} waiting:", render.table(rows, limit=30), hint)
        if restored is None:
            return found
        return replace(restored, block=f"{restored.block}\n\n{found.text}\n{found.block}")

    def _restored(self, person: Person) -> Answer | None:
        """What was pending in a backup and waits for a word; it comes first."""
        jobs = [self._context.store.job(number) for number in self._context.restored.waits]
        rows = [
            (f"#{job.number}", job.state.value, job.person, one_line(job.title, 50), render.names(job.devices))
            for job in jobs
            if job.state not in FINAL and (job.person == person.name or ADMINS in person.groups)
        ]
        if not rows:
            return None
        text = f"The record was restored from a backup. {render.many(len(rows), 'request')} of then may have run since:"
        hint = "→ look at the devices, then !continue <n> or !withdraw <n>; admins: !continue all · !withdraw all"
        return Answer(text, render.table(rows, limit=30), hint)

    def restored(self) -> list[int]:
        """The jobs that wait for a word since the record was restored."""
        return self._context.store.restored()

    def undecided(self, caller: Caller, number: int) -> Job | None:
        """Return a job that waits for a word since the record was restored, for those who may say it."""
        if number not in self._context.restored:
            return None
        job, person = self._context.store.job(number), self._person(caller)
        if job.state in FINAL:
            return None
        if job.person != person.name and ADMINS not in person.groups:
            raise BadCommand(f"No: {job.person} or an admin says whether #{number} goes on.")
        return job

    def go_on(self, caller: Caller, place: Place, job: Job) -> None:
        """Let a request of a restored record wait, or run, as it did."""
        about = replace(Subject.of_job(job), person=self._person(caller).name, caller=caller, place=place)
        self._context.store.record(AuditKind.CONTINUED, {"requester": job.person, "reason": "restored"}, about)
        self._context.restored.let_go(job.number)
        self._context.dispatcher.released()
        self.timer.look_at(job.number)

    def take_back(self, caller: Caller, place: Place, job: Job) -> None:
        """End a request of a restored record; nothing of it is done."""
        person = self._person(caller)
        if job.state in PARKED:
            self.withdraw(caller, place, job.number)
        else:
            self._context.dispatcher.cancel(job.number, person.name)
        self._context.restored.let_go(job.number)

    def details(self, caller: Caller, number: int) -> Answer:
        """One request, whole."""
        job, approval, _ = self._seen(caller, number)
        return self._notifier.details(job, approval)

    def waits_for(self, job: Job) -> str:
        """What a parked job waits for, in words."""
        approval = self._waiting.find(job.number) if job.state in PARKED else None
        return approval_text.row(job, approval, self._notifier.facts(job, approval))[-1] if approval else ""

    def once(self, number: int) -> str:
        """Say until when the approval that was given with a job counts for the schedule that it is of."""
        approval = self._waiting.find(number)
        if approval is None or not approval.votes or not _is_once(approval.needs):
            return f"asked for with #{number}"
        facts = self._notifier.facts(self._context.store.job(number), approval)
        until = facts.time(lasts(approval.needs, approval.votes))
        return f"by {quorum.voters(approval)} with #{number}, counts until {until} while nothing changes"

    def votes(self, job: Job) -> list[str]:
        """Who approved a job, when, and with which note."""
        approval = self._waiting.find(job.number)
        if approval is None:
            return []
        facts = self._notifier.facts(job, approval)
        gone = self._validity.uncounted(job, approval) if job.state in PARKED else []
        return [approval_text.vote(vote, facts, counts=vote.person not in gone) for vote in approval.votes]

    def how(self, job: Job, approval: Approval) -> str:
        """Whose approval a job needed and how that stands, or when it runs; a sentence."""
        facts = self._notifier.facts(job, approval)
        stands = approval_text.standing(job, approval, facts) or self.waits_for(job)
        needs = f"It needs approval by {quorum.whom(approval.needs, approval.escalated)}" if approval.needs else ""
        return ": ".join(filter(None, (needs, stands))) + "."

    def _may_decide(self, caller: Caller, number: int) -> tuple[Job, Approval, Person]:
        job, approval, person = self._seen(caller, number)
        if why := quorum.refusal(person, caller, self._context.live.policy, job, approval):
            raise BadCommand(why)
        if job.state is not State.WAITING:
            raise BadCommand(str(self._over(job)))
        if number in self._context.restored:
            raise BadCommand(f"#{number} {RESTORED}. → !continue {number} · !withdraw {number}")
        if approval.deadline and self._context.now() >= approval.deadline:
            self.timer.end(job, State.EXPIRED, "nobody approved it in time")
            raise BadCommand(f"#{number} has expired; {job.person} has to ask again.")
        return job, approval, person

    def _seen(self, caller: Caller, number: int) -> tuple[Job, Approval, Person]:
        person, approval = self._person(caller), self._waiting.find(number)
        job = self._context.store.job(number) if approval else None
        if job is None or approval is None or not self._concerns(person, job, approval):
            raise NoSuchJob(f"Nothing that waits has the number {number}. → !pending")
        return job, approval, person

    def _concerns(self, person: Person, job: Job, approval: Approval) -> bool:
        asked = any(quorum.is_asked(person, need.asked((need.rule,))) for need in approval.needs)
        mine = quorum.is_requester(person, self._context.live.policy, job)
        return asked or mine or ADMINS in person.groups

    def _person(self, caller: Caller) -> Person:
        person = self._context.person(caller)
        if person is None:
            raise BadCommand(gate.stranger(self._context.live.policy, caller))
        return person

    def _over(self, job: Job) -> Answer:
        if job.state in PARKED:
            return Answer(f"#{job.number} is approved already and waits for its time.")
        return Answer(f"#{job.number} waits no longer: {job.state.value}. → !job {job.number}")


def _is_once(needs: Sequence[ApprovalRequirement]) -> bool:
    return bool(needs) and all(need.once for need in needs)


def _unexplained(person: Person) -> str:
    return f"{person.name}: no reason given"


def _is_same(one: MessageRef, other: MessageRef) -> bool:
    """Whether both mean one message; who clicks tells its room, but not always its thread."""
    return (one.id, one.place.network, one.place.room) == (other.id, other.place.network, other.place.room)
