"""policy.yml as values: people with their immutable ids, and rules that allow or restrict."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from automation_bots.errors import ConfigError, DefinitionError
from automation_bots.model import Caller, Limits, Person
from automation_bots.policy_file import APPROVAL, LimitFile, PolicyFile, RuleFile, rate
from automation_bots.rules import Rule, Words
from automation_bots.timewindow import window
from automation_bots.yaml_lines import load_yaml


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
        file = PolicyFile.model_validate(data)
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


def _compile(file: PolicyFile) -> Policy:
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


def _rule(entry: RuleFile, number: int, timezone: str) -> Rule:
    try:
        windows = tuple(window(text, timezone) for text in entry.when)
    except ValueError as error:
        raise _At(("rules", number, "when"), str(error)) from error
    limit = entry.limit or LimitFile()
    needs = APPROVAL.fullmatch(entry.needs or "")
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


def _digest(file: PolicyFile) -> str:
    import hashlib

    return hashlib.sha256(file.model_dump_json().encode()).hexdigest()[:12]
