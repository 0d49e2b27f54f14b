"""What a person is told who typed no command: what was probably meant, made of what that person may do here."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from automation_bots.config.live import LiveConfig
from automation_bots.jobs.request_context import Compare, TypedCommand
from automation_bots.model import Answer, Button, Operation, Person, Risk, one_line
from automation_bots.operations.own_commands import OWN, Shown
from automation_bots.policy import gate
from automation_bots.policy.rules import ADMINS
from automation_bots.store.questions import Curated, Learnt
from automation_bots.suggestions import curated, learnt, meant
from automation_bots.suggestions.meant import Command, Known
from automation_bots.suggestions.synonyms import SYNONYMS
from automation_bots.text.command_names import as_typed

_NO_GROUPS = frozenset({"ungrouped"})
_LENGTH = 300  # characters that are looked at
_SENTENCE = 3  # words of what is compared by meaning
_NEAR, _SURE, _AHEAD = 0.36, 0.62, 0.12  # of a sentence: worth saying, said alone, and by how much it leads then
_SAME, _TIED = 0.7, 0.02  # of a question like one that somebody answered, and by how little it may trail then
_SHOWN = 3
_LABEL = 60  # characters of a button
_TWICE = 2
_CURATED = "?"  # before the number of a curated question, among names of commands


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom something is suggested, and what that person may use here."""

    live: LiveConfig
    person: Person
    usable: Sequence[Operation]
    compare: Compare
    learnt: Sequence[Learnt] = ()  # the most used first
    curated: Sequence[Curated] = ()


def answer(asker: Asker, said: TypedCommand) -> Answer:
    """Say that there is no such command, and what was probably meant; what can be run as it stands is a click away."""
    text = f'No operation "{one_line(said.operation, 40)}".'
    found = lines(asker, f"{said.operation} {said.line}"[:_LENGTH])
    return _said(text, found) if found else Answer(f"{text} → !help")


def asked(asker: Asker, question: str) -> Answer:
    """Answer a question with the commands that answer it."""
    question = question[:_LENGTH]
    if (known_one := answered(asker, question)) is not None:
        return of_curated(known_one)
    if found := lines(asker, question):
        return _said("", found)
    return Answer("I do not know a command for that.", hint="→ !help <what you want to do> · !help")


def _said(text: str, found: Sequence[str]) -> Answer:
    shown = [f" !{one_line(line, 120)} " for line in found]
    which = f"Did you mean {shown[0]}?" if len(found) == 1 else f"One of these? {'·'.join(shown)}"
    buttons = tuple(Button(f"!{line}", line, said=True) for line in found if _fits_a_button(line))
    return Answer(f"{text} {which}".strip(), buttons=buttons)


def _fits_a_button(line: str) -> bool:
    """Whether it can be run as it stands, and all of it is seen by whoever clicks: others wrote the words."""
    return "<" not in line and one_line(line, _LABEL) == line


def of_curated(one: Curated) -> Answer:
    """What somebody wrote as the answer to a question; its commands are a click away."""
    ready = filter(_fits_a_button, curated.commands(one.answer))
    buttons = tuple(Button(f"!{line}", line, said=True) for line in ready)
    return Answer(f"{one.question} {one.answer}", buttons=buttons)


def answered(asker: Asker, question: str) -> Curated | None:
    """The curated question that is asked in the same words, or in others that mean the same."""
    mine = {one.number: one for one in for_asker(asker)}
    if not mine:
        return None
    if (number := curated.same(question, {number: one.question for number, one in mine.items()})) is not None:
        return mine[number]
    there = known(asker)
    near = _compared(asker, there, meant.without_devices(question, there)[0])
    name, fit = next((one for one in near if one[0].startswith(_CURATED)), ("", 0.0))
    return mine[int(name[1:])] if fit >= _SAME and fit >= near[0][1] - _TIED else None


def for_asker(asker: Asker) -> list[Curated]:
    """The curated questions for a person: without commands that are not theirs, nor names that they do not see."""
    there, groups = known(asker), asker.live.inventory.groups
    seen = {name.lower() for name in there.devices}
    hidden = {name.lower() for name in (*groups.get("all", ()), *groups)} - seen - _NO_GROUPS
    told = [
        replace(one, answer=curated.for_those(one.answer, there.commands))
        for one in asker.curated
        if not curated.mentioned(f"{one.question} {one.answer}", hidden)
    ]
    return [one for one in told if one.answer]


