"""Connections and transactions: many readers, one writer at a time, errors as sentences."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from automation_bots.errors import StoreError
from automation_bots.store.clear import KEY as CLEAR
from automation_bots.store.failures import EXPLAINED, explain
from automation_bots.store.folder import Folder
from automation_bots.store.schema import HEAD
from automation_bots.store.server import Server


class Backend(Protocol):
    """What differs between a data folder and a database server."""

    where: str

    @property
    def engine(self) -> Engine:
        """Where the writer's session comes from."""

    @property
    def readers(self) -> Engine:
        """Where consistent views come from."""

    def claim(self, connection: Connection) -> None:
        """Make sure that no other bot writes here."""

    def begin_write(self, connection: Connection) -> None:
        """Wait for the other writers."""

    def shrink(self, connection: Connection) -> bool:
        """Give freed space back, a step of it; True when there is more."""

    def settle(self) -> None:
        """Leave all in one file, where there is one."""

    def release(self) -> None:
        """Let the next bot in."""


def backend_of(url_or_folder: str | Path, *, exclusive: bool) -> Backend:
    """Tell a database URL from a folder."""
    if "://" not in str(url_or_folder):
        return Folder(Path(url_or_folder).expanduser(), exclusive=exclusive)
    try:
        url = make_url(str(url_or_folder))
    except (ArgumentError, ValueError):  # the second for a port that is no number
        raise StoreError("The database URL cannot be read. Write it as postgresql://user@host/database.") from None
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise StoreError(f"{url.drivername} is not supported: give a data folder, or a postgresql:// URL.")
    return Server(url, exclusive=exclusive)


class Database:
    """One open record. Writers queue on a lock of this process, so that threads sleep instead of spinning."""

    def __init__(self, backend: Backend, *, migrates: bool) -> None:
        self._backend = backend
        self._turn = threading.Lock()
        self._writer: Connection | None = None
        self._listeners: tuple[Callable[[], None], ...] = ()
        self._closed = False
        self.clear: Callable[[str], str] = str  # takes secrets out of what is kept
        try:
            with self.write() as connection:
                _bring_up_to_date(connection, backend.where, migrates=migrates)
        except BaseException:
            self.close()
            raise

    @classmethod
    def open(cls, url_or_folder: str | Path, *, exclusive: bool) -> Database:
        """Open the record; the exclusive one also makes or upgrades the tables."""
        with _explained(str(url_or_folder).rsplit("@", 1)[-1]):
            backend = backend_of(url_or_folder, exclusive=exclusive)
        return cls(backend, migrates=exclusive)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a consistent view; never waits for writers."""
        self._check_open()
        with _explained(self._backend.where), self._backend.readers.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give the writer's connection: all that is done with it is kept, or nothing."""
        with self._turn, _explained(self._backend.where):
            self._check_open()
            connection = self._connected()
            try:
                with connection.begin():
                    self._backend.begin_write(connection)
                    connection.info[CLEAR] = self.clear
                    yield connection
            finally:
                if connection.invalidated:
                    self._disconnect()
        for listener in self._listeners:
            listener()

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call this after every write; it must neither wait nor raise."""
        self._listeners = (*self._listeners, listener)

    def shrink(self) -> bool:
        """Give freed space back to the disk, a step of it; True when there is more."""
        with self.write() as connection:
            return self._backend.shrink(connection)

    def settle(self) -> None:
        """Bring all that was written into one file, where the record is one; nobody else may use it."""
        with self._turn:
            self._disconnect()
            self._backend.settle()

    def close(self) -> None:
        """End all connections; a second call does nothing."""
        with self._turn:
            self._closed = True
            self._disconnect()
            self._backend.release()

    def _connected(self) -> Connection:
        if self._writer is None:
            self._writer = self._backend.engine.connect().execution_options(writes=True)
            try:
                with self._writer.begin():
                    self._backend.claim(self._writer)
            except BaseException:
                self._disconnect()
                raise
        return self._writer

    def _disconnect(self) -> None:
        """End the writer's session for good: back in the pool it would go on holding the bot's lock."""
        writer, self._writer = self._writer, None
        if writer is not None:
            with suppress(SQLAlchemyError):
                writer.invalidate()
            writer.close()

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"The record ({self._backend.where}) is closed: the bot is stopping.")


@contextmanager
def _explained(where: str) -> Iterator[None]:
    try:
        yield
    except EXPLAINED as error:
        raise explain(error, where) from error


def _bring_up_to_date(connection: Connection, where: str, *, migrates: bool) -> None:
    version = None
    if inspect(connection).has_table("alembic_version"):
        version = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if version == HEAD:
        return
    if not migrates:
        raise StoreError(f"The record ({where}) has tables of version {version}, {HEAD} is needed. Start the bot once.")
    if version is not None and version > HEAD:
        raise StoreError(
            f"The record ({where}) was made by a newer version (tables {version}, this one knows {HEAD})."
            " Install that version again; nothing was changed."
        )
    from automation_bots.store.migrations import upgrade  # Alembic costs a third of a second, and is rarely needed

    upgrade(connection)
