"""The record in a data folder: one SQLite file, private to the bot's user, used by one bot at a time."""

from __future__ import annotations

import fcntl
import os
import socket
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, create_engine, event

from automation_bots.errors import StoreError

BUSY_SECONDS = 5.0
VACUUM_PAGES = 2_000  # a step: about 8 MB, so that no writer waits long


class Folder:
    """A data folder with `bot.db` and `store.lock`. A local disk: WAL does not work on network shares."""

    def __init__(self, folder: Path, *, exclusive: bool) -> None:
        self.where = str(folder / "bot.db")
        _make_private(folder)
        self._lock = _lock(folder / "store.lock") if exclusive else None
        os.close(os.open(self.where, os.O_RDWR | os.O_CREAT, 0o600))
        _set_for_good(self.where)
        url = URL.create("sqlite", database=self.where)
        self.engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS})
        self.readers = self.engine
        event.listen(self.engine, "connect", _prepare)
        event.listen(self.engine, "begin", _begin)

    def claim(self, connection: Connection) -> None:
        """Nothing to do: the lock file says it for the whole process."""

    def begin_write(self, connection: Connection) -> None:
        """Nothing to do: BEGIN IMMEDIATE already holds off other writers."""

    def shrink(self, connection: Connection) -> bool:
        """Give a few freed pages back to the disk."""
        cursor = connection.connection.cursor()  # SQLAlchemy would not read the rows, and each one read frees a page
        cursor.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})")
        cursor.fetchall()
        cursor.close()
        return bool(connection.exec_driver_sql("PRAGMA freelist_count").scalar())

    def settle(self) -> None:
        """Write the log back into the file, so that the file alone is the record."""
        self.engine.dispose()
        with closing(sqlite3.connect(self.where, timeout=BUSY_SECONDS)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def release(self) -> None:
        """Let the next bot in."""
        self.engine.dispose()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _make_private(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        raise StoreError(f"Others can read the data folder {folder} (mode {mode:04o}). Run: chmod 700 {folder}")


def _lock(path: Path) -> int:
    """Take the folder; the kernel gives the lock back however the process ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = " ".join(os.read(descriptor, 200).decode("utf-8", "replace").split()) or "unknown pid"
        os.close(descriptor)
        raise StoreError(
            f"Another bot uses the data folder {path.parent}: {holder}. Stop it, or give this one a folder of its own."
        ) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"pid {os.getpid()} on {socket.gethostname()}\n".encode())
    return descriptor


def _set_for_good(file: str) -> None:
    """Set what SQLite keeps in the file. Not with every connection: a reader would then wait for writers."""
    with closing(sqlite3.connect(file, timeout=BUSY_SECONDS)) as connection:
        if not Path(file).stat().st_size:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # counts only before the first page is written
        connection.execute("PRAGMA journal_mode=WAL")


def _prepare(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by us, see _begin
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=FULL")  # a power cut must not forget that a change has started
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Take the write lock at once: a reader that turns writer half-way cannot wait its turn and fails."""
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
