"""What the tables of bot.toml have in common: no unknown keys, and no secret in clear."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from automation_bots.secrets import references as secrets


class Strict(BaseModel):
    """A table where a key that nobody knows is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class InClear(ValueError):
    """A secret stands in the file; carries the keys that lead to it."""

    def __init__(self, key: str, *tables: str) -> None:
        self.path = (*tables, key)
        references = f'{key} = "env:NAME", "vault:NAME", "credential:NAME" or "file:PATH"'
        super().__init__(f"{key} must not stand here in clear; write {references}")


def no_secret_in_clear(value: dict[str, Any], *tables: str) -> dict[str, Any]:
    """Refuse a table in which a secret stands as it is; a reference to one may. `tables` lead to it."""
    for key, entry in value.items():
        if secrets.names_a_secret(key) and not (isinstance(entry, str) and secrets.is_reference(entry)):
            raise InClear(key, *tables)
    return value