def learnt_by(asker: Asker) -> list[Learnt]:
    """What was learnt and helps a person: the operation that most words of a kind came to, where it is theirs.

    What changes something counts for others when it was right twice.
    """
    risks = {operation.name: operation.risk for operation in asker.usable}
    most = {one.text: one for one in reversed(asker.learnt)}
    return [
        one
        for one in most.values()
        if one.operation in risks
        and (one.times >= _TWICE or one.person == asker.person.name or risks[one.operation] is Risk.READ)
    ]


def learnt_line(asker: Asker, one: Learnt) -> str:
    """The command that words came to, as it is typed."""
    return meant.line(known(asker).commands[one.operation], learnt.words(one.text).split(), "")


def lines(asker: Asker, typed: str) -> tuple[str, ...]:
    """The lines that were probably meant: by the words; of a sentence where all of them fit, else by its meaning."""
    asks = meant.is_sentence(typed)
    exact = meant.suggest(typed, known(asker), sure=True) if asks else by_words(asker, typed)
    found = exact or _by_meaning(asker, typed) or (by_words(asker, typed) if asks else ())
    return tuple(dict.fromkeys(_without_secrets(asker, one) for one in found))


def _without_secrets(asker: Asker, line: str) -> str:
    """The same, without its values where a secret may be among them: networks keep what is said."""
    names = frozenset(operation.name for operation in asker.usable)
    typed = {as_typed(operation.name, names): operation for operation in asker.usable}
    first = max((name for name in typed if f"{line} ".startswith(f"{name} ")), key=len, default="")
    if not first or not any(parameter.secret for parameter in typed[first].parameters):
        return line
    return meant.line(_command(typed[first], names), (), "")


def by_words(asker: Asker, typed: str) -> tuple[str, ...]:
    """The lines that were probably meant by words mistyped, in another order, or of another tool."""
    return meant.suggest(typed, known(asker))


def _by_meaning(asker: Asker, typed: str) -> tuple[str, ...]:
    there = known(asker)
    words, devices = meant.without_devices(typed, there)
    if len(typed.split()) < _SENTENCE:
        return ()
    compared = _compared(asker, there, words)
    found = [one for one in compared if not one[0].startswith(_CURATED)][:_SHOWN]
    near = [meant.line(there.commands[name], words, devices) for name, fit in found if fit >= _NEAR]
    if near and found[0][1] >= _SURE and found[0][1] - found[1][1] >= _AHEAD:
        return (near[0],)
    return tuple(dict.fromkeys(near))


def _compared(asker: Asker, there: Known, words: Sequence[str]) -> list[tuple[str, float]]:
    """Commands and curated questions by how near they are; the same texts whoever wants to know, so that they stay."""
    texts = _texts(asker, there)
    for one in learnt_by(asker):
        texts[one.operation] = (*texts[one.operation], learnt.words(one.text))
    texts |= {f"{_CURATED}{one.number}": (one.question,) for one in for_asker(asker)}
    return list(asker.compare(" ".join(words), texts))


def _texts(asker: Asker, there: Known) -> dict[str, tuple[str, ...]]:
    """What stands for each command: its name, its help, its examples without devices, other words for it."""
    told: dict[str, tuple[str, ...]] = {name: (own.help,) for name, own in OWN.items()}
    for operation in asker.usable:
        shown = [example.removeprefix("!") for example in operation.examples]
        told[operation.name] = (operation.help, *(text.rpartition(" on ")[0] or text for text in shown))
    return {name: (name.replace("-", " "), *told[name], *SYNONYMS.get(name, ())) for name in there.commands}


def known(asker: Asker) -> Known:
    """What may be suggested to somebody: commands that they may use here, devices that they may see."""
    live, person = asker.live, asker.person
    seen = gate.visible(live.scope, person)
    groups = [name for name, hosts in live.inventory.groups.items() if seen.intersection(hosts)]
    mine = [own.name for own in OWN.values() if own.shown is not Shown.ADMINS or ADMINS in person.groups]
    commands = {name: Command(name, name, takes_devices=False, rest=True) for name in mine}
    names = frozenset(operation.name for operation in asker.usable)
    commands |= {operation.name: _command(operation, names) for operation in asker.usable}
    return Known(commands, frozenset((*seen, *groups)) - _NO_GROUPS)


def _command(operation: Operation, names: Collection[str]) -> Command:
    needed = [parameter for parameter in operation.parameters if parameter.required and not parameter.text]
    return Command(
        operation.name,
        as_typed(operation.name, names),
        choices=tuple(map(str, needed[0].choices)) if needed else (),
        values=tuple(parameter.name for parameter in needed if not parameter.rest),
        devices=operation.devices in {"required", "one"},
        takes_devices=operation.devices != "none",
        rest=any(parameter.rest for parameter in operation.parameters),
        patterns={parameter.name: re.compile(parameter.match) for parameter in needed if parameter.match},
    )
