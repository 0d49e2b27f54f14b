"""Short forms of commands, each of a person or a team."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Delete, delete, insert, select

from automation_bots.store import audit
from automation_bots.store.audit import AuditKind, Subject
from automation_bots.store.database import Database
from automation_bots.store.schema import aliases


@dataclass(frozen=True, slots=True)
class Alias:
    """One short form; `owner` is a person, `@` and a group, or empty for everybody (bot.toml)."""

    owner: str
    name: str
    meaning: str


class AliasStore:
    """All short forms that people have made; few, so that they are read once and kept."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database, self._clock = database, clock
        self._kept: tuple[Alias, ...] | None = None

    def all(self) -> tuple[Alias, ...]:
        """Return them by name."""
        if self._kept is None:
            with self._database.read() as connection:
                found = connection.execute(select(aliases).order_by(aliases.c.name, aliases.c.owner))
                self._kept = tuple(Alias(row.owner, row.name, row.meaning) for row in found)
        return self._kept

    def put(self, alias: Alias, about: Subject) -> None:
        """Keep one; the one of the same owner and name goes."""
        now = self._clock()
        with self._database.write() as connection:
            connection.execute(_is(alias))
            row = {"owner": alias.owner, "name": alias.name, "meaning": alias.meaning}
            connection.execute(insert(aliases), {**row, "person": about.person, "at": now})
            body = {"of": alias.owner, "what": f"{alias.name} = {alias.meaning}"}
            audit.append(connection, now, AuditKind.ALIAS, about, body)
        self._kept = None

    def remove(self, alias: Alias, about: Subject) -> None:
        """Forget one."""
        now = self._clock()
        with self._database.write() as connection:
            connection.execute(_is(alias))
            audit.append(connection, now, AuditKind.ALIAS, about, {"of": alias.owner, "what": f"{alias.name} removed"})
        self._kept = None


def _is(alias: Alias) -> Delete:
    return delete(aliases).where(aliases.c.owner == alias.owner, aliases.c.name == alias.name)
