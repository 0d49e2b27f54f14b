"""What a Windows device is asked, as data: a cmdlet with typed values, a program, or a script; and how it travels."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from automation_bots.drivers.quoting import HasCommand
from automation_bots.errors import DriverError
from automation_bots.model import Parameter, one_line
from automation_bots.operations.verbs import OTHERS, Verb, choice_of, fill

RUNNER = Path(__file__).with_name("powershell_runner.ps1").read_text("utf-8")
# The only text that is ever on a command line there; cmd.exe allows 8191 characters, and this stays far below.
BOOTSTRAP = (
    "$ErrorActionPreference='Stop';"
    "try{[Console]::OutputEncoding=New-Object Text.UTF8Encoding $false}catch{};"
    "$d=[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String(-join @($input)))|ConvertFrom-Json;"
    "& ([ScriptBlock]::Create($d.runner)) $d.call"
)
CMDLET = re.compile(r"[A-Za-z]+-[A-Za-z0-9]+")
# What only looks, by the verbs that Microsoft reserves for it.
_LOOKS = frozenset({"get", "test", "measure", "find", "search", "resolve", "compare", "show", "select"})
_OWN_KEYS = ("cmdlet", "columns")
_LINE = 4096


@dataclass(frozen=True, slots=True)
class Call:
    """One question to one device: a cmdlet, or a program, or a script."""

    cmdlet: str = ""
    named: Mapping[str, Any] = field(default_factory=dict)
    given: tuple[Any, ...] = ()
    columns: tuple[str, ...] = ()
    program: str = ""
    script: str = ""
    whatif: bool = False

    @property
    def looks(self) -> bool:
        """Whether a cmdlet only looks; a program or a script might do anything."""
        return bool(self.cmdlet) and self.cmdlet.partition("-")[0].lower() in _LOOKS

    @property
    def told(self) -> str:
        """The call as a person reads it; never sent anywhere."""
        if self.script:
            return f"a script of {self.script.count(chr(10)) + 1} lines"
        named = [f"-{name} {_told(value)}" for name, value in self.named.items()]
        return one_line(" ".join([self.cmdlet or self.program, *named, *map(_told, self.given)]), 300)

    def document(self) -> bytes:
        """The lines for standard input: base64 of JSON of the runner and the data."""
        call = {
            "cmdlet": self.cmdlet,
            "named": dict(self.named),
            "given": list(self.given),
            "columns": list(self.columns),
            "program": self.program,
            "script": self.script,
            "whatif": self.whatif,
        }
        text = base64.b64encode(json.dumps({"runner": RUNNER, "call": call}).encode()).decode()
        return "".join(f"{text[at : at + _LINE]}\r\n" for at in range(0, len(text), _LINE)).encode()


class Broken(DriverError):
    """The connection ended while something was running there."""


def encoded(script: str) -> str:
    """A script as -EncodedCommand takes it."""
    return base64.b64encode(script.encode("utf-16-le")).decode()


ARGUMENTS = ("-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Bypass", "-EncodedCommand", encoded(BOOTSTRAP))


@runtime_checkable
class HasCall(Protocol):
    """The body of an operation that says by itself what PowerShell runs."""

    def call(self, parameters: Mapping[str, Any]) -> Call:
        """Return it; a UserError says what cannot be run."""


def call_of(body: Any, platform: str, parameters: Mapping[str, Any]) -> Call | None:
    """Return what an operation asks a platform, or None when it has nothing for it."""
    if isinstance(body, Verb) and (entry := body.entries.get(platform)) is not None and entry.cmdlet:
        return _of_entry(entry.cmdlet, body.parameters, parameters)
    if isinstance(body, HasCall):
        return body.call(parameters)
    if not isinstance(body, HasCommand):
        raise DriverError("this operation says nothing that PowerShell could run; see its file")
    command = body.command(platform, parameters)
    return None if command is None else _program(command.argv)


def _program(argv: Sequence[str]) -> Call:
    if not argv or not argv[0].strip():
        raise DriverError("the command is empty: its first word says what is to be run")
    for word in argv:
        if not word:
            raise DriverError("an empty word does not reach a Windows program; use a cmdlet or a script")
        # Windows PowerShell passes a quote on without escaping it, and the program would split the word there.
        if '"' in word or "\0" in word or word.endswith("\\"):
            raise DriverError(f"{one_line(word, 40)!r} cannot be given to a Windows program safely; use a cmdlet")
    return Call(program=argv[0], given=tuple(argv[1:]))


def _of_entry(entry: Mapping[str, Any], parameters: tuple[Parameter, ...], values: Mapping[str, Any]) -> Call | None:
    chooser = choice_of(parameters)
    given = {p.name: p.default if values.get(p.name) is None else values.get(p.name) for p in parameters}
    filling = _Filling(parameters, given, _choices(chooser), str(given[chooser.name]) if chooser else OTHERS)
    name = filling.value(entry["cmdlet"])
    if name is None:
        return None
    if not CMDLET.fullmatch(str(name)):
        raise DriverError(f"{one_line(str(name), 40)!r} is no name of a cmdlet; see the file of the verb")
    named = {key: value for key, raw in entry.items() if key not in _OWN_KEYS
             if (value := filling.value(raw)) is not None}  # fmt: skip
    return Call(str(name), named, columns=tuple(map(str, entry.get("columns", ()))))


def _choices(chooser: Parameter | None) -> frozenset[str]:
    return frozenset({OTHERS, *map(str, chooser.choices)}) if chooser else frozenset()


@dataclass(frozen=True, slots=True)
class _Filling:
    """Puts values into an entry of a verb: text stays text, a number a number, and one of many by the choice."""

    parameters: tuple[Parameter, ...]
    values: Mapping[str, Any]
    choices: frozenset[str]
    chosen: str

    def value(self, raw: Any) -> Any:
        if isinstance(raw, str):
            return self._text(raw)
        if isinstance(raw, list):
            return [value for item in raw if (value := self.value(item)) is not None]
        if not isinstance(raw, Mapping):
            return raw
        if raw and {str(key) for key in raw} <= self.choices:
            found = {str(key): value for key, value in raw.items()}
            return self.value(found.get(self.chosen, found.get(OTHERS)))
        filled = {str(key): value for key, item in raw.items() if (value := self.value(item)) is not None}
        return filled or None

    def _text(self, raw: str) -> Any:
        alone = re.fullmatch(r"\{(\w+)\}", raw)
        value = self.values.get(alone[1]) if alone else None
        if isinstance(value, int | float | Mapping):
            return value
        # An empty required value is refused there, and a word whose value was not given is left out.
        texts = fill((raw,), self.parameters, self.values)
        if alone and isinstance(value, list | tuple):
            return list(texts)
        return texts[0] if texts else None


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return "@{" + "; ".join(f"{key}={_told(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return ",".join(map(_told, value))
    text = str(value)
    return text if re.fullmatch(r"[\w.:\\/*?@-]+", text) else "'" + text.replace("'", "''") + "'"


def chunks(data: bytes, size: int) -> Iterator[tuple[bytes, bool]]:
    """Cut input into pieces, each with whether it is the last."""
    for at in range(0, len(data), size):
        yield data[at : at + size], at + size >= len(data)
