"""Who may approve, whose approval counts, and what is still lacking. Pure: persons decide, never ids."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from automation_bots.model import ApprovalRequirement, Caller, Job, Person, one_line
from automation_bots.policy import accounts
from automation_bots.policy.accounts import AccountChange
from automation_bots.policy.approval import Approval, Vote
from automation_bots.policy.policy import Policy


def is_asked(person: Person, who: Iterable[str]) -> bool:
    """Return whether a person is one of these groups or people."""
    return any(name == person.name or name in person.groups for name in who)


def is_requester(person: Person, policy: Policy, job: Job) -> bool:
    """Return whether a person asked for a job, by name or by any of their ids."""
    same = policy.person(job.caller)
    asked_with = (job.caller.network, job.caller.id) in person.ids.items()
    return person.name == job.person or asked_with or (same is not None and same.name == person.name)


def may_approve(person: Person, policy: Policy, job: Job, who: Iterable[str]) -> bool:
    """Return whether a person's approval counts: one of those asked, no robot, never one's own."""
    return is_asked(person, who) and not person.robot and not is_requester(person, policy, job)


def approvers(need: ApprovalRequirement, policy: Policy, job: Job, escalated: Collection[str] = ()) -> list[str]:
    """Return the people who may approve, by name."""
    who = need.asked(escalated)
    return sorted(p.name for p in policy.people.values() if may_approve(p, policy, job, who))


def everybody(
    needs: Iterable[ApprovalRequirement], policy: Policy, job: Job, escalated: Collection[str] = ()
) -> list[str]:
    """Return the people who may approve anything of it, by name."""
    return sorted({name for need in needs for name in approvers(need, policy, job, escalated)})


def refusal(person: Person, caller: Caller, policy: Policy, job: Job, approval: Approval) -> str:
    """Say why this person's approval does not count for anything; empty when it does."""
    if person.robot or caller.robot:
        return "No: a robot approves nothing."
    if is_requester(person, policy, job):
        return f"No: #{job.number} is your own request, and nobody approves their own."
    if not any(is_asked(person, need.asked(approval.escalated)) for need in approval.needs):
        return f"No: #{job.number} is for {whom(approval.needs, approval.escalated)} to approve."
    return ""


def account_refusal(policy: Policy, caller: Caller, reset: AccountChange | None, job: Job, now: datetime) -> str:
    """Say why nothing is approved with this account, though the person may approve; empty when it may be."""
    link = _link(policy, caller)
    if accounts.is_of(link, job.person):
        return f"No: {job.person}, who asks, made this account yours. Approve with one that somebody else gave you."
    ends = accounts.too_new(link, policy.accounts, now, policy.timezone)
    if ends and link:
        return f"No: this account is yours since {' and '.join(link.by)} linked it; it approves from {ends} on."
    ends = accounts.too_new(reset, policy.accounts, now, policy.timezone)
    if ends and reset:
        return f"No: {' and '.join(reset.by)} reset your authenticator app; you approve from {ends} on."
    return ""


def _link(policy: Policy, caller: Caller) -> AccountChange | None:
    return policy.linked.get((caller.network, caller.id))


def outstanding(
    needs: Collection[ApprovalRequirement], votes: Sequence[Vote], policy: Policy, job: Job, escalated: Collection[str]
) -> list[tuple[ApprovalRequirement, list[str]]]:
    """Return each need that is not met, with the people who may approve and have not, by name."""
    gave = {vote.person for vote in votes}
    missing = [need for need, _ in lacking(needs, votes, policy, job, escalated)]
    return [(n, [name for name in approvers(n, policy, job, escalated) if name not in gave]) for n in missing]


def valid(
    votes: Iterable[Vote], policy: Policy, job: Job, need: ApprovalRequirement, escalated: Collection[str] = ()
) -> list[str]:
    """Return the people whose votes count for a need by the policy of now."""
    found = []
    for vote in votes:
        person = policy.person(vote.caller)
        known = person is not None and person.name == vote.person and not vote.caller.robot
        known = known and not accounts.is_of(_link(policy, vote.caller), job.person)
        if known and person and may_approve(person, policy, job, need.asked(escalated)):
            found.append(person.name)
    return sorted(set(found))


