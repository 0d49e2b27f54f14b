"""What a database's own error means, in a sentence that says what to do."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from automation_bots.errors import StoreError

# (words of SQLite or PostgreSQL, what it means, what to do); the first that fits is said
_MEANINGS = (
    (("database is locked", "lock timeout", "canceling statement due to lock"),
     "is locked by another program", "Close what has it open (a database browser, a backup), then try again."),
    (("malformed", "not a database", "file is encrypted", "invalid page", "could not read block"),
     "is damaged; nothing was written",
     "Stop the bot, keep a copy of the file as it is, and restore the last backup."),
    (("disk is full", "no space left", "disk full", "quota exceeded"),
     "cannot be written: the disk is full", "Make room on that disk; the record is intact and goes on by itself."),
    (("readonly database", "read-only", "permission denied", "unable to open database"),
     "cannot be written", "Check that the bot's user owns the folder (or tables) and may write there."),
    (("disk i/o error", "input/output error"), "cannot be read or written: the disk reports an error",
     "Check the disk (dmesg) before starting again; the record on it may need its last backup."),
    (("password authentication", "no pg_hba.conf entry", "role "), "refuses this user",
     "Check user and password in the database URL."),
    (("connection refused", "connection is bad", "server closed the connection", "terminating connection",
      "could not translate host", "failed to resolve host", "connection failed",
      "connection is closed", "consuming input failed"),
     "does not answer", "Check that PostgreSQL runs and that the database URL is right; the next write tries again."),
    (("relation ", "already exists", "no such table", "no such column"),
     "has tables that this version does not expect", "It may belong to another program, or need its last backup."),
    (("does not exist",), "is not there", "Create the database first, or correct its URL."),
)  # fmt: skip


def explain(error: BaseException, where: str) -> StoreError:
    """Turn a database error into a StoreError that names the place, the meaning and the remedy."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    words = " ".join(str(cause).split())
    lower = words.lower()
    for signs, meaning, remedy in _MEANINGS:
        if any(sign in lower for sign in signs):
            return StoreError(
                f"The record ({where}) {meaning} ({words[:200]}). {remedy}", f"The record {meaning}. {remedy}"
            )
    text = f"The record ({where}) could not be used: {words[:200] or type(cause).__name__}."
    return StoreError(text, "The record could not be used; an admin finds the reason in the log.")


EXPLAINED = (SQLAlchemyError, sqlite3.Error, OSError)
