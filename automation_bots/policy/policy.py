"""policy.yml as values: people with their immutable ids, and rules that allow or restrict."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from automation_bots.errors import ConfigError, DefinitionError, in_words
from automation_bots.model import Caller, Person
from automation_bots.policy import accounts, calendar_file
from automation_bots.policy import peers as other_bots
from automation_bots.policy.accounts import AccountChange, AccountRules
from automation_bots.policy.oncall import Rota, turns
from automation_bots.policy.peers import PeerPeople
from automation_bots.policy.rules import Rule
from automation_bots.policy.schema import ELSE_WAIT, PolicyFile, RuleFile, TurnsFile
from automation_bots.policy.time_window import Calendar, Window, window
from automation_bots.text.yaml_lines import load_yaml


@dataclass(frozen=True, slots=True)
class Policy:
    """All people and rules. An empty policy knows nobody and allows nothing."""

    people: Mapping[str, Person] = field(default_factory=dict)
    ids: Mapping[tuple[str, str], Person] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    version: str = ""  # digest of the file, for the record
    timezone: str = "UTC"
    files: tuple[Path, ...] = ()  # what else it was read from
    problem: str = ""  # why it cannot be read; then it knows nobody
    accounts: AccountRules = accounts.USUAL
    linked: Mapping[tuple[str, str], AccountChange] = field(default_factory=dict)  # by somebody else, in chat
    oncall: Mapping[str, Rota] = field(default_factory=dict)
    windows: Mapping[str, tuple[Window | Calendar, ...]] = field(default_factory=dict)  # by their names
    peers: Mapping[str, PeerPeople] = field(default_factory=dict)  # bot -> who of its people is who here

    def person(self, caller: Caller) -> Person | None:
        """Find who that is, by the network's immutable id alone; whom another bot speaks for, as [peers] says."""
        people = self.peers.get(other_bots.bot_of(caller.network))
        if people is None:
            return self.ids.get((caller.network, caller.id))
        name, account = other_bots.meant(people, caller.id)
        return self.people.get(name) if name else self.ids.get(account)

    def window(self, text: str) -> tuple[Window | Calendar, ...]:
        """What a window's name or its times mean; a ValueError says what is wrong."""
        return self.windows.get(text) or (window(text, self.timezone),)

    def zone(self, person: Person) -> str:
        """Whose clock a person's times are read by."""
        return person.zone or self.timezone


def load(path: Path) -> Policy:
    """Read policy.yml; a ConfigError names file, line and what to write instead."""
    try:
        data, line_of = load_yaml(path)
    except DefinitionError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise ConfigError(
                path, "there is no such file, and without it everybody is refused; docs/policy.md has one"
            ) from error
        raise ConfigError(path, error.reason, error.line) from error
    except OSError as error:
        raise ConfigError(path, f"cannot be read ({in_words(error)}); without a policy everybody is refused") from error
    try:
        file = PolicyFile.model_validate(data)
        return _compile(file, path.parent)
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


def _compile(file: PolicyFile, folder: Path) -> Policy:
    people = {
        name: Person(name, frozenset(entry.groups), dict(entry.model_extra or {}), entry.robot, entry.zone)
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
    windows = _Windows(file, folder)
    names = [rule.name for rule in file.rules]
    rules = []
    for number, entry in enumerate(file.rules):
        if entry.name in names[:number]:
            raise _At(("rules", number, "name"), f"two rules are called {entry.name!r}; answers quote the name")
        rules.append(_rule(entry, number, windows))
    rotas, calendars = _rotas(file, folder)
    files = (*windows.files, *calendars)
    digest, changes = _digest(file, windows.files), file.accounts.rules()  # who is on call decides nothing
    return Policy(people, ids, tuple(rules), digest, file.timezone, files, accounts=changes, oncall=rotas,
                  windows=windows.named)  # fmt: skip


def _rotas(file: PolicyFile, folder: Path) -> tuple[dict[str, Rota], tuple[Path, ...]]:
    """Who is on call, and the calendars that say so."""
    rotas: dict[str, Rota] = {}
    files: dict[Path, None] = {}
    for name, said in file.oncall.items():
        try:
            if isinstance(said, TurnsFile):
                found = turns(said.turns, said.since, said.change, file.timezone)
                rotas[name] = Rota(name, f"{', '.join(said.turns)} in turn", turns=found)
            elif said.startswith("ical:"):
                path = folder / said[5:].strip()
                files[path] = None
                rotas[name] = _by_calendar(name, path, file.timezone)
            else:
                rotas[name] = Rota(name, said, always=said)
        except ValueError as error:
            raise _At(("oncall", name), str(error)) from error
    return rotas, tuple(files)


def _by_calendar(name: str, path: Path, zone: str) -> Rota:
    """A rota whose calendar cannot be read is one of nobody; that is said, and no reason to refuse everybody."""
    try:
        return Rota(name, f"ical:{path.name}", entries=calendar_file.entries(path, zone))
    except ValueError as error:
        return Rota(name, f"ical:{path.name}", problem=str(error))


def _rule(entry: RuleFile, number: int, windows: _Windows) -> Rule:
    try:
        when = tuple(found for text in entry.when if text != ELSE_WAIT for found in windows.of(text))
    except ValueError as error:
        raise _At(("rules", number, "when"), str(error)) from error
    return entry.rule(when)


class _Windows:
    """What `when` may say: times, a calendar file, or the name of several of them."""

    def __init__(self, file: PolicyFile, folder: Path) -> None:
        self._zone, self._folder = file.timezone, folder
        self._calendars: dict[str, Calendar] = {}
        self._named: dict[str, tuple[Window | Calendar, ...]] = {}
        for name, texts in file.windows.items():
            try:
                self._named[name] = tuple(self._one(text) for text in texts)
            except ValueError as error:
                raise _At(("windows", name), str(error)) from error

    @property
    def files(self) -> tuple[Path, ...]:
        return tuple(self._folder / name for name in self._calendars)

    @property
    def named(self) -> dict[str, tuple[Window | Calendar, ...]]:
        return dict(self._named)

    def of(self, text: str) -> tuple[Window | Calendar, ...]:
        return self._named.get(text) or (self._one(text),)

    def _one(self, text: str) -> Window | Calendar:
        if not text.startswith("ical:"):
            return window(text, self._zone)
        name = text[5:].strip()
        if name not in self._calendars:
            self._calendars[name] = calendar_file.read(self._folder / name, text, self._zone)
        return self._calendars[name]


def _digest(file: PolicyFile, files: tuple[Path, ...]) -> str:
    whole = hashlib.sha256(file.model_dump_json().encode())
    for path in files:
        whole.update(path.read_bytes())
    return whole.hexdigest()[:12]
