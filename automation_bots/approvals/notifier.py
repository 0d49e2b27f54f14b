"""Says to approvers and requesters what is to be said about a request that waits, where they are."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from automation_bots import render
from automation_bots.approvals import text as approval_text
from automation_bots.approvals.mentions import Wanted
from automation_bots.approvals.text import Facts
from automation_bots.jobs import announcer
from automation_bots.jobs.request_context import RequestContext
from automation_bots.model import FINAL, Answer, ApprovalRequirement, Caller, File, Job, Place, Request, State, one_line
from automation_bots.operations.revision import revision
from automation_bots.policy import gate, quorum
from automation_bots.policy.approval import Approval
from automation_bots.policy.peers import bot_of
from automation_bots.surface import CHOICES, MessageRef, log_unsaid

log = logging.getLogger(__name__)
_DIRECT = 10  # people that are asked one by one, where a request was made in a direct message


@dataclass(frozen=True, slots=True)
class ApprovalNotifier:
    """Reads what is so now, and speaks."""

    context: RequestContext

    def facts(self, job: Job, approval: Approval, *, whole: bool = False) -> Facts:
        """Collect what there is to know about a request."""
        live, now, asking = self.context.live, self.context.now(), self.context.asking
        operation = live.operation(job.operation)
        outside: tuple[str, ...] = ()
        if operation is not None:
            request = Request(job.caller, job.place, operation, job.parameters, job.pattern, job.devices)
            outside = gate.outside(live.scope, request, approval.run_at or now)
        return Facts(
            policy=live.policy,
            now=now,
            groups=live.inventory.groups,
            devices=len(live.inventory.names),
            production=asking.production,
            many=asking.many,
            outside=outside,
            preview=self._preview(approval) if whole else Answer(""),
            where=self.context.place_name(job.place),
            revision=revision(operation) if whole and operation is not None else "",
        )

    def _preview(self, approval: Approval) -> Answer:
        if approval.preview is None:
            return Answer("")
        store = self.context.store
        job = store.job(approval.preview)
        outcomes = store.outcomes(job.number, with_output=True)
        block = render.recap(replace(job, quiet=False), outcomes, store.conclusion(job.number)).block
        counts = dict(render.status_counts(outcomes))
        printed = "\n".join(f"── {o.device}\n{o.output}" for o in outcomes if o.output)
        files = (File.of_text(f"preview-{job.number}.txt", printed),) if printed else ()
        return replace(approval_text.preview(job, counts, block), files=files)

    # -- where

    def rooms(self, job: Job, approval: Approval) -> list[Place]:
        """Where the approvers are asked: the rules' rooms, or the bot's, or where the request was made.

        A request in a direct message asks the approvers in theirs.
        """
        return list(self._asked(job, approval))

    def _asked(self, job: Job, approval: Approval) -> dict[Place, list[ApprovalRequirement]]:
        """Which needs are asked for where."""
        found: dict[Place, list[ApprovalRequirement]] = {}
        for need in approval.needs:
            for place in self._places(need.room or self.context.asking.room, job, approval):
                found.setdefault(place, []).append(need)
        return found

    def without_rooms(self, job: Job, approval: Approval) -> list[Place]:
        """Where the approvers are asked when their rooms cannot be reached."""
        return self._places("", job, approval)

    def _places(self, name: str, job: Job, approval: Approval) -> list[Place]:
        if name:
            return [Place(self._network(job), self.context.live.scope.places.get(name.removeprefix("#"), name))]
        if job.place.direct or bot_of(job.place.network):
            return self._directly(job, approval)
        return [replace(job.place, thread="")]  # not in the requester's thread, where no approver looks

    def _directly(self, job: Job, approval: Approval) -> list[Place]:
        ids = self._accounts(job, approval)
        return [Place(self._network(job), id_, direct=True) for id_ in ids[:_DIRECT]] or [job.place]

    def _network(self, job: Job) -> str:
        """Where approvers are: the network of the request, or this bot's own where another bot asked."""
        return self.context.network if bot_of(job.place.network) else job.place.network

    def _accounts(self, job: Job, approval: Approval) -> list[str]:
        """The accounts of all approvers on the network of a request."""
        policy, network = self.context.live.policy, self._network(job)
        names = quorum.everybody(approval.needs, policy, job, approval.escalated)
        return [policy.people[name].ids[network] for name in names if network in policy.people[name].ids]

    def _to_each(self, job: Job, approval: Approval) -> str:
        many = len(self._accounts(job, approval))
        return f"in a message to {_DIRECT} of the {many}" if many > _DIRECT else "in a message to each of them"

    def first_words(self, job: Job, approval: Approval) -> str:
        """What the requester reads first."""
        asked = [place for place in self.rooms(job, approval) if place != job.place]
        names = [
            self._to_each(job, approval) if place.direct else f"in {self.context.place_name(place)}" for place in asked
        ]
        where = ", ".join(dict.fromkeys(names)) if job.state is State.WAITING else ""
        return approval_text.parked(job, approval, self.facts(job, approval), where)

    # -- saying

    def ask(self, job: Job, approval: Approval, place: Place) -> MessageRef:
        """Ask the approvers in one of the places."""
        question = approval_text.question(job, approval, self.facts(job, approval, whole=True))
        surface = self.context.surface(place)
        can = surface.capabilities
        choices = CHOICES if can.buttons or can.reactions else ()
        question = self._calling(job, approval, announcer.marked(job, "question", question), place)
        return surface.ask(place, question, choices) or MessageRef(place, "")

    def details(self, job: Job, approval: Approval) -> Answer:
        """Everything an approver may want to read, the whole preview as a file."""
        facts = self.facts(job, approval, whole=True)
        question = approval_text.question(job, approval, facts)
        stands = approval_text.standing(job, approval, facts) or job.state.value
        hint = question.hint if job.state is State.WAITING else f"→ !job {job.number}"
        text = f"#{job.number} {job.title}{render.on(job.devices)} of {job.person}: {stands}"
        return Answer(text, question.block, hint, facts.preview.files)

    def stands(self, job: Job, approval: Approval, line: str) -> None:
        """Say in the approvers' rooms how it stands: in their message where it can be edited, else as a new one."""
        question = approval_text.question(job, approval, self.facts(job, approval, whole=True))
        over = job.state is not State.WAITING
        edited = replace(question, text=f"{question.text} · {line}", hint="" if over else question.hint)
        for message in approval.messages:
            surface = self.context.surface(message.place)
            where = f"{message.place.network}/{message.place.room}"
            if surface.capabilities.edits and message.id:
                kept = CHOICES if surface.capabilities.buttons and not over else ()
                surface.edit(message, edited, kept)
            elif where != approval.acted and not (job.state in FINAL and message.place == job.place):
                surface.say(message.place, self._short(job, line))

    def back(self, job: Job, approval: Approval) -> None:
        """Say at a question with buttons that a click of meanwhile did not arrive; no network tells it again."""
        facts = self.facts(job, approval, whole=True)
        question = approval_text.question(job, approval, facts)
        stands = approval_text.standing(job, approval, facts)
        away = f"I was away until {facts.time(facts.now)}: a button that was clicked meanwhile has to be clicked again"
        text = " · ".join(part for part in (question.text, stands, away) if part)
        for message in approval.messages:
            surface = self.context.surface(message.place)
            if surface.capabilities.edits and surface.capabilities.buttons and message.id:
                surface.edit(message, replace(question, text=text), CHOICES)

    def _calling(
        self, job: Job, approval: Approval, answer: Answer, place: Place, known: Collection[str] = ()
    ) -> Answer:
        """Let an answer call the approvers of a place."""
        policy, asked = self.context.live.policy, self._asked(job, approval)
        if place not in asked:  # instead of rooms that cannot be reached
            reached = [message.place for message in approval.messages]
            rest = [need for room, needs in asked.items() if room not in reached for need in needs]
            asked = {room: needs for room, needs in asked.items() if room in reached} | {place: rest}

        def takes(account: Caller, name: str) -> bool:
            reset = self.context.store.people.reset_of(name)
            return not quorum.account_refusal(policy, account, reset, job, self.context.now())

        return Wanted(job, approval, policy, takes, known).calling(answer, asked, place)

    def tell_approvers(self, job: Job, approval: Approval, answer: Answer, known: Collection[str] = ()) -> None:
        """Say something new to the approvers, and call those who have not approved; not whom it is no news for."""
        for place in dict.fromkeys(message.place for message in approval.messages):
            try:
                self.context.surface(place).say(place, self._calling(job, approval, answer, place, known))
            except Exception as error:  # noqa: BLE001 - a reminder that one room does not hear must not keep the others from it
                log_unsaid(log, error, "job %s: its approvers at %s could not be told", job.number, place.room)

    def tell_requester(self, job: Job, line: str) -> None:
        """Say how it stands where it was asked for."""
        self.context.surface(job.place).say(job.place, self._short(job, line))

    def tell_lost(self, job: Job, approval: Approval, lost: Mapping[Place, str]) -> None:
        """Say once to who asked that a room cannot be reached, and where the approvers were asked instead."""
        reasons = {place: f" ({why.rstrip('.')})" if why else "" for place, why in lost.items()}
        rooms = ", ".join(f"{self.context.place_name(place)} cannot be reached{why}" for place, why in reasons.items())
        instead = self._to_each(job, approval) if job.place.direct else "here"
        answer = self._short(job, f"· {one_line(rooms, 500)}: the approvers were asked {instead}")
        self.context.surface(job.place).say(job.place, announcer.marked(job, "asked elsewhere", answer))

    def _short(self, job: Job, line: str) -> Answer:
        return Answer(f"#{job.number} {job.title}{render.on(job.devices)} {line}")
