"""policy.yml as values: people with their immutable ids, and rules that allow or restrict."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from automation_bots.errors import ConfigError, DefinitionError
from automation_bots.model import NO_LIMITS, Caller, Limits, Operation, Person, Risk
from automation_bots.timewindow import Window, window
from automation_bots.yaml_lines import load_yaml

ADMINS = "admins"
EVERYONE = "everyone"
_RATE = re.compile(r"(\d+)\s*/\s*(\d*)\s*(s|sec|min|m|hour|h|day|d)")
_UNIT = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "hour": 3600, "d": 86400, "day": 86400}
_APPROVAL = re.compile(r"approval by ([\w.-]+(?:\s*(?:,|or)\s*[\w.-]+)*)")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class _LimitFile(_Strict):
    devices: int | None = Field(None, ge=1)
    concurrent: int | None = Field(None, ge=1)
    rate: str | None = None

    @field_validator("rate")
    @classmethod
    def _rate(cls, value: str | None) -> str | None:
        if value is not None:
            rate(value)
        return value


class _PersonFile(BaseModel):
    """A person: `groups`, `robot`, and any other key is a chat network with this person's id on it."""

    model_config = ConfigDict(extra="allow")
    groups: list[str] = []
    robot: bool = False

    @model_validator(mode="after")
    def _ids(self) -> _PersonFile:
        for network, value in (self.model_extra or {}).items():
            if not isinstance(value, str) or not value:
                raise ValueError(f"the id on {network} must be a text in quotes")
        return self


class _RuleFile(_Strict):
    name: str
    who: list[str]
    may: list[str] | None = None
    deny: list[str] | None = None
    on: str = "all"
    where: list[str] = []
    when: list[str] = []
    with_: dict[str, list[str]] = Field({}, alias="with")
    needs: str | None = None
    limit: _LimitFile | None = None

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
        if value is not None and not _APPROVAL.fullmatch(value):
            raise ValueError("write `needs: approval by <group>`")
        return value

    @model_validator(mode="after")
    def _one_effect(self) -> _RuleFile:
        if (self.may is None) == (self.deny is None):
            raise ValueError("a rule has either `may` or `deny`")
        if self.deny is not None and (self.needs or self.limit):
            raise ValueError("`needs` and `limit` go with `may`")
        return self


class _PolicyFile(_Strict):
    version: Literal[1] = 1
    timezone: str = "UTC"
    people: dict[str, _PersonFile]
    rules: list[_RuleFile]


def rate(text: str) -> tuple[int, float]:
    """Read `10/min` or `3/5min` as (starts, seconds)."""
    found = _RATE.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text!r} is no rate; write 10/min or 3/5min")
    starts, seconds = int(found.group(1)), int(found.group(2) or 1) * _UNIT[found.group(3)]
    if not starts or not seconds:
        raise ValueError(f"{text!r} would never let anything start; write deny, or at least 1/min")
    return starts, float(seconds)


@dataclass(frozen=True, slots=True)
class Words:
    """One entry of `may`: reads, changes, everything, `driver:<name>`, or an operation with words behind it."""

    text: str

    def match(self, operation: Operation, risk: Risk, spoken: tuple[str, ...] | None, *, admin: bool) -> bool:
        """Match an operation; `spoken` are its values as typed, None to ask whether any values could match."""
        if self.text == "everything":
            return operation.declared or admin
        if self.text in {"reads", "changes"}:
            return operation.declared and risk is (Risk.READ if self.text == "reads" else Risk.CHANGE)
        if self.text.startswith("driver:"):
            return operation.declared and fnmatchcase(operation.driver, self.text[7:])
        pattern = self.text.split()
        if not fnmatchcase(operation.name, pattern[0]):
            return False
        if not operation.declared and pattern[0] != operation.name:
            return False
        if len(pattern) == 1 or spoken is None:
            return True
        if operation.cmdlets:
            return _cmdlet_matches(pattern[1:], spoken)
        return _words_match(pattern[1:], spoken)

    def bites(self, operation: Operation, risk: Risk, spoken: tuple[str, ...], driver: str = "") -> bool:
        """Match for a `deny`, which takes whatever could be meant: any risk of an undeclared operation, any driver of
        one that leaves it to the devices, and more words behind those of the rule.
        """  # fmt: skip
        if self.text == "everything":
            return True
        if self.text in {"reads", "changes"}:
            return not operation.declared or risk is (Risk.READ if self.text == "reads" else Risk.CHANGE)
        if self.text.startswith("driver:"):
            known = operation.driver or driver
            return not known or fnmatchcase(known, self.text[7:])
        name, *words = self.text.split()
        words = words[:-1] if words[-1:] == ["*"] else words
        # Quoted words are one value here and several to a network device, which reads them joined.
        flat = [part for word in spoken for part in word.split()]
        if operation.cmdlets:
            words, spoken, flat = _lower(words), tuple(_lower(spoken)), _lower(flat)
        names = (operation.name, operation.like) if operation.like else (operation.name,)
        return any(fnmatchcase(known, name) for known in names) and any(
            len(said) >= len(words) and all(map(fnmatchcase, said, words)) for said in (spoken, flat)
        )


