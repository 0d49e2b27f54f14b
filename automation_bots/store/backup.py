"""The whole record from one database to another: backup, restore, and the move between a folder and a server."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, Table, func, insert, select, text

from automation_bots.errors import StoreError
from automation_bots.store import audit, restored
from automation_bots.store.database import Database
from automation_bots.store.schema import metadata

_ROWS = 1_000  # read and written at once
_KEYS = "keys"  # of the data folder
_FILE = "bot.db"  # a backup is such a file, whatever the record lives in


def status(url_or_folder: str | Path) -> Mapping[str, int]:
    """Return how many rows each table has; works beside a running bot."""
    database = Database.open(url_or_folder, exclusive=False)
    try:
        with database.read() as connection:
            return _counts(connection)
    finally:
        database.close()


def migrate(url_or_folder: str | Path) -> None:
    """Bring the tables up to date; the bot must not run."""
    Database.open(url_or_folder, exclusive=True).close()


def backup(url_or_folder: str | Path, file: Path) -> int:
    """Write the record as one SQLite file, as of one moment, beside a running bot; returns the audit's length."""
    if file.exists() or _beside(file).exists():
        raise StoreError(f"{file} is there already; nothing was overwritten. Name another file.")
    if not file.parent.is_dir():
        raise StoreError(f"There is no folder {file.parent}.")
    source = Database.open(url_or_folder, exclusive=False)
    try:
        # Complete or not there: made beside its place and moved in at the end.
        with TemporaryDirectory(prefix=".backup-", dir=file.parent) as folder:
            length = _copied(source, Path(folder) / "new")
            shutil.move(Path(folder) / "new" / _FILE, file)
    finally:
        source.close()
    return length


def restore(file: Path, url_or_folder: str | Path) -> int:
    """Put a backup into an empty record; tables of an older version are brought up to date on the way."""
    if not file.is_file():
        raise StoreError(f"There is no backup {file}.")
    with TemporaryDirectory(prefix="restore-") as folder:  # the backup itself stays as it is
        shutil.copyfile(file, Path(folder) / _FILE)
        length = move(folder, url_or_folder)
    database = Database.open(url_or_folder, exclusive=True)
    try:
        with database.write() as connection:
            restored.mark(connection, datetime.now(UTC), file.name)
    finally:
        database.close()
    return length


def keep_keys(data: Path, file: Path) -> Path | None:
    """Copy the keys of a bot beside its backup: without them every enrolled app is dead. None: there are none."""
    if not (data / _KEYS).is_dir():
        return None
    kept = _beside(file)
    shutil.copytree(data / _KEYS, kept)  # an older one is never overwritten
    kept.chmod(0o700)
    for path in kept.iterdir():
        path.chmod(0o600)
    return kept


def put_keys(file: Path, data: Path) -> Path | None:
    """Put the keys of a backup back; those that were there are set aside, where they are others. None: it has none."""
    kept, there = _beside(file), data / _KEYS
    if not kept.is_dir():
        return None
    if there.is_dir():
        there.rename(data / f"{_KEYS}.old-{_free(data, _KEYS)}")
    shutil.copytree(kept, there)
    return there


def _beside(file: Path) -> Path:
    return file.with_name(f"{file.name}.{_KEYS}")


def _free(folder: Path, name: str) -> int:
    return next(number for number in itertools.count(1) if not (folder / f"{name}.old-{number}").exists())


def move(source: str | Path, target: str | Path) -> int:
    """Copy a whole record into an empty one and check it there; returns the audit's length. No bot may use either."""
    database = Database.open(source, exclusive=True)
    try:
        return _copied(database, target)
    finally:
        database.close()


def set_aside(folder: Path) -> Path | None:
    """Give the record that a folder holds another name, so that one may be moved there; returns it, or None."""
    if not (folder / _FILE).exists():
        return None
    Database.open(folder, exclusive=True).close()  # no bot uses it, and all of it is in the one file
    return (folder / _FILE).rename(folder / f"{_FILE}.old-{_free(folder, _FILE)}")


def _copied(source: Database, target: str | Path) -> int:
    goal = Database.open(target, exclusive=True)
    try:
        with source.read() as old:
            expected = _counts(old)
            with goal.write() as new:
                _refuse_used(new, target)
                for table in metadata.sorted_tables:
                    _copy(table, old, new)
                _count_on(new)
        with goal.read() as connection:
            if _counts(connection) != expected:
                raise StoreError("The copy has not as many rows as the original; it must not be used.")
            length = audit.verify(connection)
        goal.settle()
        return length
    finally:
        goal.close()


def _refuse_used(connection: Connection, target: str | Path) -> None:
    if used := {name: rows for name, rows in _counts(connection).items() if rows and name != "audit_head"}:
        name, rows = next(iter(used.items()))
        where = str(target).rsplit("@", 1)[-1]
        raise StoreError(f"{where} holds a record already ({rows} rows in {name}); nothing was overwritten.")
    connection.execute(metadata.tables["audit_head"].delete())  # that of an empty chain


def _copy(table: Table, old: Connection, new: Connection) -> None:
    found = old.execution_options(yield_per=_ROWS).execute(select(table).order_by(*table.primary_key.columns))
    for rows in found.mappings().partitions(_ROWS):
        new.execute(insert(table), [dict(row) for row in rows])


def _count_on(connection: Connection) -> None:
    """Let PostgreSQL go on counting behind the copied numbers; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        column = table.autoincrement_column
        sequence = column is not None and connection.scalar(
            text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
        )
        if column is not None and sequence and (last := connection.scalar(select(func.max(column)))):
            connection.execute(text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last})


def _counts(connection: Connection) -> dict[str, int]:
    return {
        table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in metadata.sorted_tables
    }
