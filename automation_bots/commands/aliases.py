"""Short forms of commands, of a person, a team, or in bot.toml: made, listed, and what they stand for when typed."""

from __future__ import annotations

from collections.abc import Mapping

from automation_bots import render
from automation_bots.commands.context import CommandCall, CommandContext
from automation_bots.errors import BadCommand
from automation_bots.jobs.request_context import TypedCommand
from automation_bots.model import Answer, Caller, Person, one_line
from automation_bots.operations.own_commands import OWN
from automation_bots.policy.rules import ADMINS
from automation_bots.store import Subject
from automation_bots.store.aliases import Alias
from automation_bots.text import aliases as forms
from automation_bots.text.nearest import did_you_mean, nearest

_MOST = 50  # of one owner
_LENGTH = 500
_HOW = "→ !alias bounce = service restart {name} on {devices} · !alias team netops bounce = … · !alias remove bounce"


class AliasCommands:
    """What stands for what; judged as what it stands for, since it is put in before anything is judged."""

    def __init__(self, context: CommandContext, shared: Mapping[str, str]) -> None:
        self._context = context
        self._shared = tuple(Alias("", name, meaning) for name, meaning in shared.items())

    def expanded(self, caller: Caller, words: str) -> str:
        """Put in what a short form stands for; BadCommand where it stands for two things, or a value is missing."""
        head, newline, text = words.partition("\n")
        name, _, line = head.strip().partition(" ")
        person = self._context.pipeline.lookup.person(caller)
        mine = self._of(person, name) if person else []
        if not mine or self._is_command(name.lower()):
            return words
        if len({alias.meaning for alias in mine}) > 1:
            both = " · ".join(f"{_whose(alias)}: !{alias.meaning}" for alias in mine)
            raise BadCommand(f'"{name}" stands for two things, so I do neither. {both}. → type one whole')
        return forms.filled(mine[0].name, mine[0].meaning, line) + newline + text

    def alias(self, ask: CommandCall) -> Answer:
        """List them, make one, remove one."""
        person = self._context.person(ask)
        if not ask.words:
            return self._list(person)
        if ask.words[0].lower() == "remove":
            return self._remove(ask, person)
        owner, line = self._owner(person, ask.line.strip())
        name, equals, meaning = (part.strip() for part in line.partition("="))
        if not equals:
            return self._one(person, name)
        return self._make(ask, person, Alias(owner, name.lower(), meaning.removeprefix(self._context.prefix)))

    # -- the steps

    def _owner(self, person: Person, line: str) -> tuple[str, str]:
        first, _, rest = line.partition(" ")
        if first.lower() != "team":
            return person.name, line
        group, _, rest = rest.strip().partition(" ")
        if group not in person.groups and ADMINS not in person.groups:
            mine = ", ".join(sorted(person.groups))
            raise BadCommand(f"No: you are not in {one_line(group, 40)!r}. Your groups: {mine}.")
        return f"@{group}", rest.strip()

    def _make(self, ask: CommandCall, person: Person, alias: Alias) -> Answer:
        if not forms.NAME.fullmatch(alias.name) or not alias.meaning or len(alias.meaning) > _LENGTH:
            raise BadCommand(f"A short form is one word for a command. {_HOW}")
        if self._is_command(alias.name):
            raise BadCommand(f"{alias.name} is a command already; take another word.")
        self._check(ask, alias.meaning)
        others = [one for one in self._of(person, alias.name) if one.owner != alias.owner]
        if any(one.meaning != alias.meaning for one in others):
            raise BadCommand(f"{_whose(others[0])} it stands for !{others[0].meaning} already; take another word.")
        if len([one for one in self._context.store.aliases.all() if one.owner == alias.owner]) >= _MOST:
            raise BadCommand(f"That would be more than {_MOST}. → !alias remove <name>")
        self._context.store.aliases.put(alias, self._about(ask, person))
        return Answer(f"!{forms.usage(alias.name, alias.meaning)} is now !{alias.meaning} ({_whose(alias)}).")

    def _check(self, ask: CommandCall, meaning: str) -> None:
        first, _, rest = meaning.partition(" ")
        lookup = self._context.pipeline.lookup
        if not self._is_command(lookup.meant(TypedCommand(ask.caller, ask.place, first, rest)).operation):
            near = nearest(first, lookup.names_for(ask.caller, ask.place), 1)
            raise BadCommand(f"There is no command {one_line(first, 40)!r}.{did_you_mean(near)}")
        if self._context.clear(meaning) != meaning:
            raise BadCommand("No: there is a secret in it, and short forms are kept and listed in clear.")

    def _remove(self, ask: CommandCall, person: Person) -> Answer:
        owner, name = self._owner(person, " ".join(ask.words[1:]))
        found = next((one for one in self._of(person, name) if one.owner == owner), None)
        if found is None:
            raise BadCommand(f"There is no such short form of yours: {one_line(name, 40)!r}. {_HOW}")
        self._context.store.aliases.remove(found, self._about(ask, person))
        undo = f"→ !alias {found.name} = {found.meaning}"
        return Answer(f"!{found.name} is gone. It was !{found.meaning}", hint=undo)

    def _list(self, person: Person) -> Answer:
        every = sorted(self._of(person), key=lambda one: one.name)
        rows = [(f"!{forms.usage(one.name, one.meaning)}", f"!{one.meaning}", self._note(one)) for one in every]
        text = f"{render.many(len(rows), 'short form')} for you:" if rows else "No short forms yet."
        return Answer(text, render.table(rows), _HOW)

    def _one(self, person: Person, name: str) -> Answer:
        rows = [(_whose(one), f"!{one.meaning}", self._note(one)) for one in self._of(person, name)]
        if not rows:
            raise BadCommand(f"{one_line(name, 40)!r} is no short form. {_HOW}")
        return Answer(f"{name} stands for:", render.table(rows))

    def _note(self, alias: Alias) -> str:
        return "not used: a command has that name now" if self._is_command(alias.name) else _whose(alias)

    def _of(self, person: Person, name: str = "") -> list[Alias]:
        """The short forms for a person, or the one of a name, of whomever."""
        owners = {"", person.name, *(f"@{group}" for group in person.groups)}
        every = (*self._context.store.aliases.all(), *self._shared)
        return [one for one in every if one.owner in owners and name.lower() in {"", one.name}]

    def _is_command(self, name: str) -> bool:
        return name in OWN or self._context.live.catalog.find(name) is not None

    def _about(self, ask: CommandCall, person: Person) -> Subject:
        return Subject(person.name, ask.caller, ask.place, "alias")


def _whose(alias: Alias) -> str:
    if not alias.owner:
        return "for everybody"
    return f"for {alias.owner[1:]}" if alias.owner.startswith("@") else "for you"
