"""What a rule demands before something may run: whose approval, of how many, until when, and who else after a while."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from automation_bots.model import ApprovalRequirement
from automation_bots.text.times import duration

_ESCALATE = re.compile(r"([\w.-]+)\s+after\s+(.+)")
_ONCE = re.compile(r"once\s+for\s+(.+)")
_SHORT = re.compile(r"approval by ([\w.-]+(?:\s*(?:,|\bor\b)\s*[\w.-]+)*)")


def _length(value: Any) -> str:
    duration(str(value))
    return str(value)


Length = Annotated[str, BeforeValidator(_length)]  # a duration as a file has it, checked


class ApprovalFile(BaseModel):
    """`approval:` of a rule."""

    model_config = ConfigDict(extra="forbid")
    by: list[str]
    quorum: int = Field(1, ge=1, le=20)
    within: Length | None = None
    escalate: str | None = None
    room: str = ""
    preview: bool = True
    different: bool = False
    schedules: str = "each"

    @field_validator("schedules")
    @classmethod
    def _schedules(cls, value: str) -> str:
        once(value)
        return value

    @field_validator("by", mode="before")
    @classmethod
    def _by(cls, value: Any) -> Any:
        return split(value) if isinstance(value, str) else value

    @field_validator("by")
    @classmethod
    def _somebody(cls, value: list[str]) -> list[str]:
        if not value or not all(re.fullmatch(r"[\w.-]+", name) for name in value):
            raise ValueError("name the group that approves, as in `by: netops-leads`")
        return value

    @model_validator(mode="after")
    def _in_time(self) -> ApprovalFile:
        after = escalation(self.escalate)[1] if self.escalate else 0.0
        if self.within and after >= duration(self.within).total_seconds():
            raise ValueError(f"escalate {self.escalate!r} comes after the end: within is {self.within}")
        return self

    def need(self, rule: str) -> ApprovalRequirement:
        """Return it as a value."""
        who, after = escalation(self.escalate) if self.escalate else ("", 0.0)
        within = duration(self.within).total_seconds() if self.within else 0.0
        by, room, preview, lasts = tuple(self.by), self.room, self.preview, once(self.schedules)
        return ApprovalRequirement(rule, by, self.quorum, within, who, after, room, preview, self.different, lasts)


def short_form(text: str) -> tuple[str, ...]:
    """Read `approval by <group>, <group>`; a ValueError says how it is written."""
    found = _SHORT.fullmatch(text)
    if not found:
        raise ValueError("write `needs: approval by <group>`")
    return tuple(split(found.group(1)))


def once(text: str) -> float:
    """Read `once for 30d` as seconds, `each` as 0."""
    if text.strip() == "each":
        return 0.0
    found = _ONCE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} says not how long; write `schedules: once for 30d`, or `schedules: each`")
    return duration(found.group(1)).total_seconds()


def is_short_form(text: str) -> bool:
    """Whether a text is `approval by …`."""
    return _SHORT.fullmatch(text) is not None


def split(text: str) -> list[str]:
    """Split `a, b or c`."""
    return re.split(r"\s*(?:,|\bor\b)\s*", text.strip())


def escalation(text: str) -> tuple[str, float]:
    """Read `managers after 1h`."""
    found = _ESCALATE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no escalation; write `escalate: <group> after <time>`")
    return found.group(1), duration(found.group(2)).total_seconds()
