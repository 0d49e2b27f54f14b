"""Typed parameters: how files describe them, and how typed text becomes a checked value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from automation_bots.errors import BadCommand, BadParameter
from automation_bots.model import Parameter, one_line
from automation_bots.text.linear_regex import SafeRegex

TYPES = ("str", "int", "float", "bool", "list")
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
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
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
        default=spec.get("default"),
    )
    _compiles(parameter)
    if parameter.default is not None:
        try:
            check(parameter, parameter.default)
        except BadParameter as error:
            raise ValueError(f"the default of {name} is not allowed by its own limits: {error}") from error
    return parameter


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
        lines = raw if isinstance(raw, list | tuple) else str(raw).expandtabs().splitlines()
        return tuple(_line(parameter, str(line)) for line in lines if str(line).strip())
    if parameter.type == "numbers":
        items = raw if isinstance(raw, list | tuple) else str(raw).split(",")
        one = replace(parameter, type="int")
        return tuple(_limited(one, _converted(one, item)) for item in items if str(item).strip())
    if parameter.type == "list" or parameter.rest:
        items = list(raw) if isinstance(raw, list | tuple) else str(raw).split(",")
        return tuple(_limited(parameter, str(item).strip()) for item in items if str(item).strip())
    value = _converted(parameter, raw)
    return _limited(parameter, value)


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
    if not parameter.text and value != one_line(value, len(value) + 1):
        raise BadParameter(f"{parameter.name} must be one line without control characters")
    if parameter.match and not _whole(parameter.match).matches(value):
        raise BadParameter(f"{parameter.name} must match {parameter.match}, got {one_line(value, 40)!r}")


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"{low}–{high}"
