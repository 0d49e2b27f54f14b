"""Proving oneself anew: what a rule demands of whom, and whether a proof is still good. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, field_validator

from automation_bots.policy.approval_rule import Length
from automation_bots.text.times import duration, duration_text

_LONGEST = timedelta(hours=24)


class Side(StrEnum):
    """Who has to prove themselves."""

    REQUESTER = "requester"
    APPROVER = "approver"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Reauth:
    """What a rule demands: a proof of this side, at most so old."""

    within: timedelta
    who: Side = Side.REQUESTER


class ReauthFile(BaseModel):
    """`reauth:` of a rule, as policy.yml has it."""

    model_config = ConfigDict(extra="forbid")
    within: Length
    who: Side = Side.REQUESTER

    @field_validator("within")
    @classmethod
    def _within(cls, value: str) -> str:
        if duration(value) > _LONGEST:
            raise ValueError(f"{value} is too long for a proof; at most {duration_text(_LONGEST)}")
        return value

    def value(self) -> Reauth:
        """Return what the gate works with."""
        return Reauth(duration(self.within), self.who)


def demanded(rules: Iterable[Reauth | None], side: Side) -> timedelta | None:
    """Return how old a proof of one side may be at most: the shortest time that any of the rules sets."""
    return min((rule.within for rule in rules if rule and rule.who in {side, Side.BOTH}), default=None)


def due(within: timedelta | None, proved_at: datetime | None, now: datetime) -> bool:
    """Return whether a person must prove themselves (again) before this may go on."""
    if within is None:
        return False
    return proved_at is None or now - proved_at > within
