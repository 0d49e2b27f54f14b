"""Typed parameters: how files describe them, and how typed text becomes a checked value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import yaml

from automation_bots.errors import BadCommand, BadParameter
from automation_bots.model import Operation, Parameter, Risk, one_line
from automation_bots.text.linear_regex import SafeRegex

TYPES = ("str", "int", "float", "bool", "list", "dict")
_KEYS = {
    "type",
    "default",
    "required",
    "choices",
    "min",
    "max",
    "match",
    "max_length",
    "help",
    "text",
    "rest",
    "secret",
    "wildcards",
}
_WILDCARD = re.compile(r"[*?\[]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?|true|false|null", re.IGNORECASE)
_LONGEST_TABLE = 20_000  # characters
_LOOKED_AT = 200  # characters of a value that was refused
_YES = {"yes", "true", "on", "1", "y"}
_NO = {"no", "false", "off", "0", "n"}


def from_mapping(specs: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """Read `{name: {type, default, choices, min, max, match, help …}}`; a ValueError says what is wrong."""
    if not isinstance(specs, Mapping):
        raise ValueError("parameters must be a mapping of names to descriptions")  # noqa: TRY004 - one error for files
    return tuple(_one(str(name), spec) for name, spec in specs.items())


def _one(name: str, spec: Any) -> Parameter:
    spec = {} if spec is None else spec
    if not _NAME.fullmatch(name):
        raise ValueError(f"parameter name {name!r} must be letters, digits and _")
    if not isinstance(spec, Mapping):
        raise ValueError(f"parameter {name} must be a mapping such as {{type: int, default: 1}}")  # noqa: TRY004
    if unknown := set(spec) - _KEYS:
        raise ValueError(f"parameter {name} has unknown keys {sorted(unknown)}; known: {sorted(_KEYS)}")
    kind = str(spec.get("type", "str"))
    if kind not in TYPES:
        raise ValueError(f"parameter {name} has type {kind!r}; known: {', '.join(TYPES)}")
    parameter = Parameter(
        name=name,
        type=kind,
        required=bool(spec.get("required", "default" not in spec)),
        choices=tuple(spec.get("choices", ())),
        minimum=spec.get("min"),
        maximum=spec.get("max"),
        match=str(spec.get("match", "")),
        max_length=int(spec.get("max_length", 20_000 if spec.get("text") else 200)),
        help=one_line(str(spec.get("help", ""))),
        text=bool(spec.get("text", False)),
        rest=bool(spec.get("rest", False)),
        secret=bool(spec.get("secret", False)),
        wildcards=_wildcards(name, spec.get("wildcards", "always")),
        default=spec.get("default"),
    )
    _compiles(parameter)
    if parameter.default is not None:
        try:
            check(parameter, parameter.default)
        except BadParameter as error:
            raise ValueError(f"the default of {name} is not allowed by its own limits: {error}") from error
    return parameter


def _wildcards(name: str, said: Any) -> bool:
    if said not in {"always", "read"}:
        raise ValueError(f"parameter {name}: wildcards is always, or read: only where the operation just looks")
    return bool(said == "always")


def _compiles(parameter: Parameter) -> None:
    try:
        _whole(parameter.match)
    except BadCommand as error:
        raise ValueError(f"parameter {parameter.name}: match: {error}") from error


def _whole(expression: str) -> SafeRegex:
    """A whole value against an expression, in time that grows with the value alone."""
    return SafeRegex(expression, to_the_end=True)


def check(parameter: Parameter, raw: Any) -> Any:
    """Return the typed value, or raise BadParameter saying what is allowed."""
    try:
        return _checked(parameter, raw)
    except BadParameter:
        if not parameter.secret:
            raise
        raise BadParameter(f"{parameter.name} is not as it has to be (what was typed is not repeated here)") from None


def _checked(parameter: Parameter, raw: Any) -> Any:
    if parameter.type == "list" and parameter.text:
        lines = raw if isinstance(raw, list | tuple) else _plain_text(str(raw)).splitlines()
        return tuple(_line(parameter, str(line)) for line in lines if str(line).strip())
    if parameter.type == "numbers":
        items = raw if isinstance(raw, list | tuple) else str(raw).split(",")
        one = replace(parameter, type="int")
        return tuple(_limited(one, _converted(one, item)) for item in items if str(item).strip())
    if parameter.rest and isinstance(raw, list | tuple):  # as typed: an empty word is a word too
        return tuple(_limited(parameter, str(item)) for item in raw)
    if parameter.type == "dict":
        return _table(parameter, raw)
    if parameter.type == "list" or parameter.rest:
        return tuple(_limited(parameter, str(item).strip()) for item in _items(raw) if str(item).strip())
    if _is_one_value(parameter):
        _refuse_several(parameter, raw)
    return _limited(parameter, _converted(parameter, raw))


def _plain_text(text: str) -> str:
    """A text as an editor may have saved it, without its mark at the beginning, odd blanks and tabs."""
    return text.removeprefix("\ufeff").replace("\u00a0", " ").expandtabs()


def _items(raw: Any) -> Sequence[Any]:
    """The items of `a,b` or `[a, b]`."""
    if isinstance(raw, list | tuple):
        return raw
    found = _flow(str(raw))
    if not isinstance(found, list) or any(isinstance(item, list | dict) for item in found):
        return str(raw).split(",")
    return found


def _table(parameter: Parameter, raw: Any) -> Mapping[str, Any]:
    """The names and values of `{a: 1}` or `a=1,b=2`; all else is refused."""
    found = raw if isinstance(raw, Mapping) else _flow(str(raw))
    found = _assigned(str(raw)) if found is None else found
    if not isinstance(found, Mapping) or len(str(found)) > _LONGEST_TABLE:
        shown = one_line(str(raw), 40)
        raise BadParameter(
            f"{parameter.name} takes names with values, such as {{a: 1, b: x}} or a=1,b=x; got {shown!r}"
        )
    if parameter.choices and (others := [name for name in map(str, found) if name not in parameter.choices]):
        raise BadParameter(f"{parameter.name} takes {', '.join(map(str, parameter.choices))}; got {others[0]!r}")
    return {str(name): value for name, value in found.items()}


def _assigned(text: str) -> dict[str, Any] | None:
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    if not all(name.strip() and equals for name, equals, _ in pairs):
        return None
    return {name.strip(): yaml.safe_load(value) if _PLAIN.fullmatch(value) else value for name, _, value in pairs}


def _flow(text: str) -> Any:
    """What stands between brackets as YAML reads it; None where nothing does, or it cannot be read."""
    text = text.strip()
    if len(text) > _LONGEST_TABLE or text[:1] + text[-1:] not in {"[]", "{}"} or ("&" in text and "*" in text):
        return None
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return found if _is_plain(found) else None


def _is_plain(found: Any) -> bool:
    """Whether it holds nothing but what JSON knows too."""
    if isinstance(found, list):
        return all(map(_is_plain, found))
    if isinstance(found, dict):
        return all(isinstance(name, str | int) and _is_plain(value) for name, value in found.items())
    return found is None or isinstance(found, str | int | float | bool)


def _is_one_value(parameter: Parameter) -> bool:
    """Whether brackets in it would be a misunderstanding: no expression, no text, nothing that says what it takes."""
    return parameter.type == "str" and not (parameter.text or parameter.view or parameter.match or parameter.choices)


def _refuse_several(parameter: Parameter, raw: Any) -> None:
    """Refuse a list or table where one value is wanted: whatever runs would take its brackets for text."""
    found = _flow(str(raw))
    several = isinstance(found, list) and len(found) > 1
    if several or (isinstance(found, dict) and any(value is not None for value in found.values())):
        kind = "list" if several else "table"
        raise BadParameter(f"{parameter.name} is one value, and {one_line(str(raw), 40)!r} is a {kind}")


def refuse_wildcards(operation: Operation, values: Mapping[str, Any]) -> None:
    """Refuse `nginx*` where something is changed: it may mean more than a rule has seen, or the person thought of."""
    if operation.risk_of(values) is Risk.READ:
        return
    for parameter in operation.parameters:
        value = values.get(parameter.name)
        if not parameter.wildcards and isinstance(value, str) and (found := _WILDCARD.search(value)):
            said, sign = one_line(value, 40), found.group()
            raise BadParameter(f"{parameter.name} cannot be {said!r} here: {sign!r} may mean several; name one")


def _line(parameter: Parameter, line: str) -> str:
    """Check one line of a text and keep its indentation; inside a line no rule can be evaded by a second space."""
    words = " ".join(line.split())
    _limited(replace(parameter, text=False), words)
    return line[: len(line) - len(line.lstrip())] + words


def _converted(parameter: Parameter, raw: Any) -> Any:
    text = str(raw).strip() if not parameter.text else str(raw)
    if parameter.type == "bool":
        if text.lower() in _YES | _NO:
            return text.lower() in _YES
        raise BadParameter(f"{parameter.name} must be yes or no, got {one_line(text, 40)!r}")
    if parameter.type in {"int", "float"}:
        try:
            return int(text) if parameter.type == "int" else float(text)
        except ValueError:
            kind = "a whole number" if parameter.type == "int" else "a number"
            raise BadParameter(f"{parameter.name} must be {kind}, got {one_line(text, 40)!r}") from None
    return text


def _limited(parameter: Parameter, value: Any) -> Any:
    name = parameter.name
    if parameter.choices:
        return _chosen(parameter, value)
    if isinstance(value, str):
        _text_allowed(parameter, value)
    elif not isinstance(value, bool):
        low, high = parameter.minimum, parameter.maximum
        if (low is not None and value < low) or (high is not None and value > high) or value != value:
            raise BadParameter(f"{name} must be {_range(low, high)}, got {value}")
    return value


def _chosen(parameter: Parameter, value: Any) -> Any:
    for choice in parameter.choices:
        if str(choice).lower() == str(value).lower():
            return choice
    shown = ", ".join(str(choice) for choice in parameter.choices)
    raise BadParameter(f"{parameter.name} must be one of {shown}; got {one_line(str(value), 40)!r}")


def _text_allowed(parameter: Parameter, value: str) -> None:
    if len(value) > parameter.max_length:
        raise BadParameter(
            f"{parameter.name} is {len(value)} characters long; at most {parameter.max_length} are allowed"
        )
    if not parameter.text and value.strip() != one_line(value, len(value) + 1):
        raise BadParameter(f"{parameter.name} must be one line without control characters")
    if parameter.match and not _whole(parameter.match).matches(value):
        raise BadParameter(_not_that(parameter, value))


def _not_that(parameter: Parameter, value: str) -> str:
    """Say what a value may not hold, as far as that can be told from the expression, and what it is."""
    wanted = _whole(parameter.match)
    held = [sign for sign in dict.fromkeys(value[:_LOOKED_AT]) if wanted.matches(value.replace(sign, ""))]
    reason = f": it takes no {'blank' if held[0] == ' ' else repr(held[0])}" if held else ""
    about = f"; it is {parameter.help}" if parameter.help else ""
    return f"{parameter.name} cannot be {one_line(value, 40)!r}{reason}{about}"


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"{low}–{high}"
