"""Texts with holes, as `bgp on {device}` or `{fields.ifName}`, that something said later fills. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable

_HOLE = re.compile(r"\{([A-Za-z_]+(?:\.[^{}\s]+)?)\}")


def names(text: str) -> tuple[str, ...]:
    """The names of the holes, each once."""
    return tuple(dict.fromkeys(_HOLE.findall(text)))


def fill(text: str, value: Callable[[str], str]) -> str:
    """Put the value of each hole in its place; what is put in is not looked through again."""
    return _HOLE.sub(lambda hole: value(hole[1]), text)
