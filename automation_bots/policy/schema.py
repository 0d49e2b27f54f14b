"""The form of policy.yml: which keys there are, what may stand behind them, and which value each becomes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from automation_bots.model import ApprovalRequirement, Limits
from automation_bots.policy.accounts import AccountsFile
from automation_bots.policy.approval_rule import ApprovalFile, is_short_form, short_form
from automation_bots.policy.reauth import ReauthFile
from automation_bots.policy.rules import Above, Rule, Words
from automation_bots.policy.time_window import Calendar, Window
from automation_bots.text import times
from automation_bots.text.times import duration

_RATE = re.compile(r"(\d+)\s*/\s*(.+)")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")


def rate(text: str) -> tuple[int, float]:
    """Read `10/min` or `3/5min` as (starts, seconds)."""
    found = _RATE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no rate; write 10/min or 3/5min")
    starts, length = int(found.group(1)), found.group(2)
    if not starts:
        raise ValueError(f"{text!r} would never let anything start; write deny, or at least 1/min")
    try:
        return starts, duration(length if length[0].isdecimal() else f"1{length}").total_seconds()
    except ValueError:
        raise ValueError(f"{text!r} is no rate; write 10/min or 3/5min") from None


def share(text: str) -> float:
    """Read `25%` as 0.25."""
    found = _SHARE.fullmatch(text.strip())
    if not found or not 0 <= float(found.group(1)) <= 100:
        raise ValueError(f"{text!r} is no share; write 25%")
    return float(found.group(1)) / 100


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Per = Literal["bot", "person", "place", "operation", "driver", "site", "device"]


class LimitFile(_Strict):
    """`limit` of a rule."""

    devices: int | None = Field(None, ge=1)
    share: str | None = None
    above: str = "deny"
    failures: str | None = None
    concurrent: Annotated[int, Field(ge=1)] | dict[Per, Annotated[int, Field(ge=1)]] | None = None
    rate: str | dict[Per, str] | None = None

    @field_validator("rate")
    @classmethod
    def _rate(cls, value: str | dict[Per, str] | None) -> str | dict[Per, str] | None:
        for text in value.values() if isinstance(value, dict) else [value] if value else []:
            rate(text)
        return value

    @field_validator("share", "failures")
    @classmethod
    def _share(cls, value: str | None) -> str | None:
        if value is not None:
            share(value)
        return value

    def limits(self, rule: str) -> Limits:
        """Return what counts jobs; `rule` is whose limits they are."""
        caps = self.concurrent if isinstance(self.concurrent, dict) else {}
        rates = self.rate if isinstance(self.rate, dict) else {}
        return Limits(
            devices=self.devices,
            concurrent=self.concurrent if isinstance(self.concurrent, int) else None,
            rate=rate(self.rate) if isinstance(self.rate, str) else None,
            failures=share(self.failures) if self.failures else None,
            caps=tuple((rule, per, jobs) for per, jobs in caps.items()),
            rates=tuple((rule, per, *rate(text)) for per, text in rates.items()),
        )

    @model_validator(mode="after")
    def _beyond(self) -> LimitFile:
        if self.above not in {"deny", "confirm"} and not is_short_form(self.above):
            raise ValueError("write `above: deny`, `above: confirm` or `above: approval by <group>`")
        if self.above != "deny" and self.devices is None and self.share is None:
            raise ValueError("`above` goes with `devices` or `share`")
        return self


class PersonFile(BaseModel):
    """A person: `groups`, `robot`, `zone`, and any other key is a chat network with this person's id on it."""

    model_config = ConfigDict(extra="allow")
    groups: list[str] = []
    robot: bool = False
    zone: str = ""

    @field_validator("zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        return value and times.zone(value)

    @model_validator(mode="after")
    def _ids(self) -> PersonFile:
        for network, value in (self.model_extra or {}).items():
            if not isinstance(value, str) or not value:
                raise ValueError(f"the id on {network} must be a text in quotes")
        if "rule" in (self.model_extra or {}) and not self.robot:
            raise ValueError("`rule` goes with `robot: true`: what rules.yml runs by itself is never done as a human")
        return self


ELSE_WAIT = "else wait"  # in `when`: what gets its turn outside waits for the next window
_WITH_MAY = ("needs", "approval", "limit", "reauth", "emergency")  # and not with `deny`


class RuleFile(_Strict):
    """One rule as it is written."""

    name: str
    who: list[str]
    may: list[str] | None = None
    deny: list[str] | None = None
    on: str = "all"
    where: list[str] = []
    when: list[str] = []
    with_: dict[str, list[str]] = Field({}, alias="with")
    needs: str | None = None
    approval: ApprovalFile | None = None
    limit: LimitFile | None = None
    reauth: ReauthFile | None = None
    emergency: bool = False

    _lists = field_validator("who", "may", "deny", "where", "when", mode="before")(_listed)

    @field_validator("may", "deny")
    @classmethod
    def _words(cls, value: list[str] | None) -> list[str] | None:
        if value is not None and not all(text.strip() for text in value):
            raise ValueError("an entry is empty; write an operation's name, reads, changes or everything")
        return value

    @field_validator("with_", mode="before")
    @classmethod
    def _with(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {k: [str(i) for i in v] if isinstance(v, list) else [str(v)] for k, v in value.items()}

    @field_validator("needs")
    @classmethod
    def _needs(cls, value: str | None) -> str | None:
        if value is not None:
            short_form(value)
        return value

    @model_validator(mode="after")
    def _one_effect(self) -> RuleFile:
        if (self.may is None) == (self.deny is None):
            raise ValueError("a rule has either `may` or `deny`")
        if self.deny is not None and any(getattr(self, key) for key in _WITH_MAY):
            *most, last = (f"`{key}`" for key in _WITH_MAY)
            raise ValueError(f"{', '.join(most)} and {last} go with `may`")
        if self.needs and self.approval:
            raise ValueError("write either `needs` or `approval`")
        if ELSE_WAIT in self.when and (self.deny is not None or self.when == [ELSE_WAIT]):
            raise ValueError(f"`{ELSE_WAIT}` stands behind the windows of a rule with `may`")
        return self

    def rule(self, when: tuple[Window | Calendar, ...]) -> Rule:
        """Return the rule as a value; `when` are the windows that its own words name."""
        limit, need = self.limit or LimitFile(), self._need()
        return Rule(
            name=self.name,
            who=frozenset(self.who),
            what=tuple(Words(text) for text in self.may or self.deny or ()),
            deny=self.deny is not None,
            on=self.on,
            where=tuple(self.where),
            when=when,
            waits=ELSE_WAIT in self.when,
            values={name: tuple(globs) for name, globs in self.with_.items()},
            approvers=need.by if need else (),
            limits=limit.limits(self.name),
            share=share(limit.share) if limit.share else None,
            above=Above(limit.above.split()[0]),
            above_approvers=short_form(limit.above) if limit.above.startswith("approval") else (),
            emergency=self.emergency,
            need=need,
            reauth=self.reauth.value() if self.reauth else None,
        )

    def _need(self) -> ApprovalRequirement | None:
        if self.approval:
            return self.approval.need(self.name)
        return ApprovalRequirement(self.name, short_form(self.needs)) if self.needs else None


class TurnsFile(_Strict):
    """A line of `oncall` where people take weeks in turn."""

    turns: list[str] = Field(min_length=1)
    since: str
    change: str = "09:00"

    @field_validator("since", mode="before")
    @classmethod
    def _since(cls, value: Any) -> Any:
        return str(value)  # YAML knows dates


def _kind(value: Any) -> str:
    return "by week" if isinstance(value, Mapping | TurnsFile) else "name"


RotaFile = Annotated[
    Annotated[str, Tag("name")] | Annotated[TurnsFile, Tag("by week")], Discriminator(_kind)
]  # so that errors are about the form that was meant
RotaName = Annotated[str, Field(pattern=r"^[A-Za-z][\w-]{0,40}$")]


class PolicyFile(_Strict):
    """The whole file."""

    version: Literal[1] = 1
    timezone: str = "UTC"
    windows: dict[str, list[str]] = {}
    people: dict[str, PersonFile]
    accounts: AccountsFile = AccountsFile()
    oncall: dict[RotaName, RotaFile] = {}
    rules: list[RuleFile]

    _zone = field_validator("timezone")(times.zone)

    @field_validator("windows", mode="before")
    @classmethod
    def _windows(cls, value: Any) -> Any:
        return {name: _listed(texts) for name, texts in value.items()} if isinstance(value, Mapping) else value
