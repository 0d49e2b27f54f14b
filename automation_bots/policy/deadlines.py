"""When an approval ends, when others may approve too, and when the approvers are reminded. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from automation_bots.model import ApprovalRequirement
from automation_bots.policy.approval import Approval

_CLOCK = timedelta(seconds=60)  # clocks of several machines differ so much
_REMIND = (0.5, 0.9)  # after so much of the time


def deadline(needs: Iterable[ApprovalRequirement], default: float, now: datetime) -> datetime:
    """Return until when it may be approved: the shortest time of all."""
    return now + timedelta(seconds=min(need.within or default for need in needs))


def escalates(approval: Approval, created: datetime) -> dict[str, datetime]:
    """Return when the approval of others counts too, by rule."""
    left = [need for need in approval.needs if need.escalate and need.rule not in approval.escalated]
    return {need.rule: created + timedelta(seconds=need.after) for need in left}


def reminds(approval: Approval, created: datetime) -> datetime | None:
    """Return when the approvers are reminded next."""
    if approval.deadline is None or approval.reminded >= len(_REMIND):
        return None
    return created + (approval.deadline - created) * _REMIND[approval.reminded]


def next_due(approval: Approval, created: datetime) -> datetime | None:
    """Return when a waiting job has to be looked at next."""
    times = (*escalates(approval, created).values(), approval.deadline, reminds(approval, created))
    return min((at for at in times if at is not None), default=None)


def from_the_future(approval: Approval, now: datetime) -> bool:
    """Return whether the clock was set back since somebody voted: then no deadline and no window means anything."""
    return any(vote.at > now + _CLOCK for vote in approval.votes)
