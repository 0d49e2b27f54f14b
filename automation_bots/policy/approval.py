"""What is known of a job that waits for approval or for its time, and of the votes on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from automation_bots.model import ApprovalRequirement, Caller
from automation_bots.surface import MessageRef


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's approval, with the id under which it was given."""

    person: str
    caller: Caller
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """The record beside a job: what it needs, what it is bound to, and what has been said about it."""

    number: int
    digest: str
    needs: tuple[ApprovalRequirement, ...] = ()
    votes: tuple[Vote, ...] = ()
    deadline: datetime | None = None
    run_at: datetime | None = None  # not before
    released: datetime | None = None  # when it went into the queue
    due: datetime | None = None  # when somebody has to look at it next
    preview: int | None = None  # the job that looks what would change
    asked: datetime | None = None  # when the approvers were asked
    messages: tuple[MessageRef, ...] = ()  # what they were asked with
    escalated: tuple[str, ...] = ()  # the rules that have gone on to others
    reminded: int = 0
    shown: str = ""  # what has been said last about how it stands
    acted: str = ""  # the room in which somebody has decided last, and heard the answer
