"""Regular expressions with groups that cannot hang the bot: as `linear_regex`, and it tells where each group stands.

All ways through the expression go on side by side, the preferred ones first (Pike's machine), so that a text is read
once whatever the expression says. What plugins ask of a pattern and of a match of `re` is here under the same names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from re import _parser as parser  # type: ignore[attr-defined]  # the one parser that agrees with `re`; typeshed omits it
from typing import Any

from automation_bots.errors import BadCommand
from automation_bots.text.linear_regex import MAX_REPEAT, Test, one_of, too_big, unsupported

MAX_STEPS = 1_000  # of an expression, repeats written out
_FLAGS = re.IGNORECASE | re.ASCII | re.UNICODE | re.DOTALL | re.VERBOSE | re.MULTILINE
_WORD = re.compile(r"\w")
_Places = tuple[int | None, ...]  # where groups begin and end
_Where = Callable[[str, int], bool]


@dataclass(slots=True)
class _Step:
    """What a way through the expression does next: read a character, look where it is, note a place, go on, or end."""

    reads: Test | None = None
    holds: _Where | None = None
    notes: int | None = None
    ways: tuple[int, ...] = ()  # of the steps to go on with, the preferred one first; none: it is through


class LinearPattern:
    """An expression as `re.compile` takes it; what it cannot do in linear time is a `BadCommand`."""

    def __init__(self, pattern: str, flags: int = 0) -> None:
        self.pattern = pattern
        try:
            tree = parser.parse(pattern, flags)
        except (re.error, OverflowError, RecursionError) as error:
            raise BadCommand(f"{pattern!r} is not a regular expression: {error}") from error
        self.flags: int = tree.state.flags
        if self.flags & ~_FLAGS:
            raise unsupported("flags of this kind")
        self.groups: int = tree.state.groups - 1
        self.groupindex: dict[str, int] = dict(tree.state.groupdict)
        self._steps: list[_Step] = []
        self._note(0)
        self._sequence(tree)
        self._note(1)
        self._step(_Step())

    # -- making

    def _step(self, step: _Step) -> int:
        if len(self._steps) >= MAX_STEPS:
            raise too_big()
        self._steps.append(step)
        return len(self._steps) - 1

    def _next(self, **does: Any) -> None:
        self._step(_Step(**does, ways=(len(self._steps) + 1,)))

    def _note(self, place: int) -> None:
        self._next(notes=place)

    def _sequence(self, nodes: Iterable[Any]) -> None:
        for operation, argument in nodes:
            build = getattr(self, f"_{str(operation).lower()}", None)
            if build is None:
                raise unsupported(str(operation).lower().replace("_", " "))
            build(argument)

    def _literal(self, code: int) -> None:
        self._in([("LITERAL", code)])

    def _not_literal(self, code: int) -> None:
        self._in([("NEGATE", None), ("LITERAL", code)])

    def _any(self, _argument: None) -> None:
        all_of_it = bool(self.flags & re.DOTALL)
        self._next(reads=lambda char: all_of_it or char != "\n")

    def _in(self, items: list[tuple[Any, Any]]) -> None:
        self._next(reads=one_of(items, self.flags))

    def _at(self, where: Any) -> None:
        name = str(where)
        if self.flags & re.MULTILINE:
            name = {"AT_BEGINNING": "AT_BEGINNING_LINE", "AT_END": "AT_END_LINE"}.get(name, name)
        self._next(holds=_PLACES[name])

    def _branch(self, argument: tuple[None, list[Any]]) -> None:
        *others, last = argument[1]
        ends = []
        for branch in others:
            choice = self._step(_Step())
            self._sequence(branch)
            ends.append(self._step(_Step()))
            self._steps[choice].ways = (choice + 1, len(self._steps))
        self._sequence(last)
        for end in ends:
            self._steps[end].ways = (len(self._steps),)

    def _subpattern(self, argument: tuple[int | None, int, int, Any]) -> None:
        group, *flags, nodes = argument
        if any(flags):
            raise unsupported("flags inside")
        if group is not None:
            self._note(2 * group)
        self._sequence(nodes)
        if group is not None:
            self._note(2 * group + 1)

    def _max_repeat(self, argument: tuple[int, int, Any], *, greedy: bool = True) -> None:
        least, most, nodes = argument
        endless = most is parser.MAXREPEAT
        if least > MAX_REPEAT or (not endless and most > MAX_REPEAT):
            raise too_big()
        for _ in range(least):
            self._sequence(nodes)
        choices = []
        for _ in range(1 if endless else most - least):
            choices.append(self._step(_Step()))
            self._sequence(nodes)
        if endless:
            self._step(_Step(ways=(choices[0],)))
        for choice in choices:
            ways = (choice + 1, len(self._steps))
            self._steps[choice].ways = ways if greedy else ways[::-1]

    def _min_repeat(self, argument: tuple[int, int, Any]) -> None:
        self._max_repeat(argument, greedy=False)

    # -- reading

    def search(self, text: str, start: int = 0) -> LinearMatch | None:
        """Return the first match, as `re` would."""
        found: _Places | None = None
        ways: dict[int, _Places] = {}
        for at in range(start, len(text) + 1):
            if found is None:
                self._go_on(ways, 0, (None,) * (2 * self.groups + 2), text, at)
            following: dict[int, _Places] = {}
            for number, places in ways.items():
                step = self._steps[number]
                if step.reads is None:
                    found = places  # what comes behind it is preferred less
                    break
                if at < len(text) and step.reads(text[at]):
                    self._go_on(following, step.ways[0], places, text, at + 1)
            ways = following
            if found is not None and not ways:
                break
        return None if found is None else LinearMatch(self, text, found)

    def _go_on(self, ways: dict[int, _Places], number: int, places: _Places, text: str, at: int) -> None:
        """Add a way, and all that it becomes before it reads a character; each step once, the preferred way first."""
        waiting, seen = [(number, places)], set(ways)
        while waiting:
            number, places = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            step = self._steps[number]
            if step.reads is not None or not step.ways:
                ways[number] = places
            elif step.holds is None or step.holds(text, at):
                noted = places if step.notes is None else (*places[: step.notes], at, *places[step.notes + 1 :])
                waiting += [(way, noted) for way in reversed(step.ways)]

    def finditer(self, text: str) -> Iterator[LinearMatch]:
        """Yield all matches, one behind the other."""
        at = 0
        while at <= len(text) and (found := self.search(text, at)) is not None:
            yield found
            at = found.end() + (found.end() == found.start())


@dataclass(frozen=True, slots=True)
class LinearMatch:
    """What was found, asked as a match of `re`."""

    re: LinearPattern
    string: str
    places: _Places

    def span(self, group: int | str = 0) -> tuple[int, int]:
        """Where a group stands."""
        number = self.re.groupindex[group] if isinstance(group, str) and group in self.re.groupindex else group
        if not isinstance(number, int) or not 0 <= number <= self.re.groups:
            raise IndexError("no such group")
        first, last = self.places[2 * number : 2 * number + 2]
        return (-1, -1) if first is None or last is None else (first, last)

    def start(self, group: int | str = 0) -> int:
        """Where a group begins."""
        return self.span(group)[0]

    def end(self, group: int | str = 0) -> int:
        """Where a group ends."""
        return self.span(group)[1]

    def __getitem__(self, group: int | str) -> str | None:
        first, last = self.span(group)
        return None if first < 0 else self.string[first:last]

    def group(self, *groups: int | str) -> Any:
        """What one group holds, or several."""
        held = tuple(self[group] for group in groups or (0,))
        return held if len(held) > 1 else held[0]

    def groups(self, default: Any = None) -> tuple[Any, ...]:
        """What all groups hold."""
        return tuple(default if (held := self[number]) is None else held for number in range(1, self.re.groups + 1))

    def groupdict(self, default: Any = None) -> dict[str, Any]:
        """What the groups with a name hold."""
        return {name: default if self[name] is None else self[name] for name in self.re.groupindex}


def _at_the_end(text: str, at: int) -> bool:
    return at == len(text) or (at == len(text) - 1 and text[at] == "\n")


def _at_an_edge(text: str, at: int) -> bool:
    before, after = text[at - 1 : at] if at else "", text[at : at + 1]
    return bool(_WORD.match(before)) is not bool(_WORD.match(after))


_PLACES: dict[str, _Where] = {
    "AT_BEGINNING": lambda _text, at: at == 0,
    "AT_BEGINNING_STRING": lambda _text, at: at == 0,
    "AT_BEGINNING_LINE": lambda text, at: at == 0 or text[at - 1] == "\n",
    "AT_END": _at_the_end,
    "AT_END_STRING": lambda text, at: at == len(text),
    "AT_END_LINE": lambda text, at: at == len(text) or text[at] == "\n",
    "AT_BOUNDARY": _at_an_edge,
    "AT_NON_BOUNDARY": lambda text, at: not _at_an_edge(text, at),
}
