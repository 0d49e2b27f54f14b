"""The record on a PostgreSQL server, one schema per bot.

The session that writes is also the one that holds the bot's advisory lock: when it is cut, the next write must win the
lock again first, so that a bot that lost it to another cannot write. (A pooler that shares sessions between
clients, as pgbouncer in transaction mode, breaks this.)
"""

from __future__ import annotations

import os
import socket
import time

from sqlalchemy import URL, Connection, create_engine, text

from automation_bots.errors import StoreError

_OWNER, _WRITE = 0x626F7401, 0x626F7402  # two lock classes, any numbers that no other program is likely to use
CLAIM_SECONDS = 3.0  # the server needs a moment to see that a killed bot is gone

_TRY = text("SELECT pg_try_advisory_lock(:kind, hashtext(current_schema()))")
_WAIT = text("SELECT pg_advisory_xact_lock(:kind, hashtext(current_schema()))").bindparams(kind=_WRITE)
_HOLDER = text(
    "SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory'"
    " AND l.granted AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND l.classid::bigint = :kind AND l.objid::bigint = (hashtext(current_schema())::bigint & 4294967295)"
)
# The server itself finds out within half a minute that the bot's host is gone, and frees its lock.
_KEEPALIVE = ("SET tcp_keepalives_idle = 15", "SET tcp_keepalives_interval = 5", "SET tcp_keepalives_count = 3")


class Server:
    """A PostgreSQL database, reached by URL."""

    def __init__(self, url: URL, *, exclusive: bool) -> None:
        self.where = url.render_as_string(hide_password=True)
        self._exclusive = exclusive
        name = f"automation-bots pid {os.getpid()} on {socket.gethostname()}"[:63]
        try:
            self.engine = create_engine(
                url.set(drivername="postgresql+psycopg"), connect_args={"application_name": name}, pool_pre_ping=True
            )
        except ModuleNotFoundError as error:
            raise StoreError(
                f'PostgreSQL needs the package psycopg ({error}). Run: pip install "psycopg[binary]"'
            ) from None

        # What is read in several statements (rows and their end, jobs and their counts) must belong together.
        self.readers = self.engine.execution_options(isolation_level="REPEATABLE READ")

    def claim(self, connection: Connection) -> None:
        """Become the one bot of this schema, or say who is."""
        for setting in _KEEPALIVE:
            connection.execute(text(setting))
        if not self._exclusive:
            return
        give_up = time.monotonic() + CLAIM_SECONDS
        while not connection.scalar(_TRY, {"kind": _OWNER}):
            if time.monotonic() > give_up:
                holder = connection.scalar(_HOLDER, {"kind": _OWNER}) or "unknown pid"
                remedy = "Stop it, or give this one a database or schema of its own."
                raise StoreError(
                    f"Another bot uses the database {self.where}: {holder}. {remedy}",
                    f"Another bot uses the record: {holder}. {remedy}",
                )
            time.sleep(0.1)

    def begin_write(self, connection: Connection) -> None:
        """Wait until no other process writes: the audit chain has one end."""
        connection.execute(_WAIT)

    def shrink(self, connection: Connection) -> bool:  # noqa: ARG002  # the folder needs it
        """Nothing to do: autovacuum does it."""
        return False

    def settle(self) -> None:
        """Nothing to do: there is no file."""

    def release(self) -> None:
        """Close every session, and with them the lock."""
        self.engine.dispose()
