"""`!ps`: one cmdlet with its values, read conservatively and without PowerShell; or a script, by a rule of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automation_bots.drivers.windows.call import CMDLET, Call
from automation_bots.errors import BadParameter
from automation_bots.model import Operation, Parameter, Risk, one_line

_NAMED = re.compile(r"-([A-Za-z][A-Za-z0-9]*)(?::(.*))?", re.DOTALL)
# Words that PowerShell would calculate or take for a further command. They would only be text here, which nobody means.
_EXPRESSION = re.compile(r"[|;&<>]+.*|[$({@\[].*|.*\$\(.*|.*[|;&]$|[,`]", re.DOTALL)
_LITERALS = {"$true": True, "$false": False, "$null": None}
# Parameters that ask another machine, on which nobody was judged; PowerShell takes any beginning of them too.
_ELSEWHERE = ("computername", "cimsession", "session", "pssession", "hostname", "vmname", "vmid", "containerid",
              "connectionuri", "sshconnection", "credential", "asjob", "cn", "dnshostname")  # fmt: skip
_WHATIF = ("whatif", "wi", "what", "whati", "wha", "wh")  # PowerShell's own short forms; the same as --check
_SWITCHES = frozenset({"force", "recurse", "whatif", "confirm", "verbose", "file", "directory", "hidden", "passthru",
                       "includeusername", "descending", "all", "raw", "quiet", "wait", "oldest", "unique"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ps:
    """The body of the operation `ps`."""

    def refuse(self, parameters: Mapping[str, Any]) -> None:
        """Refuse at once what could not be run."""
        self.call(parameters)

    def looks(self, parameters: Mapping[str, Any]) -> bool:
        """Whether the verb of the cmdlet is one that only looks."""
        words: tuple[object, ...] = tuple(parameters.get("command") or ())
        return bool(words) and Call(str(words[0])).looks

    def call(self, parameters: Mapping[str, Any]) -> Call:
        """Return what was typed as data; a BadParameter says what cannot be judged."""
        words, script = tuple(map(str, parameters.get("command") or ())), str(parameters.get("script") or "")
        if words and script.strip():
            raise BadParameter("either a cmdlet behind !ps, or a script in the lines below it, not both")
        if script.strip():
            return Call(script=script)
        if not words:
            raise BadParameter("what is to be run is missing, such as !ps Get-Service on win1, or a code block")
        return cmdlet(words)


def cmdlet(words: tuple[str, ...]) -> Call:
    """Read one cmdlet and its parameters; nothing in a value is ever calculated."""
    name, *rest = words
    if not CMDLET.fullmatch(name):
        raise BadParameter(
            f"{one_line(name, 40)!r} is no cmdlet: write its whole name, such as Get-Service. "
            "Aliases, programs and expressions need a script (a code block below !ps)"
        )
    for word in rest:
        if word.lower() not in _LITERALS and _EXPRESSION.fullmatch(word):
            raise BadParameter(
                f"{one_line(word, 40)!r} would be an expression or a further command; !ps takes one cmdlet with "
                "plain values. Send a script (a code block below !ps) for more"
            )
    named, given = _sorted(rest)
    lists = Call(name).looks
    typed = {key: _value(value, lists=lists) for key, value in named.items()}
    whatif = bool(typed.pop("WhatIf", False))
    return Call(name, typed, tuple(_value(value, lists=lists) for value in given), whatif=whatif)


def _sorted(words: list[str]) -> tuple[dict[str, Any], list[str]]:
    """Tell named from positional values. A name takes the word behind it, unless that is a name, or it is a switch."""
    named: dict[str, Any] = {}
    given: list[str] = []
    waiting = ""
    for word in words:
        found = _NAMED.fullmatch(word)
        if found is None and waiting:
            named[waiting], waiting = word, ""
        elif found is None:
            given.append(word)
        else:
            name = _new_name(found[1], named)
            named[name] = True if found[2] is None else found[2]
            waiting = "" if found[2] is not None or name.lower() in _SWITCHES else name
    return named, given


def _new_name(name: str, named: Mapping[str, Any]) -> str:
    _refuse_elsewhere(name)
    if name.lower() in _WHATIF:
        name = "WhatIf"
    if name.lower() in {known.lower() for known in named}:
        raise BadParameter(f"-{name} is given twice")
    return name


def _refuse_elsewhere(name: str) -> None:
    if any(known.startswith(name.lower()) for known in _ELSEWHERE):
        raise BadParameter(
            f"-{name} is not taken: the devices stand behind 'on', and each is judged there. "
            "If another parameter was meant, write its whole name"
        )


def _value(value: Any, *, lists: bool) -> Any:
    if not isinstance(value, str):
        return value
    if value.lower() in _LITERALS:
        return _LITERALS[value.lower()]
    # Only where nothing is changed: a comma in a name must not make two names of it there.
    if lists and "," in value.strip(","):
        return [part for part in value.split(",") if part]
    return value


PS = Operation(
    name="ps",
    help="Run one PowerShell cmdlet on Windows devices, or a script (a code block or file below)",
    risk=Risk.CHANGE,
    driver="powershell",
    cmdlets=True,
    previews=True,
    parameters=(
        Parameter("command", rest=True, required=False, help="a cmdlet and its values, each sent as data"),
        Parameter(
            "script",
            required=False,
            text=True,
            spoken="script",
            max_length=1_000_000,
            help="the text of a script; rules allow it as the word script",
        ),
    ),
    examples=("!ps Get-Service -Name w3svc on win1", "!ps Get-HotFix on win*"),
    group="Devices",
    body=Ps(),
)


def operations() -> tuple[Operation, ...]:
    """Return what this driver offers."""
    return (PS,)
