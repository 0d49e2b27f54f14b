"""A queue between bots in a database that all of them reach: PostgreSQL, or a file in a folder of one machine.

It only carries texts that are signed and sealed; whoever can write here can lose messages, not make or read any.
A message stays until its reader says that it is done, so that a kill of reader, writer or server loses none.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    delete,
    event,
    func,
    insert,
    make_url,
    select,
    text,
    update,
)
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from automation_bots.errors import StoreError
from automation_bots.store.schema import Number

_FILE = "peers.db"
_MOST = 10_000  # messages that wait for one reader
_ROUND = 16  # of them at once, since each may be long
_KEPT_SECONDS = 7 * 86_400.0
_WAIT_SECONDS = 3.0
_LOCK = 0x626F7403  # an advisory lock of PostgreSQL, while tables are made
_tables = MetaData()
messages = Table(
    "peer_messages",
    _tables,
    Column("id", Number, primary_key=True),
    Column("reader", String(60), nullable=False),
    Column("at", Float, nullable=False),
    Column("size", Integer, nullable=False),
    Column("taken", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_peer_messages_reader_id", "reader", "id"),
    sqlite_autoincrement=True,  # an id is never given twice
)
presence = Table(
    "peer_presence",
    _tables,
    Column("bot", String(60), primary_key=True),
    Column("at", Float, nullable=False),
    Column("card", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message; `body` is empty where it was too long to be read."""

    id: str
    body: str


@dataclass(frozen=True, slots=True)
class Sign:
    """The last sign of life of a bot: how old it is, by the queue's own clock, and what it said."""

    seconds: float
    card: str


class SqlQueue:
    """One bot's end of it; safe to use from many threads. A StoreError says that it is away."""

    def __init__(self, where: str | Path, most: int = _MOST) -> None:
        self._most = most
        self._engine, self.where = _server(str(where)) if "://" in str(where) else _file(Path(where))
        self._ready = False

    def put(self, reader: str, body: str) -> str:
        """Send; returns what the message is withdrawn by."""
        with self._begun() as connection:
            waiting = connection.scalar(select(func.count()).where(messages.c.reader == reader)) or 0
            if waiting >= self._most:
                raise StoreError(f"{waiting:,} messages wait for {reader} already; it takes none.")
            row = {"reader": reader, "at": time.time(), "size": len(body), "taken": False, "body": body}
            number = connection.scalar(insert(messages).returning(messages.c.id), row)
        return str(number)

    def withdraw(self, delivery: str) -> bool:
        """Take a message back; False when its reader has it."""
        with self._begun() as connection:
            waits = (messages.c.id == int(delivery), messages.c.taken.is_(False))
            return connection.execute(delete(messages).where(*waits)).rowcount == 1

    def take(self, reader: str, longest: int, known: Collection[str] = ()) -> list[Delivery]:
        """Return what is there for a reader and not known yet, the oldest first; it comes again until it is done."""
        mine = (messages.c.reader == reader) & messages.c.id.not_in(list(map(int, known)))
        with self._begun(writes=False) as connection:
            if connection.scalar(select(messages.c.id).where(mine).limit(1)) is None:
                return []
        with self._begun() as connection:
            connection.execute(update(messages).where(mine, messages.c.taken.is_(False)).values(taken=True))
            short = select(messages.c.id, messages.c.body).where(mine, messages.c.size <= longest)
            found = [
                Delivery(str(row.id), row.body)
                for row in connection.execute(short.order_by(messages.c.id).limit(_ROUND))
            ]
            long = select(messages.c.id).where(mine, messages.c.size > longest).limit(_ROUND)
            return found + [Delivery(str(number), "") for number in connection.scalars(long)]

    def done(self, deliveries: list[str]) -> None:
        """Let messages go."""
        if deliveries:
            with self._begun() as connection:
                connection.execute(delete(messages).where(messages.c.id.in_(map(int, deliveries))))

    def beat(self, bot: str, card: str) -> None:
        """Give a sign of life."""
        with self._begun() as connection:
            values = {"at": _clock(connection), "card": card}
            if not connection.execute(update(presence).where(presence.c.bot == bot).values(values)).rowcount:
                connection.execute(insert(presence), {"bot": bot, **values})

    def leave(self, bot: str) -> None:
        """Say that a bot ends."""
        with self._begun() as connection:
            connection.execute(delete(presence).where(presence.c.bot == bot))

    def signs(self) -> Mapping[str, Sign]:
        """The last sign of life of each bot."""
        with self._begun(writes=False) as connection:
            now = _clock(connection)
            rows = connection.execute(select(presence).limit(_MOST))
            return {row.bot: Sign(max(0.0, now - row.at), row.card) for row in rows}

    def forget(self) -> int:
        """Forget messages that nobody took for a week."""
        with self._begun() as connection:
            return connection.execute(delete(messages).where(messages.c.at < time.time() - _KEPT_SECONDS)).rowcount

    def close(self) -> None:
        """End all connections."""
        self._engine.dispose()

    @contextmanager
    def _begun(self, *, writes: bool = True) -> Iterator[Connection]:
        try:
            with self._engine.execution_options(writes=writes).begin() as connection:
                if not self._ready:
                    _make(connection)
                    self._ready = True
                yield connection
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            self._ready = False
            words = " ".join(str(getattr(error, "orig", None) or error).split())
            raise StoreError(
                f"The queue between bots ({self.where}) does not answer: {words[:200]}",
                "The queue between bots does not answer",
            ) from error


def _clock(connection: Connection) -> float:
    """The time of the queue: the same for all that use it."""
    if connection.dialect.name == "sqlite":
        return time.time()
    return float(connection.scalar(text("SELECT extract(epoch FROM clock_timestamp())")) or 0)


def _make(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    _tables.create_all(connection)


def _server(where: str) -> tuple[Engine, str]:
    try:
        url = make_url(where)
    except (ArgumentError, ValueError):
        raise StoreError("[peers] queue cannot be read. Write it as postgresql://user@host/database.") from None
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise StoreError(f"[peers] queue: {url.drivername} is not supported: a folder, or a postgresql:// URL.")
    limits = {"connect_timeout": int(_WAIT_SECONDS), "tcp_user_timeout": int(_WAIT_SECONDS * 1000)}
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=2, connect_args=limits,
        pool_timeout=_WAIT_SECONDS,
    )  # fmt: skip

    @event.listens_for(engine, "connect")
    def _limited(connection: Any, _record: Any) -> None:
        connection.execute(f"SET statement_timeout = {int(_WAIT_SECONDS * 1000)}")
        connection.commit()

    return engine, url.render_as_string(hide_password=True)


def _file(folder: Path) -> tuple[Engine, str]:
    folder = folder.expanduser()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & stat.S_IRWXO:
        raise StoreError(f"Everybody on this machine gets at {folder}. Run: chmod o-rwx {folder}")
    path = folder / _FILE
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o660))
        path.chmod(0o660)  # for a group of bots that run as different users; the folder decides who gets here
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": _WAIT_SECONDS, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine, str(folder)
