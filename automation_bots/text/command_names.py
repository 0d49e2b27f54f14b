"""How names of operations are typed. Pure."""

from __future__ import annotations

from collections.abc import Collection


def as_typed(name: str, names: Collection[str]) -> str:
    """`config-diff` is typed `config diff`, where there is a `config`."""
    first, _, rest = name.partition("-")
    return f"{first} {rest}" if rest and first in names else name
