"""A look at a record that changes nothing of it, also beside a running bot: which tables it has, how many jobs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import inspect, make_url, text
from sqlalchemy.exc import ArgumentError

from automation_bots.errors import StoreError
from automation_bots.store.database_errors import EXPLAINED, explain
from automation_bots.store.postgresql import Server
from automation_bots.store.schema import HEAD

NEEDED = HEAD  # the version of the tables that this program works with
_SECONDS = 5.0
_VERSION = "SELECT version_num FROM alembic_version"
_JOBS = "SELECT count(*) FROM jobs"


@dataclass(frozen=True, slots=True)
class Look:
    """What a record is; without a version there is none yet."""

    where: str
    version: str = ""
    jobs: int = 0


def look(url_or_folder: str | Path) -> Look:
    """Read the version of the tables; a StoreError says why nothing can be read."""
    if "://" in str(url_or_folder):
        return _on_server(str(url_or_folder))
    file = Path(url_or_folder) / "bot.db"
    try:
        return _in_file(file) if file.exists() else Look(str(file))
    except EXPLAINED as error:
        raise explain(error, str(file)) from error


def _in_file(file: Path) -> Look:
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=_SECONDS)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return Look(str(file))
        version = connection.execute(_VERSION).fetchone()[0]
        return Look(str(file), version, connection.execute(_JOBS).fetchone()[0])


def _on_server(url: str) -> Look:
    try:
        server = Server(make_url(url), exclusive=False)
    except (ArgumentError, ValueError):  # the second for a port that is no number
        raise StoreError("The database URL cannot be read. Write it as postgresql://user@host/database.") from None
    try:
        with server.readers.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return Look(server.where)
            version = str(connection.scalar(text(_VERSION)))
            return Look(server.where, version, connection.scalar(text(_JOBS)) or 0)
    except EXPLAINED as error:
        raise explain(error, server.where) from error
    finally:
        server.release()
