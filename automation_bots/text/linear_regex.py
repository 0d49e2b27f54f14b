"""Regular expressions that cannot hang the bot: a state machine, linear in the text whatever the expression says.

Python's own matcher backtracks (`(a+)+$` takes for ever) and cannot be interrupted while it does. This one knows the
regular part of the language (no backreferences, no lookaround), which is all that names and values need.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from re import _parser as parser  # type: ignore[attr-defined]  # the one parser that agrees with `re`; typeshed omits it
from typing import Any, NamedTuple

from automation_bots.errors import BadCommand

MAX_POSITIONS = 500  # characters of the expression, repeats written out
MAX_NODES = 5_000
MAX_REPEAT = 500
MAX_STEPS = 200_000  # positions looked at while states are still new; a few milliseconds

Test = Callable[[str], bool]
State = dict[str, Any]  # character -> the next state; "" -> whether a text that ends here matches
_YES: State = {}
_NO: State = {}
_END = ""
_OPEN = "open"  # longer than a character, so it is never mistaken for one: the positions that may come next


class _Span(NamedTuple):
    """A piece of the expression: whether it may be empty, and (as bit sets) the positions it begins and ends with."""

    empty: bool
    first: int
    last: int


_NOTHING = _Span(empty=True, first=0, last=0)
_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
_FLAGS = re.IGNORECASE | re.ASCII | re.UNICODE | re.DOTALL | re.VERBOSE


def one_of(items: list[tuple[Any, Any]], flags: int) -> Test:
    """Return a test for a set of characters, as the parser describes it."""
    wanted = str(items[0][0]) != "NEGATE"
    tests = [_item(str(kind), value, flags) for kind, value in items if str(kind) != "NEGATE"]
    fold = bool(flags & re.IGNORECASE)

    def test(char: str) -> bool:
        spellings = {char, char.lower(), char.upper()} if fold else {char}
        return wanted is any(test(spelling) for test in tests for spelling in spellings)

    return test


def _item(kind: str, value: Any, flags: int) -> Test:
    if kind == "LITERAL":
        return lambda char: char == chr(value)
    if kind == "RANGE":
        return lambda char: chr(value[0]) <= char <= chr(value[1])
    category = re.compile(_CATEGORIES[str(value)], flags & re.ASCII)
    return lambda char: category.match(char) is not None


class _Machine:
    """The positions of an expression, what each one accepts, and which positions may follow it."""

    def __init__(self, source: str, *, to_the_end: bool) -> None:
        tree = parser.parse(source)
        self._flags = tree.state.flags
        if self._flags & ~_FLAGS:
            raise unsupported("flags other than (?i)")
        self._nodes = 0
        self.tests: list[Test] = []
        self.follow: list[int] = []
        self.starts = self.ends = 0  # the positions of ^ and $
        self.whole = self._sequence(tree)
        if to_the_end:
            self.whole = self._join(self.whole, self._at("AT_END_STRING"))

    def _sequence(self, nodes: Iterable[Any]) -> _Span:
        span = _NOTHING
        for operation, argument in nodes:
            span = self._join(span, self._node(str(operation), argument))
        return span

    def _node(self, operation: str, argument: Any) -> _Span:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise too_big()
        build = getattr(self, f"_{operation.lower()}", None)
        if build is None:
            raise unsupported(operation.lower().replace("_", " "))
        span: _Span = build(argument)
        return span

    def _join(self, left: _Span, right: _Span) -> _Span:
        for position in _bits(left.last):
            self.follow[position] |= right.first
        first = left.first | right.first if left.empty else left.first
        last = left.last | right.last if right.empty else right.last
        return _Span(left.empty and right.empty, first, last)

    def _position(self, test: Test) -> _Span:
        if len(self.tests) >= MAX_POSITIONS:
            raise too_big()
        self.tests.append(test)
        self.follow.append(0)
        bit = 1 << (len(self.tests) - 1)
        return _Span(empty=False, first=bit, last=bit)

    def _literal(self, code: int) -> _Span:
        return self._in([("LITERAL", code)])

    def _not_literal(self, code: int) -> _Span:
        return self._in([("NEGATE", None), ("LITERAL", code)])

    def _any(self, _argument: None) -> _Span:
        return self._position(lambda char: char != "\n" or bool(self._flags & re.DOTALL))

    def _in(self, items: list[tuple[Any, Any]]) -> _Span:
        return self._position(one_of(items, self._flags))

    def _at(self, where: Any) -> _Span:
        span = self._position(lambda _char: False)
        if str(where) in {"AT_BEGINNING", "AT_BEGINNING_STRING"}:
            self.starts |= span.first
        elif str(where) in {"AT_END", "AT_END_STRING"}:
            self.ends |= span.first
        else:
            raise unsupported("word boundaries")
        return span

    def _branch(self, argument: tuple[None, list[Any]]) -> _Span:
        spans = [self._sequence(branch) for branch in argument[1]]
        return _Span(any(s.empty for s in spans), _union(s.first for s in spans), _union(s.last for s in spans))

    def _subpattern(self, argument: tuple[int | None, int, int, Any]) -> _Span:
        if argument[1] or argument[2]:
            raise unsupported("flags inside")
        return self._sequence(argument[3])

    def _max_repeat(self, argument: tuple[int, Any, Any]) -> _Span:
        least, most, nodes = argument
        endless = most is parser.MAXREPEAT
        if least > MAX_REPEAT or (not endless and most > MAX_REPEAT):
            raise too_big()
        span = _NOTHING
        for _ in range(least):
            span = self._join(span, self._sequence(nodes))
        for _ in range(1 if endless else most - least):
            more = self._sequence(nodes)
            if endless:
                self._join(more, more)
            span = self._join(span, more._replace(empty=True))
        return span

    _min_repeat = _max_repeat  # greedy or not makes a difference to what is captured, not to whether it matches


class SafeRegex:
    """A regular expression as `re.match` takes it, or `re.fullmatch`; what it cannot do fast is a `BadCommand`."""

    def __init__(self, source: str, *, to_the_end: bool = False) -> None:
        try:
            self._machine = _Machine(source, to_the_end=to_the_end)
        except (re.error, OverflowError, RecursionError) as error:
            raise BadCommand(f"{source!r} is not a regular expression: {error}") from error
        self._steps = 0
        self._states: dict[int, State] = {}
        self._start = self._begin()

    def matches(self, text: str) -> bool:
        """Return whether the text begins with what the expression says."""
        state = self._start
        for char in text:
            following = state.get(char)
            if following is None:
                if state is _YES or state is _NO:
                    break
                following = self._step(state, char)
            state = following
        return state is _YES or (state is not _NO and bool(state[_END]))

    def _begin(self) -> State:
        machine = self._machine
        mask, accepted = self._pass(machine.whole.first, machine.starts)
        return _YES if machine.whole.empty or accepted else self._state(mask)

    def _pass(self, mask: int, anchors: int) -> tuple[int, bool]:
        """Go through the anchors that hold here; return the positions then open, and whether the match is complete."""
        passed = 0
        while (ready := mask & anchors & ~passed) != 0:
            passed |= ready
            mask |= _union(self._machine.follow[position] for position in _bits(ready))
        return mask, bool(passed & self._machine.whole.last)

    def _state(self, mask: int) -> State:
        if mask == 0:
            return _NO
        state = self._states.get(mask)
        if state is None:
            state = self._states[mask] = {_END: self._pass(mask, self._machine.ends)[1], _OPEN: mask}
        return state

    def _step(self, state: State, char: str) -> State:
        mask = state[_OPEN]
        self._steps += mask.bit_count()
        if self._steps > MAX_STEPS:
            raise too_big()
        machine = self._machine
        reached = [position for position in _bits(mask) if machine.tests[position](char)]
        done = any(machine.whole.last >> position & 1 for position in reached)
        following = _YES if done else self._state(_union(machine.follow[position] for position in reached))
        state[char] = following
        return following


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _union(masks: Iterable[int]) -> int:
    union = 0
    for mask in masks:
        union |= mask
    return union


def unsupported(what: str) -> BadCommand:
    """Say that an expression uses what cannot be done in linear time."""
    return BadCommand(f"regular expressions know no {what} here; use characters, [sets], groups, | and repeats")


def too_big() -> BadCommand:
    """Say that an expression is too large."""
    return BadCommand("this regular expression is too complex to be looked at in time; write a simpler one")
