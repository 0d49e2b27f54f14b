"""A command of a file with holes, filled with what strangers said: each value is one value of one parameter. Pure.

The words are read while the holes are still empty, so that nothing that fills them can become another word, a flag, an
assignment, a filter or a part of a device pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from automation_bots.errors import BadCommand, BadParameter
from automation_bots.model import Operation, Parameter, one_line
from automation_bots.operations import parameters
from automation_bots.pipeline import parser as grammar
from automation_bots.text import holes

_BEGIN, _END = "\ue000", "\ue001"  # of private use: no word of a file has them
_MARK = re.compile(f"{_BEGIN}(\\d+){_END}")
_ONE_WORD = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_.:/@-]*")  # that no shell and no device takes for more
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # of a device, and no pattern
_LONGEST = 1_000  # characters
_AS_ONE = frozenset({"ansible", "python"})  # drivers that hand a value on as it is, whatever stands in it


@dataclass(frozen=True, slots=True)
class Filling:
    """What fills the holes, and which names are devices."""

    values: Mapping[str, str]
    is_device: Callable[[str], bool]


def parse(operation: Operation, line: str, filling: Filling) -> grammar.ParsedCommand:
    """Sort the words of a line, then fill its holes; a UserError says which value cannot stand where."""
    typed, names = _sorted(operation, line)
    return _Filler(operation, names, filling).fill(typed)


def _sorted(operation: Operation, line: str) -> tuple[grammar.ParsedCommand, tuple[str, ...]]:
    """The words of a line with marks in its holes, and the names of those."""
    if _BEGIN in line or _END in line:
        raise BadCommand("The command has characters of private use, which no command has.")
    names: list[str] = []

    def marked(name: str) -> str:
        names.append(name)
        return f"{_BEGIN}{len(names) - 1}{_END}"

    typed = grammar.parse(operation, holes.fill(line, marked))
    return typed, tuple(names)


def words(line: str, filling: Filling) -> str:
    """Fill the line of a command that no operation describes: each value has to be one plain word."""
    return holes.fill(line, lambda name: _plain(name, filling.values.get(name, "")))


@dataclass(frozen=True, slots=True)
class _Filler:
    """Fills what was parsed of one line."""

    operation: Operation
    names: tuple[str, ...]
    filling: Filling

    def fill(self, typed: grammar.ParsedCommand) -> grammar.ParsedCommand:
        """Fill everything that may have holes; in all else they are refused."""
        for flag, text in (("--when", typed.when), ("--emergency", typed.emergency), ("--canary", typed.canary),
                           ("a filter", _joined(typed.filters))):  # fmt: skip
            if _MARK.search(text):
                raise BadCommand(f"What an event says cannot stand in {flag}.")
        typed.values = {name: self._value(name, value) for name, value in typed.values.items()}
        typed.pattern = _MARK.sub(self._device, typed.pattern)
        typed.reason = _MARK.sub(lambda mark: one_line(self._said(mark), _LONGEST), typed.reason)
        return typed

    def _said(self, mark: re.Match[str]) -> str:
        name = self.names[int(mark[1])]
        return one_line(self.filling.values.get(name, ""), _LONGEST + 1)

    def _device(self, mark: re.Match[str]) -> str:
        name, said = self.names[int(mark[1])], self._said(mark)
        if not said:
            raise BadCommand(f"The event says nothing of {{{name}}}, so which device is meant is not known.")
        if not _NAME.fullmatch(said) or not self.filling.is_device(said):
            raise BadCommand(f"{{{name}}} is {one_line(said, 60)!r}, which is no device of the inventory.")
        return said

    def unfit(self, name: str, value: Any) -> Iterator[str]:
        """Say where nothing of an event can stand."""
        parameter = self.operation.parameter(name)
        if parameter is None or parameter.secret or parameter.view or parameter.type == "dict":
            yield f"What an event says cannot stand in {name} of {self.operation.name}."
        elif parameter.type in {"list", "numbers"} and not parameter.text and str(value).lstrip()[:1] in "[{":
            yield f"{name} of {self.operation.name}: write its items as a,b and not in brackets."

    def _value(self, name: str, value: Any) -> Any:
        if not _MARK.search(_joined(value)):
            return value
        parameter, why = self.operation.parameter(name), next(self.unfit(name, value), "")
        if parameter is None or why:
            raise BadCommand(why)
        if parameter.verbatim:
            return tuple(self._for_another(value))
        if isinstance(value, tuple):
            return tuple(self._text(parameter, str(item), one_word=True) for item in value)
        if parameter.text and parameter.type == "list":
            return tuple(self._text(parameter, line, one_word=True) for line in str(value).splitlines())
        if parameter.rest or parameter.type in {"list", "numbers"}:
            one_word = parameter.rest or not self._takes_any(parameter)
            return tuple(self._text(parameter, item.strip(), one_word=one_word) for item in str(value).split(","))
        return self._text(parameter, str(value), one_word=not self._takes_any(parameter))

    def _for_another(self, said: tuple[str, ...]) -> Iterator[str]:
        """Words that another bot reads: what stands where devices do is one here too, and never a group there."""
        devices = max((number for number, word in enumerate(said) if word.lower() == "on"), default=-1)
        parameter = Parameter("the command")
        for number, word in enumerate(said):
            at_devices = number > devices or any(sign in word for sign in ",:")
            yield _MARK.sub(self._device, word) if at_devices else self._text(parameter, word, one_word=True)

    def _takes_any(self, parameter: Parameter) -> bool:
        """Whether the operation itself says what may stand there, or is handed it as one value; else a network device
        could read several words.
        """  # fmt: skip
        said = parameter.match or parameter.choices or parameter.text or parameter.type in {"int", "float", "bool"}
        return bool(said) or self.operation.driver in _AS_ONE

    def _text(self, parameter: Parameter, text: str, *, one_word: bool) -> str:
        """One value, or one word where several are read; never one that a program could take for a flag."""

        def said(mark: re.Match[str]) -> str:
            name, value = self.names[int(mark[1])], self._said(mark)
            return _plain(name, value) if one_word else _something(name, value)

        filled = _MARK.sub(said, text)
        if filled.startswith("-") and text.startswith(_BEGIN) and parameter.type not in {"int", "float", "numbers"}:
            raise BadParameter(f"{parameter.name} would begin with a dash: {one_line(filled, 40)!r}; not taken.")
        return filled


def _joined(value: Any) -> str:
    """All words of a value, as they are."""
    return "\n".join(map(_joined, value)) if isinstance(value, list | tuple) else str(value)


def _something(name: str, value: str) -> str:
    if not value:
        raise BadParameter(f"The event says nothing of {{{name}}}.")
    if len(value) > _LONGEST:
        raise BadParameter(f"{{{name}}} is longer than {_LONGEST} characters.")
    return value


def _plain(name: str, value: str) -> str:
    if not _ONE_WORD.fullmatch(_something(name, value)):
        raise BadParameter(f"{{{name}}} is {one_line(value, 40)!r}, and has to be one plain word there.")
    return value


def flaws(operation: Operation, line: str) -> Iterator[str]:
    """What is wrong with a line whatever fills its holes; BadCommand where it cannot be read at all."""
    typed, names = _sorted(operation, line)
    nothing = _Filler(operation, names, Filling({}, bool))
    for name, value in typed.values.items():
        if _MARK.search(_joined(value)):
            yield from nothing.unfit(name, value)
            continue
        try:
            parameters.check(operation.parameter(name) or Parameter(name), value)
        except BadParameter as error:
            yield str(error)
    for missing in grammar.all_missing(operation, typed):
        yield f"it lacks {missing.name if missing else 'the devices, as in `on {device}`'}"


def known(operation: Operation, line: str) -> Mapping[str, Any]:
    """The values of a line that no event fills."""
    typed, _ = _sorted(operation, line)
    return {name: value for name, value in typed.values.items() if not _MARK.search(_joined(value))}
