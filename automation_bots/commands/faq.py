"""The most common questions: written by those whom a rule lets, or learnt from what people typed and then ran."""

from __future__ import annotations

import re
from dataclasses import replace

from automation_bots import render
from automation_bots.commands.context import CommandCall, CommandContext
from automation_bots.errors import BadCommand
from automation_bots.model import Answer, Person, one_line
from automation_bots.operations.own_commands import OWN
from automation_bots.pipeline import suggested
from automation_bots.pipeline.suggested import Asker
from automation_bots.store import Subject
from automation_bots.store.questions import Curated, Learnt
from automation_bots.suggestions import curated
from automation_bots.text.nearest import did_you_mean, nearest

_WORD = "faq"  # by which rules of policy.yml let somebody write
_MOST, _QUESTION, _ANSWER = 200, 200, 600
_LEARNT_SHOWN = 10
_ASKED = 2  # times that learnt words were used before they are common
_NUMBER = re.compile(r"[lL]?\d{1,9}")
_HOW = "→ !faq <n> · !faq add <question> = <text> · !<command>"


class FaqCommands:
    """One method a command."""

    def __init__(self, context: CommandContext) -> None:
        self._context, self._store = context, context.store.questions

    def faq(self, ask: CommandCall) -> Answer:
        """List them, look at one, write, change or forget one."""
        person = self._context.person(ask)
        word, _, rest = ask.line.strip().partition(" ")
        steps = {"add": self._add, "edit": self._edit, "forget": self._forget}
        if not word:
            return self._list(self._asker(ask, person))
        if word.lower() not in steps:
            return self._one(ask, person)
        refused = self._context.pipeline.plugin_commands.judge(ask.caller, ask.place, _WORD)
        about = Subject(person.name, ask.caller, ask.place, _WORD)
        return refused or steps[word.lower()](rest.strip(), about)

    def _asker(self, ask: CommandCall, person: Person) -> Asker:
        return self._context.pipeline.lookup.asker(person, ask.caller, ask.place)

    # -- looked at

    def _list(self, asker: Asker) -> Answer:
        rows = [(str(one.number), one.question, one.answer) for one in suggested.for_asker(asker)]
        common = [one for one in suggested.learnt_by(asker) if one.times >= _ASKED and self._may_read(asker, one)]
        common.sort(key=lambda one: -one.times)
        rows += [
            (f"L{one.number}", one.text, f"!{suggested.learnt_line(asker, one)} ({one.times} times)")
            for one in common[:_LEARNT_SHOWN]
        ]
        text = "The most common questions:" if rows else "No questions yet: nobody wrote any, and none was learnt."
        return Answer(text, render.table(rows), _HOW)

    def _may_read(self, asker: Asker, one: Learnt) -> bool:
        """The words of one person are for that person; of several, for all."""
        return one.person in {"", asker.person.name}

    def _one(self, ask: CommandCall, person: Person) -> Answer:
        mine = {str(one.number): one for one in suggested.for_asker(self._asker(ask, person))}
        if not _NUMBER.fullmatch(ask.line.strip()):
            return self._context.pipeline.lookup.asked(ask.caller, ask.place, ask.line)
        if (one := mine.get(ask.line.strip())) is None:
            raise BadCommand(f"There is no question {one_line(ask.line, 20)}. → !faq")
        return suggested.of_curated(one)

    # -- written

    def _add(self, line: str, about: Subject) -> Answer:
        if len(self._store.curated()) >= _MOST:
            raise BadCommand(f"There are {_MOST} questions, which is the limit. → !faq forget <n>")
        one = self._read(line)
        if curated.same(one.question, {other.number: other.question for other in self._store.curated()}) is not None:
            raise BadCommand("That question is there already. → !faq · !faq edit <n> <question> = <answer>")
        number = self._store.add(one.question, one.answer, about)
        return replace(suggested.of_curated(one), text=f"{number}: {one.question} {one.answer}")

    def _edit(self, line: str, about: Subject) -> Answer:
        number, _, rest = line.partition(" ")
        before = self._curated(number)
        one = replace(self._read(rest), number=before.number)
        self._store.edit(one, about)
        undo = f"It was: !faq edit {before.number} {before.question} = {before.answer}"
        return Answer(f"{one.number}: {one.question} {one.answer}", hint=undo)

    def _forget(self, line: str, about: Subject) -> Answer:
        if line[:1].lower() == "l":
            return self._unlearn(line, about)
        one = self._curated(line)
        self._store.forget(one, about)
        return Answer(f"{one.number} is forgotten.", hint=f"→ !faq add {one.question} = {one.answer}")

    def _unlearn(self, line: str, about: Subject) -> Answer:
        found = next((one for one in self._store.learnt() if f"l{one.number}" == line.lower()), None)
        if found is None:
            raise BadCommand(f"Nothing was learnt under {one_line(line, 20)}. → !faq")
        self._store.unlearn(found, about)
        return Answer(f"L{found.number} is forgotten: {found.text} = {found.operation}.")

    def _curated(self, number: str) -> Curated:
        found = next((one for one in self._store.curated() if str(one.number) == number.strip()), None)
        if found is None:
            raise BadCommand(f"There is no question {one_line(number, 20)!r}. → !faq")
        return found

    def _read(self, line: str) -> Curated:
        question, equals, answer = (part.strip() for part in one_line(line, _QUESTION + _ANSWER + 10).partition("="))
        if not (question and equals and answer) or len(question) > _QUESTION or len(answer) > _ANSWER:
            raise BadCommand(f"A question of at most {_QUESTION} characters, `=`, and an answer of {_ANSWER}. {_HOW}")
        if self._context.clear(line) != line:
            raise BadCommand("No: there is a secret in it, and questions are kept and listed in clear.")
        if (prefix := self._context.prefix) != "!":
            answer = " · ".join(f"!{one.removeprefix(prefix)}" if one.startswith(prefix) else one
                                for one in curated.parts(answer))  # fmt: skip
        for command in curated.commands(answer):
            self._check(command)
        return Curated(0, question, answer)

    def _check(self, command: str) -> None:
        known, first = {*OWN, *self._context.live.catalog.operations}, command.partition(" ")[0]
        if known.isdisjoint(curated.names(command)):
            near = nearest(first, known, 1)
            raise BadCommand(f"There is no command {one_line(first, 40)!r}.{did_you_mean(near)}")
