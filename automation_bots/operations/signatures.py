"""The signature of a Python command: its typed parameters, and whether it takes devices, read from the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from automation_bots.errors import BadParameter
from automation_bots.model import Parameter
from automation_bots.operations import parameters

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class Wrong(Exception):
    """Something in the file cannot be used; carries where."""

    def __init__(self, reason: str, where: ast.stmt | ast.expr | ast.arg | None = None) -> None:
        super().__init__(reason)
        self.line = where.lineno if where else None


@dataclass(frozen=True, slots=True)
class Shape:
    """What a function takes: parameters for people to type, and what the bot gives by itself."""

    parameters: tuple[Parameter, ...]
    devices: str  # required, one, optional, none
    wants: tuple[str, ...]  # devices, device, objects, check


def read(node: FunctionNode, help_texts: Mapping[str, str]) -> Shape:
    """Read a signature; a Wrong says what cannot be used, and where."""
    signature = _signature(node)
    wants, devices = _wants(signature)
    typed = (
        _parameter(argument, default, help_texts.get(argument.arg, ""))
        for argument, default in signature
        if not _is_special(argument)
    )
    return Shape(tuple(typed), devices, wants)


_Signature = list[tuple[ast.arg, ast.expr | None]]


def _signature(node: FunctionNode) -> _Signature:
    arguments = node.args
    if extra := arguments.vararg or arguments.kwarg:
        raise Wrong(f"{extra.arg}: *args and **kwargs cannot be typed in chat; name each parameter", extra)
    if arguments.posonlyargs:
        raise Wrong("parameters are given by name; leave out the / in the signature", node)
    without: list[ast.expr | None] = [None] * (len(arguments.args) - len(arguments.defaults))
    positional = zip(arguments.args, [*without, *arguments.defaults], strict=True)
    return [*positional, *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]


def _is_special(argument: ast.arg) -> bool:
    if argument.arg == "check":  # only the switch that --check sets; a text called check is an ordinary parameter
        return argument.annotation is not None and _name(argument.annotation) == "bool"
    return argument.arg in {"devices", "device"}


def _wants(signature: _Signature) -> tuple[tuple[str, ...], str]:
    special = {argument.arg: (argument, default) for argument, default in signature if _is_special(argument)}
    wants = [name for name in ("devices", "device", "check") if name in special]
    if "devices" in special and "device" in special:
        raise Wrong("takes devices (several) or device (one), not both", special["device"][0])
    if "devices" in special:
        argument, default = special["devices"]
        item, optional = _several(argument, default)
        return (*wants, *_objects(item)), "optional" if optional else "required"
    if "device" in special:
        argument, default = special["device"]
        if default is not None or _name(_hint(argument)) not in {"str", "Device"}:
            raise Wrong("device must be  device: str  or  device: Device,  without a default", argument)
        return (*wants, *_objects(_hint(argument))), "one"
    return tuple(wants), "none"


def _objects(item: ast.expr) -> tuple[str, ...]:
    return ("objects",) if _name(item) == "Device" else ()


def _several(argument: ast.arg, default: ast.expr | None) -> tuple[ast.expr, bool]:
    """Read the hint of `devices`: of what it is a list, and whether it may be left out."""
    hint, nullable = _without_none(_hint(argument))
    items = _items(hint)
    if _name(hint) not in {"list", "List"} or len(items) != 1 or _name(items[0]) not in {"str", "Device"}:
        raise Wrong("devices must be  devices: list[str]  or  devices: list[Device]", argument)
    if default is not None and _literal(argument, default):
        raise Wrong("the default of devices must be () or None: devices come from the inventory", argument)
    return items[0], nullable or default is not None


def _parameter(argument: ast.arg, default: ast.expr | None, help_text: str) -> Parameter:
    hint, nullable = _without_none(_hint(argument))
    spec = _described(hint, argument)
    if argument.arg == "text" and spec["type"] == "str":
        spec["text"] = True  # a code block or an attached file
    if default is not None or nullable:
        spec["default"] = None if default is None else _literal(argument, default)
    spec["help"] = help_text
    try:
        (parameter,) = parameters.from_mapping({argument.arg: spec})
        if parameter.default is None:
            return parameter
        return replace(parameter, default=parameters.check(parameter, parameter.default))
    except (ValueError, BadParameter) as error:
        raise Wrong(str(error), argument) from error


def _literal(argument: ast.arg, default: ast.expr) -> Any:
    try:
        return ast.literal_eval(default)
    except (ValueError, TypeError) as error:
        raise Wrong(
            f"the default of {argument.arg} must be a plain value, not {ast.unparse(default)}", default
        ) from error


def _hint(argument: ast.arg) -> ast.expr:
    if argument.annotation is None:
        raise Wrong(f"{argument.arg} has no type; write {argument.arg}: str (or int, float, bool …)", argument)
    return _unquoted(argument.annotation)


def _unquoted(hint: ast.expr) -> ast.expr:
    if not (isinstance(hint, ast.Constant) and isinstance(hint.value, str)):
        return hint
    try:
        return ast.parse(hint.value.strip(), mode="eval").body
    except SyntaxError as error:
        raise Wrong(f"{hint.value!r} is no type", hint) from error


def _name(hint: ast.expr) -> str:
    """Return the last word of a type: `typing.Literal[…]` is a Literal."""
    hint = hint.value if isinstance(hint, ast.Subscript) else hint
    if isinstance(hint, ast.Attribute):
        return hint.attr
    return hint.id if isinstance(hint, ast.Name) else ""


def _items(hint: ast.expr) -> list[ast.expr]:
    if not isinstance(hint, ast.Subscript):
        return []
    return [_unquoted(item) if _name(hint) != "Literal" else item for item in _elements(hint.slice)]


def _elements(index: ast.expr) -> list[ast.expr]:
    return index.elts if isinstance(index, ast.Tuple) else [index]


def _without_none(hint: ast.expr) -> tuple[ast.expr, bool]:
    """Take `| None`, `Optional[…]` and `Union[…, None]` off a type."""
    if isinstance(hint, ast.BinOp) and isinstance(hint.op, ast.BitOr):
        choices = [hint.left, hint.right]
    elif _name(hint) in {"Optional", "Union"}:
        choices = _items(hint)
    else:
        return hint, False
    kept = [item for item in choices if not (isinstance(item, ast.Constant) and item.value is None)]
    if len(kept) != 1:
        return hint, False
    return kept[0], len(kept) < len(choices) or _name(hint) == "Optional"


def _described(hint: ast.expr, argument: ast.arg) -> dict[str, Any]:
    name, items = _name(hint), _items(hint)
    if name in {"str", "int", "float", "bool"} and not items:
        return {"type": name}
    if name == "Literal":
        return _choices(items, argument)
    if name in {"list", "List"} and len(items) == 1:
        item = _described(items[0], argument)
        if item["type"] == "str":
            return {**item, "type": "list"}
    if name in {"dict", "Dict"} and len(items) in {0, 2}:
        return {"type": "dict"}
    raise Wrong(
        f"{argument.arg}: {ast.unparse(hint)} cannot be typed in chat; use str, int, float, bool, list[str], dict, "
        'Literal["a", "b"], or one of these with | None',
        argument,
    )


def _choices(items: list[ast.expr], argument: ast.arg) -> dict[str, Any]:
    values = [_literal(argument, item) for item in items]
    kinds = {type(value) for value in values}
    if kinds not in ({str}, {int}):
        raise Wrong(f"{argument.arg}: the values of Literal[…] must be all texts or all whole numbers", argument)
    return {"type": kinds.pop().__name__, "choices": tuple(values)}
