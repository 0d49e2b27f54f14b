"""Words of rules that nothing matches: names of no operation, values that none takes. A `deny` fails open so. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from automation_bots.errors import BadParameter
from automation_bots.model import Operation, Parameter, Risk, one_line
from automation_bots.operations import parameters, web_address
from automation_bots.operations.own_commands import OWN
from automation_bots.policy.freezes import BlockKind
from automation_bots.policy.rules import NO_DEVICES, Rule, Words, completes
from automation_bots.text.nearest import did_you_mean, nearest

_KINDS = {"everything", "reads", "changes"}
# Commands of the bot itself that rules are asked about.
_JUDGED = {*NO_DEVICES, web_address.NAME, *(kind.value for kind in BlockKind)}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What rules can name; `plugins` are the commands that plugins bring, asked for only where nothing else fits."""

    operations: Mapping[str, Operation]
    drivers: Collection[str]
    plugins: Callable[[], Collection[str]]

    def meant(self, words: Words) -> list[Operation]:
        """Return the operations that a rule's entry is about, whatever their values."""
        return [operation for operation in self.operations.values() if _names(words, operation)]


def never(rule: Rule, known: Vocabulary) -> Iterator[str]:
    """Say of each entry of a rule that can match nothing why."""
    for words in rule.what:
        if why := _never(words, known, deny=rule.deny):
            yield why
    meant = [operation for words in rule.what for operation in known.meant(words)]
    for name, globs in rule.values.items() if meant else ():
        yield from _values(name, globs, meant)


def _never(words: Words, known: Vocabulary, *, deny: bool) -> str:
    name, *said = words.text.split()
    if words.text in _KINDS:
        return ""
    if words.text.startswith("driver:"):
        return _no_driver(words.text, known.drivers)
    meant = known.meant(words)
    if not meant and not _any(_JUDGED, name) and not _any(known.plugins(), name):
        return _nothing(words.text, known)
    if not said or any(_takes(operation, said, deny=deny) for operation in meant):
        return ""
    return _wrong_words(words.text, meant)


def _no_driver(text: str, drivers: Collection[str]) -> str:
    if _any(drivers, text.removeprefix("driver:")):
        return ""
    return f"{text!r} is no driver of this bot; there are {', '.join(sorted(drivers))}"


def _any(names: Iterable[str], glob: str) -> bool:
    return any(fnmatchcase(name, glob) for name in names)


def _names(words: Words, operation: Operation) -> bool:
    """Whether a rule's entry is about an operation, whatever its values."""
    name, known = words.text.split()[0], {operation.name, operation.like} - {""}
    risks = {operation.risk, *(operation.risk_by[1].values() if operation.risk_by else ())}
    if words.text in {"reads", "changes"}:
        return (Risk.READ if words.text == "reads" else Risk.CHANGE) in risks
    return words.text == "everything" or name.startswith("driver:") or any(fnmatchcase(one, name) for one in known)


def _nothing(text: str, known: Vocabulary) -> str:
    name, whole = text.split()[0], "_".join(text.split())  # Errbot joins the words of a command so
    if name in OWN:
        return f"{name!r} is a command of the bot itself, about which no rule is asked"
    meant = did_you_mean([whole] if whole in known.plugins() else nearest(name, known.operations))
    return f"{name!r} is no operation of this bot, nor a command of its plugins.{meant}"


def _wrong_words(text: str, meant: Iterable[Operation]) -> str:
    meant = list(meant)
    if not meant:
        return f"{text!r} can never match: behind a command of a plugin, or of the bot itself, rules see no words"
    takes = " or ".join(f"{one.name} {' '.join(map(_form, _spoken(one)))}".rstrip() for one in meant)
    return f"{text!r} can never be said: it is {one_line(takes, 200)}. Write * behind it for any words that follow"


def _form(parameter: Parameter) -> str:
    form = "|".join(map(str, parameter.choices)) or f"<{parameter.name}>"
    return form if parameter.required or parameter.default is not None else f"[{form}]"


def _spoken(operation: Operation) -> list[Parameter]:
    return [parameter for parameter in operation.parameters if not parameter.view]


def _takes(operation: Operation, said: list[str], *, deny: bool) -> bool:
    """Whether some values of an operation are these words; where devices are the first of them, with or without."""
    said = [*said, "*"] if operation.cmdlets and len(said) == 1 else said  # a cmdlet alone means any values
    ways = [said, said[1:]] if operation.leading else [said]
    return any(_reads(operation, _spoken(operation), tuple(way), deny=deny) for way in ways)


def _reads(operation: Operation, left: list[Parameter], said: tuple[str, ...], *, deny: bool) -> bool:
    if said == ("*",) or (not said and (deny or not any(_always_said(one) for one in left))):
        return True
    if not said or not left:
        return False
    first, *rest = left
    if not _always_said(first) and _reads(operation, rest, said, deny=deny):
        return True
    if not allows(first, said[0], short=deny and operation.driver == "network", case=not operation.cmdlets):
        return False
    # What holds several words may take the next one too, and so may a text whose words a `deny` reads one by one.
    several = first.rest or first.type in {"list", "numbers"} or (deny and not _closed(first))
    return _reads(operation, rest, said[1:], deny=deny) or (several and _reads(operation, left, said[1:], deny=deny))


def _always_said(parameter: Parameter) -> bool:
    """Whether rules see a value of it in every request."""
    return parameter.required or parameter.default is not None


def _closed(parameter: Parameter) -> bool:
    """Whether its values can be told beforehand."""
    return bool(parameter.choices or parameter.spoken) or parameter.type in {"int", "float", "bool", "numbers"}


def allows(parameter: Parameter, glob: str, *, short: bool = False, case: bool = True) -> bool:
    """Whether some value of a parameter matches a pattern; what cannot be told beforehand may."""
    known = (parameter.spoken,) if parameter.spoken else _texts(parameter)
    if known:
        folded = glob if case else glob.lower()
        return any(fnmatchcase(text if case else text.lower(), folded) or (short and completes(text, glob))
                   for text in known)  # fmt: skip
    if not _closed(parameter) or any(sign in glob for sign in "*?["):
        return True
    try:
        parameters.check(parameter, glob)
    except BadParameter:
        return False
    return True


def _texts(parameter: Parameter) -> tuple[str, ...]:
    if parameter.choices:
        return tuple(map(str, parameter.choices))
    yes, no = ("True", "true", "yes", "on"), ("False", "false", "no", "off")
    return (*yes, *no) if parameter.type == "bool" else ()


def _values(name: str, globs: Iterable[str], meant: list[Operation]) -> Iterator[str]:
    """Look at one key of `with`."""
    found = [parameter for operation in meant if (parameter := operation.parameter(name))]
    if not found:
        known = sorted({parameter.name for operation in meant for parameter in operation.parameters})
        yield f"with: {name!r} is no parameter of what it names.{did_you_mean(nearest(name, known))}"
        return
    for glob in globs:
        if not any(allows(parameter, glob, short=parameter.text) for parameter in found):
            choices = sorted({text for parameter in found for text in map(str, parameter.choices)})
            takes = f"; it is one of {', '.join(choices)}" if choices else ""
            yield f"with: {name} {glob!r} is no value that it can have{takes}"
