"""Connections and transactions: many readers, one writer at a time, errors as sentences."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Engine, RootTransaction, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, SQLAlchemyError

from automation_bots.errors import StoreError
from automation_bots.store.database_errors import EXPLAINED, explain
from automation_bots.store.postgresql import Server
from automation_bots.store.redaction import KEY as CLEAR
from automation_bots.store.redaction import cleared_by
from automation_bots.store.schema import HEAD, create
from automation_bots.store.sqlite import Folder

_LARGEST_GROUP = 32  # writers that share one commit; the first of them waits for the others
_LOOK_SECONDS = 0.5


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


class Group:
    """What several writers have written that is kept by one commit, or not at all."""

    def __init__(self, connection: Connection, transaction: RootTransaction) -> None:
        self.connection, self.transaction = connection, transaction
        self.done = threading.Event()
        self.error: Exception | None = None
        self._size = 0

    @property
    def is_full(self) -> bool:
        """Whether the next one has to wait for the next commit."""
        return self._size >= _LARGEST_GROUP

    @contextmanager
    def member(self) -> Iterator[Connection]:
        """Let one write, and undo what it wrote when it fails; what the first one wrote is all that there is."""
        self._size += 1
        if self._size == 1:
            yield self.connection
            return
        self.connection.exec_driver_sql("SAVEPOINT member")  # as both databases say it; SQLAlchemy's own takes longer
        try:
            yield self.connection
        except BaseException:
            self.connection.exec_driver_sql("ROLLBACK TO SAVEPOINT member")
            raise
        self.connection.exec_driver_sql("RELEASE SAVEPOINT member")

    def is_spoilt_by(self, error: BaseException) -> bool:
        """Whether a writer's failure takes the group with it: databases undo the statement, or all."""
        return self._size == 1 or (isinstance(error, DBAPIError) and not isinstance(error, IntegrityError))

    def end(self, error: BaseException | None) -> None:
        """Tell all whose writing it was what became of it."""
        stopped = StoreError("The bot was stopped while this was written; after the start it tells what is true.")
        self.error = error if error is None or isinstance(error, Exception) else stopped
        self.done.set()


class Database:
    """One open record. Writers queue on a lock of this process, so that threads sleep instead of spinning."""

    def __init__(self, backend: Backend, *, migrates: bool) -> None:
        self._backend = backend
        self._turn, self._counting, self._waiting = threading.Lock(), threading.Lock(), 0
        self._group: Group | None = None
        self._writer: Connection | None = None
        self._listeners: tuple[Callable[[], None], ...] = ()
        self._closed = False
        self._clear: Callable[[str], str] = str  # takes secrets out of what is kept
        try:
            with self.write() as connection:
                _bring_up_to_date(connection, backend.where, migrates=migrates)
        except BaseException:
            self.close()
            raise

    def redact_with(self, clear: Callable[[str], str]) -> None:
        """Take secrets out of what is kept from now on."""
        self._clear = clear

    def cleared(self, value: Any) -> Any:
        """Take secrets out of what is about to be kept, before others wait for the writing of it."""
        return cleared_by(self._clear, value)

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
        """Give the writer's connection: all that is done with it is kept, or nothing.

        Who writes while others wait leaves the commit to the last of them: one wait for the disk serves all.
        """
        with _explained(self._backend.where):
            with self._in_turn():
                group = self._begun()
                try:
                    with group.member() as connection:
                        yield connection
                except BaseException as error:
                    if group.is_spoilt_by(error):
                        self._end(group, error)
                    raise
                finally:
                    if self._group is group and (group.is_full or not self._waiting):
                        self._end(group)
            self._until_kept(group)
        for listener in self._listeners:
            listener()

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        with self._counting:
            self._waiting += 1
        try:
            self._turn.acquire()
        finally:
            with self._counting:
                self._waiting -= 1
        try:
            yield
        finally:
            self._turn.release()

    def _begun(self) -> Group:
        self._check_open()
        if self._group is None:
            connection = self._connected()
            transaction = connection.begin()
            try:
                self._backend.begin_write(connection)
            except BaseException:
                transaction.close()
                if connection.invalidated:
                    self._disconnect()
                raise
            connection.info[CLEAR] = self._clear
            self._group = Group(connection, transaction)
        return self._group

    def _end(self, group: Group, error: BaseException | None = None) -> None:
        """Keep what the group wrote, or undo it; whose turn it is does that."""
        self._group = None
        try:
            if error is None:
                group.transaction.commit()
        except BaseException as failed:
            error = failed
            raise
        finally:
            if error is not None:
                with suppress(SQLAlchemyError):
                    group.transaction.close()
            if group.connection.invalidated or group.connection.in_transaction():
                self._disconnect()
            group.end(error)

    def _until_kept(self, group: Group) -> None:
        while not group.done.wait(_LOOK_SECONDS):
            with self._turn:
                if self._group is group:  # whoever was to write next was interrupted
                    self._end(group)
        if group.error is not None:
            raise group.error

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
            self._finish()
            self._backend.settle()

    def close(self) -> None:
        """End all connections; a second call does nothing."""
        with self._turn:
            self._closed = True
            self._finish()
            self._backend.release()

    def _finish(self) -> None:
        if self._group is not None:
            with suppress(SQLAlchemyError):  # its writers are told
                self._end(self._group)
        self._disconnect()

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
            raise StoreError(
                f"The record ({self._backend.where}) is closed: the bot is stopping.", "The bot is stopping."
            )


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
    if version is None and not inspect(connection).get_table_names():
        create(connection)
        return
    from automation_bots.store.migrations import upgrade  # Alembic costs a third of a second, and is rarely needed

    upgrade(connection)
