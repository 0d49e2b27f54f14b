"""Secrets that a person typed are taken out of what is kept to be read: words of jobs, facts of the audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection

KEY = "clear"  # in the connection's info: what takes secrets out of a text


def cleared(connection: Connection, value: Any) -> Any:
    """Return a value without secrets, its shape kept; keys are ours and stay."""
    clear = connection.info.get(KEY)
    return value if clear is None else cleared_by(clear, value)


def cleared_by(clear: Callable[[str], str], value: Any) -> Any:
    """The same by what takes secrets out of a text; equal texts once: many devices say "ok"."""
    return _each(cache(clear), value)


def _each(clear: Any, value: Any) -> Any:
    if isinstance(value, str) and not hasattr(value, "value"):  # an enum is one of our own words
        return clear(value)
    if isinstance(value, Mapping):
        return {key: clear(item) if type(item) is str else _each(clear, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_each(clear, item) for item in value)
    return value
