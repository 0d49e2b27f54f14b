"""What an account that an admin gave to somebody may not approve: nothing of that admin's, nothing soon after. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from automation_bots.text.times import duration, moment_text

A_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class AccountChange:
    """Who else made an account somebody's, or reset their authenticator app, and when."""

    by: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class AccountRules:
    """What policy.yml says about accounts that change in chat."""

    approve_after: float = A_DAY  # seconds
    four_eyes: bool = False  # a second admin has to type the same


USUAL = AccountRules()


def _wait(value: object) -> float:
    return 0.0 if str(value).strip() in {"0", "0s"} else duration(str(value)).total_seconds()


class AccountsFile(BaseModel):
    """`accounts:` of policy.yml."""

    model_config = ConfigDict(extra="forbid")
    approve_after: Annotated[float, BeforeValidator(_wait)] = A_DAY
    four_eyes: bool = False

    def rules(self) -> AccountRules:
        """Return it as a value."""
        return AccountRules(self.approve_after, self.four_eyes)


def is_of(change: AccountChange | None, requester: str) -> bool:
    """Whether the requester is who gave the account."""
    return change is not None and requester in change.by


def too_new(change: AccountChange | None, rules: AccountRules, now: datetime, zone: str) -> str:
    """Say until when an account approves nothing; empty when it may."""
    ends = change.at + timedelta(seconds=rules.approve_after) if change else now
    return moment_text(ends, zone, now) if now < ends else ""
