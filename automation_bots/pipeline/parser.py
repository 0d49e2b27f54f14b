"""What a person types becomes words, and words become an operation's values. Pure text work.

`!operation words… key=value… --flags on <devices>`; `on` may be left out where devices are all that is left to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from automation_bots.errors import BadCommand, BadParameter
from automation_bots.model import Operation, Parameter, one_line
from automation_bots.operations import parameters
from automation_bots.operations import target_words as leading
from automation_bots.text import filters, times

MAX_WORDS = 2_000

# What phones and chat programs do to text, undone before anything is read.
_LOOKALIKES = str.maketrans(
    {"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "\u00a0": " ", "\u2007": " ",
     "\u202f": " ", "\u2009": " ", "\u3000": " ",
     "\u200b": None, "\u200c": None, "\u200d": None, "\ufeff": None, "\u00ad": None}
)  # fmt: skip
_DASH = re.compile(r"(?<!\S)[—–](?=[a-z])")
_LINK = re.compile(r"<(?:https?://|mailto:|tel:)[^<>|\s]*\|([^<>|]*)>|<((?:https?://)[^<>|\s]*)>")
_FENCED = re.compile(r"\s*```[\w+-]*\n?(.*?)\n?```\s*", re.DOTALL)
_BLOCK = re.compile(r"```[\w+-]*\n(.*?)\n?```\s*$", re.DOTALL)
_WORD = re.compile(r"""(?:[^\s"']+|"[^"]*"|'[^']*')+""")
_WHEN_FLAG = re.compile(r"--when(?:=\S*)?")
_WHEN = re.compile(rf"when=\S*|{_WHEN_FLAG.pattern}")
_OPEN = re.compile(r"(?:--)?(?:[A-Za-z_][\w-]*=)?([\[{])")  # what a list or a table begins with
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)


def clean(text: str) -> str:
    """Undo smart quotes, em dashes for `--`, odd spaces, auto-links and a code block around the whole message."""
    text = text.translate(_LOOKALIKES)
    text = _LINK.sub(lambda found: found.group(1) or found.group(2), text)
    if whole := _FENCED.fullmatch(text):
        text = whole.group(1)
    text = text.strip()
    if len(text) > 1 and text.startswith("`") and text.endswith("`") and "`" not in text[1:-1]:
        text = text[1:-1].strip()
    return _DASH.sub("--", text)


def split_text(text: str) -> tuple[str, str]:
    """Split a message into its command line and the code block (or further lines) behind it."""
    if block := _BLOCK.search(text):
        return text[: block.start()].strip(), block.group(1)
    line, _, rest = text.partition("\n")
    return line.strip(), rest.strip("\n")


@dataclass(frozen=True, slots=True)
class Word:
    """One typed word; a quoted one is never a keyword, a flag or an assignment."""

    text: str
    quoted: bool = False


def words(line: str) -> tuple[Word, ...]:
    """Split a line into words; quotes keep words together."""
    found = [Word(_unquoted(match), match[0] in "\"'") for match in _WORD.findall(line)]
    if _WORD.sub("", line).strip():
        raise BadCommand("A quote is not closed. Put the words that belong together between two quotes.")
    if len(found) > MAX_WORDS:
        raise BadCommand(f"{len(found)} words are too many; at most {MAX_WORDS} are read.")
    return tuple(found)


def flags(line: str) -> Iterator[tuple[str, str]]:
    """Give each flag without a value, and the line without it; a quoted word is none."""
    for found in _WORD.finditer(line):
        if found.group().startswith("--"):
            yield found.group()[2:], f"{line[: found.start()]}{line[found.end() :]}".strip()


def _unquoted(word: str) -> str:
    return re.sub(r'"([^"]*)"|\'([^\']*)\'', lambda found: found.group(1) or found.group(2) or "", word)


@dataclass(slots=True)
class ParsedCommand:
    """What was typed after the operation's name, sorted but not yet checked."""

    values: dict[str, Any] = field(default_factory=dict)
    pattern: str = ""
    check: bool = False
    quiet: bool = False
    wait: bool = False
    reason: str = ""
    when: str = ""  # not before that time
    emergency: str = ""
    canary: str = ""
    pause_after: int = 0
    filters: tuple[filters.Filter, ...] = ()  # what answers go through: (which, its expression)


def parse(operation: Operation, line: str, text: str = "") -> ParsedCommand:
    """Sort the words of a line into the operation's parameters, flags and devices."""
    if any(parameter.verbatim for parameter in operation.parameters):
        return _verbatim(operation, line, text)
    said, piped = _piped(operation, list(words(line)))
    typed, found = ParsedCommand(filters=piped), _whole_time(operation, _whole_brackets(operation, said))
    if operation.leading:
        typed.pattern, found = leading.take(operation.leading, found)
    plain = _take_named(operation, found, typed)
    before, after = _split_on(operation, plain)
    if after is not None:
        typed.pattern = pattern(after)
    fixed = after is not None or not operation.takes_pattern or bool(operation.leading)
    rest = _fill(operation, before, typed, everything=fixed)
    if rest and not fixed:
        typed.pattern, rest = pattern(rest), []
    if rest:
        raise BadCommand(f"I do not know what to do with {one_line(rest[0].text, 40)!r}. → !help {operation.name}")
    _take_text(operation, text, typed)
    return typed


_OWN_FLAG = re.compile(r"--([a-z]+)=(\S*)\s*")
_PLAIN = re.compile(r"[^\s\"'=|-][^\s\"'=|]*")


def _verbatim(operation: Operation, line: str, text: str) -> ParsedCommand:
    """Leave the line as it is, but for flags of this operation before it; quotes that say nothing are taken away.

    What rules compare is then what was meant: `"restart"` is restart.
    """
    typed = ParsedCommand()
    while (flag := _OWN_FLAG.match(line)) and (known := operation.parameter(flag[1])) and not known.verbatim:
        typed.values[flag[1]], line = flag[2], line[flag.end() :]
    words(line)  # no quote is left open, and they are not too many
    found = tuple(_bare(piece) for piece in _WORD.findall(line))
    typed.values |= {parameter.name: found for parameter in operation.parameters if parameter.verbatim and found}
    _take_text(operation, text, typed)
    return typed


def _bare(piece: str) -> str:
    inner = _unquoted(piece)
    return inner if _PLAIN.fullmatch(inner) and inner.lower() != "on" else piece


def _whole_time(operation: Operation, found: list[Word]) -> list[Word]:
    """Make one word of `--when` and its time, whose words then need no quotes: `--when tomorrow 06:30 on web`."""
    flag = next((number for number, word in enumerate(found) if _is_when(operation, word)), None)
    if flag is None:
        return found
    name, _, said = found[flag].text.partition("=")
    behind = [said] * bool(said) + [word.text for word in takewhile(lambda word: not word.quoted, found[flag + 1 :])]
    try:
        time, rest = times.split(behind)
    except ValueError as error:
        raise BadParameter(f"when: {error}.") from error
    taken = len(behind) - len(rest) - bool(said)
    return [*found[:flag], Word(f"{name}={time}"), *found[flag + 1 + taken :]] if time else found


def _piped(operation: Operation, found: list[Word]) -> tuple[list[Word], tuple[filters.Filter, ...]]:
    """Take the filters behind `|` away; the devices stand before them, or behind `on` after the last."""
    found = [part for word in found for part in _bar_apart(word)]
    at = [number for number, word in enumerate(found) if _begins_filter(word, found[number + 1 :])]
    if not at:
        return found, ()
    head, parts = found[: at[0]], [found[one + 1 : two] for one, two in zip(at, [*at[1:], len(found)], strict=True)]
    places = [number for number, word in enumerate(parts[-1]) if _is_on(word)]
    behind: list[Word] = []
    if places and operation.takes_pattern and not operation.leading and not any(map(_is_on, head)):
        parts[-1], behind = parts[-1][: places[-1]], parts[-1][places[-1] :]
    flags = [word for part in parts for word in part[1:] if _is_our_flag(word)]
    parts = [[word for word in part if word not in flags] for part in parts]
    if any(parameter.view for parameter in operation.parameters):  # it does so itself, on the device where it can
        pipes = [word for part in parts for word in (Word("|"), *part)]
        where = next((number for number, word in enumerate(head) if _is_on(word)), len(head))
        return [*head[:where], *pipes, *head[where:], *behind, *flags], ()
    return [*head, *behind, *flags], tuple(filters.read([word.text for word in part]) for part in parts)


def _bar_apart(word: Word) -> tuple[Word, ...]:
    """`|include` is `| include`."""
    glued = not word.quoted and word.text.startswith("|") and filters.known(word.text[1:])
    return (Word("|"), Word(word.text[1:])) if glued else (word,)


def _begins_filter(word: Word, behind: Sequence[Word]) -> bool:
    return word.text == "|" and not word.quoted and bool(behind and filters.known(behind[0].text))


def _is_on(word: Word) -> bool:
    return word.text.lower() == "on" and not word.quoted


def _is_our_flag(word: Word) -> bool:
    """Whether it is a flag of every command, such as --wait, and no part of an expression."""
    return not word.quoted and word.text.startswith("--") and word.text[2:] in _FLAGS


def _whole_brackets(operation: Operation, found: list[Word]) -> list[Word]:
    """Make one word of `{a: 1, b: 2}` and `tags=[a, b]`, where the operation takes lists or tables."""
    if not any(parameter.type in {"list", "dict"} and not parameter.text for parameter in operation.parameters):
        return found
    whole: list[Word] = []
    for word in found:
        if whole and not whole[-1].quoted and (start := _OPEN.match(whole[-1].text)):
            closing = "]" if start[1] == "[" else "}"
            if closing not in whole[-1].text:
                whole[-1] = Word(f"{whole[-1].text} {word.text}")
                continue
        whole.append(word)
    return whole


def _is_when(operation: Operation, word: Word) -> bool:
    ours = _WHEN_FLAG if _is_free(operation) else _WHEN
    return not word.quoted and operation.parameter("when") is None and ours.fullmatch(word.text) is not None


def _is_free(operation: Operation) -> bool:
    return any(parameter.rest for parameter in operation.parameters)


_FLAGS = ("check", "quiet", "wait")
_SAID = ("reason", "when", "emergency", "canary")  # flags with a value
_PAUSE = "pause-after"


def _take_named(operation: Operation, found: list[Word], typed: ParsedCommand) -> list[Word]:
    """Take flags and assignments out; what is left keeps its order."""
    plain: list[Word] = []
    free = _is_free(operation)
    views = {p.name for p in operation.parameters if p.view}
    pending = iter(_views_as_flags(found, views))
    for word in pending:
        ours = word.text.startswith("--") and word.text[2:].split("=")[0] in (*_FLAGS, *_SAID, _PAUSE, *views)
        if word.quoted or (free and not ours):
            plain.append(word)
        elif word.text.startswith("--") and len(word.text) > 2:
            _flag(operation, word.text[2:], pending, typed)
        elif named := _ASSIGNMENT.fullmatch(word.text):
            _assign(operation, named.group(1), named.group(2), typed)
        else:
            plain.append(word)
    return plain


def _views_as_flags(found: list[Word], views: set[str]) -> list[Word]:
    """`| match x` is `--match x`, for what only changes how the answer is shown; any other | is the device's own."""
    meant: list[Word] = []
    for number, word in enumerate(found):
        following = found[number + 1].text if number + 1 < len(found) else ""
        if word.text == "|" and not word.quoted and following in views:
            continue
        piped = number and found[number - 1].text == "|" and not found[number - 1].quoted and word.text in views
        meant.append(Word(f"--{word.text}") if piped else word)
    return meant


def _flag(operation: Operation, flag: str, pending: Any, typed: ParsedCommand) -> None:
    name, equals, value = flag.partition("=")
    if name in _FLAGS and not equals:
        setattr(typed, name, True)
        return
    if name in _SAID and operation.parameter(name) is None:
        setattr(typed, name, value if equals else _next(name, pending))
        return
    if name == _PAUSE:
        typed.pause_after = _count(value) if equals else 1
        return
    parameter = operation.parameter(name.replace("-", "_"))
    if parameter is not None and parameter.type == "bool" and not equals:
        _assign(operation, parameter.name, "yes", typed)
    else:
        _assign(
            operation, name.replace("-", "_"), value if equals or parameter is None else _next(name, pending), typed
        )


def _count(text: str) -> int:
    if not re.fullmatch("[1-9]", text):
        raise BadParameter(f"--{_PAUSE} takes the number of a batch, as in --{_PAUSE}=2; got {one_line(text, 20)!r}")
    return int(text)


def _next(name: str, pending: Any) -> str:
    word = next(pending, None)
    if word is None:
        raise BadParameter(f"--{name} needs a value behind it.")
    return str(word.text)


def _assign(operation: Operation, name: str, value: str, typed: ParsedCommand) -> None:
    if operation.parameter(name) is None and name == "when":
        typed.when = value
        return
    if operation.parameter(name) is None:
        known = ", ".join(p.name for p in operation.parameters) or "none"
        raise BadParameter(
            f"{operation.name} has no parameter {one_line(name, 40)!r}; it has: {known}. → !help {operation.name}"
        )
    if name in typed.values:
        raise BadParameter(f"{name} is given twice.")
    typed.values[name] = value


def _split_on(operation: Operation, plain: list[Word]) -> tuple[list[Word], list[Word] | None]:
    if not operation.takes_pattern or operation.leading:
        return plain, None
    places = [i for i, word in enumerate(plain) if _is_on(word)]
    if not places:
        return plain, None
    return plain[: places[-1]], plain[places[-1] + 1 :]


def pattern(found: Sequence[Word]) -> str:
    """Words of a device pattern, however they were spaced: `web1, web2` and `web1 web2` are `web1,web2`."""
    return re.sub(r",+", ",", ",".join(word.text for word in found)).strip(",")


def _fill(operation: Operation, found: list[Word], typed: ParsedCommand, *, everything: bool) -> list[Word]:
    """Give the words to the parameters in their order; without `on`, only required ones take words."""
    rest = _choice_first(operation, list(found))
    for parameter in operation.parameters:
        if parameter.name in typed.values or not rest or parameter.text:
            continue
        if parameter.last and not everything:
            if _is_last(parameter, rest):  # else the devices are there, and it is asked for
                typed.values[parameter.name] = rest.pop().text
            continue
        if parameter.rest:
            typed.values[parameter.name] = tuple(word.text for word in rest)
            rest = []
        elif everything or parameter.required:
            typed.values[parameter.name] = rest.pop(0).text
    return rest


def _choice_first(operation: Operation, found: list[Word]) -> list[Word]:
    """Put the word that is a choice where it belongs: `service nginx restart` is `service restart nginx`."""
    first = next((parameter for parameter in operation.parameters if parameter.required), None)
    if first is None or not first.choices or first.rest or not found or _fits(first, found[0]):
        return found
    at = next((number for number, word in enumerate(found) if not word.quoted and _fits(first, word)), None)
    return found if at is None else [found[at], *found[:at], *found[at + 1 :]]


def _is_last(parameter: Parameter, rest: Sequence[Word]) -> bool:
    """Whether the last word is this value: one that may be left out never takes what names the devices."""
    if parameter.required:
        return len(rest) > 1 or _fits(parameter, rest[-1])
    return len(rest) > 1 and _fits(parameter, rest[-1])


def _fits(parameter: Parameter, word: Word) -> bool:
    try:
        parameters.check(parameter, word.text)
    except BadParameter:
        return False
    return True


def _take_text(operation: Operation, text: str, typed: ParsedCommand) -> None:
    if not text.strip():
        return
    parameter = next((p for p in operation.parameters if p.text), None)
    if parameter is None:
        raise BadCommand(f"{operation.name} takes one line; I do not know what to do with the lines below it.")
    typed.values.setdefault(parameter.name, text)


@dataclass(frozen=True, slots=True)
class Missing:
    """Something has to be asked: a parameter, or (parameter None) the devices."""

    parameter: Parameter | None
    leading: str = ""


def checked(operation: Operation, typed: ParsedCommand) -> Mapping[str, Any] | Missing:
    """Return typed, checked values in declared order, or what is missing; BadParameter for a wrong value."""
    values: dict[str, Any] = {}
    missing: Missing | None = None
    for parameter in operation.parameters:
        if parameter.name in typed.values:
            value = parameters.check(parameter, typed.values[parameter.name])
            if value == () and parameter.required:
                missing = missing or Missing(parameter)
            values[parameter.name] = value
        elif parameter.required:
            missing = missing or Missing(parameter)
        elif parameter.default is not None:
            values[parameter.name] = parameters.check(parameter, parameter.default)
    nowhere = operation.devices in {"required", "one"} and not typed.pattern
    if nowhere and (missing is None or operation.leading):
        return Missing(None, operation.leading)
    parameters.refuse_wildcards(operation, values)
    return missing or values


def all_missing(operation: Operation, typed: ParsedCommand) -> tuple[Parameter | None, ...]:
    """Everything that was not given and has to be, the devices (None) last."""
    missing = [p for p in operation.parameters if p.required and p.name not in typed.values]
    nowhere = operation.devices in {"required", "one"} and not typed.pattern
    return (*missing, None) if nowhere else tuple(missing)


def pattern_words(pattern: str) -> list[str]:
    """The names inside a device pattern, without its operators."""
    return [part.lstrip("!&") for part in re.split(r"[,:]", pattern) if part.strip("!& ")]
