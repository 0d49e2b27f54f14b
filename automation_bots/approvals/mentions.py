"""Whom a question or a reminder to approvers calls: those who may approve, have not, and are on the network. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from automation_bots.model import Answer, ApprovalRequirement, Caller, Job, Mention, Place
from automation_bots.policy import quorum
from automation_bots.policy.approval import Approval
from automation_bots.policy.policy import Policy

MOST = 10  # people that one message calls; of more, it says how many there are


@dataclass(frozen=True, slots=True)
class Wanted:
    """What there is to know of a request and its approvers."""

    job: Job
    approval: Approval
    policy: Policy
    takes: Callable[[Caller, str], bool]  # whether an account of a person approves anything of this request
    known: Collection[str] = ()  # who has been called, and is not again

    def calling(self, answer: Answer, asked: Mapping[Place, Collection[ApprovalRequirement]], place: Place) -> Answer:
        """Let an answer call the approvers who are asked in a place; each of them is called in one place only."""
        if place.direct:  # whoever is written to is told anyway
            return answer
        called: dict[str, str] = {}
        before: set[str] = set(self.known)
        for room, needs in asked.items():
            called = {name: id_ for name, id_ in self._accounts(needs, place.network).items() if name not in before}
            if room == place:
                break
            before |= called.keys()
        if len(called) > MOST:
            whom = quorum.whom(asked[place], self.approval.escalated)
            return replace(answer, text=f"{answer.text}\nTo {whom}: {len(called)} people may approve it.")
        return replace(answer, mentions=tuple(Mention(id_, name) for name, id_ in sorted(called.items())))

    def _accounts(self, needs: Collection[ApprovalRequirement], network: str) -> dict[str, str]:
        """The account on this network of everybody whose approval one of these needs still lacks."""
        job, approval, policy = self.job, self.approval, self.policy
        outstanding = quorum.outstanding(approval.needs, approval.votes, policy, job, approval.escalated)
        names = {name for need, people in outstanding if need in needs for name in people}
        accounts = {name: policy.people[name].ids[network] for name in names if network in policy.people[name].ids}
        return {name: id_ for name, id_ in accounts.items() if self.takes(Caller(network, id_), name)}