def _lower(words: Iterable[str]) -> list[str]:
    return [word.lower() for word in words]


def _cmdlet_matches(pattern: list[str], spoken: tuple[str, ...]) -> bool:
    """PowerShell knows no case; a rule that says only the cmdlet means it with any values."""
    whole = [*pattern, "*"] if len(pattern) == 1 else pattern
    return _words_match(_lower(whole), tuple(_lower(spoken)))


def _words_match(pattern: list[str], spoken: tuple[str, ...]) -> bool:
    if pattern[-1] == "*":
        head = pattern[:-1]
        return len(spoken) >= len(head) and all(map(fnmatchcase, spoken, head))
    return len(pattern) == len(spoken) and all(map(fnmatchcase, spoken, pattern))


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may (or may not) do what, on which devices, where and when, and what it then needs."""

    name: str
    who: frozenset[str]
    what: tuple[Words, ...]
    deny: bool = False
    on: str = "all"
    where: tuple[str, ...] = ()
    when: tuple[Window, ...] = ()
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    approvers: tuple[str, ...] = ()
    limits: Limits = NO_LIMITS

    def concerns(self, person: Person) -> bool:
        """Return whether the rule speaks of this person."""
        return EVERYONE in self.who or person.name in self.who or not self.who.isdisjoint(person.groups)


@dataclass(frozen=True, slots=True)
class Policy:
    """All people and rules. An empty policy knows nobody and allows nothing."""

    people: Mapping[str, Person] = field(default_factory=dict)
    ids: Mapping[tuple[str, str], Person] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    version: str = ""  # digest of the file, for the record

    def person(self, caller: Caller) -> Person | None:
        """Find who that is, by the network's immutable id alone."""
        return self.ids.get((caller.network, caller.id))


def load(path: Path) -> Policy:
    """Read policy.yml; a ConfigError names file, line and what to write instead."""
    try:
        data, line_of = load_yaml(path)
    except DefinitionError as error:
        raise ConfigError(path, error.reason, error.line) from error
    except OSError as error:
        raise ConfigError(path, f"cannot be read ({error.strerror}); without a policy everybody is refused") from error
    try:
        file = _PolicyFile.model_validate(data)
        return _compile(file)
    except ValidationError as error:
        first = error.errors()[0]
        where = tuple("with" if part == "with_" else part for part in first["loc"])
        raise ConfigError(path, f"{'.'.join(map(str, where))}: {_plain(first['msg'])}", line_of(*where)) from error
    except _At as error:
        raise ConfigError(path, str(error), line_of(*error.where)) from error


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Extra inputs are not permitted", "this key is not known here")


class _At(Exception):
    """Something is wrong at a place of the file."""

    def __init__(self, where: tuple[str | int, ...], reason: str) -> None:
        self.where = where
        super().__init__(reason)


def _compile(file: _PolicyFile) -> Policy:
    people = {
        name: Person(name, frozenset(entry.groups), dict(entry.model_extra or {}), entry.robot)
        for name, entry in file.people.items()
    }
    ids: dict[tuple[str, str], Person] = {}
    for person in people.values():
        for network, id_ in person.ids.items():
            if (network, id_) in ids:
                other = ids[network, id_].name
                raise _At(
                    ("people", person.name, network), f"{id_} on {network} is already {other}; an id is one person"
                )
            ids[network, id_] = person
    names = [rule.name for rule in file.rules]
    rules = []
    for number, entry in enumerate(file.rules):
        if entry.name in names[:number]:
            raise _At(("rules", number, "name"), f"two rules are called {entry.name!r}; answers quote the name")
        rules.append(_rule(entry, number, file.timezone))
    return Policy(people, ids, tuple(rules), _digest(file))


def _rule(entry: _RuleFile, number: int, timezone: str) -> Rule:
    try:
        windows = tuple(window(text, timezone) for text in entry.when)
    except ValueError as error:
        raise _At(("rules", number, "when"), str(error)) from error
    limit = entry.limit or _LimitFile()
    needs = _APPROVAL.fullmatch(entry.needs or "")
    return Rule(
        name=entry.name,
        who=frozenset(entry.who),
        what=tuple(Words(text) for text in entry.may or entry.deny or ()),
        deny=entry.deny is not None,
        on=entry.on,
        where=tuple(entry.where),
        when=windows,
        values={name: tuple(globs) for name, globs in entry.with_.items()},
        approvers=tuple(re.split(r"\s*(?:,|\bor\b)\s*", needs.group(1))) if needs else (),
        limits=Limits(limit.devices, limit.concurrent, rate(limit.rate) if limit.rate else None),
    )


def _digest(file: _PolicyFile) -> str:
    import hashlib

    return hashlib.sha256(file.model_dump_json().encode()).hexdigest()[:12]
