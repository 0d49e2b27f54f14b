"""Looks after what waits for approval or for its time: asks, reminds, escalates, expires, starts, and tells.

One thread for all of them, which sleeps until the store's next due time. All that matters is in the store.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from automation_bots import render
from automation_bots.approvals.notifier import ApprovalNotifier
from automation_bots.approvals.text import reminder, standing
from automation_bots.approvals.validity import ApprovalValidity
from automation_bots.jobs.request_context import RequestContext
from automation_bots.model import FINAL, PARKED, Job, Place, Risk, State, Verdict
from automation_bots.operations import catalog
from automation_bots.policy import deadlines, quorum
from automation_bots.policy.approval import Approval
from automation_bots.store import AuditKind
from automation_bots.surface import Refusal, Waiting, log_unsaid
from automation_bots.threads.loop import Loop

log = logging.getLogger(__name__)
_LONGEST_SECONDS = 300.0  # the wall clock may be set meanwhile
_AGAIN = timedelta(seconds=30)  # after something went wrong
_SOON = timedelta(seconds=3)  # where a network has what is to be said, and has not said it yet
_PREVIEW = timedelta(seconds=180)  # that approvers wait for the preview
_CLOSED = timedelta(seconds=60)  # while hours or a freeze hold what has enough votes, or votes do not count
_TRIES = 3  # to ask in a room that does not say itself that it cannot be reached, before it counts as such


class ApprovalTimer:
    """The thread and what it does about one job."""

    def __init__(
        self,
        context: RequestContext,
        validity: ApprovalValidity,
        notifier: ApprovalNotifier,
        start: Callable[[int], None],
    ) -> None:
        self._context, self._validity, self._notifier, self._start = context, validity, notifier, start
        self._waiting = context.store.approvals
        self.hidden: dict[int, Mapping[str, Any]] = {}  # values that are never stored, by job
        self.unsaid: set[int] = set()  # jobs of which their place has not heard yet
        self._previews: dict[int, int] = {}  # {preview: job}
        self._asked_before: set[int] = set()  # by an earlier life of the program
        self._failures: Counter[int] = Counter()
        self._new: set[int] = set()
        self._lock = threading.Lock()
        self._loop = Loop("approvals", self.round)

    def begin(self) -> None:
        """Take up what waits, and begin."""
        for job in self._waiting.all():
            approval = self._waiting.find(job.number)
            if not self._context.announcer.is_said(job.number):
                self.unsaid.add(job.number)
            if approval is not None and approval.asked is not None:
                self._asked_before.add(job.number)
            if approval is not None and approval.preview is not None:
                self._previews[approval.preview] = job.number
        self.look_at_all()
        self._loop.start()

    def stop(self) -> None:
        """End."""
        self._loop.stop()

    def look_at(self, number: int) -> None:
        """Something happened to a job that waits: look soon."""
        with self._lock:
            self._new.add(number)
        self._loop.wake()

    def look_at_all(self) -> None:
        """Something happened that may concern all that waits."""
        for job in self._waiting.all():
            self.look_at(job.number)
        self._loop.wake()

    def ended(self, number: int) -> None:
        """A job has ended, perhaps a preview or one that was approved."""
        waiting = self._previews.pop(number, None)
        self.look_at(number if waiting is None else waiting)

    def round(self) -> float:
        """Look at everything that is due; return how long nothing will be."""
        now = self._context.now()
        with self._lock:
            new, self._new = self._new, set()
        for number in sorted(new | set(self._waiting.due(now))):
            self._look_safely(number)
        due = self._waiting.next_due()
        left = _LONGEST_SECONDS if due is None else (due - self._context.now()).total_seconds()
        return 0.0 if self._new else min(max(left, 0.05), _LONGEST_SECONDS)

    def _look_safely(self, number: int) -> None:
        approval = self._waiting.find(number)
        if approval is None:
            return
        job = self._context.store.job(number)
        try:
            self._look(job, approval)
        except Waiting:
            self._look_again(job, approval, _SOON)
        except Exception as error:  # noqa: BLE001 - of one job or one room; all others are looked after all the same
            self._failures[number] += 1
            log_unsaid(log, error, "approval of job %s: trying again in %s", number, _AGAIN)
            self._look_again(job, approval, _AGAIN)
        else:
            self._failures.pop(number, None)

    def _look_again(self, job: Job, approval: Approval, then: timedelta) -> None:
        fresh = self._waiting.find(job.number) or approval
        self._waiting.note(job.state, replace(fresh, due=self._context.now() + then))

    def _look(self, job: Job, approval: Approval) -> None:
        now = self._context.now()
        if job.state in PARKED and job.number in self._context.restored:
            self._waiting.note(job.state, replace(approval, due=None))
            return
        if job.state in PARKED and self._ends(job, approval, now):
            return
        due = None
        if job.state is State.SCHEDULED:
            due = approval.run_at
        elif job.state is State.WAITING:
            approval = self._escalate(job, self._ask(job, approval, now), now)
            approval = self._remind(job, approval, now)
            if job.number in self._asked_before:
                self._notifier.back(job, approval)
            if self._settled(job, approval):
                return
            due = self._next_look(job, approval, now)
        self._asked_before.discard(job.number)
        approval = self._tell(job, approval)
        self._waiting.note(job.state, replace(approval, due=due))

    def _next_look(self, job: Job, approval: Approval, now: datetime) -> datetime | None:
        if approval.asked is None:
            return (job.created or now) + _PREVIEW
        due = deadlines.next_due(approval, job.created or now)
        missing = self._validity.lacking(job, approval, approval.needs, approval.votes)
        if approval.votes and (not missing or self._validity.uncounted(job, approval)):
            due = min(due or now + _CLOSED, now + _CLOSED)
        return due

    def _settled(self, job: Job, approval: Approval) -> bool:
        """Let it go on where who has approved already is enough, since who counts is not who counted then."""
        if not approval.votes:
            return False
        decision = self._validity.decision(job, approval)
        needs = (*approval.needs, *decision.needs)
        if decision.verdict is Verdict.DENY or not self._waiting.settle(
            job.number, lambda votes: not self._validity.lacking(job, approval, needs, votes)
        ):
            return False
        if approval.run_at is None:
            self._start(job.number)
        self.look_at(job.number)
        return True

    # -- ends

    def _ends(self, job: Job, approval: Approval, now: datetime) -> bool:
        """End what can wait no longer, or start what was waited for; whether there is nothing else to do now."""
        if job.number in self.unsaid:
            self._context.announcer.parked(job, self._notifier.first_words(job, approval))
            self.unsaid.discard(job.number)
        if job.state is State.WAITING and approval.deadline and now >= approval.deadline:
            return self.end(job, State.EXPIRED, "nobody approved it in time")
        late = timedelta(seconds=self._context.asking.late_seconds)
        if job.state is State.SCHEDULED and approval.run_at and now > approval.run_at + late:
            return self.end(job, State.EXPIRED, "the bot was away at its time")
        kept = self.hidden.get(job.number, {})
        lost = [name for name, value in job.parameters.items() if value == catalog.HIDDEN and name not in kept]
        why = f"{', '.join(lost)} was never stored and is gone with the restart" if lost else ""
        if why := why or self._validity.stale(job, approval):
            return self.end(job, State.VOID, f"{why}; {self.again(job)}")
        if job.state is State.SCHEDULED and approval.run_at and now >= approval.run_at:
            if self._waiting.release(job.number):
                self._start(job.number)
            return True
        return False

    def again(self, job: Job) -> str:
        """What is to be done where a request is void."""
        found = self._context.store.schedules.find(job.occurrence.schedule) if job.occurrence else None
        if found is None or job.occurrence is None:
            return "type the command again"
        if job.occurrence.at > self._context.now():
            return f"S{found.number} asks again"
        return f"S{found.number} asks again before its next time" if found.due else "type the command again"

    def end(self, job: Job, state: State, why: str) -> bool:
        """End a job that is parked; the announcer tells the requester, the next look tells the approvers."""
        if self._waiting.end(job.number, state, why):
            self.over(job.number)
        return True

    def over(self, number: int) -> None:
        """A parked job has ended: let its place and its approvers hear of it."""
        self.hidden.pop(number, None)
        for preview in [preview for preview, waiting in list(self._previews.items()) if waiting == number]:
            self._previews.pop(preview, None)
            self._context.dispatcher.cancel(preview, "the bot, as nobody needs it any more")
        self._context.announcer.take_up(number)
        self._context.announcer.ended(number)
        self.look_at(number)

    # -- what approvers hear

    def _ask(self, job: Job, approval: Approval, now: datetime) -> Approval:
        if approval.asked is not None or not self._previewed(job, approval, now):
            return self._waiting.find(job.number) or approval
        approval = self._waiting.find(job.number) or approval
        lost: dict[Place, str] = {}
        for place in self._notifier.rooms(job, approval):
            try:
                approval = self._ask_in(place, job, approval, now)
            except Waiting:
                raise
            except Exception as error:  # Errbot's backends raise whatever they like for a room that is not there
                if not isinstance(error, Refusal) and self._failures[job.number] < _TRIES:
                    raise
                lost[place] = str(error) if isinstance(error, Refusal) else ""
        if lost:
            approval = self._ask_elsewhere(lost, job, approval, now)
        approval = replace(approval, asked=now)
        self._waiting.note(job.state, replace(approval, due=now))
        return approval

    def _ask_in(self, place: Place, job: Job, approval: Approval, now: datetime) -> Approval:
        """Ask in one place, unless that was done before another one failed."""
        if place in [message.place for message in approval.messages]:
            return approval
        message = self._notifier.ask(job, approval, place)
        approval = replace(approval, messages=(*approval.messages, message))
        self._waiting.note(job.state, replace(approval, due=now))
        return approval

    def _ask_elsewhere(self, lost: Mapping[Place, str], job: Job, approval: Approval, now: datetime) -> Approval:
        """Ask where the request was made, as if no room were named, and let the requester know."""
        for place, why in lost.items():
            log.warning("job %s: its approvers cannot be asked in %s: %s", job.number, place.room, why or "no answer")
        for place in self._notifier.without_rooms(job, approval):
            if place not in lost:
                approval = self._ask_in(place, job, approval, now)
        if not approval.messages:
            raise OSError(f"its approvers cannot be asked anywhere: {'; '.join(filter(None, lost.values()))}")
        self._notifier.tell_lost(job, approval, lost)
        return approval

    def _previewed(self, job: Job, approval: Approval, now: datetime) -> bool:
        """Whether the preview has ended, or there is none to wait for; begins it where it is still to begin."""
        operation = self._context.live.operation(job.operation)
        wanted = operation is not None and operation.previews and not job.check and job.risk is Risk.CHANGE
        if not wanted or not all(need.preview for need in approval.needs):
            return True
        found = self._context.store.job(approval.preview) if approval.preview is not None else None
        if found is not None and found.state in FINAL and found.state is not State.INTERRUPTED:
            return True
        if found is None or found.state is State.INTERRUPTED:  # the bot was killed in the middle of it
            self._begin_preview(job)
        return now >= (job.created or now) + _PREVIEW

    def _begin_preview(self, job: Job) -> None:
        look = replace(
            job,
            check=True,
            risk=Risk.READ,
            parked=False,
            quiet=True,
            preview_of=job.number,
            words=job.words,
            canary=None,
            occurrence=None,
            cause=None,
        )
        added = self._waiting.add_preview(job.number, replace(look, state=State.QUEUED))
        self._previews[added.number] = job.number
        self._context.dispatcher.submit(added, self.hidden.get(job.number, {}))

    def _escalate(self, job: Job, approval: Approval, now: datetime) -> Approval:
        times = deadlines.escalates(approval, job.created or now)
        rules = tuple(rule for rule, at in times.items() if at <= now)
        if not rules:
            return approval
        known = quorum.everybody(approval.needs, self._context.live.policy, job, approval.escalated)
        approval = replace(approval, escalated=(*approval.escalated, *rules))
        who = " or ".join(need.escalate for need in approval.needs if need.rule in rules)
        self._waiting.note(job.state, replace(approval, due=now), AuditKind.ESCALATED, {"to": who})
        text = reminder(
            job, approval, self._notifier.facts(job, approval), f"still waits: {who} may approve it now too"
        )
        self._notifier.tell_approvers(job, approval, text, known)
        self._notifier.tell_requester(job, f"still waits for approval; {who} may give it now too")
        return approval

    def _remind(self, job: Job, approval: Approval, now: datetime) -> Approval:
        at = deadlines.reminds(approval, job.created or now)
        if at is None or now < at or approval.asked is None:
            return approval
        while at is not None and at <= now:  # of several that a stop of the bot has kept back, one
            approval = replace(approval, reminded=approval.reminded + 1)
            at = deadlines.reminds(approval, job.created or now)
        self._waiting.note(job.state, replace(approval, due=now))
        text = reminder(job, approval, self._notifier.facts(job, approval), "still waits for approval")
        self._notifier.tell_approvers(job, approval, text)
        return approval

    def _tell(self, job: Job, approval: Approval) -> Approval:
        """Let approvers and requester hear how it stands, where that is news."""
        line = standing(job, approval, self._notifier.facts(job, approval))
        if line == approval.shown:
            return approval
        self._notifier.stands(job, approval, line)
        if job.state not in FINAL:
            here = {f"{place.network}/{place.room}" for place in (message.place for message in approval.messages)}
            if f"{job.place.network}/{job.place.room}" not in here | {approval.acted}:
                self._notifier.tell_requester(job, line)
        log.info("job %s %s%s: %s", job.number, job.title, render.on(job.devices), line)
        return replace(approval, shown=line)