def lacking(
    needs: Iterable[ApprovalRequirement],
    votes: Sequence[Vote],
    policy: Policy,
    job: Job,
    escalated: Collection[str] = (),
) -> list[tuple[ApprovalRequirement, int]]:
    """Return each need that is not met, and how many people are missing."""
    every = tuple(dict.fromkeys(needs))
    found = []
    for need, number in zip(
        every, _counted(every, [valid(votes, policy, job, n, escalated) for n in every]), strict=True
    ):
        missing = need.quorum - number
        if missing > 0 or not votes:
            found.append((need, max(1, missing)))
    return found


def uncounted(
    needs: Sequence[ApprovalRequirement],
    votes: Sequence[Vote],
    policy: Policy,
    job: Job,
    escalated: Collection[str] = (),
) -> list[str]:
    """Return the people who have approved and count for nothing by the policy of now."""
    counted = {name for need in needs for name in valid(votes, policy, job, need, escalated)}
    return [vote.person for vote in votes if vote.person not in counted]


def no_longer(names: Sequence[str]) -> str:
    """Say that these people have approved, and count no longer."""
    return f"{' and '.join(names)} no longer count{'s' if len(names) == 1 else ''}" if names else ""


def _counted(needs: Sequence[ApprovalRequirement], people: Sequence[Sequence[str]]) -> list[int]:
    """How many of their people count for each need: everybody for all, unless a rule wants people of its own."""
    if not any(need.different for need in needs):
        return [len(names) for names in people]
    taken: dict[str, int] = {}  # who counts for which need
    for index, need in enumerate(needs):
        all(_take(index, people, taken, set()) for _ in range(need.quorum))
    return [list(taken.values()).count(index) for index in range(len(needs))]


def _take(index: int, people: Sequence[Sequence[str]], taken: dict[str, int], seen: set[str]) -> bool:
    """Find one more person for a need, if necessary one whom another need can do without."""
    for name in people[index]:
        if name in seen:
            continue
        seen.add(name)
        if name not in taken or _take(taken[name], people, taken, seen):
            taken[name] = index
            return True
    return False


def impossible(needs: Iterable[ApprovalRequirement], policy: Policy, job: Job) -> str:
    """Say which need nobody could ever meet; empty when all can be met."""
    every = tuple(dict.fromkeys(needs))
    people = [approvers(need, policy, job, (need.rule,)) for need in every]
    for need, names, counted in zip(every, people, _counted(every, people), strict=True):
        if counted < need.quorum:
            who = f"only {', '.join(names)} could" if names else "nobody else could"
            several = f"{need.quorum} of " if need.quorum > 1 else ""
            other = " by other people than another rule's" if len(names) >= need.quorum else ""
            wanted = f"{several}{whom([need], (need.rule,))}{other}"
            return f'rule "{need.rule}" wants approval by {wanted}, and {who} give it'
    return ""


def whom(needs: Iterable[ApprovalRequirement], escalated: Collection[str] = ()) -> str:
    """Whose approval is needed, in words: `2 of leads, and dba`."""
    parts = []
    for need in needs:
        several = f"{need.quorum} of " if need.quorum > 1 else ""
        parts.append(several + " or ".join(need.asked(escalated)))
    return ", and ".join(dict.fromkeys(parts))


def still(missing: Sequence[tuple[ApprovalRequirement, int]], escalated: Collection[str] = ()) -> str:
    """What is still lacking, in words: `2 of leads`, `1 more of leads`."""
    parts = []
    for need, count in missing:
        more = "" if need.quorum == 1 else f"{count} of " if count == need.quorum else f"{count} more of "
        parts.append(more + " or ".join(need.asked(escalated)))
    return ", and ".join(dict.fromkeys(parts))


def voters(approval: Approval) -> str:
    """Who has approved, with their notes."""
    return ", ".join(vote.person + (f" ({one_line(vote.note, 100)})" if vote.note else "") for vote in approval.votes)
